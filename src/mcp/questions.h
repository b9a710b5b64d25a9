// Questions of a running call to its client (invoke::ClientChannel::ask): what both ways of asking,
// in the answer to a request and in a task, have in common.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "invoke/call.h"
#include "mcp/message.h"

namespace mxcp::mcp {

using Question = invoke::ClientChannel::Question;

// The keys under which one call or task asks. A question that is asked a second time is another one
// and has another key; code that runs again from its beginning gets the same keys again.
class QuestionKeys {
 public:
  std::string next(const std::string& name);

 private:
  std::unordered_map<std::string, int> times_;
};

// What the client would have to declare and does not: {"elicitation":{"url":{}}}; empty when it can
// be asked. `declared` may be null. A client that declares no mode of elicitation knows forms.
Object missing_capabilities(const std::vector<Question>& questions, const Object* declared);
// -32021, with what is missing.
RpcError missing_capability(Object missing);

// Whether the question leads the user to an URL, instead of showing a form.
bool asks_by_url(const Question& question);
// The request as a client of 2026-07-28 gets it, as JSON. `elicitationId` is only known before.
Object stateless_request(const Question& question);

// Why the value does not answer the question; nothing when it does. What a form was filled with is
// held against the schema that it was asked with (answer_schema.h).
std::optional<std::string> why_no_answer(std::string_view method, const Object& params,
                                         const Value& value);
// Otherwise it is asked again.
inline bool is_answer(const Question& question, const Value& value) {
  return !why_no_answer(question.method, question.params, value);
}

}  // namespace mxcp::mcp
