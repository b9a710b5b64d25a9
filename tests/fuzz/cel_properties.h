// Conditions: any text compiles or is explained, and what compiles ends, says the same twice, and
// tells nothing of the data.
#pragma once

#include <array>

#include "base/json.h"
#include "cel/program.h"
#include "verdict.h"

namespace mxcp::fuzz {

inline Verdict condition(std::string_view text) {
  static constexpr std::string_view kSecret = "s3cr3t";
  static const cel::Names names{.variables = {"n", "user", "response", "unknown"}, .advice = {}};
  static const Value n(9);
  static const Value user =
      *parse_json(R"({"role":"s3cr3t","name":"s3cr3t","level":3,"raw":{"department":null}})");
  static const Value response =
      *parse_json(R"([{"name":"s3cr3t","pay":10.5,"tags":["ab","s3cr3t"]},{"pay":5,"tags":[]}])");
  const std::array<const Value*, 4> values = {&n, &user, &response, nullptr};
  const auto wrong_with = [&](const cel::Problem& problem) -> std::string {
    if (problem.message.empty()) return "the problem says nothing";
    if (problem.offset > text.size()) return "the problem is beyond the text";
    const bool told = problem.message.find(kSecret) != std::string::npos;
    return told && text.find(kSecret) == std::string_view::npos ? problem.message : "";
  };
  const auto made = cel::Program::compile_expression(text, names, {.max_steps = 50'000});
  if (const auto* problem = std::get_if<cel::Problem>(&made)) return {false, wrong_with(*problem)};
  const cel::Program& program = std::get<cel::Program>(made);
  const auto first = program.evaluate(values);
  const auto again = program.evaluate(values);
  if (first.index() != again.index()) return {true, "the second time it was something else"};
  if (const auto* problem = std::get_if<cel::Problem>(&first)) return {true, wrong_with(*problem)};
  if (to_json(std::get<Value>(first)) != to_json(std::get<Value>(again))) {
    return {true, "the second time it was another value"};
  }
  // A condition is what gives a bool.
  const auto decided = program.decide(values);
  const bool* const is_bool = std::get<Value>(first).as_bool();
  const bool* const decision = std::get_if<bool>(&decided);
  if ((is_bool == nullptr) != (decision == nullptr)) return {true, "only a bool decides"};
  return {true, decision != nullptr && *decision != *is_bool ? "another decision" : ""};
}

}  // namespace mxcp::fuzz
