#include "cli/help.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace mxcp::cli {
namespace {

constexpr std::size_t kWidth = 100;
constexpr std::size_t kMaxLeft = 30;

// Breaks `text` at spaces so that it fits from column `indent` on; later lines are indented.
std::string wrap(const std::string& text, std::size_t indent, std::size_t width) {
  std::string out;
  std::size_t column = indent;
  bool first = true;
  for (const std::string& word : split(text, ' ')) {
    const std::size_t length = utf8_length(word);
    if (!first && column + 1 + length > width) {
      out += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (!first) {
      out += ' ';
      ++column;
    }
    first = false;
    out += word;
    column += length;
  }
  return out;
}

std::size_t width_of(const Stream& stream) {
  return stream.width() == 0 ? kWidth : std::clamp<std::size_t>(stream.width(), 50, kWidth);
}

std::string two_columns(const std::vector<std::pair<std::string, std::string>>& rows,
                        std::size_t width) {
  std::size_t left = 0;
  for (const auto& row : rows) {
    if (row.first.size() <= kMaxLeft) left = std::max(left, row.first.size());
  }
  std::string out;
  for (const auto& [name, text] : rows) {
    out += "  " + name;
    const std::size_t indent = left + 4;
    if (name.size() > left) {
      out += '\n' + std::string(indent, ' ');
    } else {
      out += std::string(left - name.size() + 2, ' ');
    }
    out += wrap(text, indent, width) + '\n';
  }
  return out;
}

std::string option_left(const OptionSpec& option) {
  std::string out = option.letter != 0 ? std::string("-") + option.letter + ", " : "    ";
  out += "--" + option.name;
  if (!option.value.empty()) out += " " + option.value;
  return out;
}

std::string examples_text(const std::vector<Example>& examples, const Stream& stream) {
  std::string out = '\n' + stream.bold("Examples:") + '\n';
  for (const auto& example : examples) {
    if (&example != &examples.front()) out += '\n';
    out += stream.dim("  # " + example.text) + "\n  " + example.line + '\n';
  }
  return out;
}

}  // namespace

std::string usage_line(const Command& command) {
  std::string out = "Usage: mxcp " + command.name;
  for (const auto& positional : command.positionals) {
    out += positional.required ? " " + positional.name : " [" + positional.name + "]";
  }
  return out + " [OPTIONS]";
}

std::string command_help(const Command& command, const Stream& stream) {
  const std::size_t width = width_of(stream);
  std::string out = usage_line(command) + "\n\n" + command.summary + ".\n";
  if (!command.details.empty()) {
    for (const std::string& paragraph : split(command.details, '\n')) {
      out += '\n' + wrap(paragraph, 0, width) + '\n';
    }
  }
  if (!command.positionals.empty()) {
    std::vector<std::pair<std::string, std::string>> rows;
    for (const auto& positional : command.positionals) {
      rows.emplace_back(positional.name, positional.help);
    }
    out += '\n' + stream.bold("Arguments:") + '\n' + two_columns(rows, width);
  }
  std::vector<std::pair<std::string, std::string>> rows;
  for (const auto& option : command.options) rows.emplace_back(option_left(option), option.help);
  rows.emplace_back("-h, --help", "Show this help");
  out += '\n' + stream.bold("Options:") + '\n' + two_columns(rows, width);
  return out + examples_text(command.examples, stream);
}

std::string program_help(const Stream& stream) {
  const std::size_t width = width_of(stream);
  std::string out =
      "Usage: mxcp COMMAND [OPTIONS]\n\n" +
      wrap("Turns a directory of YAML, SQL and Python files into an MCP server over DuckDB.", 0,
           width) +
      "\n\n" + stream.bold("Commands:") + '\n';
  std::vector<std::pair<std::string, std::string>> rows;
  for (const Command* command : commands()) rows.emplace_back(command->name, command->summary);
  out += two_columns(rows, width) + '\n' + stream.bold("Options:") + '\n' +
         two_columns({{"-h, --help", "Show this help"},
                      {"    --version", "Show the versions of mxcp, DuckDB and Python"}},
                     width);
  out += examples_text({{"A new project with an example tool", "mxcp init --bootstrap my-project"},
                        {"Call the tool from the shell",
                         "cd my-project && mxcp run tool hello_world --param name=Ada"},
                        {"Serve the project to an MCP client", "mxcp serve --transport stdio"}},
                       stream);
  return out + "\n'mxcp COMMAND --help' explains a command.\n";
}

}  // namespace mxcp::cli
