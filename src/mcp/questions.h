// Questions of a running call to its client (invoke::ClientChannel::ask): what both ways of asking,
// in the answer to a request and in a task, have in common.
#pragma once

#include <string_view>
#include <vector>

#include "invoke/call.h"
#include "mcp/message.h"

namespace mxcp::mcp {

using Question = invoke::ClientChannel::Question;

// What the client would have to declare and does not: {"elicitation":{}}; empty when it can be
// asked. `declared` may be null.
Object missing_capabilities(const std::vector<Question>& questions, const Object* declared);
// -32021, with what is missing.
RpcError missing_capability(Object missing);
// Whether the value answers a question of that method; otherwise it is asked again.
bool is_answer(std::string_view method, const Value& value);

}  // namespace mxcp::mcp
