// completion/complete: values for an argument of a prompt or a resource template: from what its
// declaration already says (enum, examples, boolean), or from the SQL under `completion:`, whose
// first column they are. A query that uses $value chooses and sorts by itself.
#include <algorithm>
#include <set>

#include "base/json.h"
#include "base/text.h"
#include "mcp/core.h"

namespace mxcp::mcp {
namespace {

constexpr std::size_t kMaxValues = 100;

std::vector<std::string> candidates(const types::TypeSpec& spec) {
  std::vector<std::string> out;
  const auto add = [&](const Value& value) {
    std::string text = to_plain_text(value);
    if (std::find(out.begin(), out.end(), text) == out.end()) out.push_back(std::move(text));
  };
  if (spec.enum_values) {
    for (const Value& value : *spec.enum_values) add(value);
    return out;
  }
  for (const Value& value : spec.examples) add(value);
  if (out.empty() && spec.kind == types::Kind::kBoolean) return {"true", "false"};
  return out;
}

// Those that begin with what was typed, then those that contain it, in any case.
std::vector<std::string> matching(std::vector<std::string> values, const std::string& typed) {
  const std::string wanted = to_lower(typed);
  const auto rank = [&](const std::string& value) { return to_lower(value).find(wanted); };
  std::erase_if(values, [&](const std::string& value) { return rank(value) == std::string::npos; });
  std::stable_partition(values.begin(), values.end(),
                        [&](const std::string& value) { return rank(value) == 0; });
  return values;
}

// A member of a parameter that is an object.
const std::string* text_member(const Value* object, std::string_view key) {
  const Value* const value = object == nullptr ? nullptr : object->find(key);
  return value == nullptr ? nullptr : value->as_string();
}

// `cut`: a limit left out some, nobody knows how many.
void answer_values(const ExchangePtr& exchange, const std::vector<std::string>& values,
                   bool cut = false) {
  const std::size_t shown = std::min(values.size(), kMaxValues);
  Reply reply(*exchange);
  std::string& out = reply.member("completion") += R"({"values":[)";
  for (std::size_t i = 0; i < shown; ++i) {
    if (i > 0) out += ',';
    append_json_string(out, values[i]);
  }
  out += ']';
  if (!cut) {
    out += R"(,"total":)";
    append_json_int(out, static_cast<std::int64_t>(values.size()));
  }
  out += cut || shown < values.size() ? R"(,"hasMore":true})" : R"(,"hasMore":false})";
  exchange->answer(std::move(reply));
}

// The first column, without NULL and repetitions.
std::vector<std::string> first_column(const std::string& json) {
  const auto rows = parse_json(json);
  const Array* const items = rows.ok() ? rows->as_array() : nullptr;
  std::vector<std::string> out;
  if (items == nullptr) return out;
  std::set<std::string> seen;
  for (const Value& item : *items) {
    const Object* const row = item.as_object();
    if (row == nullptr || row->empty() || row->begin()->second.is_null()) continue;
    std::string text = to_plain_text(row->begin()->second);
    if (seen.insert(text).second) out.push_back(std::move(text));
  }
  return out;
}

}  // namespace

void complete(Core& core, const ExchangePtr& exchange) {
  const auto catalog = core.catalog();
  if (!catalog->has(ListKind::kPrompts) && !catalog->has(ListKind::kTemplates)) {
    return exchange->fail(nothing_to_serve("prompts or resource templates"));
  }
  const Value* const ref = exchange->params().find("ref");
  const std::string* const type = text_member(ref, "type");
  const bool is_prompt = type != nullptr && *type == "ref/prompt";
  const std::string* const id = text_member(ref, is_prompt ? "name" : "uri");
  if (type == nullptr || (!is_prompt && *type != "ref/resource") || id == nullptr) {
    return exchange->fail({kInvalidParams,
                           "'ref' must be {\"type\":\"ref/prompt\",\"name\":...} or "
                           "{\"type\":\"ref/resource\",\"uri\":...}"});
  }
  const Value* const argument = exchange->params().find("argument");
  const std::string* const name = text_member(argument, "name");
  const std::string* const typed = text_member(argument, "value");
  if (name == nullptr || typed == nullptr) {
    return exchange->fail(
        {kInvalidParams, "'argument' must be {\"name\":...,\"value\":...}, both strings"});
  }

  const auto endpoint = catalog->project()->find(
      is_prompt ? project::EndpointKind::kPrompt : project::EndpointKind::kResource, *id);
  if (endpoint == nullptr) {
    return exchange->fail(
        unknown_name(is_prompt ? "prompt" : "resource template", *id,
                     catalog->names(is_prompt ? ListKind::kPrompts : ListKind::kTemplates)));
  }
  const auto* const parameter = endpoint->parameters.find(*name);
  if (parameter == nullptr) {
    std::vector<std::string> known;
    for (const auto& entry : endpoint->parameters.entries()) known.push_back(entry.name);
    return exchange->fail(unknown_name("argument", *name, known));
  }

  const types::TypeSpec& spec = parameter->type.spec();
  if (spec.completion.empty()) {
    return answer_values(exchange, matching(candidates(spec), *typed));
  }
  invoke::Request request;
  request.kind = endpoint->kind;
  request.id = endpoint->id();
  request.completes = *name;
  const Value* const context = exchange->params().find("context");
  if (context != nullptr && !context->is_object() && !context->is_null()) {
    return exchange->fail(wrong_param("context", "an object", context));
  }
  if (const Value* const given = context == nullptr ? nullptr : context->find("arguments");
      given != nullptr && !given->is_null()) {
    if (!given->is_object()) {
      return exchange->fail(wrong_param("context.arguments", "an object", given));
    }
    for (const auto& [key, value] : *given->as_object()) {
      if (!value.is_string()) {
        return exchange->fail(wrong_param("context.arguments." + key, "a string", &value));
      }
    }
    request.arguments = *given->as_object();
  }
  request.arguments.set("value", *typed);
  request.caller = std::move(exchange->caller());
  request.cancel = exchange->cancel_token();
  const bool chooses = spec.completion.find("$value") != std::string::npos;
  core.backend().call(std::move(request),
                      [exchange, chooses, typed = *typed](const invoke::Outcome& outcome) {
                        if (outcome.error) return exchange->fail(call_failed(outcome));
                        auto values = first_column(outcome.json);
                        if (!chooses) values = matching(std::move(values), typed);
                        answer_values(exchange, values, outcome.limit.has_value());
                      });
}

}  // namespace mxcp::mcp
