// CancelToken: one call's "stop now", shared by whoever may stop it and whoever does the work.
//
// cancel() may come from any thread, at any time, also before the work begins. Work that can be
// stopped from outside (a running query, a coroutine) registers a callback for as long as it runs;
// the callback runs on the cancelling thread, at most once, and never after its Registration is
// gone: ~Registration waits for a callback that is under way.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/error.h"

namespace mxcp {

class CancelToken {
 public:
  // True for the first call. The reason becomes the error of the call (kCancelled or kTimeout).
  bool cancel(Code reason = Code::kCancelled);
  bool cancelled() const { return cancelled_.load(std::memory_order_acquire); }
  Code reason() const { return reason_.load(std::memory_order_acquire); }
  // The error a stopped call ends with.
  Error error() const;

  class Registration {
   public:
    Registration() = default;
    Registration(CancelToken* token, std::function<void()> callback);
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;
    ~Registration();

   private:
    CancelToken* token_ = nullptr;
  };

 private:
  std::atomic<bool> cancelled_{false};
  std::atomic<Code> reason_{Code::kCancelled};
  std::mutex mutex_;
  // A call can hold several pieces of work at once: a coroutine, and the query it waits for.
  std::vector<std::pair<const Registration*, std::function<void()>>> callbacks_;
};

}  // namespace mxcp
