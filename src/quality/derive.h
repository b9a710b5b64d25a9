// What need not be typed twice: facts about SQL tools that their SQL already says.
#pragma once

#include <memory>

#include "engine/database.h"
#include "project/project.h"

namespace mxcp::quality {

// The project with, when there is a database,
//   - readOnlyHint: true for a tool whose SQL only reads (engine/reading.h), unless the annotation
//     is given or plugins or extensions add functions that may do anything;
//   - for a tool without 'return', the type of the list of rows that its statement gives: what
//     holds whatever the arguments are.
// Nothing is run. A statement that cannot be prepared (its table is not there yet) stays as it is.
std::shared_ptr<const project::Project> derive(std::shared_ptr<const project::Project> project,
                                               engine::Database* database);

// The columns of the last statement as a return type; nothing when they are not known.
std::optional<types::Type> derived_return(const project::Endpoint& endpoint, engine::Lease& lease);

}  // namespace mxcp::quality
