// The one pipeline of a call. `run`, `test`, `evals` and `serve` all go through it:
//
//   find the endpoint, coerce and validate the arguments, check limits, input policy, run, shape
//   and validate the result, output policy.
//
// A call has its answer at its deadline, whether the work can be stopped or not: a query and a
// coroutine are, a plain Python function goes on and its result is dropped.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/deadlines.h"
#include "invoke/call.h"
#include "invoke/limiter.h"

namespace mxcp::invoke {

// Checks JSON against a JSON Schema (2020-12) that an author wrote.
class SchemaChecker {
 public:
  using Violations = std::vector<types::Violation>;
  using Done = std::function<void(Result<Violations>)>;
  virtual ~SchemaChecker() = default;
  // Both are JSON text. Returns at once; `done` is called exactly once, from any thread.
  virtual void check(std::shared_ptr<const std::string> schema, std::string json, Done done) = 0;
};

struct Runners {
  Runner* sql = nullptr;
  Runner* python = nullptr;
  Runner* prompt = nullptr;  // renders the messages of a prompt
  SchemaChecker* schemas = nullptr;
  // Who watches over limits; nullptr: nobody. Deadlines must outlive the calls, not their work.
  Deadlines* deadlines = nullptr;
  Limiter* limiter = nullptr;
};

// Starts the call; `done` gets the outcome, from any thread, exactly once.
void invoke(std::shared_ptr<const project::Project> project, const Runners& runners,
            Request request, Done done);

// The same, waiting for the outcome. Not with the GIL held.
Outcome invoke_and_wait(std::shared_ptr<const project::Project> project, const Runners& runners,
                        Request request);

}  // namespace mxcp::invoke
