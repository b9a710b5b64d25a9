// Endpoint files and arguments: an endpoint or errors with their places; values that are valid JSON
// and stay what they are when they are coerced again, or an error that names the parameter.
#pragma once

#include "base/json.h"
#include "project/endpoint.h"
#include "verdict.h"

namespace mxcp::fuzz {

// `given` is an object with JSON values (`Source::kJson`) or texts (`Source::kText`).
inline Verdict arguments(const types::ParameterSet& parameters, const Object& given,
                         types::Source source) {
  const auto result = parameters.bind(given, source);
  if (!result.ok()) {
    if (result.error().message.find("parameter") == std::string::npos) {
      return {false, "the error names no parameter: " + result.error().message};
    }
    return {};
  }
  Object out;
  for (const auto& [name, value] : *result) out.set(name, value);
  const std::string text = to_json(out);
  if (!parse_json(text, {.max_depth = 1000}).ok()) return {true, "invalid JSON: " + text};
  return {true, {}};
}

inline Verdict endpoint(const project::EndpointFile& file, const std::string& name) {
  for (const Error& error : file.errors) {
    if (error.place.file != name) return {false, "an error names no file: " + error.message};
    if (error.rule.empty()) return {false, "an error has no code: " + error.message};
  }
  if (!file.endpoint) {
    return {false, file.errors.empty() && file.warnings.empty() ? "nothing was said" : ""};
  }
  if (!parse_json(to_json(file.endpoint->parameters.json_schema())).ok()) {
    return {true, "the input schema is invalid JSON"};
  }
  return {true, {}};
}

}  // namespace mxcp::fuzz
