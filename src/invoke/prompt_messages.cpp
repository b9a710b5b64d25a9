#include "invoke/prompt_messages.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "invoke/content.h"
#include "project/endpoint.h"

namespace mxcp::invoke {
namespace {

constexpr std::array<std::string_view, 4> kMessageKeys = {"role", "content", "prompt", "type"};

Error wrong(std::string message, std::string hint = {}) {
  return {Code::kInvalidOutput, std::move(message), {}, std::move(hint)};
}

std::string kind_of(const Value& value) {
  if (value.is_null()) return "nothing (None)";
  if (value.is_array()) return "a list";
  if (value.is_object()) return "a dict";
  if (value.as_bool() != nullptr) return "a boolean";
  return value.is_number() ? "a number" : "a value that is no text";
}

// A member that is one of a few words; null when it is not there.
template <std::size_t N>
Result<Value> choice(const Value& message, std::string_view key,
                     const std::array<std::string_view, N>& choices) {
  const Value* const value = message.find(key);
  if (value == nullptr || value->is_null()) return Value();
  const std::vector<std::string> known(choices.begin(), choices.end());
  if (!value->is_string()) {
    return wrong("its '" + std::string(key) + "' is " + kind_of(*value) + "; it is one of '" +
                 join(known, "', '") + "'");
  }
  const std::string& word = *value->as_string();
  if (std::find(known.begin(), known.end(), word) != known.end()) return Value(word);
  std::string hint = suggest(word, known);
  if (hint.empty()) hint = "it is one of '" + join(known, "', '") + "'";
  return wrong("there is no " + std::string(key) + " '" + shorten(word, 60) + "'", hint);
}

Result<Value> message_of(Value text_or_block, Value role, Value type) {
  if (!is_block(text_or_block)) {
    return Value(Object{{"prompt", std::move(text_or_block)},
                        {"role", std::move(role)},
                        {"type", std::move(type)}});
  }
  MXCP_TRY(Value block, to_block(std::move(text_or_block)));
  type = *block.find("type");
  return Value(
      Object{{"content", std::move(block)}, {"role", std::move(role)}, {"type", std::move(type)}});
}

Result<Value> to_message(Value item) {
  if (item.is_string() || is_block(item)) return message_of(std::move(item), "user", {});
  if (!item.is_object()) {
    return wrong("it is " + kind_of(item),
                 "a message is a text, {'role': ..., 'content': ...} or a content block");
  }
  static const std::vector<std::string> known_keys(kMessageKeys.begin(), kMessageKeys.end());
  Object& members = *item.as_object();
  for (const auto& [key, value] : members) {
    if (std::find(kMessageKeys.begin(), kMessageKeys.end(), key) != kMessageKeys.end()) continue;
    std::string hint = suggest(key, known_keys);
    if (hint.empty()) hint = "it has 'role', 'content' and 'type'";
    return wrong("a message has no key '" + shorten(key, 60) + "'", hint);
  }
  MXCP_TRY(Value role, choice(item, "role", project::kPromptRoles));
  MXCP_TRY(Value type, choice(item, "type", project::kPromptTypes));
  Value* const content = members.find("content");
  Value* const prompt = members.find("prompt");
  if (content != nullptr && prompt != nullptr) {
    return wrong("it has both 'content' and 'prompt', which are the same", "remove one of them");
  }
  Value* const text = content != nullptr ? content : prompt;
  if (text == nullptr) return wrong("it has no 'content'", "for example {'content': 'Hello'}");
  if (!text->is_string() && !is_block(*text)) {
    return wrong("its content is " + kind_of(*text),
                 "it is a text, or a block of mcp.text(), mcp.image(), mcp.resource() ...");
  }
  if (!type.is_null() && is_block(*text)) {
    return wrong("its content is a block, which has a type already", "leave out 'type'");
  }
  return message_of(std::move(*text), std::move(role), std::move(type));
}

}  // namespace

Result<Value> to_messages(Value value, const std::string& prompt) {
  Array given;
  if (Array* const items = value.as_array()) {
    given = std::move(*items);
  } else if (value.is_string() || value.is_object()) {
    given.push_back(std::move(value));
  } else {
    return wrong("the function of prompt '" + prompt + "' returned " + kind_of(value),
                 "return a text, a message {'role': ..., 'content': ...}, a content block, or a "
                 "list of these");
  }
  Array messages;
  messages.reserve(given.size());
  for (Value& item : given) {
    auto message = to_message(std::move(item));
    if (!message.ok()) {
      return std::move(message).error().in("message " + std::to_string(messages.size() + 1) +
                                           " that the function of prompt '" + prompt +
                                           "' returned");
    }
    messages.push_back(*std::move(message));
  }
  return Value(std::move(messages));
}

}  // namespace mxcp::invoke
