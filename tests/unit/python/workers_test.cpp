#include "python/workers.h"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include "harness.h"

using namespace mxcp;
using python::Workers;

TEST_CASE("Workers: tasks get the GIL in the order in which they came") {
  test::start_interpreter();
  constexpr int kTasks = 200;
  std::mutex mutex;
  std::vector<int> order;
  std::promise<void> done;
  Workers workers(16);
  {
    // While it is held here all of them wait.
    const python::GilAcquire gil;
    for (int i = 0; i < kTasks; ++i) {
      REQUIRE(workers.submit([&, i](Workers::Turn& turn) {
        const Workers::Entered entered(turn);
        const std::lock_guard lock(mutex);
        order.push_back(i);
        if (order.size() == kTasks) done.set_value();
      }));
    }
  }
  done.get_future().wait();
  for (int i = 0; i < kTasks; ++i) CHECK(order[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("Workers: a task that waits without the GIL keeps nobody from beginning") {
  test::start_interpreter();
  constexpr int kTasks = 8;
  std::atomic<int> inside{0};
  std::promise<void> all, release;
  const auto released = release.get_future().share();
  Workers workers(kTasks);
  for (int i = 0; i < kTasks; ++i) {
    REQUIRE(workers.submit([&, released](Workers::Turn& turn) {
      const Workers::Entered entered(turn);
      const python::GilRelease without;
      if (++inside == kTasks) all.set_value();
      released.wait();
    }));
  }
  all.get_future().wait();
  release.set_value();
}

TEST_CASE("Workers: also a task that never takes the GIL makes room for the next") {
  test::start_interpreter();
  std::atomic<int> done{0};
  {
    Workers workers(2);
    for (int i = 0; i < 50; ++i) REQUIRE(workers.submit([&](Workers::Turn&) { ++done; }));
    while (done < 50) std::this_thread::yield();
  }
  CHECK(done == 50);
}

TEST_CASE("Workers: a full queue refuses") {
  test::start_interpreter();
  std::promise<void> release;
  const auto released = release.get_future().share();
  std::atomic<int> ran{0};
  int taken = 0;
  {
    Workers workers(1);
    const auto task = [&, released](Workers::Turn&) {
      released.wait();
      ++ran;
    };
    while (taken < 10000 && workers.submit(task)) ++taken;
    CHECK(taken >= 4096);
    CHECK(taken < 10000);
    release.set_value();
    while (ran < taken) std::this_thread::yield();
  }
}
