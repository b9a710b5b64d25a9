#include "project/policy_reader.h"

#include <algorithm>
#include <optional>

#include "base/json.h"
#include "base/text.h"

namespace mxcp::project {
namespace {

using Action = PolicyRule::Action;

const Keys kPolicyKeys = {"input", "output"};
const Keys kRuleKeys = {"condition", "action", "reason", "fields"};
const Advice kRuleAdvice = {
    {"when", "did you mean 'condition'?"},
    {"if", "did you mean 'condition'?"},
    {"message", "did you mean 'reason'?"},
};
// In the order of Action.
const Keys kActions = {"deny", "filter_fields", "mask_fields", "filter_sensitive_fields"};

// What the rules of one list are read with.
struct Context {
  bool input = false;
  std::optional<cel::Names> names;  // nothing: conditions are not looked into
  // The fields that results certainly are made of; nothing when that is not known.
  std::optional<std::vector<std::string>> fields;
  std::string no_fields;  // why results have no fields at all; mostly ""
  bool has_sensitive = false;
};

void compile_condition(Problems& problems, const Context& context, PolicyRule& rule) {
  if (!context.names || rule.condition.empty()) return;
  auto compiled = cel::Program::compile(rule.condition, *context.names);
  if (auto* program = std::get_if<cel::Program>(&compiled)) {
    rule.program = std::move(*program);
    return;
  }
  cel::Problem& problem = std::get<cel::Problem>(compiled);
  problems.error(rule.at_offset(problem.offset), std::move(problem.message),
                 std::move(problem.hint), rules::kPolicyCondition);
}

bool needs_fields(Action action) {
  return action == Action::kFilterFields || action == Action::kMaskFields;
}

// Warnings about an output rule that does nothing, as far as can be told.
void check_effect(Problems& problems, const Context& context, Fields& fields,
                  const PolicyRule& rule) {
  const Problems::Rule current(problems, rules::kPolicyEffect);
  const std::string action(kActions[static_cast<std::size_t>(rule.action)]);
  if (rule.action == Action::kFilterSensitiveFields && !context.has_sensitive) {
    problems.warning(fields.place_of("action"),
                     "'filter_sensitive_fields' does nothing: no type of 'return' is sensitive",
                     "write 'sensitive: true' at the types that are");
  }
  if (!needs_fields(rule.action)) {
    if (!rule.fields.empty()) {
      problems.warning(fields.key_place("fields"), "'fields' does nothing beside '" + action + "'",
                       "remove it, or write 'filter_fields' or 'mask_fields'");
    }
    return;
  }
  if (!context.no_fields.empty()) {
    problems.warning(fields.place_of("action"),
                     "'" + action + "' does nothing: " + context.no_fields,
                     "fields are those of an object, or of the objects of a list");
    return;
  }
  const YamlNode* const list = fields.find("fields");
  if (list == nullptr) return;
  if (rule.fields.empty()) {
    problems.warning(fields.place_of("fields"), "'" + action + "' does nothing without fields",
                     "name at least one under 'fields:'");
  }
  if (!context.fields) return;
  for (std::size_t i = 0; i < rule.fields.size() && i < list->items.size(); ++i) {
    const std::string& field = rule.fields[i];
    if (std::find(context.fields->begin(), context.fields->end(), field) != context.fields->end()) {
      continue;
    }
    std::string hint = suggest(field, *context.fields);
    if (hint.empty() && field.find('.') != std::string::npos) {
      hint = "only fields of the top level; mark others as 'sensitive'";
    }
    problems.warning(problems.place(list->items[i]),
                     "the result has no declared field '" + shorten(field, 60) + "'",
                     std::move(hint));
  }
}

PolicyRule read_rule(Problems& problems, const YamlNode& node, const Context& context) {
  PolicyRule rule;
  rule.place = problems.place(node);
  Fields fields(problems, node, "a policy rule", rule.place, kRuleKeys, kRuleAdvice);
  if (!fields.is_mapping()) return rule;
  rule.condition = fields.required_text("condition", "a condition is a CEL expression");
  if (const YamlNode* text = fields.find("condition")) {
    rule.place = fields.place_of("condition");
    rule.map = text->map;
  }
  compile_condition(problems, context, rule);
  std::optional<std::size_t> action;
  if (!fields.find("action")) {
    fields.missing("action", "an action is one of " + enumerate(kActions, "or"));
  } else if ((action = fields.choice("action", kActions))) {
    rule.action = static_cast<Action>(*action);
  }
  rule.reason = fields.text("reason");
  rule.fields = fields.texts("fields").value_or(std::vector<std::string>{});
  if (needs_fields(rule.action) && !fields.find("fields")) {
    fields.missing("fields",
                   "list the names of the fields to " +
                       std::string(rule.action == Action::kMaskFields ? "mask" : "remove"));
  }
  if (!action) return rule;
  if (!context.input) {
    check_effect(problems, context, fields, rule);
  } else if (rule.action != Action::kDeny) {
    problems.warning(
        fields.place_of("action"),
        "the action '" + std::string(kActions[*action]) + "' does nothing in an input policy",
        "only 'deny' acts on input");
  }
  return rule;
}

Context input_context(Problems& problems, const Endpoint& endpoint, bool parameters_known,
                      bool has_rules) {
  Context context;
  context.input = true;
  if (!parameters_known) return context;
  cel::Names& names = context.names.emplace();
  for (const auto& entry : endpoint.parameters.entries()) {
    if (entry.name != Policies::kUser) {
      names.variables.push_back(entry.name);
      continue;
    }
    if (!has_rules) continue;
    const Problems::Rule rule(problems, rules::kPolicyUser);
    const Place& place = entry.type.spec().place;
    problems.warning(place.known() ? place : endpoint.place,
                     "conditions cannot see the parameter 'user': the name means the caller",
                     "give the parameter another name");
  }
  names.variables.emplace_back(Policies::kUser);
  names.advice.emplace_back(Policies::kResponse, "only output policies know the response");
  return context;
}

// What is known of the fields of results.
void add_result(const Endpoint& endpoint, Context& context) {
  if (endpoint.kind == EndpointKind::kPrompt) {
    context.fields = {"prompt", "role", "type"};
    if (endpoint.language == Language::kPython) context.fields->emplace_back("content");
    return;
  }
  if (endpoint.output_schema != nullptr) {
    const auto schema = parse_json(*endpoint.output_schema);
    const Value* const properties = schema.ok() ? schema->find("properties") : nullptr;
    if (properties == nullptr || properties->as_object() == nullptr) return;
    context.fields.emplace();
    for (const auto& [name, type] : *properties->as_object()) context.fields->push_back(name);
    return;
  }
  if (!endpoint.return_type) return;
  const types::TypeSpec* spec = &endpoint.return_type->spec();
  context.has_sensitive = types::has_sensitive(*spec);
  if (spec->kind == types::Kind::kArray) {
    if (spec->items == nullptr) return;
    spec = spec->items.get();
  }
  if (spec->kind != types::Kind::kObject) {
    const bool listed = spec != &endpoint.return_type->spec();
    context.no_fields = std::string(listed ? "the items of the result are of the type '"
                                           : "the result is of the type '") +
                        std::string(types::name_of(spec->kind)) + "'";
    return;
  }
  if (spec->properties.empty()) return;
  context.fields.emplace();
  for (const auto& [name, type] : spec->properties) context.fields->push_back(name);
}

Context output_context(const Endpoint& endpoint) {
  Context context;
  cel::Names& names = context.names.emplace();
  names.variables = {std::string(Policies::kUser), std::string(Policies::kResponse)};
  for (const auto& entry : endpoint.parameters.entries()) {
    names.advice.emplace_back(entry.name, "parameters are known to input policies only");
  }
  add_result(endpoint, context);
  return context;
}

types::ResultChanges changes_of(const std::vector<PolicyRule>& output) {
  types::ResultChanges changes;
  const auto add = [](std::vector<std::string>& to, const std::vector<std::string>& names) {
    to.insert(to.end(), names.begin(), names.end());
  };
  for (const PolicyRule& rule : output) {
    if (rule.action == Action::kFilterFields) add(changes.removed, rule.fields);
    if (rule.action == Action::kMaskFields) add(changes.masked, rule.fields);
    if (rule.action == Action::kFilterSensitiveFields) changes.sensitive_removed = true;
  }
  return changes;
}

// The author's own schema has to stay true for results that policies changed.
void adjust_output_schema(Problems& problems, Fields& fields, Endpoint& endpoint) {
  if (endpoint.output_schema == nullptr || !endpoint.policies.changes.any()) return;
  auto schema = parse_json(*endpoint.output_schema);
  if (!schema.ok()) return;
  if (!types::allow_changes(*schema, endpoint.policies.changes)) {
    problems.warning(fields.key_place("output_schema"),
                     "'output_schema' may refuse results whose fields a policy removed or masked",
                     "declare those fields under 'properties' alone, without $ref, allOf and the "
                     "like");
  }
  endpoint.output_schema = std::make_shared<const std::string>(to_json(*schema));
}

}  // namespace

void read_policies(Problems& problems, Fields& endpoint_fields, bool parameters_known,
                   Endpoint& endpoint) {
  const YamlNode* node = endpoint_fields.find("policies");
  if (!node) return;
  const Problems::Rule current(problems, rules::kPolicy);
  Fields fields(problems, *node, "the policies", endpoint_fields.key_place("policies"),
                kPolicyKeys);
  Policies& policies = endpoint.policies;
  if (const YamlNode* list = fields.list("input")) {
    Context context = input_context(problems, endpoint, parameters_known, !list->items.empty());
    for (const YamlNode& rule : list->items) {
      policies.input.push_back(read_rule(problems, rule, context));
    }
    if (context.names) policies.input_names = std::move(context.names->variables);
  }
  if (const YamlNode* list = fields.list("output")) {
    const Context context = output_context(endpoint);
    for (const YamlNode& rule : list->items) {
      policies.output.push_back(read_rule(problems, rule, context));
    }
    policies.changes = changes_of(policies.output);
    adjust_output_schema(problems, endpoint_fields, endpoint);
  }
}

}  // namespace mxcp::project
