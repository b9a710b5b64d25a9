// The enforcer: what policies of an endpoint allow, and what they leave of a result.
//
// Everything fails closed. A condition that cannot be evaluated, or that is neither true nor false,
// denies the call or blocks its result; why is in the error's `detail`, for the log, and never in
// what the caller gets. An endpoint without policies never comes here: the pipeline looks at two
// empty lists.
//
//     if (!policies.input.empty()) MXCP_TRY(policy::check_input(endpoint, arguments, caller));
//     ... run, shape, validate ...
//     if (!policies.output.empty()) MXCP_TRY(policy::apply_output(endpoint, caller, result));
//
// Threads: none of it has state.
#pragma once

#include "base/error.h"
#include "base/user_context.h"
#include "base/value.h"
#include "project/endpoint.h"
#include "types/parameters.h"

namespace mxcp::policy {

// What conditions know as `user`. Of a known caller: user_id, username, email, name, provider, role
// (of the profile, else "user"), permissions (likewise, else []), capabilities, `raw` (the profile
// as the provider gave it), and every other member of the profile under its own name. Of an
// anonymous one the same without the profile: role "anonymous", null, and empty lists.
Value user_value(const Caller& caller);

// Input rules from top to bottom; the first that is true denies. The arguments are those that the
// code will get: converted, with their defaults. Errors: kPolicyDenied,
// "Policy enforcement failed: <reason>".
Status check_input(const project::Endpoint& endpoint, const types::Arguments& arguments,
                   const Caller& caller);

// Before the SQL behind `completion:` runs, which tells something about the data too. `given` are
// the values that the client knows so far, as texts. A rule that cannot be decided by them denies;
// so do output rules that deny whatever the result is.
Status check_completion(const project::Endpoint& endpoint, const std::string& completed,
                        const Object& given, const Caller& caller);

// Output rules in order. Conditions see the result as it came, actions what the earlier ones left
// of it. Errors: kPolicyDenied, "Output policy enforcement failed: <reason>".
Status apply_output(const project::Endpoint& endpoint, const Caller& caller, Value& result);

// The same for content blocks (images, resources ...), which have no fields: only 'deny' can act on
// them, and a rule that should change them blocks them.
Status check_content(const project::Endpoint& endpoint, const Caller& caller, const Value& blocks);

}  // namespace mxcp::policy
