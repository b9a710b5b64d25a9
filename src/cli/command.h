// A command as data: its options, its help, its completion and the function that runs it.
//
// One table (commands.cpp) lists them all; parsing, `--help` and `mxcp completion` are generated
// from it. To add a command, write command_<name>.cpp and add its line to the table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mxcp::cli {

struct Context;

struct OptionSpec {
  std::string name;        // "param" for --param
  char letter = 0;         // 'p' for -p
  std::string value = {};  // what follows it, e.g. "NAME=VALUE"; empty for a flag
  std::string help = {};
  bool repeated = false;  // may be given several times; otherwise the last one counts
  std::vector<std::string> choices = {};
  bool is_file = false;  // completed with file names
};

struct PositionalSpec {
  std::string name;  // "TYPE"
  std::string help;
  bool required = true;
  std::vector<std::string> choices = {};
  bool is_file = false;
};

struct Example {
  std::string text;  // what it does
  std::string line;  // the command line
};

struct Command {
  std::string name;
  std::string summary;       // one line, for the list of commands
  std::string details = {};  // further paragraphs of its own help
  std::vector<PositionalSpec> positionals = {};
  std::vector<OptionSpec> options = {};
  std::vector<Example> examples = {};
  int (*run)(Context&) = nullptr;
  // What may have been meant by an argument that nothing here expects ("limit=3", "--limit"); ""
  // for no idea. May be null.
  std::string (*advise)(std::string_view argument) = nullptr;
};

// In the order in which help shows them.
const std::vector<const Command*>& commands();
const Command* find_command(std::string_view name);

// Options that several commands share.
OptionSpec profile_option();
OptionSpec debug_option();
OptionSpec json_option();
OptionSpec readonly_option();
OptionSpec param_option();
OptionSpec user_context_option();
OptionSpec headers_option();

// One per command, in command_<name>.cpp.
const Command& init_command();
const Command& list_command();
const Command& run_command();
const Command& query_command();
const Command& validate_command();
const Command& test_command();
const Command& serve_command();
const Command& completion_command();

}  // namespace mxcp::cli
