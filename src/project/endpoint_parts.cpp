#include "project/endpoint_parts.h"

#include <algorithm>

#include "base/text.h"

namespace mxcp::project {
namespace {

const Keys kAnnotationKeys = {"title", "readOnlyHint", "destructiveHint", "idempotentHint",
                              "openWorldHint"};
const Advice kAnnotationAdvice = {
    {"readOnly", "did you mean 'readOnlyHint'?"},
    {"read_only", "did you mean 'readOnlyHint'?"},
    {"destructive", "did you mean 'destructiveHint'?"},
    {"idempotent", "did you mean 'idempotentHint'?"},
    {"openWorld", "did you mean 'openWorldHint'?"},
    {"open_world", "did you mean 'openWorldHint'?"},
};

const Keys kMessageKeys = {"prompt", "role", "type"};
const Advice kMessageAdvice = {
    {"content", "did you mean 'prompt'?"},
    {"text", "did you mean 'prompt'?"},
    {"template", "did you mean 'prompt'?"},
};
const Keys kRoles(kPromptRoles.begin(), kPromptRoles.end());
const Keys kMessageTypes(kPromptTypes.begin(), kPromptTypes.end());

const Keys kTestKeys = {
    "name",
    "description",
    "arguments",
    "user_context",
    "result",
    "result_contains",
    "result_not_contains",
    "result_contains_item",
    "result_contains_all",
    "result_length",
    "result_contains_text",
    "error_contains",
};
const Advice kTestAdvice = {
    {"args", "did you mean 'arguments'?"},       {"parameters", "did you mean 'arguments'?"},
    {"params", "did you mean 'arguments'?"},     {"expected", "did you mean 'result'?"},
    {"expect", "did you mean 'result'?"},        {"expect_error", "did you mean 'error_contains'?"},
    {"error", "did you mean 'error_contains'?"},
};
const Keys kArgumentKeys = {"key", "value"};
const Advice kArgumentAdvice = {{"name", "did you mean 'key'?"}};

void read_arguments(Problems& problems, Fields& test, Object& out) {
  const YamlNode* node = test.find("arguments");
  if (!node) {
    test.missing("arguments", "write 'arguments: []' when there are none");
    return;
  }
  if (node->kind == YamlNode::Kind::kMapping) {
    const std::string example = node->members.empty() ? "name" : node->members.front().key;
    test.wrong(
        "arguments", "a list",
        "write '- key: " + shorten(example, 40) + "' and under it 'value: ...' for each argument");
    return;
  }
  const YamlNode* list = test.list("arguments");
  if (!list) return;
  for (const YamlNode& item : list->items) {
    Fields fields(problems, item, "an argument", problems.place(item), kArgumentKeys,
                  kArgumentAdvice);
    const std::string key = fields.required_text("key");
    if (fields.is_mapping() && !fields.has("value")) fields.missing("value");
    if (key.empty()) continue;
    if (out.contains(key)) {
      problems.error(fields.place_of("key"),
                     "the argument '" + shorten(key, 60) + "' is given twice in one test");
      continue;
    }
    const YamlNode* value = item.find("value");
    out.add(key, value ? value->to_value() : Value());
  }
}

std::optional<Value> any_value(const YamlNode& test, std::string_view key) {
  // An explicit null is a value here: the call is expected to return null.
  const YamlNode* node = test.find(key);
  if (!node) return {};
  return node->to_value();
}

TestCase read_test(Problems& problems, const YamlNode& node) {
  TestCase test;
  test.place = problems.place(node);
  Fields fields(problems, node, "a test", test.place, kTestKeys, kTestAdvice);
  if (!fields.is_mapping()) return test;
  test.name = fields.required_text("name");
  test.description = fields.text("description").value_or("");
  read_arguments(problems, fields, test.arguments);
  if (const YamlNode* context = fields.mapping("user_context")) {
    test.user_context = *context->to_value().as_object();
  }
  test.result = any_value(node, "result");
  test.result_contains = any_value(node, "result_contains");
  test.result_contains_item = any_value(node, "result_contains_item");
  test.result_not_contains = fields.texts("result_not_contains");
  if (const YamlNode* list = fields.list("result_contains_all")) {
    test.result_contains_all = *list->to_value().as_array();
  }
  if (const auto length = fields.integer("result_length")) {
    test.result_length = static_cast<std::uint64_t>(*length);
  }
  test.result_contains_text = fields.text("result_contains_text");
  test.error_contains = fields.text("error_contains");
  if (test.error_contains) {
    for (const std::string_view key :
         {"result", "result_contains", "result_not_contains", "result_contains_item",
          "result_contains_all", "result_length", "result_contains_text"}) {
      if (!fields.has(key)) continue;
      problems.error(fields.key_place(key),
                     "a test with 'error_contains' expects no result, but '" + std::string(key) +
                         "' is given too",
                     "remove one of them");
    }
  }
  return test;
}

}  // namespace

void read_annotations(Problems& problems, Fields& endpoint, std::optional<Annotations>& out) {
  const YamlNode* node = endpoint.find("annotations");
  if (!node) return;
  Fields fields(problems, *node, "the annotations", endpoint.key_place("annotations"),
                kAnnotationKeys, kAnnotationAdvice);
  Annotations annotations;
  annotations.title = fields.text("title");
  annotations.read_only = fields.boolean("readOnlyHint");
  annotations.destructive = fields.boolean("destructiveHint");
  annotations.idempotent = fields.boolean("idempotentHint");
  annotations.open_world = fields.boolean("openWorldHint");
  out = std::move(annotations);
}

void read_messages(Problems& problems, Fields& endpoint, std::vector<PromptMessage>& out) {
  if (!endpoint.is_mapping()) return;
  if (!endpoint.find("messages")) {
    endpoint.missing("messages",
                     "a prompt needs at least one '- prompt: ...' under 'messages:', or a Python "
                     "function under 'source:'");
    return;
  }
  const YamlNode* list = endpoint.list("messages", "begin each message with '- prompt: '");
  if (!list) return;
  if (list->items.empty()) {
    problems.error(endpoint.place_of("messages"), "a prompt needs at least one message",
                   "write '- prompt: ...' under 'messages:'");
  }
  for (const YamlNode& item : list->items) {
    PromptMessage message;
    message.place = problems.place(item);
    Fields fields(problems, item, "a message", message.place, kMessageKeys, kMessageAdvice);
    message.prompt = fields.required_text("prompt");
    if (const auto role = fields.choice("role", kRoles)) message.role = kRoles[*role];
    if (const auto type = fields.choice("type", kMessageTypes)) message.type = kMessageTypes[*type];
    if (const YamlNode* text = fields.find("prompt")) {
      message.place = fields.place_of("prompt");
      message.map = text->map;
    }
    out.push_back(std::move(message));
  }
}

void read_tests(Problems& problems, Fields& endpoint, std::vector<TestCase>& out) {
  const Problems::Rule rule(problems, rules::kTest);
  const YamlNode* list = endpoint.list("tests", "begin each test with '- name: '");
  if (!list) return;
  out.reserve(list->items.size());
  for (const YamlNode& item : list->items) out.push_back(read_test(problems, item));
}

std::vector<std::string> read_placeholders(Problems& problems, const Place& place,
                                           const std::string& uri) {
  const Problems::Rule rule(problems, rules::kUri);
  std::vector<std::string> names;
  const auto scheme = uri.find(':');
  const bool has_scheme =
      scheme != std::string::npos && scheme > 0 &&
      std::all_of(uri.begin(), uri.begin() + static_cast<std::ptrdiff_t>(scheme), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '+' || c == '-' || c == '.';
      });
  if (!has_scheme || uri.size() == scheme + 1) {
    problems.error(place, "'" + shorten(uri, 80) + "' is no URI: it needs a scheme and a path",
                   "for example 'data://" + shorten(uri.substr(0, uri.find(':')), 40) + "'");
    return names;
  }
  if (uri.find_first_of(" \t\n") != std::string::npos) {
    problems.error(place, "a URI cannot contain spaces");
  }
  for (std::size_t at = 0; at < uri.size(); ++at) {
    if (uri[at] == '}') {
      problems.error(place, "the URI has a '}' without '{'");
      return names;
    }
    if (uri[at] != '{') continue;
    const auto end = uri.find_first_of("{}", at + 1);
    if (end == std::string::npos || uri[end] == '{') {
      problems.error(place, "the URI has a '{' that is never closed");
      return names;
    }
    const std::string name = uri.substr(at + 1, end - at - 1);
    if (name.empty()) {
      problems.error(place, "the URI has a placeholder without a name",
                     "write the name of a parameter between the braces");
    } else if (!is_identifier(name)) {
      problems.error(place, "the placeholder '{" + shorten(name, 60) + "}' of the URI is no name",
                     "only the name of a parameter stands between the braces");
    } else if (std::find(names.begin(), names.end(), name) != names.end()) {
      problems.error(place, "the URI has the placeholder '{" + shorten(name, 60) + "}' twice");
    } else {
      names.push_back(name);
    }
    at = end;
  }
  return names;
}

}  // namespace mxcp::project
