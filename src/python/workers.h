// The threads that run plain Python functions, and the queue before them.
//
// Python gives the GIL to whoever comes next and not to who has waited longest: of 32 threads that
// want it some wait ten times as long as others. Therefore only some tasks at a time are on their
// way to it. The others wait in the queue, which is fair and needs no thread.
//
//     workers.submit([](Workers::Turn& turn) {
//       const Workers::Entered gil(turn);  // the GIL; from here on the next task may come
//       ...
//     });
#pragma once

#include "python/py_ref.h"

#include <cstdint>
#include <functional>
#include <memory>

#include "base/clock.h"
#include "base/worker_pool.h"

namespace mxcp::python {

class Workers {
 public:
  explicit Workers(std::size_t threads);
  // A thread that is still inside user code is left behind together with the pool.
  ~Workers();

  class Turn;
  class Entered;
  using Task = std::function<void(Turn& turn)>;
  // False when the queue is full or the threads are stopping: the task was not taken.
  bool submit(Task task);

 private:
  struct Queue;

 public:
  // A task on its way to the GIL.
  class Turn {
   public:
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    // Lets the next task come, as Entered does. Once; later calls do nothing.
    void pass();

   private:
    friend struct Queue;
    friend class Entered;
    struct Wait {
      Instant since;
      std::uint64_t entered;  // tasks that had the GIL before
    };
    explicit Turn(Queue& queue) : queue_(&queue) {}
    Wait begin_waiting() const;
    void end_waiting(const Wait& wait);

    Queue* queue_;
    std::shared_ptr<Task> left_;  // to be run by the same thread
  };

  // The GIL, in a task.
  class Entered {
   public:
    explicit Entered(Turn& turn) : wait_(turn.begin_waiting()) { turn.end_waiting(wait_); }

   private:
    const Turn::Wait wait_;
    const GilAcquire gil_;
  };

 private:
  std::unique_ptr<WorkerPool> pool_;
  std::shared_ptr<Queue> queue_;
};

}  // namespace mxcp::python
