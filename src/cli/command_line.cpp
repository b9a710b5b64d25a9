#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "base/text.h"

namespace mxcp::cli {
namespace {

std::vector<std::string> option_names(const Command& command) {
  std::vector<std::string> names = {"--help"};
  for (const auto& option : command.options) names.push_back("--" + option.name);
  return names;
}

Error unknown_argument(const Command& command, const std::string& argument) {
  const std::string advice = command.advise != nullptr ? command.advise(argument) : "";
  if (argument.size() > 1 && argument.front() == '-') {
    const std::string name = argument.substr(0, argument.find('='));
    const std::string near = suggest(name, option_names(command));
    return {Code::kUsage, "unknown option '" + name + "'", {}, near.empty() ? advice : near};
  }
  return {Code::kUsage, "unexpected argument '" + argument + "'", {}, advice};
}

Status check_choice(const std::string& what, const std::string& value,
                    const std::vector<std::string>& choices) {
  if (choices.empty() || std::find(choices.begin(), choices.end(), value) != choices.end())
    return {};
  return Error{Code::kUsage,
               what + " must be one of " + join(choices, ", ") + ", not '" + value + "'",
               {},
               suggest(value, choices)};
}

// An option that lacks its value: CLI11 says so in the terms of its own configuration.
Error missing_value(const Command& command, const std::vector<std::string>& arguments,
                    const std::string& otherwise) {
  for (auto it = arguments.rbegin(); it != arguments.rend(); ++it) {
    for (const auto& option : command.options) {
      const bool named = *it == "--" + option.name || *it == "--" + option.name + "=" ||
                         (option.letter != 0 && *it == std::string{'-', option.letter});
      if (named && !option.value.empty()) {
        return {Code::kUsage, "option '--" + option.name + "' needs a value: " + option.value};
      }
    }
  }
  return {Code::kUsage, otherwise};
}

}  // namespace

bool CommandLine::has(std::string_view option) const {
  return given_.find(option) != given_.end();
}

std::optional<std::string> CommandLine::value(std::string_view name) const {
  const auto it = given_.find(name);
  if (it == given_.end()) return std::nullopt;
  return it->second.back();
}

std::vector<std::string> CommandLine::values(std::string_view name) const {
  const auto it = given_.find(name);
  return it == given_.end() ? std::vector<std::string>{} : it->second;
}

Result<CommandLine> parse_command_line(const Command& command,
                                       const std::vector<std::string>& arguments) {
  CLI::App app;
  app.set_help_flag("-h,--help");
  app.allow_extras();
  // CLI11 keeps references to these.
  std::vector<std::unique_ptr<std::vector<std::string>>> storage;
  const auto target = [&]() -> std::vector<std::string>& {
    return *storage.emplace_back(std::make_unique<std::vector<std::string>>());
  };
  std::vector<std::pair<std::string, CLI::Option*>> parsed;

  for (const auto& option : command.options) {
    std::string names = "--" + option.name;
    if (option.letter != 0) names += std::string(",-") + option.letter;
    if (option.value.empty()) {
      parsed.emplace_back(option.name, app.add_flag(names));
    } else {
      // One value each time, taken as it is: CLI11 would split "[1,2]" for a list.
      parsed.emplace_back(option.name, app.add_option(names, target())
                                           ->type_size(1)
                                           ->expected(1)
                                           ->allow_extra_args(false)
                                           ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll));
    }
  }
  for (const auto& positional : command.positionals) {
    parsed.emplace_back(positional.name, app.add_option(positional.name, target())
                                             ->type_size(1)
                                             ->expected(1)
                                             ->allow_extra_args(false));
  }

  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    CommandLine line;
    line.help_ = true;
    return line;
  } catch (const CLI::ArgumentMismatch& e) {
    return missing_value(command, arguments, e.what());
  } catch (const CLI::ParseError& e) {
    return Error{Code::kUsage, e.what()};
  }
  for (const std::string& extra : app.remaining()) {
    if (extra != "--") return unknown_argument(command, extra);  // CLI11 keeps the separator
  }

  CommandLine line;
  for (const auto& [name, option] : parsed) {
    if (option->count() == 0) continue;
    auto values = option->results();
    if (values.empty()) values.emplace_back();
    line.given_.emplace(name, std::move(values));
  }
  for (const auto& option : command.options) {
    for (const auto& value : line.values(option.name)) {
      MXCP_TRY(check_choice("'--" + option.name + "'", value, option.choices));
    }
  }
  for (const auto& positional : command.positionals) {
    const auto value = line.value(positional.name);
    if (!value && positional.required) {
      return Error{Code::kUsage, "missing argument " + positional.name};
    }
    if (value) MXCP_TRY(check_choice(positional.name, *value, positional.choices));
  }
  return line;
}

}  // namespace mxcp::cli
