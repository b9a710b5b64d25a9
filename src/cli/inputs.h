// Options whose value is data: --param, --user-context, --request-headers.
//
// Whatever is wrong with them is a wrong command line (kUsage, exit status 2).
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "cli/command_line.h"

namespace mxcp::cli {

// NAME=VALUE each: VALUE stays text, @FILE is JSON from a file, @@TEXT is text that begins with @.
// The last one of a name counts.
Result<Object> parse_params(const std::vector<std::string>& params);

// A JSON object, or @FILE with one; nothing when the option was not given.
Result<std::optional<Object>> parse_object_option(const CommandLine& line, const std::string& name);

// --request-headers as pairs, names in lower case.
Result<std::vector<std::pair<std::string, std::string>>> parse_headers(const CommandLine& line);

}  // namespace mxcp::cli
