#include "policy/enforcer.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/log.h"

namespace mxcp::policy {
namespace {

using project::Endpoint;
using project::Policies;
using project::PolicyRule;
using Action = PolicyRule::Action;

enum class Side { kInput, kOutput };

Error denied(Side side, std::string_view reason, const PolicyRule& rule) {
  std::string message =
      side == Side::kInput ? "Policy enforcement failed: " : "Output policy enforcement failed: ";
  message += reason;
  return Error{Code::kPolicyDenied, std::move(message), rule.place};
}

Error denied_by(Side side, const Endpoint& endpoint, const PolicyRule& rule) {
  const std::string_view fallback =
      side == Side::kInput ? "Access denied by policy" : "Output blocked by policy";
  Error error = denied(side, rule.reason ? std::string_view(*rule.reason) : fallback, rule);
  log::info("policy", "{} '{}': {}", project::name_of(endpoint.kind), endpoint.id(), error.message);
  return error;
}

// Whether the rule's condition is true; an error is one.
Result<bool> holds(Side side, const PolicyRule& rule, std::span<const Value* const> values) {
  if (!rule.program) {
    return denied(side, "a condition was not compiled", rule);
  }
  const auto decided = rule.program->decide(values);
  if (const bool* decision = std::get_if<bool>(&decided)) return *decision;
  const cel::Problem& problem = std::get<cel::Problem>(decided);
  Error error = denied(side, "a condition cannot be evaluated", rule);
  error.place = rule.at_offset(problem.offset);
  error.detail = error.place.text() + ": " + problem.message;
  return error;
}

// The first rule that denies.
Status check_denials(Side side, const Endpoint& endpoint, const std::vector<PolicyRule>& rules,
                     std::span<const Value* const> values) {
  for (const PolicyRule& rule : rules) {
    if (rule.action != Action::kDeny) continue;
    MXCP_TRY(const bool denies, holds(side, rule, values));
    if (denies) return denied_by(side, endpoint, rule);
  }
  return {};
}

Value text_or_null(const std::optional<std::string>& text) {
  return text ? Value(*text) : Value();
}

}  // namespace

Value user_value(const Caller& caller) {
  Object out;
  if (!caller.user) {
    for (const char* name : {"user_id", "username", "email", "name", "provider"}) {
      out.add(name, nullptr);
    }
    out.add("role", "anonymous");
    out.add("permissions", Array{});
    out.add("capabilities", Array{});
    out.add("raw", Object{});
    return out;
  }
  const UserContext& user = *caller.user;
  const auto of_profile = [&](std::string_view name, const Value& fallback) {
    const Value* const value = user.raw_profile.find(name);
    return value == nullptr ? fallback : *value;
  };
  out.add("user_id", user.user_id);
  out.add("username", user.username);
  out.add("email", text_or_null(user.email));
  out.add("name", text_or_null(user.name));
  out.add("provider", user.provider);
  out.add("role", of_profile("role", "user"));
  out.add("permissions", of_profile("permissions", Array{}));
  out.add("capabilities", Array(user.capabilities.begin(), user.capabilities.end()));
  out.add("raw", user.raw_profile);
  for (const auto& [name, value] : user.raw_profile) {
    if (!out.contains(name)) out.add(name, value);
  }
  return out;
}

Status check_input(const Endpoint& endpoint, const types::Arguments& arguments,
                   const Caller& caller) {
  const Policies& policies = endpoint.policies;
  const Value user = user_value(caller);
  std::vector<const Value*> values;
  values.reserve(policies.input_names.size());
  for (const std::string& name : policies.input_names) {
    if (name == Policies::kUser) {
      values.push_back(&user);
      continue;
    }
    const auto found = std::find_if(arguments.begin(), arguments.end(),
                                    [&](const auto& argument) { return argument.first == name; });
    values.push_back(found == arguments.end() ? nullptr : &found->second);
  }
  return check_denials(Side::kInput, endpoint, policies.input, values);
}

Status check_completion(const Endpoint& endpoint, const std::string& completed, const Object& given,
                        const Caller& caller) {
  types::Arguments known;
  for (const auto& entry : endpoint.parameters.entries()) {
    const Value* const text = given.find(entry.name);
    if (text == nullptr || entry.name == completed) continue;
    types::Checked value = entry.type.coerce(*text, types::Source::kText, entry.name);
    if (value.ok()) known.emplace_back(entry.name, std::move(value.value));
  }
  MXCP_TRY(check_input(endpoint, known, caller));
  const Value user = user_value(caller);
  const std::array<const Value*, 2> values = {&user, nullptr};
  return check_denials(Side::kOutput, endpoint, endpoint.policies.output, values);
}

Status apply_output(const Endpoint& endpoint, const Caller& caller, Value& result) {
  const Value user = user_value(caller);
  const std::array<const Value*, 2> values = {&user, &result};
  // All are asked before anything is changed: they see the result as it came.
  std::vector<const PolicyRule*> fired;
  for (const PolicyRule& rule : endpoint.policies.output) {
    MXCP_TRY(const bool fires, holds(Side::kOutput, rule, values));
    if (!fires) continue;
    if (rule.action == Action::kDeny) return denied_by(Side::kOutput, endpoint, rule);
    fired.push_back(&rule);
  }
  for (const PolicyRule* rule : fired) {
    switch (rule->action) {
      case Action::kFilterFields: types::remove_fields(result, rule->fields); break;
      case Action::kMaskFields: types::mask_fields(result, rule->fields); break;
      case Action::kFilterSensitiveFields:
        if (endpoint.return_type && endpoint.kind != project::EndpointKind::kPrompt) {
          types::remove_sensitive(result, endpoint.return_type->spec());
        }
        break;
      case Action::kDeny: break;
    }
  }
  return {};
}

Status check_content(const Endpoint& endpoint, const Caller& caller, const Value& blocks) {
  const Value user = user_value(caller);
  const std::array<const Value*, 2> values = {&user, &blocks};
  for (const PolicyRule& rule : endpoint.policies.output) {
    MXCP_TRY(const bool fires, holds(Side::kOutput, rule, values));
    if (!fires) continue;
    if (rule.action == Action::kDeny) return denied_by(Side::kOutput, endpoint, rule);
    return denied(Side::kOutput, "the fields of content blocks cannot be filtered", rule);
  }
  return {};
}

}  // namespace mxcp::policy
