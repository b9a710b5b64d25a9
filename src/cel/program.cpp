#include "cel/program.h"

#include "base/json.h"
#include "base/text.h"
#include "cel/evaluator.h"
#include "cel/instants.h"
#include "cel/parser.h"

namespace mxcp::cel {
namespace {

std::variant<NodePtr, Problem> compile_bounded(std::string_view text, const Names& names,
                                               const Limits& limits, bool condition) {
  if (text.size() > limits.max_bytes) {
    return Problem{0,
                   "the condition is longer than " + std::to_string(limits.max_bytes) + " bytes"};
  }
  if (!is_valid_utf8(text)) return Problem{0, "the condition is no valid UTF-8"};
  if (text.find('\0') != std::string_view::npos) {
    return Problem{text.find('\0'), "a character here means nothing in a condition"};
  }
  return parse(text, names, condition);
}

Value to_value(const Datum& datum) {
  using Kind = Datum::Kind;
  switch (datum.kind()) {
    case Kind::kBool: return *datum.as_bool();
    case Kind::kInt: return *datum.as_int();
    case Kind::kUint: return *datum.as_uint();
    case Kind::kDouble: return *datum.as_double();
    case Kind::kString: return datum.as_text()->view;
    case Kind::kBytes: return Bytes{std::string(datum.as_bytes()->text.view)};
    case Kind::kTimestamp: return to_text(*datum.as_moment());
    case Kind::kDuration: return to_text(*datum.as_span());
    case Kind::kType: return datum.as_type()->name;
    case Kind::kList: {
      Array out;
      for (std::size_t i = 0; i < datum.as_list()->size(); ++i) {
        out.push_back(to_value(datum.as_list()->at(i)));
      }
      return out;
    }
    case Kind::kMap: {
      // Keys that are no texts become theirs.
      Object out;
      for (std::size_t i = 0; i < datum.as_map()->size(); ++i) {
        const Value key = to_value(datum.as_map()->key(i));
        out.set(key.as_string() ? *key.as_string() : to_plain_text(key),
                to_value(datum.as_map()->value(i)));
      }
      return out;
    }
    case Kind::kNull:
    case Kind::kFault: break;
  }
  return {};
}

}  // namespace

std::variant<Program, Problem> Program::compile(std::string_view condition, const Names& names,
                                                const Limits& limits) {
  auto root = compile_bounded(condition, names, limits, true);
  if (auto* problem = std::get_if<Problem>(&root)) return std::move(*problem);
  return Program(std::get<NodePtr>(std::move(root)), limits);
}

std::variant<Program, Problem> Program::compile_expression(std::string_view text,
                                                           const Names& names,
                                                           const Limits& limits) {
  auto root = compile_bounded(text, names, limits, false);
  if (auto* problem = std::get_if<Problem>(&root)) return std::move(*problem);
  return Program(std::get<NodePtr>(std::move(root)), limits);
}

std::variant<bool, Problem> Program::decide(Values values) const {
  Evaluator evaluator(values, limits_.max_steps);
  const Datum result = evaluator.run(*root_);
  if (const Fault* fault = result.as_fault()) return Problem{fault->offset, fault->message};
  if (const bool* decision = result.as_bool()) return *decision;
  return Problem{root_->offset, "the condition gives " + std::string(phrase(result.kind())) +
                                    ", not true or false"};
}

std::variant<Value, Problem> Program::evaluate(Values values) const {
  Evaluator evaluator(values, limits_.max_steps);
  const Datum result = evaluator.run(*root_);
  if (const Fault* fault = result.as_fault()) return Problem{fault->offset, fault->message};
  return to_value(result);
}

}  // namespace mxcp::cel
