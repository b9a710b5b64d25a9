// Runs SQL endpoints on a bounded pool of worker threads, without Python anywhere.
#pragma once

#include <memory>

#include "base/worker_pool.h"
#include "invoke/call.h"

namespace mxcp::invoke {

class SqlRunner final : public Runner {
 public:
  SqlRunner(Services& services, WorkerPool& workers) : services_(services), workers_(workers) {}
  void run(std::shared_ptr<const Call> call, RunnerDone done) override;

 private:
  Services& services_;
  WorkerPool& workers_;
};

}  // namespace mxcp::invoke
