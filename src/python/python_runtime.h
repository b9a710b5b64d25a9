// PythonRuntime: the user's Python code in the user's own interpreter.
//
// This module is the only place with Python.h (beside bindings/). The interpreter is the process
// itself: `mxcp` is a console script that hands over to C++ and lets go of the GIL; everything here
// takes it where it needs it and nowhere else.
//
// - Sync functions run on a bounded pool of threads with a persistent thread state and an 8 MB
//   stack each; coroutines on one event loop of the runtime, in a thread of its own. Async hooks
//   run on that same loop.
// - Each call runs in its own copy of the context (contextvars), which carries the Call: so
//   mxcp.runtime finds the database, the configuration and the client. Threads that user code
//   starts have no Call but can use db, config and plugins.
// - Whatever a call raises (SystemExit, KeyboardInterrupt, RecursionError, an exception whose str()
//   raises) becomes an Error: message for the caller, traceback in Error::detail for the log.
// - db.execute converts its parameters, lets go of the GIL, runs, takes it back and builds dicts
//   straight from DuckDB's vectors. On the loop's thread it does not wait for a free connection.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "invoke/call.h"
#include "python/interpreter.h"
#include "runtime/user_code.h"

namespace mxcp::python {

struct PythonOptions {
  std::size_t threads = 0;  // sync functions at a time; 0: max(128, 4 x cores)
  bool server = false;
};

class PythonRuntime final : public runtime::UserCode {
 public:
  explicit PythonRuntime(PythonOptions options);
  ~PythonRuntime() override;

  // Who answers mxcp.runtime's questions. Before load().
  void connect(invoke::Services& services);

  std::vector<Error> load(
      std::shared_ptr<const project::Project> project, runtime::LoadScope scope,
      const std::vector<std::shared_ptr<const project::Endpoint>>& endpoints) override;
  void run_init_hooks() override;
  void run_shutdown_hooks() override;
  void unload() override;
  std::vector<Error> stage(std::shared_ptr<const project::Project> project) override;
  bool staged_has_hooks() const override;
  std::function<void()> commit() override;
  void discard() override;
  std::optional<Error> problem_of(const project::Endpoint& endpoint) const override;
  void adopt(std::shared_ptr<const project::Project> project) override;
  void finish() override;
  invoke::Runner& runner() override;
  invoke::Runner& prompt_runner() override;
  invoke::SchemaChecker* schema_checker() override;

  // Lets Python run the handlers of signals that arrived (main thread).
  void check_signals();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Static checks by the syntax tree, nothing is imported: the function exists, is callable with the
// declared parameters, and the file parses. For `validate`. Places are in the user's Python file.
std::vector<Error> check_source(const project::Endpoint& endpoint);

// What is wrong with a JSON Schema (text) that an author wrote; "" when it is sound.
std::string check_schema(const std::string& schema);

// What Jinja refuses in a template, with the line in it; nothing when it compiles.
struct TemplateError {
  std::string message;
  int line = 1;
};
std::optional<TemplateError> template_problem(const std::string& text);
// Whether the installed Jinja has the "filter" or "test".
bool jinja_has(const std::string& what, const std::string& name);

}  // namespace mxcp::python
