#include "types/parameters.h"

#include "base/text.h"

namespace mxcp::types {

std::vector<Error> ParameterSet::problems(const std::vector<ParameterSpec>& specs) {
  std::vector<Error> problems;
  for (const ParameterSpec& spec : specs) {
    for (Error& problem : Type::problems(spec.type, spec.name)) {
      problems.push_back(std::move(problem).at(spec.place));
    }
  }
  return problems;
}

Result<ParameterSet> ParameterSet::compile(std::vector<ParameterSpec> specs) {
  ParameterSet out;
  out.entries_.reserve(specs.size());
  for (ParameterSpec& spec : specs) {
    auto type = Type::compile(std::move(spec.type), spec.name);
    if (!type.ok()) return std::move(type).error().at(std::move(spec.place));
    out.entries_.push_back({std::move(spec.name), *std::move(type)});
  }
  return out;
}

const ParameterSet::Entry* ParameterSet::find(std::string_view name) const {
  for (const Entry& entry : entries_) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

std::string ParameterSet::unknown(std::string_view name) const {
  std::vector<std::string> names;
  for (const Entry& entry : entries_) names.push_back(entry.name);
  std::string hint = name.size() > 1 ? suggest(shorten(name, 100), names) : "";
  if (entries_.empty()) {
    hint = "there are no parameters";
  } else if (hint.empty() && entries_.size() <= 20) {
    hint = "the parameters are " + join(names, ", ");
  }
  std::string out = "unknown parameter '" + shorten(name, 100) + "'";
  if (!hint.empty()) out += " (" + hint + ")";
  return out;
}

Result<Arguments> ParameterSet::bind(const Object& given, Source source) const {
  Arguments arguments;
  arguments.reserve(entries_.size());
  std::vector<std::string> problems;
  std::size_t known = 0;
  for (const Entry& entry : entries_) {
    if (const Value* value = given.find(entry.name)) {
      ++known;
      Checked checked = entry.type.coerce(*value, source, entry.name);
      for (const Violation& v : checked.violations) {
        problems.push_back(v.path.empty() ? v.message : "parameter '" + v.path + "': " + v.message);
      }
      arguments.emplace_back(entry.name, std::move(checked.value));
    } else if (const Value* fallback = entry.type.default_value()) {
      arguments.emplace_back(entry.name, *fallback);
    } else {
      problems.push_back("required parameter '" + entry.name + "' is missing");
    }
  }
  if (known < given.size()) {
    for (const auto& [name, value] : given) {
      if (!find(name)) problems.push_back(unknown(name));
    }
  }
  if (!problems.empty()) return Error{Code::kInvalidArgs, join(problems, "\n")};
  return arguments;
}

Value ParameterSet::json_schema() const {
  Object properties;
  Array required;
  for (const Entry& entry : entries_) {
    properties.add(entry.name, entry.type.json_schema());
    if (!entry.optional()) required.push_back(entry.name);
  }
  Object out;
  out.add("type", "object");
  out.add("properties", std::move(properties));
  if (!required.empty()) out.add("required", std::move(required));
  out.add("additionalProperties", false);
  return out;
}

}  // namespace mxcp::types
