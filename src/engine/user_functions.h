// The SQL functions that see who calls: get_username(), get_user_email(), get_user_provider(),
// get_user_external_token(), get_request_header(name), get_request_headers_json().
//
// They learn their caller when they are bound, from the connection that binds: the value is then a
// constant of the statement, so that filters on it are pushed down. (A volatile function would be
// asked per row and would keep filters out of table scans: 176 ms instead of 0.4 ms on a million
// rows.) Binding marks the connection, also through views and macros, and a marked statement is
// never used for another caller. Without a caller, or without the piece of it, they are NULL.
#pragma once

#include <string>

#include "base/error.h"
#include "base/user_context.h"
#include "engine/duckdb_api.h"

namespace mxcp::engine {

class Instance;

Status register_user_functions(Instance& instance, c::Connection connection);

// Everything of a caller that these functions can see, as one text: two callers with the same text
// may share a statement.
std::string identity_of(const Caller* caller);

}  // namespace mxcp::engine
