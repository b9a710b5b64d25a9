#include <functional>

#include "base/text.h"
#include "cli/context.h"

namespace mxcp::cli {
namespace {

std::string command_names() {
  std::vector<std::string> names;
  for (const Command* command : commands()) names.push_back(command->name);
  return join(names, " ");
}

std::string option_words(const Command& command) {
  std::vector<std::string> words;
  for (const auto& option : command.options) words.push_back("--" + option.name);
  words.push_back("--help");
  return join(words, " ");
}

// --- bash ----------------------------------------------------------------------------------------

std::string bash_cases(const std::function<std::string(const Command&)>& words) {
  std::string out;
  for (const Command* command : commands()) {
    if (const std::string text = words(*command); !text.empty()) {
      out += "    " + command->name + ") " + text + " ;;\n";
    }
  }
  return out;
}

std::string bash_script() {
  std::string values;
  for (const Command* command : commands()) {
    for (const auto& option : command->options) {
      const std::string key = command->name + ":--" + option.name;
      if (!option.choices.empty()) {
        values += "    " + key + ") COMPREPLY=($(compgen -W \"" + join(option.choices, " ") +
                  "\" -- \"$cur\")); return ;;\n";
      } else if (option.is_file) {
        values += "    " + key + ") COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n";
      }
    }
  }
  const std::string options =
      bash_cases([](const Command& command) { return "words=\"" + option_words(command) + "\""; });
  const std::string first = bash_cases([](const Command& command) -> std::string {
    if (command.positionals.empty()) return "";
    const auto& positional = command.positionals.front();
    if (!positional.choices.empty()) return "words=\"" + join(positional.choices, " ") + "\"";
    return positional.is_file ? "COMPREPLY=($(compgen -f -- \"$cur\")); return" : "";
  });
  return "# bash completion for mxcp\n"
         "_mxcp() {\n"
         "  local cur=\"${COMP_WORDS[COMP_CWORD]}\" prev=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
         "  local command=\"${COMP_WORDS[1]}\" words=\"\"\n"
         "  COMPREPLY=()\n"
         "  if [[ $COMP_CWORD -eq 1 ]]; then\n"
         "    COMPREPLY=($(compgen -W \"" +
         command_names() +
         " --help --version\" -- \"$cur\"))\n"
         "    return\n"
         "  fi\n"
         "  case \"$command:$prev\" in\n" +
         values +
         "  esac\n"
         "  if [[ $cur == -* ]]; then\n"
         "    case \"$command\" in\n" +
         options +
         "    esac\n"
         "  elif [[ $COMP_CWORD -eq 2 ]]; then\n"
         "    case \"$command\" in\n" +
         first +
         "    esac\n"
         "  fi\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
         "}\n"
         "complete -o filenames -F _mxcp mxcp\n";
}

// --- zsh -----------------------------------------------------------------------------------------

// Inside single quotes of an _arguments specification.
std::string zsh_text(std::string text) {
  text = replace_all(std::move(text), "\\", "\\\\");
  text = replace_all(std::move(text), "'", "'\\''");
  text = replace_all(std::move(text), "[", "\\[");
  text = replace_all(std::move(text), "]", "\\]");
  return replace_all(std::move(text), ":", "\\:");
}

std::string zsh_action(const std::vector<std::string>& choices, bool is_file) {
  if (!choices.empty()) return "(" + join(choices, " ") + ")";
  return is_file ? "_files" : " ";
}

std::string zsh_script() {
  std::string out = "#compdef mxcp\n_mxcp() {\n  local -a commands\n  commands=(\n";
  for (const Command* command : commands()) {
    out += "    '" + command->name + ":" + zsh_text(command->summary) + "'\n";
  }
  out +=
      "  )\n  if (( CURRENT == 2 )); then\n    _describe command commands\n    return\n  fi\n"
      "  local command=$words[2]\n  shift words\n  (( CURRENT-- ))\n  case $command in\n";
  for (const Command* command : commands()) {
    out += "    " + command->name + ")\n      _arguments";
    for (const auto& option : command->options) {
      const std::string repeated = option.repeated ? "*" : "";
      out += " \\\n        '" + repeated + "--" + option.name + "[" + zsh_text(option.help) + "]";
      if (!option.value.empty()) {
        out += ":" + zsh_text(option.value) + ":" + zsh_action(option.choices, option.is_file);
      }
      out += "'";
    }
    out += " \\\n        '--help[Show this help]'";
    for (const auto& positional : command->positionals) {
      out += " \\\n        ':" + zsh_text(positional.name) + ":" +
             zsh_action(positional.choices, positional.is_file) + "'";
    }
    out += "\n      ;;\n";
  }
  return out +
         "  esac\n}\nif [ \"$funcstack[1]\" = \"_mxcp\" ]; then\n  _mxcp \"$@\"\nelse\n"
         "  compdef _mxcp mxcp\nfi\n";
}

// --- fish ----------------------------------------------------------------------------------------

std::string fish_text(std::string text) {
  text = replace_all(std::move(text), "\\", "\\\\");
  return "'" + replace_all(std::move(text), "'", "\\'") + "'";
}

std::string fish_script() {
  std::string out =
      "# fish completion for mxcp\ncomplete -c mxcp -f\n"
      "complete -c mxcp -n __fish_use_subcommand -l help -s h -d 'Show help'\n"
      "complete -c mxcp -n __fish_use_subcommand -l version -d 'Show versions'\n";
  for (const Command* command : commands()) {
    const std::string name = command->name;
    out += "complete -c mxcp -n __fish_use_subcommand -a " + name + " -d " +
           fish_text(command->summary) + "\n";
    const std::string prefix = "complete -c mxcp -n '__fish_seen_subcommand_from " + name + "' ";
    for (const auto& positional : command->positionals) {
      if (!positional.choices.empty()) {
        out += prefix + "-a " + fish_text(join(positional.choices, " ")) + "\n";
      } else if (positional.is_file) {
        out += prefix + "-F\n";
      }
    }
    for (const auto& option : command->options) {
      out += prefix + "-l " + option.name;
      if (option.letter != 0) out += std::string(" -s ") + option.letter;
      if (!option.value.empty()) out += option.is_file ? " -r -F" : " -x";
      if (!option.choices.empty()) out += " -a " + fish_text(join(option.choices, " "));
      out += " -d " + fish_text(option.help) + "\n";
    }
  }
  return out;
}

int run(Context& context) {
  const std::string shell = *context.line.value("SHELL");
  context.output.out.write(shell == "bash"  ? bash_script()
                           : shell == "zsh" ? zsh_script()
                                            : fish_script());
  return 0;
}

}  // namespace

const Command& completion_command() {
  static const Command command{
      .name = "completion",
      .summary = "Print a completion script for a shell",
      .positionals = {{.name = "SHELL",
                       .help = "bash, zsh or fish",
                       .choices = {"bash", "zsh", "fish"}}},
      .options = {debug_option()},
      .examples = {{"bash, in ~/.bashrc", "eval \"$(mxcp completion bash)\""},
                   {"zsh, in ~/.zshrc", "eval \"$(mxcp completion zsh)\""},
                   {"fish", "mxcp completion fish > ~/.config/fish/completions/mxcp.fish"}},
      .run = run,
  };
  return command;
}

}  // namespace mxcp::cli
