#include <algorithm>
#include <array>

#include "base/text.h"
#include "cli/context.h"
#include "cli/table.h"
#include "net/stdio.h"

namespace mxcp::cli {
namespace {

using project::EndpointFile;
using project::EndpointKind;

std::string name_of(const EndpointFile& file) {
  return file.endpoint ? file.endpoint->id() : file.name;
}

std::optional<EndpointKind> kind_of(const EndpointFile& file) {
  return file.endpoint ? std::optional(file.endpoint->kind) : file.kind;
}

Value as_json(const EndpointFile& file) {
  std::vector<std::string> errors;
  for (const Error& error : file.errors) errors.push_back(error.text());
  const auto kind = kind_of(file);
  Object out;
  out.add("path", file.path.string());
  out.add("kind", kind ? project::name_of(*kind) : std::string_view("unknown"));
  out.add("name", name_of(file));
  out.add("error", join(errors, "\n"));
  return out;
}

void print_kind(const project::Project& project, EndpointKind kind, std::string_view title,
                Output& output) {
  Table table;
  table.header = {kind == EndpointKind::kResource ? "URI" : "NAME", "DESCRIPTION", "FILE"};
  for (const auto& file : project.files()) {
    if (!file.endpoint || file.endpoint->kind != kind) continue;
    const std::string& description = file.endpoint->description;
    table.rows.push_back({file.endpoint->id(),
                          std::string(trim(description.substr(0, trim(description).find('\n')))),
                          file.display_path});
  }
  if (table.rows.empty()) return;
  std::sort(table.rows.begin(), table.rows.end());
  output.out.write("\n" + output.out.bold(title) + "\n" +
                   layout(table, {.width = output.out.width(), .max_rows = table.rows.size()}));
}

int run(Context& context) {
  Output& output = context.output;
  // References of the configuration are resolved by packages of the user's.
  if (output.json) output.redirect_answer(net::seize_stdio().out);
  const auto project = context.load_project();
  if (!project.ok()) return output.fail(project.error());
  const auto& files = (*project)->files();
  const auto broken = static_cast<std::size_t>(
      std::count_if(files.begin(), files.end(), [](const auto& file) { return !file.endpoint; }));

  if (output.json) {
    Array endpoints;
    for (const auto& file : files) endpoints.push_back(as_json(file));
    Object payload;
    payload.add("status", broken == 0 ? "ok" : "error");
    payload.add("endpoints", std::move(endpoints));
    return output.succeed(std::move(payload));
  }
  if (files.empty()) {
    output.out.line("No endpoints yet. 'mxcp init --help' shows how to start with an example.");
    return 0;
  }
  std::string title = plural(files.size(), "endpoint");
  if (broken > 0) title += ", " + output.out.red(std::to_string(broken) + " broken");
  output.out.line(title);
  if (broken > 0) {
    output.out.write("\n" + output.out.bold("Broken") + "\n");
    for (const auto& file : files) {
      if (file.endpoint) continue;
      if (file.errors.empty()) output.out.line(file.display_path);
      for (const Error& error : file.errors) {
        output.out.line(problem_text(error, output.out, "  "));
      }
    }
  }
  print_kind(**project, EndpointKind::kTool, "Tools", output);
  print_kind(**project, EndpointKind::kResource, "Resources", output);
  print_kind(**project, EndpointKind::kPrompt, "Prompts", output);
  return 0;
}

}  // namespace

const Command& list_command() {
  static const Command command{
      .name = "list",
      .summary = "List the project's tools, resources and prompts",
      .details =
          "Reads the YAML files only: neither Python nor the database is started. Endpoints "
          "with 'enabled: false' are left out. Broken files are shown first with what is "
          "wrong, and do not make the command fail; 'mxcp validate' does.",
      .options = {profile_option(), json_option(), debug_option()},
      .examples = {{"Everything in the project", "mxcp list"},
                   {"The names of all tools, for a script",
                    "mxcp list --json-output | jq -r '.result.endpoints[].name'"}},
      .run = run,
  };
  return command;
}

}  // namespace mxcp::cli
