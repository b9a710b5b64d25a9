#include <algorithm>
#include <atomic>
#include <functional>
#include <set>
#include <thread>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/client_config.h"
#include "cli/context.h"
#include "cli/parts.h"
#include "cli/serve_options.h"
#include "quality/derive.h"
#include "quality/validate.h"
#include "runtime/end_watch.h"

namespace mxcp::cli {
namespace {

// Running calls are waited for this long. At the end of its input a client may still read (a
// shell's pipe does), but mostly it waits for the server to leave: the official clients send
// SIGTERM after two seconds and SIGKILL after four, and all has to be over by then, also when a
// call does not stop.
constexpr std::chrono::seconds kAfterEnd{1};
constexpr std::chrono::seconds kAfterSignal{5};
constexpr std::chrono::milliseconds kBookkeeping{200};
constexpr std::chrono::seconds kLastAnswers{1};
constexpr std::chrono::seconds kEndLimit{25};

// One broken endpoint, or one problem that belongs to none.
struct Failure {
  std::string path;
  Error error;
};

// The start was refused: the whole report, at once.
int report_failures(const std::vector<Failure>& failures, Output& output, bool protocol_begun) {
  const std::string message = plural(failures.size(), "problem") + "; the server does not start";
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
    (protocol_begun ? output.err : output.out).line(to_json(std::move(report)));
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
// yet may be there when the tool is called: that is worth a warning, not a refusal. Files whose
// YAML is broken were reported before.
std::vector<runtime::Problem> check_sources(const project::Project& project,
                                            engine::Database& database) {
  quality::ValidateEnvironment environment;
  environment.database = [&] {
    return std::shared_ptr<engine::Database>(std::shared_ptr<void>(), &database);
  };
  environment.check_python = check_python;
  environment.check_schema = check_own_schema;
  environment.check_template = check_template;
  environment.jinja_has = jinja_has;
  std::set<std::string> broken;
  for (const auto& file : project.files()) {
    if (!file.endpoint) broken.insert(file.display_path);
  }
  std::vector<runtime::Problem> problems;
  for (quality::FileReport& report : quality::validate(project, environment)) {
    if (broken.count(report.path) != 0) continue;
    for (Error& error : report.errors) {
      if (error.code == Code::kNotFound) {
        log::warning("serve", "{}", error.text());
      } else {
        problems.push_back({std::move(error), report.path});
      }
    }
  }
  return problems;
}

class Serve {
 public:
  using MakeServer = std::function<McpServer&(Parts&)>;
  // With failures it does not serve: it only looks for what else there is to report.
  Serve(Context& context, std::shared_ptr<const project::Project> project, std::string transport,
        std::vector<Failure> failures, const MakeServer& make_server)
      : output_(context.output),
        transport_(std::move(transport)),
        ignore_errors_(context.line.has("ignore-errors")),
        failures_(std::move(failures)),
        serves_(failures_.empty()),
        parts_(make_parts(std::move(project), options(context), WithPython::kYes)),
        loop_(parts_.loop()),
        server_(make_server(parts_)) {}

  int run() {
    if (serves_) runtime::EndWatch::arm(kEndLimit);
    loop_.install_signal_handlers();
    if (serves_) {
      loop_.on_hangup = [this] {
        server_.hangup();
        (void)parts_.runtime().request_reload({}, "SIGHUP");
      };
      // Answers to initialize and the lists come from here on, whatever the start still has to do.
      if (const auto started = server_.start([this] { loop_.stop(); }); !started.ok()) {
        parts_.finish();
        return output_.fail(started.error());
      }
    }
    if (const auto started = parts_.runtime().start(runtime::LoadScope::kAll, {}); !started.ok()) {
      failures_.push_back({"", started.error()});
      loop_.stop();
    }
    // After the start, which is a task of the loop.
    if (!serves_) loop_.post([this] { loop_.stop(); });
    loop_.run();
    if (serves_) drain();
    // What still runs is cancelled and answered. An answered call needs a moment for its
    // bookkeeping.
    parts_.runtime().stop(Clock::system().now() + kBookkeeping);
    if (serves_) {
      server_.drain(Clock::system().now() + kLastAnswers);
      server_.stop();
    }
    parts_.finish();
    if (failures_.empty()) return 0;
    return report_failures(failures_, output_, serves_ && transport_ == "stdio");
  }

 private:
  runtime::RuntimeOptions options(const Context& context) {
    runtime::RuntimeOptions options = context.runtime_options();
    options.server = true;
    options.watch = serves_ && !context.line.has("no-watch");
    options.serve_broken = ignore_errors_;
    options.check = check_sources;
    options.derive = quality::derive;
    options.on_start_problems = [this](const std::vector<Error>& problems) {
      return accept(problems);
    };
    options.on_start = [this] {
      if (serves_) announce();
    };
    return options;
  }

  // Where it is, for people and for whoever started the process, when it is certain that it serves.
  // Nothing over stdio.
  void announce() {
    const std::string url = server_.url();
    if (url.empty()) return;
    const auto project = parts_.runtime().project();
    std::size_t tools = 0, resources = 0, prompts = 0;
    for (const auto& endpoint : project->endpoints()) {
      switch (endpoint->kind) {
        case project::EndpointKind::kTool: ++tools; break;
        case project::EndpointKind::kResource: ++resources; break;
        case project::EndpointKind::kPrompt: ++prompts; break;
      }
    }
    if (output_.json) {
      Object report;
      report.add("status", "ok");
      report.add("url", url);
      report.add("transport", transport_);
      report.add("project", project->site().project);
      report.add("profile", project->profile_name());
      report.add("tools", static_cast<std::uint64_t>(tools));
      report.add("resources", static_cast<std::uint64_t>(resources));
      report.add("prompts", static_cast<std::uint64_t>(prompts));
      output_.out.line(to_json(std::move(report)));
      return;
    }
    output_.out.line("mxcp " + program_version() + " serves " + project->site().project +
                     " (profile " + project->profile_name() + ") at " + output_.out.bold(url));
    output_.out.line("  " + plural(tools, "tool") + ", " + plural(resources, "resource") + ", " +
                     plural(prompts, "prompt") + ". Ctrl-C stops.");
  }

  // Whether the server goes on in spite of what was found while it started.
  bool accept(const std::vector<Error>& problems) {
    // That the wait for the database was given up for the end is no failure.
    const auto is_about_database = [](const Error& problem) {
      return problem.code == Code::kDatabase;
    };
    if (loop_.is_stopping() && std::all_of(problems.begin(), problems.end(), is_about_database)) {
      return false;
    }
    if (ignore_errors_) {
      for (const Error& problem : problems) log::error("serve", "{}", problem.text());
      return true;
    }
    for (const Error& problem : problems) {
      if (quality::follows_from(problem, problems)) continue;
      // The check of a source and its import find the same mistake.
      const bool known = std::any_of(failures_.begin(), failures_.end(), [&](const Failure& f) {
        return f.error.message == problem.message &&
               (f.error.place == problem.place || !problem.place.known());
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
      server_.drain(deadline);
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
  const std::string transport_;
  const bool ignore_errors_;
  std::vector<Failure> failures_;  // found while starting; main thread
  const bool serves_;
  Parts& parts_;
  runtime::MainLoop& loop_;
  McpServer& server_;
};

// What would have to protect the server is not there: it does not start as if it were.
Status check_protection(const project::Project& project, const std::string& transport) {
  const project::UserConfig& user = project.user();
  const Value* const provider = user.auth.find("provider");
  const bool wanted = provider != nullptr && provider->is_string() &&
                      !provider->as_string()->empty() && *provider->as_string() != "none";
  if (!wanted || transport == "stdio") return {};
  return Error{Code::kConfig,
               "'auth.provider: " + shorten(*provider->as_string(), 40) +
                   "' cannot be enforced: this version has no authentication, and everybody could "
                   "call everything",
               {user.file.string(), 0, 0},
               "put a proxy that authenticates before the server and write 'provider: none', or "
               "serve with '--transport stdio'"};
}

int run(Context& context) {
  Output& output = context.output;
  output.one_line = true;
  const auto flag = context.line.value("transport");
  net::StdioStreams streams;
  const auto seize = [&] {
    streams = net::seize_stdio();
    output.redirect_answer(streams.out);
  };
  // Before anything can print.
  const bool print = context.line.has("print-config");
  if (flag == "stdio" && !print) seize();
  const auto project = context.load_project();
  if (!project.ok()) return output.fail(project.error());
  // A client on this machine had best start the server itself.
  if (print) return print_config(context, **project, flag.value_or("stdio"));
  const std::string transport = flag.value_or((*project)->user().transport);
  if ((*project)->profile().audit_enabled) {
    log::warning("serve", "'audit.enabled' has no effect yet: no audit log is written");
  }
  std::vector<Failure> broken = broken_files(**project);
  if (context.line.has("ignore-errors")) {
    for (const Failure& failure : broken) log::error("serve", "{}", failure.error.text());
    broken.clear();
  }

  if (transport == "stdio") {
    if (!flag) seize();
    warn_about_options_of_http(context);
    // Where nothing is served the report needs the stream.
    const auto served = broken.empty() ? streams : net::StdioStreams();
    return Serve(context, *project, transport, std::move(broken),
                 [&](Parts& parts) -> McpServer& { return make_stdio_server(parts, served); })
        .run();
  }
  if (const auto checked = check_protection(**project, transport); !checked.ok()) {
    return output.fail(checked.error());
  }
  const auto options = http_options(context, **project, transport == "sse");
  if (!options.ok()) return context.fail(options.error());
  // The report is all that stdout carries then, whatever the project's code prints.
  if (output.json) seize();
  warn_about_hosts(options->http);
  return Serve(context, *project, transport, std::move(broken),
               [&](Parts& parts) -> McpServer& { return make_http_server(parts, *options); })
      .run();
}

}  // namespace

const Command& serve_command() {
  static const Command command{
      .name = "serve",
      .summary = "Serve the project to an MCP client",
      .details =
          "Speaks the Model Context Protocol, all revisions from 2024-11-05 to 2026-07-28: over "
          "HTTP at "
          "http://localhost:8000/mcp, or on standard input and output with '--transport stdio' "
          "(one "
          "JSON-RPC message a line; nothing else is written to stdout, whatever the project's code "
          "prints). Logs go to stderr. /livez and /readyz tell how an HTTP server is.\n"
          "Changed YAML, SQL and Python files are taken up while the server runs, when they are "
          "valid. "
          "SIGHUP reloads everything, also the database; SIGTERM and Ctrl-C stop the server after "
          "the running calls, and "
          "so does the end of the input under stdio.\n"
          "Broken endpoints keep the server from starting, with a report of everything that is "
          "wrong and exit status 1. Tables that do not exist yet are only warned about.",
      .options =
          {{.name = "transport",
            .value = "NAME",
            .help = "streamable-http, stdio, or sse for clients that only know HTTP+SSE of "
                    "2024-11-05 (default: the transport of the user configuration, else "
                    "streamable-http)",
            .choices = {"streamable-http", "stdio", "sse"}},
           {.name = "host",
            .value = "NAME",
            .help = "Where to listen (default: localhost, so only this machine); 0.0.0.0 for "
                    "every address"},
           {.name = "port", .value = "N", .help = "The port (default: 8000); 0 takes a free one"},
           {.name = "path",
            .value = "PATH",
            .help = "The path of the endpoint (default: /mcp, with sse: /sse)"},
           {.name = "unix-socket",
            .value = "FILE",
            .help = "Listen on this Unix socket instead of a port",
            .is_file = true},
           {.name = "tls-cert",
            .value = "FILE",
            .help = "Speak https with this certificate (PEM, with its chain); SIGHUP reads it anew",
            .is_file = true},
           {.name = "tls-key",
            .value = "FILE",
            .help = "The private key of the certificate (PEM, without a password)",
            .is_file = true},
           {.name = "metrics",
            .value = "true|false",
            .help = "The page /metrics for Prometheus (default: transport.http.metrics of the user "
                    "configuration, else only where nobody but this machine comes in)",
            .choices = {"true", "false"}},
           {.name = "stateless",
            .help = "No sessions: older clients, too, are served request by request"},
           {.name = "ignore-errors",
            .help = "Serve the valid endpoints even when others are broken"},
           {.name = "no-watch",
            .help = "Do not take up changed files while serving (SIGHUP still does)"},
           {.name = "sql-tools",
            .value = "true|false",
            .help = "The built-in tools execute_sql_query (read-only), list_tables and "
                    "get_table_schema (default: sql_tools.enabled of mxcp-site.yml)",
            .choices = {"true", "false"}},
           readonly_option(),
           profile_option(),
           {.name = "print-config",
            .value = "CLIENT",
            .help = "Print what the configuration of an MCP client needs to start this server, or, "
                    "with '--transport streamable-http', to reach it, and leave",
            .choices = client_names()},
           {.name = "json-output",
            .help = "Report as JSON where the server is, or what keeps it from starting"},
           debug_option()},
      .examples = {{"At http://localhost:8000/mcp", "mxcp serve"},
                   {"For other machines, on another port", "mxcp serve --host 0.0.0.0 --port 9000"},
                   {"For a client that starts the server itself", "mxcp serve --transport stdio"},
                   {"In spite of broken endpoints, on another profile",
                    "mxcp serve --transport stdio --ignore-errors --profile staging"},
                   {"What to paste into the configuration of a client",
                    "mxcp serve --print-config claude-code"},
                   {"Look at a tool with the MCP inspector",
                    "npx @modelcontextprotocol/inspector mxcp serve --transport stdio"}},
      .run = run,
  };
  return command;
}

}  // namespace mxcp::cli
