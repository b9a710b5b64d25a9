#include "engine/arguments.h"

#include <algorithm>

#include "base/text.h"

namespace mxcp::engine {
namespace {

using types::Arguments;

std::vector<std::string> names_of(const Arguments& arguments) {
  std::vector<std::string> names;
  for (const auto& argument : arguments) names.push_back(argument.first);
  return names;
}

bool is_positional(std::string_view name) {
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

const Value* find_argument(const Arguments& arguments, std::string_view name) {
  const Value* found = nullptr;
  for (const auto& [given, value] : arguments) {
    if (given == name) return &value;
    if (found == nullptr && to_lower(given) == to_lower(name)) found = &value;
  }
  return found;
}

Status check_names(const std::vector<std::string>& used, const Arguments& arguments,
                   bool allow_unused) {
  for (const std::string& name : used) {
    if (find_argument(arguments, name) != nullptr) continue;
    if (is_positional(name)) {
      return Error{Code::kSql,
                   "the SQL uses the positional parameter $" + name +
                       " (or ?), but parameters are given by name",
                   {},
                   "write $name instead"};
    }
    return Error{Code::kSql,
                 "the SQL uses the parameter $" + name + ", which is not given",
                 {},
                 suggest(name, names_of(arguments))};
  }
  if (allow_unused) return {};
  for (auto one = arguments.begin(); one != arguments.end(); ++one) {
    const auto other = std::find_if(one + 1, arguments.end(), [&](const auto& argument) {
      return argument.first.size() == one->first.size() &&
             to_lower(argument.first) == to_lower(one->first);
    });
    if (other == arguments.end()) continue;
    return Error{Code::kSql,
                 "the parameters '" + one->first + "' and '" + other->first +
                     "' are one to DuckDB, which ignores the case of names",
                 {},
                 "rename one of them"};
  }
  for (const auto& argument : arguments) {
    const auto same = [&](const std::string& name) {
      return name == argument.first || to_lower(name) == to_lower(argument.first);
    };
    if (std::any_of(used.begin(), used.end(), same)) continue;
    return Error{Code::kSql,
                 "the parameter '" + argument.first + "' is given, but the SQL does not use $" +
                     argument.first,
                 {},
                 suggest(argument.first, used)};
  }
  return {};
}

}  // namespace mxcp::engine
