#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "cli/context.h"
#include "cli/inputs.h"
#include "cli/interruptible.h"
#include "cli/progress.h"
#include "net/stdio.h"
#include "quality/test_runner.h"

namespace mxcp::cli {
namespace {

using quality::EndpointReport;
using quality::TestReport;
using quality::TestStatus;

std::string_view overall_name(TestStatus status) {
  return status == TestStatus::kPassed ? "ok" : name_of(status);
}

TestStatus worst(const std::vector<EndpointReport>& reports) {
  TestStatus status = TestStatus::kPassed;
  for (const auto& report : reports) status = std::max(status, report.status());
  return status;
}

Object as_json(const EndpointReport& report) {
  Array tests;
  for (const TestReport& test : report.tests) {
    Object entry;
    entry.add("name", test.name);
    if (!test.description.empty()) entry.add("description", test.description);
    entry.add("status", name_of(test.status));
    if (!test.error.empty()) entry.add("error", test.error);
    entry.add("time", test.seconds);
    tests.push_back(std::move(entry));
  }
  Object out;
  out.add("status", overall_name(report.status()));
  out.add("tests_run", std::uint64_t{report.tests.size()});
  out.add("tests", std::move(tests));
  out.add("no_tests", report.tests.empty());
  if (!report.error.empty()) out.add("message", report.error);
  return out;
}

std::size_t tests_run(const std::vector<EndpointReport>& reports) {
  std::size_t n = 0;
  for (const auto& report : reports) n += report.tests.size();
  return n;
}

Object as_json(const std::vector<EndpointReport>& reports) {
  Array endpoints;
  for (const auto& report : reports) {
    Object entry;
    entry.add("endpoint", report.endpoint);
    entry.add("path", report.path);
    entry.add("test_results", as_json(report));
    endpoints.push_back(std::move(entry));
  }
  Object out;
  out.add("status", overall_name(worst(reports)));
  out.add("tests_run", std::uint64_t{tests_run(reports)});
  out.add("endpoints", std::move(endpoints));
  if (reports.empty()) out.add("message", "the project has no endpoints");
  return out;
}

std::string milliseconds(double seconds) {
  return std::to_string(std::lround(seconds * 1000)) + " ms";
}

void print_text(const std::vector<EndpointReport>& reports, Stream& out) {
  std::size_t passed = 0, failed = 0, errors = 0, without = 0;
  for (const auto& report : reports) {
    if (!report.error.empty()) {
      ++errors;
      out.line(out.bold(report.endpoint) + "  " + out.dim(report.path));
      out.line("  " + out.red("error") + "   " + replace_all(report.error, "\n", "\n          "));
      continue;
    }
    if (report.tests.empty()) {
      ++without;
      continue;
    }
    out.line(out.bold(report.endpoint) + "  " + out.dim(report.path));
    for (const TestReport& test : report.tests) {
      std::string status;
      switch (test.status) {
        case TestStatus::kPassed: ++passed, status = out.green("passed"); break;
        case TestStatus::kFailed: ++failed, status = out.red("failed"); break;
        case TestStatus::kError: ++errors, status = out.red("error "); break;
      }
      out.line("  " + status + "  " + test.name + "  " + out.dim(milliseconds(test.seconds)));
      if (!test.error.empty()) {
        out.line("          " + replace_all(test.error, "\n", "\n          "));
      }
    }
  }
  if (passed + failed + errors > 0) out.line("");
  std::vector<std::string> parts = {std::to_string(passed) + " passed"};
  if (failed > 0) parts.push_back(out.red(std::to_string(failed) + " failed"));
  if (errors > 0) parts.push_back(out.red(plural(errors, "error")));
  std::string summary = join(parts, ", ");
  if (without > 0) summary += "; " + plural(without, "endpoint") + " without tests";
  out.line(summary);
}

std::vector<std::shared_ptr<const project::Endpoint>> endpoints_with_tests(
    const project::Project& project, const std::optional<project::EndpointKind>& kind,
    const std::string& name) {
  std::vector<std::shared_ptr<const project::Endpoint>> chosen;
  for (const auto& endpoint : project.endpoints()) {
    if (endpoint->tests.empty()) continue;
    if (!kind || (endpoint->kind == *kind && endpoint->id() == name)) chosen.push_back(endpoint);
  }
  return chosen;
}

int run(Context& context) {
  Output& output = context.output;
  quality::TestOptions options;
  auto user = parse_object_option(context.line, "user-context");
  if (!user.ok()) return context.fail(user.error());
  options.user_context = *std::move(user);
  auto headers = parse_headers(context.line);
  if (!headers.ok()) return context.fail(headers.error());
  options.headers = *std::move(headers);
  if (output.json) output.redirect_answer(net::seize_stdio().out);

  const auto project = context.load_project();
  if (!project.ok()) return output.fail(project.error());
  // A type without a name runs everything, as does nothing at all.
  std::optional<project::EndpointKind> kind;
  const std::string name = context.line.value("NAME").value_or("");
  if (context.line.value("NAME")) {
    kind = project::endpoint_kind_from(*context.line.value("TYPE"));
  }

  const auto chosen = endpoints_with_tests(**project, kind, name);
  runtime::RuntimeOptions runtime_options = context.runtime_options();
  // Code that cannot be imported fails the tests that need it, not the others.
  runtime_options.on_start_problems = [](const std::vector<Error>&) { return true; };
  Parts& parts = make_parts(*project, std::move(runtime_options),
                            chosen.empty() ? WithPython::kNo : WithPython::kYes);
  std::vector<EndpointReport> reports;
  if (!chosen.empty()) {
    parts.loop().install_signal_handlers();
    if (auto started = parts.runtime().start(runtime::LoadScope::kEndpoint, chosen);
        !started.ok()) {
      stop(parts);
      return output.fail(started.error());
    }
  }
  {
    Progress progress(output.err, "testing");
    options.progress = [&](const std::string& endpoint) {
      progress.set_text("testing " + endpoint);
    };
    reports = quality::run_tests(
        **project, [&](invoke::Request request) { return call(parts, std::move(request)); },
        options, kind, name);
  }
  int status = worst(reports) == TestStatus::kPassed ? 0 : 1;
  if (parts.loop().signal() != 0) {
    status = output.cancelled();
  } else if (kind && reports.empty()) {
    status = output.fail((*project)->not_found(*kind, name));
  } else if (output.json) {
    output.succeed(kind ? as_json(reports.front()) : as_json(reports));
  } else {
    print_text(reports, output.out);
  }
  stop(parts);
  return status;
}

}  // namespace

const Command& test_command() {
  static const Command command{
      .name = "test",
      .summary = "Run the tests written in the endpoint files",
      .details =
          "Every test calls its endpoint the way an MCP client would and compares the "
          "result. The exit status is 1 when one fails.",
      .positionals = {{.name = "TYPE",
                       .help = "tool, resource or prompt; without NAME, everything is tested",
                       .required = false,
                       .choices = {"tool", "resource", "prompt"}},
                      {.name = "NAME",
                       .help = "Test only this endpoint; of a resource, the URI as declared",
                       .required = false}},
      .options = {{.name = "user-context",
                   .letter = 'u',
                   .value = "JSON|@FILE",
                   .help = "Identity of the caller; replaces the one a test declares"},
                  headers_option(),
                  readonly_option(),
                  profile_option(),
                  json_option(),
                  debug_option()},
      .examples = {{"All tests", "mxcp test"},
                   {"The tests of one tool", "mxcp test tool personalized_greeting"},
                   {"As somebody else, with a machine-readable report",
                    "mxcp test -u '{\"role\": \"guest\"}' --json-output"}},
      .run = run,
  };
  return command;
}

}  // namespace mxcp::cli
