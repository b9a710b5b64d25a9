#include <atomic>
#include <random>
#include <thread>

#include "engine/engine_fixture.h"

namespace mxcp::engine {
namespace {

using testing::Fixture;
using testing::outcome_of;
using testing::soon;

// Runs for hours when nobody stops it.
constexpr const char* kEndless =
    "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range + b.range = 7";

TEST_CASE("cancelled before it starts") {
  Fixture f;
  CancelToken cancel;
  cancel.cancel();
  Lease lease = f.lease();
  auto rows = lease.execute(kEndless, {}, {.cancel = &cancel});
  REQUIRE(!rows.ok());
  CHECK(rows.error().code == Code::kCancelled);
  CHECK(outcome_of(lease.execute("SELECT 1 AS a", {})) == "[{\"a\":1}]");
}

TEST_CASE("cancelled while it runs, with the reason as the error") {
  Fixture f;
  for (const Code reason : {Code::kCancelled, Code::kTimeout, Code::kUnavailable}) {
    CancelToken cancel;
    Lease lease = f.lease();
    std::thread canceller([&] { cancel.cancel(reason); });
    auto rows = lease.execute(kEndless, {}, {.cancel = &cancel});
    std::string json;
    const Status status = rows.ok() ? rows_to_json(*rows, json) : Status(rows.error());
    canceller.join();
    REQUIRE(!status.ok());
    CHECK(status.error().code == reason);
    CHECK(outcome_of(lease.execute("SELECT 1 AS a", {})) == "[{\"a\":1}]");
  }
}

TEST_CASE("cancelled while its rows are read") {
  Fixture f;
  CancelToken cancel;
  Lease lease = f.lease();
  auto rows = lease.execute("SELECT a.range FROM range(10000000) a, range(10000000) b", {},
                            {.cancel = &cancel});
  REQUIRE(rows.ok());
  REQUIRE(rows->next_chunk().ok());
  cancel.cancel();
  // What was produced before may still come.
  Result<void*> chunk = rows->next_chunk();
  while (chunk.ok()) {
    REQUIRE(*chunk != nullptr);
    chunk = rows->next_chunk();
  }
  CHECK(chunk.error().code == Code::kCancelled);
  CHECK(outcome_of(lease.execute("SELECT 1 AS a", {})) == "[{\"a\":1}]");
}

TEST_CASE("a token that is cancelled after its query does not touch the next one") {
  Fixture f;
  Lease lease = f.lease();
  for (int i = 0; i < 20; ++i) {
    CancelToken cancel;
    CHECK(outcome_of(lease.execute("SELECT 1 AS a", {}, {.cancel = &cancel})) == "[{\"a\":1}]");
    cancel.cancel();
    CHECK(outcome_of(lease.execute("SELECT sum(range) AS s FROM range(20000)", {})) ==
          "[{\"s\":199990000}]");
  }
}

TEST_CASE("200 cancellations at random moments: none is lost, none hits another query") {
  Fixture f({.max_connections = 2});
  std::mt19937 random(42);
  int stopped = 0;
  for (int i = 0; i < 200; ++i) {
    CancelToken cancel;
    std::atomic<bool> started{false};
    const unsigned spin = random() % 20000;
    Lease lease = f.lease();
    std::thread canceller([&] {
      while (!started) std::this_thread::yield();
      for (unsigned k = 0; k < spin; ++k) std::atomic_signal_fence(std::memory_order_seq_cst);
      cancel.cancel();
    });
    started = true;
    // Alternates between a query that only ends when it is stopped and one that may be done before.
    auto rows = lease.execute(i % 2 == 0 ? kEndless : "SELECT i FROM range(3000) t(i)", {},
                              {.cancel = &cancel});
    std::string json;
    const Status status = rows.ok() ? rows_to_json(*rows, json) : Status(rows.error());
    if (!status.ok()) {
      CHECK(status.error().code == Code::kCancelled);
      ++stopped;
    } else {
      CHECK(i % 2 == 1);
    }
    CHECK(outcome_of(lease.execute("SELECT sum(range) AS s FROM range(20000)", {})) ==
          "[{\"s\":199990000}]");
    canceller.join();
  }
  CHECK(stopped >= 100);
}

TEST_CASE("progress rises strictly between 0 and 100, and changes no result") {
  Fixture f;
  f.run("CREATE TABLE t AS SELECT range AS i FROM range(3000000)");
  std::vector<double> seen;
  const std::string sql = "SELECT sum(sin(i) * cos(i) * tan(i)) > -1e18 AS s FROM t, range(6)";
  CHECK(f.run(sql, {}, {.progress = [&](double p) { seen.push_back(p); }}) == "[{\"s\":true}]");
  for (std::size_t i = 0; i < seen.size(); ++i) {
    CHECK(seen[i] > (i == 0 ? 0 : seen[i - 1]));
    CHECK(seen[i] < 100);
  }
  CancelToken cancel;
  std::thread canceller([&] { cancel.cancel(); });
  auto rows = f.lease().execute(kEndless, {}, {.cancel = &cancel, .progress = [](double) {}});
  canceller.join();
  REQUIRE(!rows.ok());
  CHECK(rows.error().code == Code::kCancelled);
}

}  // namespace
}  // namespace mxcp::engine
