// What the runtime needs of the user's Python code; implemented by python/.
//
// load, unload and the hooks run on the process's main thread, because imported libraries may want
// it (signal.signal, GUI toolkits). None of these is called with the GIL held.
#pragma once

#include <memory>
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
  // Loads everything afresh (kAll) while nothing runs. Errors: the old modules, hooks and plugins
  // are back as if nothing had been tried. Otherwise the old shutdown hooks have run, the new init
  // hooks are still to be.
  virtual std::vector<Error> replace(std::shared_ptr<const project::Project> project) = 0;
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
