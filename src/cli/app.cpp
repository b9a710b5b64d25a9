// The program from its first argument to its exit status, and the one place that decides which
// classes stand behind the interfaces that commands use (parts.h).
#include "cli/app.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/context.h"
#include "cli/help.h"
#include "cli/parts.h"
#include "cli/planted_bug.h"
#include "engine/library.h"
#include "mcp/core.h"
#include "mcp/http.h"
#include "mcp/http_sse.h"
#include "mcp/server.h"
#include "net/aes_sealer.h"
#include "observe/metrics.h"
#include "python/python_runtime.h"
#include "python/secrets.h"

#ifndef MXCP_VERSION
#define MXCP_VERSION "0.1.0"
#endif

namespace mxcp::cli {

// --- wiring --------------------------------------------------------------------------------------

namespace {

// For commands that run no user code.
class NoUserCode final : public runtime::UserCode, private invoke::Runner {
 public:
  std::vector<Error> load(std::shared_ptr<const project::Project>, runtime::LoadScope,
                          const std::vector<std::shared_ptr<const project::Endpoint>>&) override {
    return {};
  }
  void run_init_hooks() override {}
  void run_shutdown_hooks() override {}
  void unload() override {}
  std::vector<Error> stage(std::shared_ptr<const project::Project>) override { return {}; }
  bool staged_has_hooks() const override { return false; }
  std::function<void()> commit() override {
    return [] {};
  }
  void discard() override {}
  std::optional<Error> problem_of(const project::Endpoint&) const override { return {}; }
  void adopt(std::shared_ptr<const project::Project>) override {}
  void finish() override {}
  invoke::Runner& runner() override { return *this; }
  invoke::Runner& prompt_runner() override { return *this; }

 private:
  void run(std::shared_ptr<const invoke::Call>, invoke::RunnerDone done) override {
    done(Error{Code::kInternal, "this command does not run Python"});
  }
};

class AppParts final : public Parts {
 public:
  AppParts(std::shared_ptr<const project::Project> project, runtime::RuntimeOptions options,
           WithPython with_python) {
    python::PythonRuntime* python = nullptr;
    if (with_python == WithPython::kYes) {
      python::PythonOptions python_options;
      python_options.server = options.server;
      auto made = std::make_unique<python::PythonRuntime>(python_options);
      python = made.get();
      user_code_ = std::move(made);
    } else {
      user_code_ = std::make_unique<NoUserCode>();
    }
    if (options.server) {
      metrics_ = std::make_unique<observe::Metrics>(mcp::method_names());
      options.observer = metrics_.get();
    }
    runtime_ = std::make_unique<runtime::Runtime>(std::move(options), std::move(project),
                                                  *user_code_, loop_);
    if (python != nullptr) {
      python->connect(*runtime_);
      loop_.on_other_signal = [python] { python->check_signals(); };
    }
  }

  runtime::MainLoop& loop() override { return loop_; }
  runtime::Runtime& runtime() override { return *runtime_; }
  observe::Metrics* metrics() override { return metrics_.get(); }
  void finish() override { user_code_->finish(); }

 private:
  runtime::MainLoop loop_;
  std::unique_ptr<runtime::UserCode> user_code_;
  std::unique_ptr<observe::Metrics> metrics_;
  std::unique_ptr<runtime::Runtime> runtime_;
};

class AppBackend final : public mcp::Backend {
 public:
  explicit AppBackend(runtime::Runtime& runtime) : runtime_(runtime) {}
  std::shared_ptr<const project::Project> project() const override { return runtime_.project(); }
  void call(invoke::Request request, invoke::Done done) override {
    runtime_.call(std::move(request), std::move(done));
  }
  void when_ready(std::shared_ptr<CancelToken> cancel, std::function<void(Status)> then) override {
    runtime_.when_ready(std::move(cancel), std::move(then));
  }

 private:
  runtime::Runtime& runtime_;
};

mcp::ServerInfo server_info(const project::Project& project) {
  mcp::ServerInfo info;
  const project::ServerAppearance& appearance = project.site().server;
  info.title = appearance.title.empty() ? project.site().project : appearance.title;
  info.version = program_version();
  info.description = appearance.description;
  info.instructions = appearance.instructions;
  info.website = appearance.website;
  info.icons = appearance.icons;
  return info;
}

mcp::ServerOptions server_options(Parts& parts) {
  const auto served = parts.runtime().project();
  const project::Project& project = *served;
  mcp::ServerOptions options;
  options.info = server_info(project);
  options.on_end = [metrics = parts.metrics()](std::string_view method, std::optional<int> code) {
    using End = observe::Metrics::RequestEnd;
    metrics->request_ended(method, !code ? End::kCancelled : *code == 0 ? End::kOk : End::kError);
  };
  options.tasks = project.site().tasks;
  // Several processes behind one address share a secret, so that each understands the others'
  // tokens.
  options.sealer = std::make_shared<net::AesSealer>(environment("MXCP_STATE_SECRET"));
  return options;
}

class AppStdioServer final : public McpServer {
 public:
  AppStdioServer(Parts& parts, net::StdioStreams streams)
      : backend_(parts.runtime()),
        server_(server_options(parts), backend_),
        transport_(server_, streams, mcp::ServerOptions().max_message) {
    parts.runtime().on_reload([this] {
      server_.present(server_info(*backend_.project()));
      server_.notify_list_changed();
      server_.notify_resources_updated();
    });
  }

