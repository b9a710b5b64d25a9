#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
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

TEST_CASE("a query that pauses for others gives the same, and can be cancelled") {
  Fixture f({.gentle_after = std::chrono::milliseconds(1)});
  Lease lease = f.lease();
  CHECK(outcome_of(lease.execute("SELECT sum(range)::BIGINT AS s FROM range(30000000)", {})) ==
        "[{\"s\":449999985000000}]");
  // Produced while it is read.
  auto rows = lease.execute("SELECT range FROM range(300000)", {});
  REQUIRE(rows.ok());
  std::string json;
  const auto read = rows_to_json(*rows, json, RowLimits{});
  REQUIRE(read.ok());
  CHECK(read->rows == 300000);

  CHECK(outcome_of(lease.execute("SELECT CAST('x' AS INTEGER) AS a FROM range(10)", {}))
            .find("Could not convert string 'x' to INT32") != std::string::npos);

  CancelToken cancel;
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    cancel.cancel(Code::kTimeout);
  });
  auto endless = lease.execute(kEndless, {}, {.cancel = &cancel});
  const Status stopped = endless.ok() ? rows_to_json(*endless, json) : Status(endless.error());
  canceller.join();
  REQUIRE(!stopped.ok());
  CHECK(stopped.error().code == Code::kTimeout);
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

// Cancels tokens a given time after they came, on a thread of its own.
class Canceller {
 public:
  ~Canceller() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }
  void cancel(std::shared_ptr<CancelToken> token, std::chrono::microseconds after) {
    {
      const std::lock_guard lock(mutex_);
      queue_.emplace_back(std::move(token), Clock::system().now() + after);
    }
    changed_.notify_one();
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return stop_ || !queue_.empty(); });
      if (queue_.empty()) return;
      const auto [token, when] = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      while (Clock::system().now() < when) std::this_thread::yield();
      token->cancel();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<std::shared_ptr<CancelToken>, Instant>> queue_;
  bool stop_ = false;
  std::thread thread_{[this] { run(); }};
};

struct Tally {
  std::atomic<int> stopped{0}, finished{0}, lost{0}, hit{0}, wrong{0};
};

// Calls that are cancelled at some moment: before they begin, while they wait for a connection,
// plan, run or are read, or when they are over and somebody else has the connection. In between,
// calls that nobody cancels.
void cancel_at_random(Fixture& f, unsigned seed, int rounds, Tally& tally) {
  std::mt19937 random(seed);
  Canceller canceller;
  for (int i = 0; i < rounds; ++i) {
    const auto token = std::make_shared<CancelToken>();
    const bool endless = random() % 4 == 0;
    canceller.cancel(token, std::chrono::microseconds(random() % 1200));
    {
      auto lease = f.database->lease(soon(), token.get());
      std::string json;
      Status status = lease.ok() ? Status() : Status(lease.error());
      if (status.ok()) {
        auto rows = lease->execute(endless ? kEndless : "SELECT i FROM range(5000) t(i)", {},
                                   {.cancel = token.get()});
        status = rows.ok() ? rows_to_json(*rows, json) : Status(rows.error());
      }
      if (status.ok()) {
        ++(endless ? tally.lost : tally.finished);
      } else {
        ++(status.error().code == Code::kCancelled ? tally.stopped : tally.wrong);
      }
    }
    // The connection may be the same, and the cancellation may only come now.
    if (f.run("SELECT sum(range) AS s FROM range(3000)") != "[{\"s\":4498500}]") ++tally.hit;
  }
}

TEST_CASE("10,000 cancellations at random moments: none is lost, none hits another query") {
  Fixture f({.threads = 1, .max_connections = 3});
  constexpr int kThreads = 4, kRounds = 2500;
  Tally tally;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] { cancel_at_random(f, 100 + i, kRounds, tally); });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(tally.lost == 0);
  CHECK(tally.hit == 0);
  CHECK(tally.wrong == 0);
  CHECK(tally.stopped + tally.finished == kThreads * kRounds);
  CHECK(tally.stopped >= kThreads * kRounds / 4 - 200);  // at least those that never end
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
