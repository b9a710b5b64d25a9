// Runs Python endpoints and prompts: plain functions on a bounded pool of threads with a persistent
// thread state each, coroutine functions on the event loop.
#pragma once

#include "python/py_ref.h"

#include <memory>

#include "invoke/call.h"
#include "python/event_loop.h"
#include "python/functions.h"
#include "python/workers.h"

namespace mxcp::python {

class PythonRunner final : public invoke::Runner {
 public:
  PythonRunner(Workers& workers, EventLoop& loop, Functions& functions, Modules& modules)
      : workers_(workers), loop_(loop), functions_(functions), modules_(modules) {}
  void run(std::shared_ptr<const invoke::Call> call, invoke::RunnerDone done) override;

 private:
  void run_on_worker(Workers::Turn& turn, const std::shared_ptr<const invoke::Call>& call,
                     invoke::RunnerDone done);
  void run_on_loop(const std::shared_ptr<const invoke::Call>& call,
                   const std::shared_ptr<const Function>& function, invoke::RunnerDone done);

  Workers& workers_;
  EventLoop& loop_;
  Functions& functions_;
  Modules& modules_;
};

class PromptRunner final : public invoke::Runner {
 public:
  explicit PromptRunner(Workers& workers) : workers_(workers) {}
  void run(std::shared_ptr<const invoke::Call> call, invoke::RunnerDone done) override;

 private:
  Workers& workers_;
};

}  // namespace mxcp::python
