// A result as `mxcp run` shows it to people.
#pragma once

#include <string>

#include "base/value.h"
#include "cli/table.h"

namespace mxcp::cli {

// A list of objects with the same keys: a table. A list of scalars: a column. A list of anything
// else: its JSON, with a line before it that says why. An object: pretty JSON. A scalar: one line.
// An empty list: []. Ends with a newline.
std::string result_text(const Value& result, const TableOptions& options);

}  // namespace mxcp::cli
