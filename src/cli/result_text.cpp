#include "cli/result_text.h"

#include <algorithm>

#include "base/json.h"

namespace mxcp::cli {
namespace {

bool is_scalar(const Value& value) {
  return !value.is_array() && !value.is_object();
}

bool is_object(const Value& value) {
  return value.is_object();
}

bool is_array(const Value& value) {
  return value.is_array();
}

bool same_keys(const Object& a, const Object& b) {
  return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](const auto& member) {
           return b.contains(member.first);
         });
}

std::string list_text(const Array& list, const TableOptions& options) {
  if (list.empty()) return "[]\n";
  if (std::all_of(list.begin(), list.end(), is_scalar)) {
    Table table;
    table.header = {"value"};
    table.right = {std::all_of(list.begin(), list.end(),
                               [](const Value& v) { return v.is_number() || v.is_null(); })};
    for (const Value& item : list) table.rows.push_back({cell_text(item)});
    return layout(table, options);
  }
  const bool objects = std::all_of(list.begin(), list.end(), [&](const Value& item) {
    return item.is_object() && list.front().is_object() &&
           same_keys(*list.front().as_object(), *item.as_object());
  });
  const bool empty = objects && list.front().as_object()->empty();
  if (!objects || empty) {
    const Array shown(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(
                                                       std::min(list.size(), options.max_rows)));
    std::string out;
    if (!objects && std::all_of(list.begin(), list.end(), is_object)) {
      out = "(the items differ in their keys, so they are shown as JSON)\n";
    } else if (!empty && !std::all_of(list.begin(), list.end(), is_array)) {
      out = "(the items are of different kinds, so they are shown as JSON)\n";
    }
    out += to_pretty_json(shown) + '\n';
    if (shown.size() < list.size()) {
      out += "… and " + std::to_string(list.size() - shown.size()) + " more\n";
    }
    return out;
  }
  std::vector<std::string> columns;
  for (const auto& member : *list.front().as_object()) columns.push_back(member.first);
  return layout(table_of(list, columns), options);
}

}  // namespace

std::string result_text(const Value& result, const TableOptions& options) {
  if (const Array* list = result.as_array()) return list_text(*list, options);
  if (result.is_object()) return to_pretty_json(result) + '\n';
  return to_plain_text(result) + '\n';
}

}  // namespace mxcp::cli
