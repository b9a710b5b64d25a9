#include "mcp/questions.h"

#include "base/json.h"

namespace mxcp::mcp {
namespace {

// What a client must have declared to be asked.
std::string_view capability_for(std::string_view method) {
  if (method == "elicitation/create") return "elicitation";
  if (method == "sampling/createMessage") return "sampling";
  return "roots";
}

}  // namespace

Object missing_capabilities(const std::vector<Question>& questions, const Object* declared) {
  Object missing;
  for (const Question& question : questions) {
    const std::string_view capability = capability_for(question.method);
    if (declared == nullptr || !declared->contains(capability)) {
      missing.set(std::string(capability), Object());
    }
  }
  return missing;
}

RpcError missing_capability(Object missing) {
  std::string message =
      "the client does not declare what this call needs of it: " + to_json(missing);
  return {kMissingCapability, std::move(message),
          Value(Object{{"requiredCapabilities", std::move(missing)}})};
}

bool is_answer(std::string_view method, const Value& value) {
  const auto has = [&](std::string_view key) { return value.find(key) != nullptr; };
  if (method == "elicitation/create") {
    const Value* const action = value.find("action");
    if (action == nullptr || !action->is_string()) return false;
    const std::string& text = *action->as_string();
    if (text == "accept") {
      const Value* const content = value.find("content");
      return content == nullptr || content->is_object();
    }
    return text == "decline" || text == "cancel";
  }
  if (method == "sampling/createMessage") return has("content");
  const Value* const roots = value.find("roots");
  return roots != nullptr && roots->is_array();
}

}  // namespace mxcp::mcp
