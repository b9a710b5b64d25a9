#include <atomic>
#include <thread>

#include "engine/engine_fixture.h"

namespace mxcp::engine {
namespace {

using testing::Fixture;
using testing::outcome_of;
using testing::soon;

// Until `n` callers wait.
void wait_for_waiting(const Database& database, std::size_t n) {
  while (database.stats().waiting < n) std::this_thread::yield();
}

TEST_CASE("connections are opened when they are needed, and used again") {
  Fixture f({.max_connections = 3});
  CHECK(f.database->stats().connections == 0);
  {
    Lease a = f.lease();
    Lease b = f.lease();
    CHECK(f.database->stats().connections == 2);
    CHECK(f.database->stats().in_use == 2);
  }
  CHECK(f.database->stats().connections == 2);
  CHECK(f.database->stats().in_use == 0);
  Lease again = f.lease();
  CHECK(f.database->stats().connections == 2);
}

TEST_CASE("who has a connection gets a second one, which is closed afterwards") {
  Fixture f({.max_connections = 1});
  Lease first = f.lease();
  {
    auto second = f.database->lease(Clock::system().now(), nullptr, true);
    REQUIRE(second.ok());
    CHECK(f.database->stats().connections == 2);
    auto third = f.database->lease(Clock::system().now());
    REQUIRE(!third.ok());
    CHECK(third.error().code == Code::kOverloaded);
  }
  CHECK(f.database->stats().connections == 1);
}

TEST_CASE("who waits behind long queries gets an extra connection, which is closed afterwards") {
  Fixture f(
      {.max_connections = 1, .extra_connections = 1, .extra_after = std::chrono::milliseconds(1)});
  Lease first = f.lease();
  {
    auto second = f.database->lease(soon());
    REQUIRE(second.ok());
    CHECK(f.database->stats().connections == 2);
    auto third = f.database->lease(Clock::system().now() + std::chrono::milliseconds(5));
    REQUIRE(!third.ok());
    CHECK(third.error().message == "no database connection became free in time: all 2 are in use");
  }
  CHECK(f.database->stats().connections == 1);
  // Not before the time has come.
  CHECK(!f.database->lease(Clock::system().now()).ok());
}

TEST_CASE("who waits is served in order, or told when the time is over") {
  Fixture f({.max_connections = 1});
  std::optional<Lease> held(f.lease());
  {
    auto late = f.database->lease(Clock::system().now());
    REQUIRE(!late.ok());
    CHECK(late.error().code == Code::kOverloaded);
    CHECK(late.error().message == "no database connection became free in time: all 1 are in use");
  }
  std::vector<int> order;
  std::mutex mutex;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      auto lease = f.database->lease(soon());
      const std::lock_guard lock(mutex);
      order.push_back(lease.ok() ? i : -1);
    });
    wait_for_waiting(*f.database, static_cast<std::size_t>(i) + 1);
  }
  held.reset();
  for (std::thread& thread : threads) thread.join();
  CHECK(order == std::vector<int>{0, 1, 2, 3});
  CHECK(f.database->stats().waiting == 0);
  CHECK(f.database->stats().connections == 1);
}

TEST_CASE("a connection that is closed instead of returned lets the next one in") {
  Fixture f({.max_connections = 1});
  std::optional<Lease> held(f.lease());
  outcome_of(held->execute("SET threads=1", {}));
  std::string seen;
  std::thread waiter([&] { seen = f.run("SELECT 5 AS a"); });
  wait_for_waiting(*f.database, 1);
  held.reset();
  waiter.join();
  CHECK(seen == "[{\"a\":5}]");
  CHECK(f.database->stats().connections == 1);
}

