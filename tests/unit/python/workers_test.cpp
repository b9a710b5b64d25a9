#include "python/workers.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <functional>
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
  bool quick = false;
  SUBCASE("of which nothing is known") {}
  SUBCASE("that are known to be quick") {
    quick = true;
  }
  std::mutex mutex;
  std::vector<int> order;
  std::promise<void> done;
  Workers workers(16);
  {
    // While it is held here all of them wait.
    const python::GilAcquire gil;
    for (int i = 0; i < kTasks; ++i) {
      REQUIRE(workers.submit([&, i](Workers::Turn& turn) {
        const Workers::Entered entered(turn, quick);
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
  bool quick = false;
  SUBCASE("that is not known to be quick") {}
  SUBCASE("that should have been quick") {
    quick = true;
  }
  std::atomic<int> inside{0};
  std::promise<void> all, release;
  const auto released = release.get_future().share();
  Workers workers(kTasks);
  for (int i = 0; i < kTasks; ++i) {
    REQUIRE(workers.submit([&, released](Workers::Turn& turn) {
      const Workers::Entered entered(turn, quick);
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

TEST_CASE("Workers: quick is what takes little time and keeps the GIL") {
  test::start_interpreter();
  const auto was_quick = [](const std::function<void()>& body) {
    std::promise<bool> answer;
    Workers workers(1);
    REQUIRE(workers.submit([&](Workers::Turn& turn) {
      {
        const Workers::Entered entered(turn);
        body();
      }
      answer.set_value(turn.was_quick());
    }));
    return answer.get_future().get();
  };
  // One of many, should the machine be busy.
  bool nothing = false;
  for (int i = 0; i < 1000 && !nothing; ++i) nothing = was_quick([] {});
  CHECK(nothing);
  CHECK_FALSE(was_quick([] { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }));
  bool left = false;
  for (int i = 0; i < 100 && !left; ++i) left = was_quick([] { const python::GilRelease without; });
  CHECK_FALSE(left);
}

TEST_CASE("Workers: a task that never had the GIL says nothing of others") {
  test::start_interpreter();
  std::promise<bool> answer;
  Workers workers(1);
  REQUIRE(workers.submit([&](Workers::Turn& turn) { answer.set_value(turn.was_quick()); }));
  CHECK_FALSE(answer.get_future().get());
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