  Status start(std::function<void()> on_end) override {
    transport_.start(std::move(on_end));
    return {};
  }
  void drain(Instant deadline) override {
    transport_.drain(deadline);
    // Nobody can come back for the result, but what was begun may still come to its end.
    server_.drain_tasks(deadline);
  }
  void stop() override { transport_.stop(Clock::system().now()); }
  std::string url() const override { return ""; }

 private:
  AppBackend backend_;
  mcp::Server server_;
  net::StdioTransport transport_;
};

// `certificate`: what is wrong with the one that the last SIGHUP found.
net::HttpPage readiness_of(const runtime::Runtime& runtime, const std::string& certificate) {
  const auto status = runtime.reload_status();
  Object json;
  json.add("status", status.stopping      ? "stopping"
                     : !status.started    ? "starting"
                     : status.in_progress ? "reloading"
                                          : "ready");
  json.add("active_calls", static_cast<std::uint64_t>(status.active_calls));
  json.add("reloads", status.completed);
  if (!status.last_error.empty()) json.add("reload_error", status.last_error);
  if (!certificate.empty()) json.add("certificate_error", certificate);
  const bool ready = status.started && !status.stopping;
  return {.status = ready ? 200 : 503, .body = to_json(std::move(json)) + '\n'};
}

std::unique_ptr<mcp::HttpHandler> http_handler(const HttpServing& options, mcp::Server& server) {
  if (options.sse) {
    mcp::SseOptions sse;
    if (!options.path.empty()) sse.path = options.path;
    return std::make_unique<mcp::SseEndpoint>(std::move(sse), server);
  }
  mcp::HttpEndpointOptions endpoint;
  if (!options.path.empty()) endpoint.path = options.path;
  endpoint.stateless = options.stateless;
  return std::make_unique<mcp::HttpEndpoint>(std::move(endpoint), server);
}

class AppHttpServer final : public McpServer {
 public:
  AppHttpServer(Parts& parts, const HttpServing& options)
      : runtime_(parts.runtime()),
        metrics_(*parts.metrics()),
        backend_(runtime_),
        server_(server_options(parts), backend_),
        handler_(http_handler(options, server_)),
        http_(options.http, *handler_, pages(options)) {
    runtime_.on_reload([this] {
      metrics_.forget_others(*runtime_.project());
      server_.present(server_info(*backend_.project()));
      server_.notify_list_changed();
      server_.notify_resources_updated();
    });
  }

  Status start(std::function<void()>) override { return http_.start(); }
  void drain(Instant deadline) override {
    http_.drain(deadline);
    server_.drain_tasks(deadline);
  }
  void hangup() override {
    const auto loaded = http_.reload_tls();
    std::string problem;
    if (!loaded.ok()) {
      problem = "the certificate before stays in use: " + loaded.error().text();
      log::error("http", "{}", problem);
    }
    const std::lock_guard lock(mutex_);
    certificate_error_ = std::move(problem);
  }
  void stop() override { http_.stop(); }
  std::string url() const override { return http_.url(); }

 private:
  net::HttpPages pages(const HttpServing& options) {
    net::HttpPages pages;
    pages["/livez"] = [] { return net::HttpPage{.body = "{\"status\":\"ok\"}\n"}; };
    pages["/readyz"] = [this] { return readiness_of(runtime_, certificate_error()); };
    if (options.metrics) {
      pages["/metrics"] = [this] {
        return net::HttpPage{.content_type = "text/plain; version=0.0.4; charset=utf-8",
                             .body = metrics_.text(now())};
      };
    }
    return pages;
  }

  std::string certificate_error() const {
    const std::lock_guard lock(mutex_);
    return certificate_error_;
  }

  observe::Metrics::Now now() const {
    observe::Metrics::Now now;
    now.version = program_version();
    const auto status = runtime_.reload_status();
    now.running_calls = status.active_calls;
    now.reloads = status.completed;
    now.failed_reloads = status.failed;
    now.last_reload_failed = !status.last_error.empty();
    auto http = http_.stats();
    now.connections = http.connections;
    now.streams = http.streams;
    now.responses = std::move(http.responses);
    now.sessions = handler_->session_count();
    now.pool = runtime_.pool_stats();
    now.project = runtime_.project();
    return now;
  }

