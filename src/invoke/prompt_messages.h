// The messages of prompts that are functions.
#pragma once

#include <string>

#include "base/error.h"
#include "base/value.h"

namespace mxcp::invoke {

// What the function of a prompt returned, as the list of its messages:
//
//   text, a content block        one message of the user
//   {role, content, type}        one message; `prompt` is another name for `content`, which is a
//                                text or a content block
//   a list of these              as many
//
// A message is {"prompt": text, "role", "type"}, as those of a file are, or with a content block
// {"content": block, "role", "type"}. The error (kInvalidOutput) says which message is wrong.
Result<Value> to_messages(Value value, const std::string& prompt);

}  // namespace mxcp::invoke
