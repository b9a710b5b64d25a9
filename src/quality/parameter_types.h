// What the SQL does with its parameters must be possible with values of their declared types.
//
// There is no second type checker: DuckDB is asked whether it plans the statement for values of
// these types (Lease::prepare with examples). An error is only what fails for every usual value.
#pragma once

#include <vector>

#include "engine/database.h"
#include "project/endpoint.h"
#include "quality/sql_checks.h"

namespace mxcp::quality {

// The arguments of a usual call; null where the declaration leaves the type open.
types::Arguments usual_arguments(const types::ParameterSet& parameters);

// `statements`: of the endpoint's SQL, as prepared for `usual`.
void check_parameter_types(const project::Endpoint& endpoint, engine::Lease& lease,
                           const std::vector<engine::StatementInfo>& statements,
                           const types::Arguments& usual, SqlProblems& problems);

}  // namespace mxcp::quality
