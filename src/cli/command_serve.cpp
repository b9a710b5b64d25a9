#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/context.h"
#include "cli/parts.h"
#include "quality/validate.h"

namespace mxcp::cli {
namespace {

// Running calls are waited for this long: when the client has closed its side it may still read.
constexpr std::chrono::seconds kAfterEnd{30};
constexpr std::chrono::seconds kAfterSignal{5};

// One broken endpoint, or one problem that belongs to none.
struct Failure {
  std::string path;
  Error error;
};

// The start was refused: the whole report, at once.
int report_failures(const std::vector<Failure>& failures, Output& output, bool protocol_begun) {
  const std::string message =
      plural(failures.size(), "problem") + "; the server does not start";
  if (output.json) {
    Array failed;
    for (const Failure& failure : failures) {
      Object entry;
      entry.add("path", failure.path);
      entry.add("error", failure.error.text());
      failed.push_back(std::move(entry));
    }
    Object report;
    report.add("status", "error");
    report.add("message", message);
    report.add("failed_endpoints", std::move(failed));
    // Once the client was answered, stdout is its own.
    (protocol_begun ? output.err : output.out).line(to_pretty_json(std::move(report)));
  } else {
    output.err.line(output.err.red("Error:") + " " + message +
                    " ('--ignore-errors' serves what works)");
    for (const Failure& failure : failures) {
      output.err.line(problem_text(failure.error, output.err, "  "));
    }
  }
  return 1;
}

std::vector<Failure> broken_files(const project::Project& project) {
  std::vector<Failure> failures;
  for (const auto& file : project.files()) {
    for (const Error& error : file.errors) failures.push_back({file.display_path, error});
  }
  return failures;
}

// What can only be checked with the database open and the init hooks run. A table that is not there
// yet may be there when the tool is called: that is worth a warning, not a refusal. Files whose YAML
// is broken were reported before.
std::vector<Error> check_sources(const project::Project& project, engine::Database& database) {
  quality::ValidateEnvironment environment;
  environment.database = [&] {
    return std::shared_ptr<engine::Database>(std::shared_ptr<void>(), &database);
  };
  environment.check_python = check_python;
  std::set<std::string> broken;
  for (const auto& file : project.files()) {
    if (!file.endpoint) broken.insert(file.display_path);
  }
  std::vector<Error> errors;
  for (quality::FileReport& report : quality::validate(project, environment)) {
    if (broken.count(report.path) != 0) continue;
    for (Error& error : report.errors) {
      if (error.code == Code::kNotFound) {
        log::warning("serve", "{}", error.text());
      } else {
        errors.push_back(std::move(error));
      }
    }
  }
  return errors;
}

Status check_transport(const std::string& transport, bool from_flag) {
  if (transport == "stdio") return {};
  return Error{Code::kUnavailable,
               "this version of mxcp serves stdio only, not " + transport +
                   (from_flag ? "" : " (the default, or the transport of your user configuration)"),
               {}, "mxcp serve --transport stdio"};
}

class Serve {
 public:
  Serve(Context& context, net::StdioStreams streams, std::shared_ptr<const project::Project> project)
      : output_(context.output),
        ignore_errors_(context.line.has("ignore-errors")),
        parts_(make_parts(std::move(project), options(context), WithPython::kYes)),
        loop_(parts_.loop()),
        server_(make_stdio_server(parts_.runtime(), streams)) {}

  int run() {
    loop_.install_signal_handlers();
    loop_.on_hangup = [this] { (void)parts_.runtime().request_reload({}, "SIGHUP"); };
    // Answers to initialize and the lists come from here on, whatever the start still has to do.
    server_.start([this] { loop_.stop(); });
    if (const auto started = parts_.runtime().start(runtime::LoadScope::kAll, {}); !started.ok()) {
      failures_.push_back({"", started.error()});
      loop_.stop();
    }
    loop_.run();
    drain();
    parts_.runtime().stop(Clock::system().now());
    parts_.finish();
    return failures_.empty() ? 0 : report_failures(failures_, output_, true);
  }

 private:
  runtime::RuntimeOptions options(const Context& context) {
    runtime::RuntimeOptions options = context.runtime_options();
    options.server = true;
    options.check = check_sources;
    options.on_start_problems = [this](const std::vector<Error>& problems) {
      return accept(problems);
    };
    return options;
  }

