#include "base/worker_pool.h"

#include <doctest/doctest.h>

#include <sys/resource.h>

#include <atomic>
#include <future>
#include <thread>

using namespace mxcp;

namespace {

// Tasks that run until the test lets them go.
struct Held {
  std::promise<void> release;
  std::shared_future<void> released{release.get_future()};
  std::atomic<int> running{0};

  std::function<void()> task() {
    return [this, until = released] {
      ++running;
      until.wait();  // `this` may be gone afterwards
    };
  }
  void wait_for(int count) const {
    while (running < count) std::this_thread::yield();
  }
};

}  // namespace

TEST_CASE("tasks run in parallel, and what is queued is finished before the end") {
  std::atomic<int> done{0};
  {
    WorkerPool pool({.threads = 3});
    for (int i = 0; i < 100; ++i) REQUIRE(pool.submit([&] { ++done; }));
  }
  CHECK(done == 100);
}

TEST_CASE("a full queue refuses") {
  Held held;
  WorkerPool pool({.threads = 1, .max_queued = 1});
  REQUIRE(pool.submit(held.task()));
  held.wait_for(1);
  CHECK(pool.submit([] {}));
  CHECK_FALSE(pool.submit([] {}));
  held.release.set_value();
}

TEST_CASE("long tasks on all threads do not keep the others waiting") {
  Held held;
  std::promise<int> niceness;
  WorkerPool pool({.threads = 2, .slow_after = std::chrono::milliseconds(1)});
  const int usual = ::getpriority(PRIO_PROCESS, 0);
  REQUIRE(pool.submit([&] {
    ++held.running;
    held.released.wait();
    niceness.set_value(::getpriority(PRIO_PROCESS, 0));
  }));
  REQUIRE(pool.submit(held.task()));
  held.wait_for(2);
  for (int round = 0; round < 3; ++round) {
    std::promise<void> answered;
    REQUIRE(pool.submit([&] { answered.set_value(); }));
    answered.get_future().wait();
  }
  held.release.set_value();
  CHECK(niceness.get_future().get() > usual);
}

TEST_CASE("no more threads are replaced than allowed, and they can be again when they ended") {
  WorkerPool pool({.threads = 1, .slow_after = std::chrono::milliseconds(1), .max_slow = 2});
  for (int round = 0; round < 5; ++round) {
    Held held;
    for (int i = 0; i < 4; ++i) REQUIRE(pool.submit(held.task()));
    held.wait_for(3);  // two replaced, and the one thread that is left
    std::atomic<bool> fifth{false};
    REQUIRE(pool.submit([&] { fifth = true; }));
    CHECK(held.running == 3);
    CHECK_FALSE(fifth);
    held.release.set_value();
    while (!fifth) std::this_thread::yield();
    held.wait_for(4);
  }
}

TEST_CASE("a pool that ends waits for its replaced threads, too") {
  std::atomic<int> done{0};
  for (int round = 0; round < 20; ++round) {
    Held held;
    std::thread releaser;
    {
      WorkerPool pool({.threads = 1, .slow_after = std::chrono::milliseconds(1)});
      for (int i = 0; i < 3; ++i) {
        REQUIRE(pool.submit([&] {
          ++held.running;
          held.released.wait();
          ++done;
        }));
      }
      held.wait_for(3);
      releaser = std::thread([&] { held.release.set_value(); });
    }
    releaser.join();
    CHECK(done == 3 * (round + 1));
  }
}

TEST_CASE("a long task goes on at a lower priority, also when nobody waits") {
  WorkerPool pool({.threads = 2, .slow_after = std::chrono::milliseconds(50)});
  const int usual = ::getpriority(PRIO_PROCESS, 0);
  std::promise<void> lowered;
  REQUIRE(pool.submit([&] {
    while (::getpriority(PRIO_PROCESS, 0) == usual) std::this_thread::yield();
    lowered.set_value();
  }));
  lowered.get_future().wait();
  // Whoever comes later has the usual one.
  for (int round = 0; round < 5; ++round) {
    std::promise<int> niceness;
    REQUIRE(pool.submit([&] { niceness.set_value(::getpriority(PRIO_PROCESS, 0)); }));
    CHECK(niceness.get_future().get() == usual);
  }
}

TEST_CASE("a background pool has the lower priority from the beginning") {
  WorkerPool pool({.threads = 1, .background = true});
  std::promise<int> niceness;
  REQUIRE(pool.submit([&] { niceness.set_value(::getpriority(PRIO_PROCESS, 0)); }));
  CHECK(niceness.get_future().get() > ::getpriority(PRIO_PROCESS, 0));
}
