#include "mcp/questions.h"

#include "base/json.h"
#include "base/text.h"
#include "mcp/answer_schema.h"

namespace mxcp::mcp {
namespace {

constexpr std::string_view kElicitation = "elicitation/create";
constexpr std::string_view kSampling = "sampling/createMessage";

// A capability that a question needs, and the member of it; "": none in particular.
struct Need {
  std::string_view capability, member;
};

bool is_url_mode(const Object& params) {
  const Value* const mode = params.find("mode");
  return mode != nullptr && mode->is_string() && *mode->as_string() == "url";
}

Need need_of(const Question& question) {
  if (question.method == kElicitation) {
    return {"elicitation", is_url_mode(question.params) ? "url" : "form"};
  }
  if (question.method == kSampling) {
    const bool tools = question.params.contains("tools") || question.params.contains("toolChoice");
    return {"sampling", tools ? "tools" : ""};
  }
  return {"roots", ""};
}

bool declares(const Value& capability, std::string_view member) {
  if (!capability.is_object()) return false;
  if (member.empty() || capability.find(member) != nullptr) return true;
  // Forms are older than the names of the modes.
  return member == "form" && capability.find("url") == nullptr;
}

// --- answers ---

std::string got_kind(const Value* value) {
  return value == nullptr ? "is missing" : "is " + std::string(value->kind_name());
}

const std::string* text_member(const Value& value, std::string_view key) {
  const Value* const member = value.find(key);
  return member == nullptr ? nullptr : member->as_string();
}

std::optional<std::string> check_elicited(const Object& params, const Value& value) {
  const std::string* const action = text_member(value, "action");
  if (action == nullptr) return "'action' " + got_kind(value.find("action"));
  if (*action == "decline" || *action == "cancel") return {};
  if (*action != "accept") {
    return "'action' is " + to_json(shorten(*action, 40)) + ", not accept, decline or cancel";
  }
  if (is_url_mode(params)) return {};
  const Value* const content = value.find("content");
  const Value* const schema = params.find("requestedSchema");
  if (content == nullptr || content->is_null()) {
    // A form without fields is filled by accepting it.
    return schema == nullptr ? std::nullopt : why_it_does_not_fit(Object(), *schema);
  }
  if (!content->is_object()) return "'content' " + got_kind(content);
  return schema == nullptr ? std::nullopt : why_it_does_not_fit(*content->as_object(), *schema);
}

bool is_content(const Value& value) {
  return value.is_object() && text_member(value, "type") != nullptr;
}

std::optional<std::string> check_sampled(const Value& value) {
  for (const std::string_view key : {"role", "model"}) {
    if (text_member(value, key) == nullptr) {
      return "'" + std::string(key) + "' " + got_kind(value.find(key));
    }
  }
  const Value* const content = value.find("content");
  if (content == nullptr) return "'content' is missing";
  // One block, or since 2025-11-25 a list of them.
  if (const Array* const blocks = content->as_array()) {
    for (const Value& block : *blocks) {
      if (!is_content(block)) return "'content' has something else than content blocks";
    }
    return {};
  }
  if (!is_content(*content)) return "'content' is no content block";
  return {};
}

std::optional<std::string> check_roots(const Value& value) {
  const Value* const roots = value.find("roots");
  if (roots == nullptr || !roots->is_array()) return "'roots' " + got_kind(roots);
  for (const Value& root : *roots->as_array()) {
    if (text_member(root, "uri") == nullptr) return "'roots' has an entry without 'uri'";
  }
  return {};
}

}  // namespace

std::string QuestionKeys::next(const std::string& name) {
  std::string key = name;
  while (true) {
    const int times = ++times_[key];
    if (times == 1) return key;
    key = name + '-' + std::to_string(times);
  }
}

Object missing_capabilities(const std::vector<Question>& questions, const Object* declared) {
  Object missing;
  for (const Question& question : questions) {
    const Need need = need_of(question);
    const Value* const known = declared == nullptr ? nullptr : declared->find(need.capability);
    if (known != nullptr && declares(*known, need.member)) continue;
    Object* members = nullptr;
    if (Value* const before = missing.find(need.capability)) {
      members = before->as_object();
    } else {
      members = missing.set(std::string(need.capability), Object()).as_object();
    }
    // Who declares nothing at all may as well declare the whole: it means forms.
    const bool whole = need.member.empty() || (need.member == "form" && known == nullptr);
    if (!whole) members->set(std::string(need.member), Object());
  }
  return missing;
}

RpcError missing_capability(Object missing) {
  std::string message =
      "the client does not declare what this call needs of it: " + to_json(missing);
  return {kMissingCapability, std::move(message),
          Value(Object{{"requiredCapabilities", std::move(missing)}})};
}

bool asks_by_url(const Question& question) {
  return question.method == kElicitation && is_url_mode(question.params);
}

Object stateless_request(const Question& question) {
  Object params = question.params;
  if (asks_by_url(question)) params.erase("elicitationId");
  return {{"method", question.method}, {"params", std::move(params)}};
}

std::optional<std::string> why_no_answer(std::string_view method, const Object& params,
                                         const Value& value) {
  if (!value.is_object()) return "it is " + std::string(value.kind_name());
  if (method == kElicitation) return check_elicited(params, value);
  if (method == kSampling) return check_sampled(value);
  return check_roots(value);
}

}  // namespace mxcp::mcp