  runtime::Runtime& runtime_;
  observe::Metrics& metrics_;
  AppBackend backend_;
  mcp::Server server_;
  const std::unique_ptr<mcp::HttpHandler> handler_;
  mutable std::mutex mutex_;
  std::string certificate_error_;  // of the last SIGHUP
  net::HttpServer http_;
};

}  // namespace

Parts& make_parts(std::shared_ptr<const project::Project> project, runtime::RuntimeOptions options,
                  WithPython python) {
  return *new AppParts(std::move(project), std::move(options), python);
}

McpServer& make_stdio_server(Parts& parts, net::StdioStreams streams) {
  return *new AppStdioServer(parts, streams);
}

McpServer& make_http_server(Parts& parts, const HttpServing& options) {
  return *new AppHttpServer(parts, options);
}

std::vector<Error> check_python(const project::Endpoint& endpoint) {
  return python::check_source(endpoint);
}

std::optional<quality::TemplateProblem> check_template(const std::string& text) {
  auto problem = python::template_problem(text);
  if (!problem) return {};
  quality::TemplateProblem out{"Jinja cannot read this: " + problem->message, ""};
  std::size_t line_end = std::string::npos;
  for (int line = 1; line < problem->line; ++line) line_end = text.find('\n', line_end + 1);
  const auto first = text.find_first_not_of(" \t", line_end + 1);
  out.offset = first == std::string::npos ? text.size() : first;
  return out;
}

bool jinja_has(const std::string& what, const std::string& name) {
  return python::jinja_has(what, name);
}

std::string check_own_schema(const std::string& schema) {
  return python::check_schema(schema);
}

project::SecretStores secret_stores() {
  return {.vault = python::read_vault, .onepassword = python::read_onepassword};
}

std::string python_program() {
  return python::python_program();
}

std::string program_version() {
  return MXCP_VERSION;
}

// --- the program ---------------------------------------------------------------------------------

namespace {

// Commands that wait for nothing which could be cancelled stop where they are.
void leave_on_interrupt(int) {
  constexpr char kText[] = "\nCancelled.\n";
  [[maybe_unused]] const auto n = ::write(STDERR_FILENO, kText, sizeof kText - 1);
  ::_exit(1);
}

std::string version_text() {
  std::string duckdb = engine::installed_version(engine::library_search_path());
  if (duckdb.empty()) duckdb = "not installed";
  return "mxcp " + program_version() + "\nDuckDB " + duckdb + "\nPython " +
         python::python_version();
}

int unknown_command(const std::string& name, Output& output) {
  const bool is_option = !name.empty() && name.front() == '-';
  std::vector<std::string> known = {"--help", "--version"};
  if (!is_option) {
    known.clear();
    for (const Command* command : commands()) known.push_back(command->name);
  }
  std::string hint = suggest(name, known);
  if (is_option && hint.empty()) hint = "options follow the command: mxcp COMMAND [OPTIONS]";
  if (hint.empty()) hint = "'mxcp --help' lists the commands";
  return output.fail_usage("Usage: mxcp COMMAND [OPTIONS]",
                           {Code::kUsage,
                            (is_option ? "unknown option '" : "unknown command '") + name + "'",
                            {},
                            hint});
}

int run_command_line(const std::vector<std::string>& args, Output& output) {
  if (args.size() < 2 || args[1] == "--help" || args[1] == "-h") {
    output.out.write(program_help(output.out));
    return 0;
  }
  if (args[1] == "--version") {
    output.out.line(version_text());
    return 0;
  }
  // Also when the other arguments cannot be understood.
  output.json = std::find(args.begin(), args.end(), "--json-output") != args.end();
  const Command* const command = find_command(args[1]);
  if (command == nullptr) {
    if (const auto status = run_planted_bug(args)) return *status;
    return unknown_command(args[1], output);
  }

  const auto line =
      parse_command_line(*command, std::vector<std::string>(args.begin() + 2, args.end()));
  if (!line.ok()) return output.fail_usage(usage_line(*command), line.error());
  if (line->help()) {
    output.out.write(command_help(*command, output.out));
    return 0;
  }
  output.json = line->has("json-output");
  output.debug = line->has("debug") || is_truthy(environment("MXCP_DEBUG"));
  if (output.debug) log::set_level(log::Level::kDebug);
  Context context{args[0], *command, *line, output};
  return command->run(context);
}

}  // namespace

int run(const std::vector<std::string>& args) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGINT, leave_on_interrupt);
  Output output;
  int status = run_command_line(args, output);
  log::flush();
  // A reader that went away (`mxcp list | head`) is no failure; a full disk is.
  if (const int failure = output.out.failure(); failure != 0 && failure != EPIPE) {
    output.err.line("Error: cannot write the output: " + std::string(std::strerror(failure)));
    if (status == 0) status = 1;
  }
  return status;
}

}  // namespace mxcp::cli
