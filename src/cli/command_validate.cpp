#include <algorithm>
#include <map>
#include <optional>
#include <thread>

#include "base/text.h"
#include "cli/context.h"
#include "cli/interruptible.h"
#include "cli/parts.h"
#include "cli/progress.h"
#include "net/stdio.h"
#include "quality/validate.h"

namespace mxcp::cli {
namespace {

using quality::FileReport;

// The rule that is broken; of an error outside the rules its kind.
std::string_view code_of(const Error& error) {
  return error.rule.empty() ? describe(error.code).name : error.rule;
}

Value problem_json(const Error& error, std::string_view severity) {
  Object out;
  out.add("severity", severity);
  out.add("code", code_of(error));
  if (error.place.known()) {
    out.add("file", error.place.file);
    if (error.place.line > 0) out.add("line", error.place.line);
    if (error.place.column > 0) out.add("column", error.place.column);
  }
  out.add("message", error.message);
  if (!error.hint.empty()) out.add("hint", error.hint);
  return out;
}

// A problem of a file in the order in which its author goes through it.
struct Problem {
  const Error* error;
  bool is_error;  // else a warning
};

std::vector<Problem> problems_of(const FileReport& report) {
  std::vector<Problem> problems;
  for (const Error& error : report.errors) problems.push_back({&error, true});
  for (const Error& warning : report.warnings) problems.push_back({&warning, false});
  std::stable_sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
    return a.error->place < b.error->place;
  });
  return problems;
}

Object as_json(const FileReport& report) {
  Object out;
  out.add("status", report.ok() ? "ok" : "error");
  out.add("path", report.path);
  std::vector<std::string> messages;
  for (const Error& error : report.errors) messages.push_back(error.text());
  Array problems;
  for (const auto& [error, is_error] : problems_of(report)) {
    problems.push_back(problem_json(*error, is_error ? "error" : "warning"));
  }
  if (!messages.empty()) out.add("message", join(messages, "\n"));
  if (!problems.empty()) out.add("problems", std::move(problems));
  return out;
}

int print_json(const std::vector<FileReport>& reports, bool single, bool ok, Output& output) {
  if (single) {
    output.succeed(as_json(reports.front()));
    return ok ? 0 : 1;
  }
  Array validated;
  bool any = false;
  for (const auto& report : reports) {
    validated.push_back(as_json(report));
    any = any || report.kind == FileReport::Kind::kEndpoint;
  }
  Object payload;
  payload.add("status", ok && any ? "ok" : "error");
  payload.add("validated", std::move(validated));
  if (!any) payload.add("message", "the project has no endpoints");
  output.succeed(std::move(payload));
  return ok ? 0 : 1;
}

// A database that does not open fails every SQL endpoint alike: told once.
std::map<std::string, std::size_t> repeated_errors(const std::vector<FileReport>& reports) {
  std::map<std::string, std::size_t> counts;
  for (const auto& report : reports) {
    for (const Error& error : report.errors) {
      if (error.code == Code::kDatabase) ++counts[error.text()];
    }
  }
  return counts;
}

// "tools/a.yml:3:7: message [sql-syntax]", and the hint on its own line.
std::string described(Error error, const Stream& stream) {
  error.message.insert(std::min(error.message.find('\n'), error.message.size()),
                       ' ' + stream.dim("[" + std::string(code_of(error)) + "]"));
  return problem_text(error, stream, "");
}

// "::error file=tools/a.yml,line=3,col=7,title=sql-syntax::message", which GitHub shows at the
// line.
std::string annotation(const Error& error, std::string_view severity) {
  const auto escaped = [](std::string_view text, bool property) {
    std::string out;
    for (const char c : text) {
      if (c == '%') {
        out += "%25";
      } else if (c == '\r') {
        out += "%0D";
      } else if (c == '\n') {
        out += "%0A";
      } else if (property && c == ':') {
        out += "%3A";
      } else if (property && c == ',') {
        out += "%2C";
      } else {
        out += c;
      }
    }
    return out;
  };
  std::string out = "::" + std::string(severity) + ' ';
  if (error.place.known()) {
    out += "file=" + escaped(error.place.file, true) + ',';
    if (error.place.line > 0) out += "line=" + std::to_string(error.place.line) + ',';
    if (error.place.column > 0) out += "col=" + std::to_string(error.place.column) + ',';
  }
  out += "title=" + escaped(code_of(error), true) + "::" + escaped(error.message, false);
  if (!error.hint.empty()) out += "%0Ahint: " + escaped(error.hint, false);
  return out;
}

