// What the runtime needs of the user's Python code; implemented by python/.
//
// load, unload and the hooks run on the process's main thread, because imported libraries may want
// it (signal.signal, GUI toolkits). None of these is called with the GIL held.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/error.h"
#include "invoke/pipeline.h"

namespace mxcp::runtime {

// Which modules to import.
enum class LoadScope {
  kAll,           // serve: every module under python/
  kEndpoint,      // run: the endpoint's module and those that register hooks
  kPlugins,       // query: plugins only, for their SQL functions
  kDeclarations,  // validate: what SQL functions plugins have; no plugin is made
};

class UserCode {
 public:
  virtual ~UserCode() = default;

  // Imports modules and creates plugin instances. An import error is returned with file:line, the
  // traceback in Error::detail; loading goes on with the other modules.
  virtual std::vector<Error> load(
      std::shared_ptr<const project::Project> project, LoadScope scope,
      const std::vector<std::shared_ptr<const project::Endpoint>>& endpoints) = 0;
  // Hooks in registration order; a hook that raises is logged and the next one runs.
  virtual void run_init_hooks() = 0;
  virtual void run_shutdown_hooks() = 0;  // then plugins' shutdown()
  // Forgets the project's modules, hooks and plugins, so that load() imports them afresh.
  virtual void unload() = 0;
  // Changed code comes in two steps. stage() imports everything afresh (kAll) beside the old, which
  // may answer calls meanwhile. commit() or discard() is next, whatever was found.
  virtual std::vector<Error> stage(std::shared_ptr<const project::Project> project) = 0;
  // Whether something must run between the last call of the old code and the first of the new.
  virtual bool staged_has_hooks() const = 0;
  // Calls of the staged project find its code from now on; its init hooks are still to be run. The
  // result, called on the main thread when the last call of the old code is over, forgets that.
  virtual std::function<void()> commit() = 0;
  // The old code stays as if nothing had been tried. Had it been shut down (this is for then, too,
  // with nothing staged), its plugins are made anew, and its init hooks are still to be run.
  virtual void discard() = 0;
  // What keeps the function of an endpoint from being called, as far as load() or stage() found it.
  // Any thread.
  virtual std::optional<Error> problem_of(const project::Endpoint& endpoint) const = 0;
  // The same modules serve another snapshot from now on; what belonged to endpoints that are gone
  // is forgotten. Any thread.
  virtual void adopt(std::shared_ptr<const project::Project> project) = 0;
  // atexit handlers of user code, flush of Python's streams; the last thing before leaving.
  virtual void finish() = 0;

  virtual invoke::Runner& runner() = 0;
  virtual invoke::Runner& prompt_runner() = 0;
  virtual invoke::SchemaChecker* schema_checker() { return nullptr; }
};

}  // namespace mxcp::runtime
