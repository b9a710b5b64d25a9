#include "cli/command.h"

namespace mxcp::cli {

const std::vector<const Command*>& commands() {
  static const std::vector<const Command*> table = {
      &init_command(),     &list_command(), &run_command(),   &query_command(),
      &validate_command(), &test_command(), &serve_command(), &completion_command(),
  };
  return table;
}

const Command* find_command(std::string_view name) {
  for (const Command* command : commands()) {
    if (command->name == name) return command;
  }
  return nullptr;
}

OptionSpec profile_option() {
  return {.name = "profile",
          .value = "NAME",
          .help = "Profile to use (default: $MXCP_PROFILE, then mxcp-site.yml)"};
}

OptionSpec debug_option() {
  return {.name = "debug",
          .help =
              "Log everything to stderr; add the traceback of an error to the JSON envelope (it is "
              "logged anyway)"};
}

OptionSpec json_option() {
  return {.name = "json-output",
          .help =
              "Print one JSON object: {\"status\": \"ok\", \"result\": ...} or "
              "{\"status\": \"error\", \"error\": ...}"};
}

OptionSpec readonly_option() {
  return {.name = "readonly", .help = "Open the database read-only (also: MXCP_READONLY=1)"};
}

OptionSpec param_option() {
  return {.name = "param",
          .letter = 'p',
          .value = "NAME=VALUE",
          .help =
              "An argument. NAME=@FILE takes JSON from a file, NAME=@@TEXT is a text that "
              "begins with @. Repeat it for more",
          .repeated = true};
}

OptionSpec user_context_option() {
  return {.name = "user-context",
          .letter = 'u',
          .value = "JSON|@FILE",
          .help =
              "Identity of the caller as a JSON object, e.g. '{\"user_id\": \"7\", \"role\": "
              "\"admin\"}'"};
}

OptionSpec headers_option() {
  return {.name = "request-headers",
          .value = "JSON|@FILE",
          .help = "HTTP headers of the request as a JSON object"};
}

}  // namespace mxcp::cli
