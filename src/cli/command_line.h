// The arguments of one command, parsed according to its table entry.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/command.h"

namespace mxcp::cli {

class CommandLine {
 public:
  bool help() const { return help_; }
  bool has(std::string_view option) const;
  // The value of an option or positional (by its name in the table); the last one when it was
  // given several times.
  std::optional<std::string> value(std::string_view name) const;
  std::vector<std::string> values(std::string_view name) const;

 private:
  friend Result<CommandLine> parse_command_line(const Command&, const std::vector<std::string>&);
  bool help_ = false;
  std::map<std::string, std::vector<std::string>, std::less<>> given_;  // a flag has one ""
};

// `arguments` are those after the command's name. Errors: kUsage, with a suggestion for a wrong
// option or choice.
Result<CommandLine> parse_command_line(const Command& command,
                                       const std::vector<std::string>& arguments);

}  // namespace mxcp::cli
