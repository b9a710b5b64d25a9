#include "quality/derive.h"

#include <optional>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "engine/sql_text.h"
#include "quality/sql_types.h"

namespace mxcp::quality {
namespace {

using engine::Column;
using project::Endpoint;

constexpr std::chrono::seconds kLeaseWait{30};

bool is_sql_tool(const Endpoint& endpoint) {
  return endpoint.kind == project::EndpointKind::kTool &&
         endpoint.language == project::Language::kSql;
}

std::shared_ptr<const Endpoint> with_read_only_hint(const Endpoint& endpoint) {
  if (!is_sql_tool(endpoint)) return nullptr;
  if (endpoint.annotations && endpoint.annotations->read_only) return nullptr;
  if (!engine::only_reads(endpoint.source.text)) return nullptr;
  auto copy = std::make_shared<Endpoint>(endpoint);
  if (!copy->annotations) copy->annotations.emplace();
  copy->annotations->read_only = true;
  return copy;
}

using SqlTypes = std::vector<std::pair<std::string, std::string>>;

// Of the last statement; empty when they are not known.
std::vector<Column> columns_for(engine::Lease& lease, const std::string& sql,
                                const SqlTypes& types) {
  auto statements = lease.prepare(sql, types);
  if (!statements.ok() || statements->empty()) return {};
  engine::StatementInfo& last = statements->back();
  if (!last.read_only || last.refused) return {};
  return std::move(last.columns);
}

// The columns of one way to call, joined into what holds for all of them.
class Row {
 public:
  explicit Row(const std::vector<Column>& columns) {
    for (const Column& column : columns) {
      members_.push_back(
          {column.name, declaration_of(column.type), column.type.id == engine::TypeId::kSqlNull});
    }
  }

  bool join(const Row& other) {
    if (other.members_.size() != members_.size()) return false;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      Member& mine = members_[i];
      const Member& its = other.members_[i];
      if (mine.name != its.name) return false;
      if (its.always_null) continue;  // null fits everything
      if (mine.always_null) {
        mine = its;
      } else {
        mine.type = mine.type && its.type ? common(*mine.type, *its.type) : std::nullopt;
      }
    }
    return true;
  }

  Result<types::Type> list_type() && {
    types::TypeSpec row;
    row.kind = types::Kind::kObject;
    for (Member& member : members_) {
      row.required.push_back(member.name);
      if (member.type) {
        row.properties.emplace_back(std::move(member.name), *std::move(member.type));
      }
    }
    types::TypeSpec list;
    list.kind = types::Kind::kArray;
    list.items = std::make_shared<types::TypeSpec>(std::move(row));
    return types::Type::compile(std::move(list));
  }

 private:
  struct Member {
    std::string name;
    std::optional<types::TypeSpec> type;  // nothing: not known
    bool always_null;
  };
  std::vector<Member> members_;
};

}  // namespace

std::optional<types::Type> derived_return(const Endpoint& endpoint, engine::Lease& lease) {
  const std::string& sql = endpoint.source.text;
  const std::vector<Column> columns = columns_for(lease, sql, sql_types(endpoint.parameters));
  if (columns.empty()) return {};
  Row row(columns);
  if (!endpoint.parameters.empty()) {
    // With NULL for every argument, which makes other types of the expressions it is part of.
    SqlTypes nulls;
    for (const auto& entry : endpoint.parameters.entries()) {
      nulls.emplace_back(entry.name, "\"NULL\"");
    }
    const std::vector<Column> with_nulls = columns_for(lease, sql, nulls);
    if (!with_nulls.empty() && !row.join(Row(with_nulls))) return {};
  }
  auto type = std::move(row).list_type();
  if (!type.ok()) return {};
  return *std::move(type);
}

std::shared_ptr<const project::Project> derive(std::shared_ptr<const project::Project> project,
                                               engine::Database* database) {
  if (database == nullptr) {
    if (!project->site().plugins.empty()) return project;
    return project->with_endpoints(with_read_only_hint, false);
  }
  auto lease = database->lease(Clock::system().now() + kLeaseWait);
  if (!lease.ok()) return project;
  return project->with_endpoints(
      [&](const Endpoint& endpoint) -> std::shared_ptr<const Endpoint> {
        if (!is_sql_tool(endpoint)) return nullptr;
        if (endpoint.return_type && !endpoint.return_derived) return nullptr;
        if (endpoint.content) return nullptr;
        auto copy = std::make_shared<Endpoint>(endpoint);
        copy->return_type = derived_return(endpoint, *lease);
        copy->return_derived = copy->return_type.has_value();
        return copy;
      },
      true);
}

}  // namespace mxcp::quality
