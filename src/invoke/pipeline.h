// The one pipeline of a call. `run`, `test`, `evals` and `serve` all go through it:
//
//   find the endpoint, coerce and validate the arguments, input policy, run, shape and validate the
//   result, output policy, audit.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "invoke/call.h"

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
};

// Starts the call; `done` gets the outcome, from any thread, exactly once.
void invoke(std::shared_ptr<const project::Project> project, const Runners& runners,
            Request request, Done done);

// The same, waiting for the outcome. Not with the GIL held.
Outcome invoke_and_wait(std::shared_ptr<const project::Project> project, const Runners& runners,
                        Request request);

}  // namespace mxcp::invoke
