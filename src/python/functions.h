// Which Python function runs an endpoint: looked up once per load.
//
// find() needs no GIL: a call learns by it whether its function is a coroutine function, and so on
// which threads it runs, before it waits for the interpreter.
#pragma once

#include "python/py_ref.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "project/endpoint.h"
#include "python/modules.h"

namespace mxcp::python {

struct Function {
  enum class Kind { kSync, kCoroutine, kAsyncGenerator };
  Kind kind = Kind::kSync;
  PyShared callable;
  PyShared keyword_names;      // a tuple, in the order of the endpoint's parameters
  Place place;                 // of its `def`, for errors that have no other
  std::optional<Error> error;  // then there is no callable
  std::shared_ptr<const project::Endpoint> endpoint;  // keeps the key of the table alive
  mutable std::atomic<bool> quick{false};             // see Workers::Turn::was_quick
};

class Functions {
 public:
  // nullptr when the endpoint was not resolved yet.
  std::shared_ptr<const Function> find(const project::Endpoint& endpoint) const;
  // Imports the endpoint's module if need be, and looks the function up. With the GIL held.
  std::shared_ptr<const Function> resolve(std::shared_ptr<const project::Endpoint> endpoint,
                                          Modules& modules);
  void clear();

  // Forgets the endpoints that are in none of the projects (which may be null). With the GIL held.
  void keep(const std::vector<std::shared_ptr<const project::Project>>& projects);

 private:
  using Table = std::unordered_map<const project::Endpoint*, std::shared_ptr<const Function>>;
  mutable std::mutex mutex_;  // held for look-ups only, never while Python runs
  Table table_;
};

// How calling it gives its result, told by the flags of its code object. With the GIL held.
Function::Kind kind_of(PyObject* callable);

// Names under which the function of an endpoint is looked for, in this order: the name of a
// tool or prompt; a resource's name, its URI with everything but letters and digits turned into
// '_', `main`, the file's stem. A name that no function can have stands for the nearest that one
// can: get_user for get-user, class_ for class. With the GIL held.
std::vector<std::string> function_names(const project::Endpoint& endpoint);

}  // namespace mxcp::python
