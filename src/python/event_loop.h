// EventLoop: the one asyncio loop, in a thread of its own, started when the first coroutine comes.
//
// Work reaches it through a queue and an eventfd, so that handing it over needs no GIL; one wake-up
// takes everything that is queued. A job whose call is cancelled has its task cancelled.
//
// Whatever happens to a job (it returns, raises, is cancelled, the loop ends or cannot start), its
// `done` is called exactly once.
#pragma once

#include "python/py_ref.h"

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>

#include "base/error.h"
#include "base/value.h"
#include "invoke/call.h"

namespace mxcp::python {

struct Job {
  std::shared_ptr<const invoke::Call> call;  // may be null (hooks)
  // Makes what is awaited; called on the loop's thread with the GIL held, within the call's
  // context. Nothing and a Python exception when it fails.
  std::function<PyRef()> start;
  bool generator = false;       // `start` gives an async generator, whose items become a list
  bool discard_result = false;  // hooks may return anything
  // The context to run in; without it a fresh copy of the base context.
  PyShared context = nullptr;
  // On the loop's thread, without the GIL.
  std::function<void(Result<Value>)> done;
};

class EventLoop {
 public:
  EventLoop() = default;
  ~EventLoop();

  // From any thread, with or without the GIL.
  void submit(Job job);
  // Starts the thread ahead of need.
  void start();
  // Cancels what runs and ends the thread, waiting `limit` for it: a coroutine that blocks its
  // thread is left behind. Not with the GIL held. The next submit() starts a new loop.
  void stop(std::chrono::seconds limit) { detach()(limit); }
  // The next submit() starts a new loop, and what runs goes on on the old one, until the result is
  // called: that stops it.
  std::function<void(std::chrono::seconds limit)> detach();

 private:
  struct Core;
  std::shared_ptr<Core> core();

  std::mutex mutex_;
  std::shared_ptr<Core> core_;
};

}  // namespace mxcp::python
