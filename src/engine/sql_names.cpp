#include "engine/sql_names.h"

#include <algorithm>
#include <array>
#include <deque>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace mxcp::engine {
namespace {

// SHOW TABLES, SHOW DATABASES and SHOW ALL TABLES name these, which list the catalogue. Sorted.
constexpr std::array<std::string_view, 3> kShown = {"\"databases\"", "\"tables\"",
                                                    "__show_tables_expanded"};

// The names of common table expressions that are known at one place, the innermost first.
struct Scope {
  std::string name;  // lower case
  const Scope* outer = nullptr;
};

bool is_known(const Scope* scope, std::string_view name) {
  for (; scope != nullptr; scope = scope->outer) {
    if (scope->name == name) return true;
  }
  return false;
}

const std::string* text_member(const Value& node, std::string_view key) {
  const Value* const member = node.find(key);
  return member == nullptr ? nullptr : member->as_string();
}

const Array* list_member(const Value& node, std::string_view key) {
  const Value* const member = node.find(key);
  return member == nullptr ? nullptr : member->as_array();
}

class Collector {
 public:
  explicit Collector(SqlNames& names) : names_(names) {}

  // The tree is as deep as the parser of JSON allows.
  void visit(const Value& node, const Scope* scope);
  bool understood() const { return understood_; }

 private:
  void members(const Value& node, const Scope* scope,
               std::initializer_list<std::string_view> except = {});
  void query_node(const Value& node, std::string_view type, const Scope* scope);
  void table(const Value& node, const Scope* scope);
  void table_function(const Value& node, const Scope* scope);
  void show(const Value& node);

  SqlNames& names_;
  bool understood_ = true;
};

void Collector::visit(const Value& node, const Scope* scope) {
  if (const Array* const items = node.as_array()) {
    for (const Value& item : *items) visit(item, scope);
    return;
  }
  if (node.as_object() == nullptr) return;
  const std::string* const type = text_member(node, "type");
  const std::string_view kind = type == nullptr ? std::string_view() : *type;
  if (kind == "TABLE_FUNCTION") return table_function(node, scope);
  if (kind == "SHOW_REF") return show(node);
  if (kind == "BASE_TABLE") {
    table(node, scope);
  } else if (kind.ends_with("_NODE")) {
    return query_node(node, kind, scope);
  }
  if (const auto* const name = text_member(node, "function_name")) {
    names_.functions.insert(to_lower(*name));
  }
  members(node, scope);
}

void Collector::members(const Value& node, const Scope* scope,
                        std::initializer_list<std::string_view> except) {
  for (const auto& [key, value] : *node.as_object()) {
    if (std::find(except.begin(), except.end(), key) == except.end()) visit(value, scope);
  }
}

// DuckDB 1.4 puts a CTE_NODE with its `query` and `child` around a query for each of its common
// table expressions; these stand in `cte_map` as well, which is all that 2.0 has.
void Collector::query_node(const Value& node, std::string_view type, const Scope* scope) {
  std::deque<Scope> own;  // a deque: what is in it does not move
  const auto inner = [&] { return own.empty() ? scope : &own.back(); };
  const Value* const map = node.find("cte_map");
  if (const Array* const entries = map == nullptr ? nullptr : list_member(*map, "map")) {
    for (const Value& entry : *entries) {
      const std::string* const name = text_member(entry, "key");
      visit(entry, inner());
      if (name == nullptr) {
        understood_ = false;
      } else {
        own.push_back({to_lower(*name), inner()});
      }
    }
  }
  const std::string* const name = text_member(node, "cte_name");
  const std::string lower = name == nullptr ? "" : to_lower(*name);
  if (type == "CTE_NODE") {
    const Scope with_it{lower, scope};
    if (const Value* const query = node.find("query")) visit(*query, scope);
    if (const Value* const child = node.find("child")) visit(*child, &with_it);
    members(node, scope, {"cte_map", "query", "child"});
  } else if (type == "RECURSIVE_CTE_NODE") {
    const Scope with_itself{lower, inner()};
    if (const Value* const right = node.find("right")) visit(*right, &with_itself);
    members(node, inner(), {"cte_map", "right"});
  } else {
    members(node, inner(), {"cte_map"});
  }
}

void Collector::table(const Value& node, const Scope* scope) {
  std::vector<std::string> path;
  const Value* const qualified = node.find("qualified_name");  // since 2.0
  const Array* const parts = qualified == nullptr ? nullptr : list_member(*qualified, "path");
  if (parts != nullptr) {
    for (const Value& part : *parts) {
      path.push_back(part.as_string() == nullptr ? "" : *part.as_string());
    }
  } else {
    for (const char* const key : {"catalog_name", "schema_name", "table_name"}) {
      const std::string* const part = text_member(node, key);
      if (part != nullptr && !part->empty()) path.push_back(*part);
    }
  }
  if (path.empty()) {
    understood_ = false;
  } else if (path.size() > 1 || !is_known(scope, to_lower(path.front()))) {
    names_.tables.insert(std::move(path));
  }
}

void Collector::table_function(const Value& node, const Scope* scope) {
  const Value* const function = node.find("function");
  const std::string* const name =
      function == nullptr ? nullptr : text_member(*function, "function_name");
  if (name == nullptr) {
    understood_ = false;
    return;
  }
  names_.table_functions.insert(to_lower(*name));
  // Its arguments, but not itself as a scalar function.
  members(*function, scope);
  members(node, scope, {"function"});
}

// DESCRIBE, SHOW and SUMMARIZE: of a query, or of something special.
void Collector::show(const Value& node) {
  const std::string* const name = text_member(node, "table_name");
  if (name != nullptr && !name->empty() &&
      std::find(kShown.begin(), kShown.end(), *name) == kShown.end()) {
    table(node, nullptr);
  }
  members(node, nullptr);
}

}  // namespace

bool collect_names(const Value& statement, SqlNames& names) {
  Collector collector(names);
  collector.visit(statement, nullptr);
  return collector.understood();
}

}  // namespace mxcp::engine