int print_annotations(const std::vector<FileReport>& reports, const fs::path& root, bool ok,
                      Output& output) {
  // GitHub wants paths as they are in the repository, of which the project may be a folder.
  const std::string workspace = environment("GITHUB_WORKSPACE");
  const fs::path inside = workspace.empty() ? "" : root.lexically_relative(workspace);
  const bool prefix = !inside.empty() && inside != "." && *inside.begin() != "..";
  const auto print = [&](Error error, std::string_view severity) {
    if (prefix && error.place.known()) error.place.file = (inside / error.place.file).string();
    output.out.line(annotation(error, severity));
  };
  for (const auto& report : reports) {
    for (const auto& [error, is_error] : problems_of(report)) {
      print(*error, is_error ? "error" : "warning");
    }
  }
  return ok ? 0 : 1;
}

struct Counts {
  std::size_t endpoints = 0, invalid = 0, errors = 0, warnings = 0;  // of endpoint files
  std::size_t skipped = 0, in_plugins = 0;

  void add(const FileReport& report) {
    switch (report.kind) {
      case FileReport::Kind::kSkipped: ++skipped; return;
      case FileReport::Kind::kPlugin: in_plugins += report.errors.size(); return;
      case FileReport::Kind::kEndpoint: break;
    }
    ++endpoints;
    if (!report.ok()) ++invalid;
    errors += report.errors.size();
    warnings += report.warnings.size();
  }
};

int print_text(const std::vector<FileReport>& reports, Output& output) {
  Stream& out = output.out;
  auto repeated = repeated_errors(reports);
  Counts counts;
  for (const auto& report : reports) {
    counts.add(report);
    if (report.ok() && report.kind == FileReport::Kind::kEndpoint) {
      out.line(out.green("ok   ") + "  " + report.path);
    }
    for (const auto& [problem, is_error] : problems_of(report)) {
      std::size_t times = 1;
      if (is_error && problem->code == Code::kDatabase) {
        times = std::exchange(repeated[problem->text()], 0);
      }
      if (times == 0) continue;
      out.line((is_error ? out.red("error") : out.yellow("warn ")) + "  " +
               described(*problem, out));
      if (times > 1) out.line("       (" + plural(times, "endpoint") + " could not be checked)");
    }
  }
  if (!reports.empty()) out.line("");
  std::string summary = "No endpoints to validate";
  if (counts.endpoints > 0) {
    summary = plural(counts.endpoints, "endpoint") + " checked: ";
    summary += counts.invalid == 0 ? out.green("all valid")
                                   : out.red(std::to_string(counts.invalid) + " invalid") + " (" +
                                         plural(counts.errors, "error") + ")";
    if (counts.warnings > 0) summary += ", " + plural(counts.warnings, "warning");
  }
  if (counts.skipped > 0) summary += ", " + plural(counts.skipped, "file") + " skipped";
  if (counts.in_plugins > 0) {
    summary += ", " + out.red(plural(counts.in_plugins, "error") + " in plugins");
  }
  if (counts.endpoints == 0) summary += '.';
  out.line(summary);
  return counts.invalid + counts.in_plugins == 0 ? 0 : 1;
}

// One report for each file.
void add_plugins(std::vector<Error> problems, std::vector<FileReport>& reports) {
  std::map<std::string, FileReport> files;
  for (Error& problem : problems) {
    FileReport& report = files[problem.place.file];
    report.path = problem.place.file;
    report.kind = FileReport::Kind::kPlugin;
    report.errors.push_back(std::move(problem));
  }
  for (auto& [path, report] : files) reports.push_back(std::move(report));
}

// Why the file that was asked for has no report.
Error not_checked(const project::Project& project, const std::string& given) {
  const fs::path path = fs::absolute(given);
  Error error{Code::kNotFound, "'" + given + "' is no endpoint file of this project"};
  for (const auto& skipped : project.skipped()) {
    if (!is_same_file(skipped.path, path)) continue;
    if (skipped.why) return *skipped.why;
    error.message = "'" + given + "' is disabled and not checked";
    return std::move(error).with_hint("remove 'enabled: false' from it");
  }
  std::error_code failed;
  const fs::file_status status = fs::status(path, failed);
  if (!fs::exists(status)) {
    error.message = "there is no file '" + given + "'";
    return std::move(error).with_hint("'mxcp list' shows what there is");
  }
  if (fs::is_directory(status)) {
    error.message = "'" + given + "' is a folder";
    return std::move(error).with_hint("give one file, or nothing for the whole project");
  }
  if (path.extension() != ".yml" && path.extension() != ".yaml") {
    return std::move(error).with_hint("give the .yml file of an endpoint");
  }
  const project::Paths& paths = project.site().paths;
  std::vector<std::string> folders;
  for (const fs::path& folder : {paths.tools, paths.resources, paths.prompts}) {
    folders.push_back(display_path(folder, project.root()));
  }
  return std::move(error).with_hint("these are in " + join(folders, ", "));
}

