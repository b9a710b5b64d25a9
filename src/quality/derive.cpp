#include "quality/derive.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "engine/reading.h"
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

// Extensions whose functions only read, for what is not marked by DuckDB. Of others nobody knows.
bool only_reads(const std::vector<project::ExtensionSpec>& extensions) {
  static const std::set<std::string_view> kReading = {"autocomplete", "excel", "fts",  "httpfs",
                                                      "icu",          "inet",  "json", "parquet",
                                                      "spatial",      "tpcds", "tpch", "vss"};
  return std::all_of(extensions.begin(), extensions.end(),
                     [](const auto& extension) { return kReading.contains(extension.name); });
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

  void join(const std::vector<Column>& columns) {
    const Row other(columns);
    for (std::size_t i = 0; i < members_.size(); ++i) {
      Member& mine = members_[i];
      const Member& its = other.members_[i];
      if (its.always_null) continue;  // null fits everything
      if (mine.always_null) {
        mine = its;
      } else {
        mine.type = mine.type && its.type ? common(*mine.type, *its.type) : std::nullopt;
      }
    }
  }
  // Column `i` may be anything.
  void open(std::size_t i) {
    members_[i].type.reset();
    members_[i].always_null = false;
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
    forget_open_members(row);
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

// Asks DuckDB for the columns of a statement with one argument after the other in every form that
// it may have, null included, and where a column depends on several of them, with all combinations.
class Derivation {
 public:
  Derivation(const Endpoint& endpoint, engine::Lease& lease)
      : sql_(endpoint.source.text), lease_(lease) {
    const bool typed = endpoint.parameters.own_schema() == nullptr;
    for (const auto& entry : endpoint.parameters.entries()) {
      Examples examples = typed ? examples_of(entry.type.spec()) : examples_of_anything();
      // Where the declaration says nothing, null stands for it.
      const bool known = !examples.usual.empty();
      guessed_ = guessed_ || !known || examples.guessed;
      std::vector<Value> forms = std::move(examples.usual);
      forms.insert(forms.end(), examples.rare.begin(), examples.rare.end());
      forms.insert(known ? forms.end() : forms.begin(), Value());
      usual_.emplace_back(entry.name, forms.front());
      forms_.push_back(std::move(forms));
      open_.push_back(examples.open);
    }
  }

  std::optional<Row> row() {
    base_ = columns_for(usual_);
    if (base_.empty()) return {};
    row_.emplace(base_);
    depends_.assign(base_.size(), {});
    for (std::size_t p = 0; p < forms_.size(); ++p) {
      for (std::size_t k = 1; k < forms_[p].size(); ++k) {
        types::Arguments arguments = usual_;
        arguments[p].second = forms_[p][k];
        if (!look(arguments, p)) return {};
      }
    }
    types::Arguments nulls = usual_;
    for (auto& argument : nulls) argument.second = nullptr;
    if (!look(nulls, {}) || !combine()) return {};
    // What the members of an undescribed object are is not tried out.
    for (std::size_t i = 0; guessed_ && i < base_.size(); ++i) row_->open(i);
    for (std::size_t i = 0; i < depends_.size(); ++i) {
      if (std::any_of(depends_[i].begin(), depends_[i].end(), [&](auto p) { return open_[p]; })) {
        row_->open(i);
      }
    }
    return std::move(row_);
  }

 private:
  // More calls than this are not tried out.
  static constexpr std::size_t kMostCombinations = 128;

  // Of the last statement; empty when they are not known.
  std::vector<Column> columns_for(const types::Arguments& arguments) {
    auto statements = lease_.prepare(sql_, arguments);
    if (!statements.ok() || statements->empty()) return {};
    engine::StatementInfo& last = statements->back();
    if (!last.read_only || last.refused) return {};
    return std::move(last.columns);
  }

  // False: the columns are others. `changed`: the argument that is not as usual.
  bool look(const types::Arguments& arguments, std::optional<std::size_t> changed) {
    const std::vector<Column> columns = columns_for(arguments);
    if (columns.empty()) return true;  // such a call is refused
    if (columns.size() != base_.size()) return false;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].name != base_[i].name) return false;
      if (changed && columns[i].type.name != base_[i].type.name &&
          columns[i].type.id != engine::TypeId::kSqlNull) {
        depends_[i].insert(*changed);
      }
    }
    row_->join(columns);
    return true;
  }

  // The combinations of the arguments that share a column.
  bool combine() {
    std::set<std::size_t> shared;
    for (const auto& parameters : depends_) {
      if (parameters.size() > 1) shared.insert(parameters.begin(), parameters.end());
    }
    std::size_t count = 1;
    for (const std::size_t p : shared)
      count = std::min(count * forms_[p].size(), std::size_t{1000});
    if (count > kMostCombinations) {
      for (std::size_t i = 0; i < depends_.size(); ++i) {
        if (depends_[i].size() > 1) row_->open(i);
      }
      return true;
    }
    for (std::size_t n = 0; shared.size() > 1 && n < count; ++n) {
      types::Arguments arguments = usual_;
      std::size_t rest = n;
      for (const std::size_t p : shared) {
        arguments[p].second = forms_[p][rest % forms_[p].size()];
        rest /= forms_[p].size();
      }
      if (!look(arguments, {})) return false;
    }
    return true;
  }

  const std::string& sql_;
  engine::Lease& lease_;
  types::Arguments usual_;
  std::vector<std::vector<Value>> forms_;  // of each argument; the first is the usual one
  std::vector<bool> open_;
  bool guessed_ = false;
  std::vector<Column> base_;
  std::vector<std::set<std::size_t>> depends_;  // of each column: on which arguments
  std::optional<Row> row_;
};

}  // namespace

std::optional<types::Type> derived_return(const Endpoint& endpoint, engine::Lease& lease) {
  std::optional<Row> row = Derivation(endpoint, lease).row();
  if (!row) return {};
  auto type = std::move(*row).list_type();
  if (!type.ok()) {
    log::error("derive", "{}: no output schema: {}", endpoint.display_file, type.error().text());
    return {};
  }
  return *std::move(type);
}

std::shared_ptr<const project::Project> derive(std::shared_ptr<const project::Project> project,
                                               engine::Database* database) {
  if (database == nullptr) return project;
  auto lease = database->lease(Clock::system().now() + kLeaseWait);
  if (!lease.ok()) return project;
  // Functions of plugins may do anything.
  std::optional<engine::Reading> reading;
  if (project->site().plugins.empty() && only_reads(project->site().extensions)) {
    if (auto loaded = engine::Reading::load(*lease); loaded.ok()) reading = *std::move(loaded);
  }
  return project->with_endpoints(
      [&](const Endpoint& endpoint) -> std::shared_ptr<const Endpoint> {
        if (!is_sql_tool(endpoint)) return nullptr;
        const bool typed = endpoint.content || (endpoint.return_type && !endpoint.return_derived);
        const bool hinted = !reading || (endpoint.annotations && endpoint.annotations->read_only);
        const bool reads = !hinted && reading->only_reads(endpoint.source.text) &&
                           lease->prepare(endpoint.source.text).ok();
        if (typed && !reads) return nullptr;
        auto copy = std::make_shared<Endpoint>(endpoint);
        if (!typed) {
          copy->return_type = derived_return(endpoint, *lease);
          copy->return_derived = copy->return_type.has_value();
        }
        if (reads) {
          if (!copy->annotations) copy->annotations.emplace();
          copy->annotations->read_only = true;
        }
        return copy;
      },
      true);
}

}  // namespace mxcp::quality
