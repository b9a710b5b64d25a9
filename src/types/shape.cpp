#include "types/shape.h"

#include "base/text.h"

namespace mxcp::types {
namespace {

Error refuse(std::string message, std::string hint = "") {
  return Error{Code::kInvalidOutput, std::move(message), {}, std::move(hint)};
}

Result<Value> single_column(Value row) {
  Object* object = row.as_object();
  if (!object) return row;
  if (object->size() == 1) return std::move(object->begin()->second);
  std::vector<std::string> names;
  for (const auto& [name, value] : *object) names.push_back(name);
  const std::string list = names.empty() ? "" : ": " + shorten(join(names, ", "), 100);
  return refuse("expected a single column, got " + std::to_string(names.size()) + list);
}

}  // namespace

Result<Value> shape(Value result, const Type& declared, bool rows) {
  const Kind kind = declared.spec().kind;
  Array* list = result.as_array();
  if (!list || kind == Kind::kArray) return result;
  if (list->size() != 1) return not_single(declared, list->size(), rows);
  Value only = std::move(list->front());
  return kind == Kind::kObject ? Result<Value>(std::move(only)) : single_column(std::move(only));
}

Error not_single(const Type& declared, std::size_t count, bool rows) {
  const std::string type(name_of(declared.spec().kind));
  if (count == 0 && rows) {
    return refuse("no results returned: expected one row for the return type '" + type + "'",
                  "declare 'type: array' when there can be none");
  }
  const std::string expected = "expected a single result of type '" + type + "', got ";
  if (count == 0) return refuse(expected + "an empty list");
  return refuse(expected + plural(count, rows ? "row" : "item"),
                "declare 'type: array' to return them all");
}

bool is_wrapped(const Type& declared) {
  return declared.spec().kind != Kind::kObject;
}

Value output_schema(const Type& declared) {
  if (!is_wrapped(declared)) return declared.output_json_schema(false);
  return Object{{"type", "object"},
                {"properties", Object{{"result", declared.output_json_schema(true)}}},
                {"required", Array{"result"}}};
}

}  // namespace mxcp::types
