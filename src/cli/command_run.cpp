#include "base/json.h"
#include "cli/context.h"
#include "cli/inputs.h"
#include "cli/interruptible.h"
#include "cli/progress.h"
#include "cli/result_text.h"
#include "net/stdio.h"
#include "quality/test_runner.h"

namespace mxcp::cli {
namespace {

// The request that the command line asks for, except for its endpoint's project.
Result<invoke::Request> request_from(const CommandLine& line) {
  invoke::Request request;
  request.kind = *project::endpoint_kind_from(*line.value("TYPE"));
  request.id = *line.value("NAME");
  request.source = types::Source::kText;
  request.check_output = !line.has("skip-output-validation");
  request.caller.transport = "cli";
  MXCP_TRY(request.arguments, parse_params(line.values("param")));
  MXCP_TRY(const std::optional<Object> user, parse_object_option(line, "user-context"));
  if (user) request.caller.user = quality::user_from(*user, "cli");
  MXCP_TRY(request.caller.headers, parse_headers(line));
  return request;
}

void print_result(const invoke::Request& request, const invoke::Outcome& outcome, Output& output) {
  std::string header = std::string(project::name_of(request.kind)) + " " + request.id;
  output.out.line(output.out.bold(header));
  for (const auto& [name, value] : request.arguments) {
    output.out.line("  " + name + " = " + printable(cell_text(value)));
  }
  output.out.write(output.out.green("Success") + "\n\n");
  if (outcome.text) return output.out.line(*outcome.text);
  const auto value = parse_json(outcome.json, {.max_depth = 1000});
  output.out.write(value.ok() ? result_text(*value, {.width = output.out.width()})
                              : outcome.json + '\n');
}

// For scripts: that there was more.
Object truncated(const invoke::Outcome& outcome) {
  if (!outcome.limit) return {};
  Object details{{"rows", outcome.limit->rows},
                 {"limit", outcome.limit->limit},
                 {"value", outcome.limit->value},
                 {"notice", outcome.notice}};
  return Object{{"truncated", std::move(details)}};
}

int run(Context& context) {
  Output& output = context.output;
  auto request = request_from(context.line);
  if (!request.ok()) return context.fail(request.error());
  // The envelope is alone on stdout, whatever user code prints.
  if (output.json) output.redirect_answer(net::seize_stdio().out);

  const auto project = context.load_project();
  if (!project.ok()) return output.fail(project.error());
  const auto endpoint = (*project)->find(request->kind, request->id);
  if (!endpoint) return output.fail((*project)->not_found(request->kind, request->id));
  // Wrong arguments are told before anything is imported or opened.
  if (const auto bound = endpoint->parameters.bind(request->arguments, request->source);
      !bound.ok()) {
    return output.fail(bound.error());
  }

  Parts& parts = make_parts(*project, context.runtime_options(), WithPython::kYes);
  parts.loop().install_signal_handlers();
  if (auto started = parts.runtime().start(runtime::LoadScope::kEndpoint, {endpoint});
      !started.ok()) {
    stop(parts);
    return output.fail(started.error());
  }
  invoke::Outcome outcome;
  {
    Progress progress(output.err, "running " + request->id);
    outcome = call(parts, *request);
  }
  int status = 0;
  if (outcome.error && parts.loop().signal() != 0) {
    status = output.cancelled();
  } else if (outcome.error) {
    status = output.fail(*outcome.error);
  } else if (output.json) {
    status = output.succeed(RawJson{std::move(outcome.json)}, truncated(outcome));
  } else {
    print_result(*request, outcome, output);
  }
  if (!outcome.notice.empty()) {
    output.err.line(output.err.yellow("Note:") + " " + outcome.notice);
  }
  // Code whose time is up has had it.
  const bool stuck = outcome.error && outcome.error->code == Code::kTimeout;
  stop(parts, stuck);
  return status;
}

// Parameters given like options or arguments of this command.
std::string advise(std::string_view argument) {
  const auto begin = argument.find_first_not_of('-');
  if (begin == argument.npos) return {};
  const std::string parameter(argument.substr(begin));
  const bool has_value = parameter.find('=') != parameter.npos;
  if (begin == 0 && !has_value)
    return "the endpoint's parameters are given as '--param NAME=VALUE'";
  return "a parameter of the endpoint is given as '--param " + parameter +
         (has_value ? "'" : "=VALUE'");
}

}  // namespace

const Command& run_command() {
  static const Command command{
      .name = "run",
      .summary = "Call one tool, resource or prompt and print its result",
      .details =
          "The call takes the same way as one from an MCP client: arguments are checked "
          "against the declared parameters, the result against the declared return type, "
          "and init and shutdown hooks run around it.",
      .positionals = {{.name = "TYPE",
                       .help = "tool, resource or prompt",
                       .choices = {"tool", "resource", "prompt"}},
                      {.name = "NAME", .help = "Its name; of a resource, the URI as declared"}},
      .options = {param_option(),
                  user_context_option(),
                  headers_option(),
                  {.name = "skip-output-validation",
                   .help = "Do not check the result against the declared return type"},
                  readonly_option(),
                  profile_option(),
                  json_option(),
                  debug_option()},
      .examples = {{"A tool with two arguments",
                    "mxcp run tool personalized_greeting --param name=Alice --param formal=true"},
                   {"A list, as JSON text or from a file",
                    "mxcp run tool batch_user_data -p user_ids='[1,2,3]'\n"
                    "  mxcp run tool batch_user_data -p user_ids=@ids.json"},
                   {"A resource, as somebody with a role",
                    "mxcp run resource 'users://{id}' -p id=7 -u '{\"role\": \"admin\"}'"},
                   {"The result for a script",
                    "mxcp run tool get_user -p id=7 --json-output | jq .result"}},
      .run = run,
      .advise = advise,
  };
  return command;
}

}  // namespace mxcp::cli
