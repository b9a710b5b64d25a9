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
//
// To wake another thread for the next task takes as long as a short function. A task that is known
// to be quick therefore has the next one come to its own thread, once it is over; only when it
// turns out to take long does another thread come meanwhile. What becomes of a task:
//
//     waiting     in the queue       -> before_gil, when no other task is there and none is quick
//     before_gil  has a thread       -> running, or quick_running when it should be quick
//     running     has had the GIL       the next task gets another thread
//     quick_running                     the next task waits, and then
//                   it ends          -> its thread goes on with the next task
//                   it is late       -> running (replace_if_late, after 1 ms)
//
// Crowded: while somebody computes for long, all that wait become before_gil at once.
#pragma once

#include "python/py_ref.h"

#include <cstdint>
#include <functional>
#include <memory>

#include "base/clock.h"
#include "base/deadlines.h"
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
    // Since it had the GIL: whether it took so little time, and never left the GIL to wait for
    // something, that tasks like it may be called quick. To be asked at its end.
    bool was_quick() const;

   private:
    friend struct Queue;
    friend class Entered;
    struct Wait {
      Instant since;
      std::uint64_t entered;  // tasks that had the GIL before
    };
    explicit Turn(Queue& queue) : queue_(&queue) {}
    Wait begin_waiting() const;
    void end_waiting(const Wait& wait, bool quick);

    Queue* queue_;
    std::shared_ptr<Task> next_task_;  // to be run by the same thread
    std::uint64_t quick_running_ = 0;  // the next task comes to this thread, unless that ended
    Instant entered_{};
    std::uint64_t releases_ = 0;  // of the GIL by this thread, before
  };

  // The GIL, in a task. `quick`: as Turn::was_quick() said of the last task like this one.
  class Entered {
   public:
    explicit Entered(Turn& turn, bool quick = false) : wait_(turn.begin_waiting()) {
      turn.end_waiting(wait_, quick);
    }

   private:
    const Turn::Wait wait_;
    const GilAcquire gil_;
  };

 private:
  std::unique_ptr<WorkerPool> pool_;
  std::shared_ptr<Queue> queue_;
  std::unique_ptr<Deadlines> deadlines_;
};

}  // namespace mxcp::python
