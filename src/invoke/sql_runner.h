// Runs SQL endpoints on bounded pools of worker threads, without Python anywhere.
//
// There are two: endpoints that took long the last times run on threads of low priority of their
// own. So they neither hold the threads of the short ones nor take their processor time, and a
// function that answers in a millisecond does so beside a report of a minute, too.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/worker_pool.h"
#include "invoke/call.h"

namespace mxcp::invoke {

// Which endpoints take long, by the running mean of how long they took. Any thread.
class SlowEndpoints {
 public:
  static constexpr std::chrono::milliseconds kSlow{100};
  // Below it an endpoint is quick again.
  static constexpr std::chrono::milliseconds kQuick{50};

  bool contains(const project::Endpoint& endpoint) const;
  void note(const project::Endpoint& endpoint, Duration took);

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Duration> mean_;  // of slow ones, by id
  std::atomic<bool> any_{false};
};

class SqlRunner final : public Runner {
 public:
  SqlRunner(Services& services, WorkerPool& workers, WorkerPool& slow_workers)
      : services_(services), workers_(workers), slow_workers_(slow_workers) {}
  void run(std::shared_ptr<const Call> call, RunnerDone done) override;

 private:
  Services& services_;
  WorkerPool& workers_;
  WorkerPool& slow_workers_;
  SlowEndpoints slow_;
};

}  // namespace mxcp::invoke