TEST_CASE("and so does one that is closed while another is an extra one") {
  Fixture f(
      {.max_connections = 1, .extra_connections = 1, .extra_after = std::chrono::milliseconds(1)});
  std::optional<Lease> held(f.lease());
  const Lease extra = f.lease();
  outcome_of(held->execute("SET threads=1", {}));
  std::string seen;
  std::thread waiter([&] { seen = f.run("SELECT 5 AS a"); });
  // Long enough for the extra connection that it cannot have.
  wait_for_waiting(*f.database, 1);
  CHECK(!f.database->lease(Clock::system().now() + std::chrono::milliseconds(5)).ok());
  held.reset();
  waiter.join();
  CHECK(seen == "[{\"a\":5}]");
}

TEST_CASE("waiting ends when the call is cancelled") {
  Fixture f({.max_connections = 1});
  Lease held = f.lease();
  CancelToken cancel;
  std::optional<Result<Lease>> answer;
  std::thread waiter([&] { answer.emplace(f.database->lease(soon(), &cancel)); });
  wait_for_waiting(*f.database, 1);
  cancel.cancel(Code::kTimeout);
  waiter.join();
  REQUIRE(!answer->ok());
  CHECK(answer->error().code == Code::kTimeout);
  CHECK(f.database->stats().waiting == 0);
  CancelToken before;
  before.cancel();
  CHECK(f.database->lease(soon(), &before).error().code == Code::kCancelled);
}

TEST_CASE("closing waits for the leases, turns away who comes, and frees the file") {
  Fixture f({.max_connections = 1});
  f.run("CREATE TABLE t AS SELECT 1 AS a");
  std::optional<Lease> held(f.lease());
  std::optional<Result<Lease>> waiting;
  std::thread waiter([&] { waiting.emplace(f.database->lease(soon())); });
  wait_for_waiting(*f.database, 1);
  std::atomic<bool> closed{false};
  std::thread closer([&] {
    CHECK(f.database->close(soon()));
    closed = true;
  });
  waiter.join();
  CHECK(!waiting->ok());
  CHECK(waiting->error().code == Code::kUnavailable);
  CHECK(!closed);
  CHECK(outcome_of(held->execute("SELECT a FROM t", {})) == "[{\"a\":1}]");
  held.reset();
  closer.join();
  auto refused = f.database->lease(soon());
  REQUIRE(!refused.ok());
  CHECK(refused.error().code == Code::kUnavailable);
  // The file can be opened again in the same process.
  auto again = Database::open(f.database->options());
  REQUIRE(again.ok());
  Lease lease = *(*again)->lease(soon());
  CHECK(outcome_of(lease.execute("SELECT a FROM t", {})) == "[{\"a\":1}]");
}

TEST_CASE("closing interrupts what runs behind its deadline") {
  Fixture f;
  std::atomic<bool> started{false};
  std::string answer;
  std::thread worker([&] {
    Lease lease = f.lease();
    started = true;
    answer = outcome_of(lease.execute(
        "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range + b.range = 7",
        {}));
  });
  while (!started) std::this_thread::yield();
  CHECK(f.database->close(Clock::system().now()));
  worker.join();
  CHECK(answer == "the query was interrupted because the database is being closed");
}

TEST_CASE("four threads hammering") {
  Fixture f({.max_connections = 3});
  f.run("CREATE TABLE t AS SELECT i::INTEGER AS id, 'name ' || i AS name FROM range(1000) r(i)");
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const int id = (t * 251 + i * 7) % 1000;
        const std::string n = std::to_string(id);
        const std::string expected = "[{\"name\":\"name " + n + "\"}]";
        if (f.run("SELECT name FROM t WHERE id = $id", {{"id", id}}) != expected) ++wrong;
        if (i % 20 == t) f.run("CREATE OR REPLACE VIEW v" + std::to_string(t) + " AS SELECT 1");
        if (i % 25 == t) f.run("CREATE TEMP TABLE x AS SELECT 1");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(f.database->stats().in_use == 0);
  CHECK(f.database->stats().connections <= 3);
}

}  // namespace
}  // namespace mxcp::engine
