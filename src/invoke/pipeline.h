// The one pipeline of a call. `run`, `test`, `evals` and `serve` all go through it:
//
//   find the endpoint, coerce and validate the arguments, input policy, run, shape and validate the
//   result, output policy, audit.
#pragma once

#include <memory>

#include "invoke/call.h"

namespace mxcp::invoke {

struct Runners {
  Runner* sql = nullptr;
  Runner* python = nullptr;
  Runner* prompt = nullptr;  // renders the messages of a prompt
};

// Starts the call; `done` gets the outcome, from any thread, exactly once.
void invoke(std::shared_ptr<const project::Project> project, const Runners& runners,
            Request request, Done done);

// The same, waiting for the outcome. Not with the GIL held.
Outcome invoke_and_wait(std::shared_ptr<const project::Project> project, const Runners& runners,
                        Request request);

}  // namespace mxcp::invoke
