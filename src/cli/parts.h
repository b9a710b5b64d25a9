// The parts below the command line that commands work with, as they need them.
//
// Which classes these are is decided in app.cpp only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/database.h"
#include "invoke/call.h"
#include "net/http_server.h"
#include "net/stdio.h"
#include "project/project.h"
#include "quality/template_names.h"
#include "runtime/main_loop.h"
#include "runtime/runtime.h"

namespace mxcp::observe {
class Metrics;
}

namespace mxcp::cli {

enum class WithPython { kNo, kYes };

// A project at work.
class Parts {
 public:
  virtual ~Parts() = default;
  virtual runtime::MainLoop& loop() = 0;
  virtual runtime::Runtime& runtime() = 0;
  // Of a server; null otherwise.
  virtual observe::Metrics* metrics() = 0;
  // The last thing before leaving, after runtime().stop(): what Python still has to do.
  virtual void finish() = 0;
};

// Without Python nothing of it is started, and Python endpoints cannot be called.
//
// What is made here stays until the process leaves, by intention: a thread of user code that never
// returns must not keep a destructor, and with it the command, waiting.
Parts& make_parts(std::shared_ptr<const project::Project> project, runtime::RuntimeOptions options,
                  WithPython python);

// An MCP server, answering from the runtime of its parts.
class McpServer {
 public:
  virtual ~McpServer() = default;
  // `on_end` is called once, from another thread, when the only client there can be has closed its
  // side.
  virtual Status start(std::function<void()> on_end) = 0;
  // Takes nothing new and waits for the answers that are due, up to the deadline.
  virtual void drain(Instant deadline) = 0;
  // Nothing is read or written any more.
  virtual void stop() = 0;
  // SIGHUP came: reads again what is the server's own (certificates).
  virtual void hangup() {}
  // Where clients find it; "" on the standard streams.
  virtual std::string url() const = 0;
};
// On the process's own standard streams.
McpServer& make_stdio_server(Parts& parts, net::StdioStreams streams);
struct HttpServing {
  net::HttpOptions http;
  bool sse = false;    // the transport of 2024-11-05
  std::string path;    // of the endpoint; "" is the usual one of the transport
  std::string scheme;  // that clients use, where it is not the server's own; mostly ""
  bool stateless = false;
  bool metrics = false;  // the page /metrics
};
McpServer& make_http_server(Parts& parts, const HttpServing& options);

// Vault and 1Password, for references in the user configuration.
project::SecretStores secret_stores();

// The checks of an endpoint's Python source (nothing is imported).
std::vector<Error> check_python(const project::Endpoint& endpoint);
// What is wrong with a JSON Schema of the author's own; "" when it is sound.
std::string check_own_schema(const std::string& schema);
// What Jinja says of a template, and what it has; see quality::ValidateEnvironment.
std::optional<quality::TemplateProblem> check_template(const std::string& text);
bool jinja_has(const std::string& what, const std::string& name);

// The Python interpreter this program runs in.
std::string python_program();

// "0.1.0"
std::string program_version();

}  // namespace mxcp::cli