  // Whether the server goes on in spite of what was found while it started.
  bool accept(const std::vector<Error>& problems) {
    if (ignore_errors_) {
      for (const Error& problem : problems) log::error("serve", "{}", problem.text());
      return true;
    }
    for (const Error& problem : problems) {
      // The check of a source and its import find the same mistake.
      const bool known = std::any_of(failures_.begin(), failures_.end(), [&](const Failure& f) {
        return f.error.message == problem.message && f.error.place == problem.place;
      });
      if (!known) failures_.push_back({problem.place.file, problem});
    }
    loop_.stop();
    return false;
  }

  // Waits for the answers that are due; the main loop goes on, because a reload under way needs it.
  // A signal that comes now ends the waiting.
  void drain() {
    const bool wait = failures_.empty();
    const auto limit = loop_.signal() != 0 ? kAfterSignal : kAfterEnd;
    const Instant now = Clock::system().now();
    const Instant deadline = wait ? now + limit : now;
    std::atomic<bool> drained{false}, hurry{false};
    loop_.on_stop_signal = [&](int) { hurry = true; };
    std::thread drainer([&] {
      server_.stop(deadline);
      drained = true;
      loop_.wake();
    });
    loop_.run_until([&] { return drained || hurry; });
    loop_.on_stop_signal = nullptr;
    // Cancelled calls are answered, too: with that, the drainer comes to its end.
    if (!drained) parts_.runtime().stop(Clock::system().now());
    drainer.join();
  }

  Output& output_;
  const bool ignore_errors_;
  std::vector<Failure> failures_;  // found while starting; main thread
  Parts& parts_;
  runtime::MainLoop& loop_;
  StdioServer& server_;
};

int run(Context& context) {
  Output& output = context.output;
  const auto flag = context.line.value("transport");
  net::StdioStreams streams;
  const auto seize = [&] {
    streams = net::seize_stdio();
    output.redirect_answer(streams.out);
  };
  // Before anything can print.
  if (flag == "stdio") seize();
  if (flag) {
    if (const auto known = check_transport(*flag, true); !known.ok()) {
      return output.fail(known.error());
    }
  }
  if (context.line.value("sql-tools") == "true") {
    return output.fail({Code::kUnavailable, "this version of mxcp has no built-in SQL tools", {},
                        "leave out '--sql-tools true', and declare the queries as tools"});
  }
  const auto project = context.load_project();
  if (!project.ok()) return output.fail(project.error());
  if (!flag) {
    if (const auto known = check_transport((*project)->user().transport, false); !known.ok()) {
      return output.fail(known.error());
    }
    seize();
  }
  if ((*project)->site().sql_tools.enabled) {
    log::warning("serve", "mxcp-site.yml enables sql_tools, which this version does not have");
  }
  const std::vector<Failure> broken = broken_files(**project);
  if (!broken.empty() && !context.line.has("ignore-errors")) {
    return report_failures(broken, output, false);
  }
  for (const Failure& failure : broken) log::error("serve", "{}", failure.error.text());
  return Serve(context, streams, *project).run();
}

}  // namespace

const Command& serve_command() {
  static const Command command{
      .name = "serve",
      .summary = "Serve the project to an MCP client",
      .details =
          "Speaks the Model Context Protocol on standard input and output: one JSON-RPC message a "
          "line. Nothing else is written to stdout, whatever the project's code prints; logs go to "
          "stderr. SIGHUP reloads the project; the end of the input, SIGTERM and Ctrl-C stop the "
          "server after the running calls.\n"
          "Broken endpoints keep the server from starting, with a report of everything that is "
          "wrong and exit status 1. Tables that do not exist yet are only warned about.",
      .options = {{.name = "transport",
                   .value = "NAME",
                   .help = "stdio (default: the transport of the user configuration). "
                           "streamable-http and sse are known, but not part of this version",
                   .choices = {"stdio", "streamable-http", "sse"}},
                  {.name = "ignore-errors",
                   .help = "Serve the valid endpoints even when others are broken"},
                  {.name = "sql-tools",
                   .value = "true|false",
                   .help = "Built-in SQL tools (not part of this version: 'true' is refused)",
                   .choices = {"true", "false"}},
                  readonly_option(), profile_option(),
                  {.name = "json-output",
                   .help = "Report what keeps the server from starting as JSON"},
                  debug_option()},
      .examples = {{"For a client that starts the server itself", "mxcp serve --transport stdio"},
                   {"In spite of broken endpoints, on another profile",
                    "mxcp serve --transport stdio --ignore-errors --profile staging"},
                   {"Look at a tool with the MCP inspector",
                    "npx @modelcontextprotocol/inspector mxcp serve --transport stdio"}},
      .run = run,
  };
  return command;
}

}  // namespace mxcp::cli
