// The help texts, generated from the table of commands.
#pragma once

#include <string>

#include "cli/command.h"
#include "cli/output.h"

namespace mxcp::cli {

// "Usage: mxcp run TYPE NAME [OPTIONS]"
std::string usage_line(const Command& command);
std::string command_help(const Command& command, const Stream& stream);
std::string program_help(const Stream& stream);

}  // namespace mxcp::cli
