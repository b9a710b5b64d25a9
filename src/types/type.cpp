#include "types/type.h"

#include "types/node.h"

namespace mxcp::types {

std::string to_text(const std::vector<Violation>& violations) {
  std::string out;
  for (const Violation& v : violations) {
    if (!out.empty()) out += '\n';
    if (!v.path.empty()) out += v.path + ": ";
    out += v.message;
  }
  return out;
}

std::vector<Error> Type::problems(const TypeSpec& spec, std::string_view parameter) {
  std::vector<Error> problems;
  compile_node(spec, parameter, problems);
  return problems;
}

Result<Type> Type::compile(TypeSpec spec, std::string_view parameter) {
  Type out;
  out.spec_ = std::make_shared<const TypeSpec>(std::move(spec));
  std::vector<Error> problems;
  out.node_ = std::make_shared<const Node>(compile_node(*out.spec_, parameter, problems));
  if (!problems.empty()) return std::move(problems.front());
  return out;
}

Checked Type::coerce(const Value& input, Source source, std::string_view path) const {
  Checked out;
  Sink sink(out.violations);
  coerce_node(*node_, input, source, Path{nullptr, path}, sink, out.value);
  return out;
}

std::vector<Violation> Type::check(const Value& result) const {
  std::vector<Violation> violations;
  Sink sink(violations);
  check_node(*node_, result, {}, sink);
  return violations;
}

bool Type::unconstrained() const {
  return types::unconstrained(*spec_);
}

const Value* Type::default_value() const {
  return node_->default_value ? &*node_->default_value : nullptr;
}

Value Type::json_schema() const {
  return schema_of(*node_, SchemaUse::kDeclaration, false);
}

Value Type::output_json_schema(bool nullable) const {
  return schema_of(*node_, SchemaUse::kOutput, nullable);
}

}  // namespace mxcp::types