int run(Context& context) {
  Output& output = context.output;
  const bool github = context.line.value("format") == "github";
  if (context.line.value("format") == "json") output.json = true;
  // Programs read both: they are alone on stdout, whatever plugins print.
  if (output.json || github) output.redirect_answer(net::seize_stdio().out);
  const auto project = context.load_project(false);
  if (!project.ok()) return output.fail(project.error());
  const auto path = context.line.value("PATH");

  const bool plugins = !(*project)->site().plugins.empty();
  std::vector<Error> plugin_problems;
  runtime::RuntimeOptions options = context.runtime_options();
  options.on_start_problems = [&](const std::vector<Error>& problems) {
    plugin_problems = problems;
    return true;
  };
  Parts& parts =
      make_parts(*project, std::move(options), plugins ? WithPython::kYes : WithPython::kNo);
  std::vector<FileReport> reports;
  if (plugins) (void)parts.runtime().start(runtime::LoadScope::kDeclarations, {});
  {
    Progress progress(output.err, "validating");
    quality::ValidateEnvironment environment;
    environment.threads = std::max(1U, std::thread::hardware_concurrency());
    environment.database = [&] { return parts.runtime().database(); };
    environment.check_python = check_python;
    environment.check_schema = check_own_schema;
    environment.check_template = check_template;
    environment.jinja_has = jinja_has;
    environment.progress = [&](std::size_t done, std::size_t total) {
      progress.set_text("validating " + std::to_string(done + 1) + " of " + std::to_string(total));
    };
    reports = quality::validate(**project, environment, path ? fs::absolute(*path) : fs::path());
  }
  stop(parts);
  for (FileReport& report : reports) {
    std::erase_if(report.errors, [&](const Error& error) {
      return quality::follows_from(error, plugin_problems);
    });
  }
  if (path && reports.empty()) return output.fail(not_checked(**project, *path));
  if (path) {
    auto& warnings = reports.front().warnings;
    std::move(plugin_problems.begin(), plugin_problems.end(), std::back_inserter(warnings));
  } else {
    add_plugins(std::move(plugin_problems), reports);
  }
  const bool ok =
      std::all_of(reports.begin(), reports.end(), [](const auto& report) { return report.ok(); });
  if (github) return print_annotations(reports, (*project)->root(), ok, output);
  return output.json ? print_json(reports, path.has_value(), ok, output)
                     : print_text(reports, output);
}

}  // namespace

const Command& validate_command() {
  static const Command command{
      .name = "validate",
      .summary = "Check every endpoint without running it",
      .details =
          "Reports every problem with file, line and column: in the YAML; in the SQL, which is "
          "prepared on the database and compared with the declared parameters and columns; in "
          "Python sources, which are parsed but not imported. Only modules of plugins are "
          "imported, "
          "for their SQL functions. The exit status is 1 when anything is invalid.",
      .positionals = {{.name = "PATH",
                       .help = "Check only this endpoint file",
                       .required = false,
                       .is_file = true}},
      .options = {{.name = "format",
                   .value = "FORMAT",
                   .help = "text, for people (the default); json, as --json-output; github, as "
                           "annotations that GitHub Actions shows at the lines",
                   .choices = {"text", "json", "github"}},
                  readonly_option(),
                  profile_option(),
                  json_option(),
                  debug_option()},
      .examples = {{"The whole project", "mxcp validate"},
                   {"One file, while working on it", "mxcp validate tools/get-user.yml"},
                   {"In a pipeline: fails when anything is wrong, and keeps the report",
                    "mxcp validate --json-output > report.json"},
                   {"In GitHub Actions: every problem at its line of the pull request",
                    "mxcp validate --format github"}},
      .run = run,
  };
  return command;
}

}  // namespace mxcp::cli
