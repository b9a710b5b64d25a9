#include "base/deadlines.h"

#include <doctest/doctest.h>

#include <future>
#include <memory>
#include <string>

#include "support/fake_clock.h"

using namespace mxcp;
using std::chrono::seconds;

TEST_CASE("a deadline calls back when its time has come, the earliest first") {
  test::FakeClock clock;
  Deadlines deadlines(clock);
  std::string order;
  std::promise<void> last;
  const auto b = deadlines.after(seconds(20), [&] {
    order += 'b';
    last.set_value();
  });
  const auto a = deadlines.after(seconds(10), [&] { order += 'a'; });
  clock.advance(seconds(30));
  deadlines.clock_changed();
  last.get_future().wait();
  CHECK(order == "ab");
}

TEST_CASE("an entry that ended does not call back") {
  test::FakeClock clock;
  Deadlines deadlines(clock);
  bool called = false;
  auto ended = deadlines.after(seconds(1), [&] { called = true; });
  ended = {};
  std::promise<void> later;
  const auto marker = deadlines.after(seconds(2), [&] { later.set_value(); });
  clock.advance(seconds(5));
  deadlines.clock_changed();
  later.get_future().wait();
  CHECK(!called);
}

TEST_CASE("a callback may end its own entry and make another one") {
  test::FakeClock clock;
  Deadlines deadlines(clock);
  std::promise<void> again;
  Deadlines::Entry first, second;
  first = deadlines.after(seconds(1), [&] {
    first = {};
    second = deadlines.after(seconds(0), [&] { again.set_value(); });
  });
  clock.advance(seconds(1));
  deadlines.clock_changed();
  again.get_future().wait();
}

TEST_CASE("entries outlive the deadlines, and are not called then") {
  const auto held = std::make_shared<int>(0);
  Deadlines::Entry entry;
  {
    Deadlines deadlines;
    entry = deadlines.after(std::chrono::hours(1), [held] {});
    CHECK(held.use_count() == 2);
  }
  CHECK(held.use_count() == 1);
}
