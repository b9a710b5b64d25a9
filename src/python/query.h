// Query: a connection of the project's database, and the statement that runs on it.
//
// Whatever waits or runs does so without the GIL; say so with GilRelease around it.
#pragma once

#include "python/py_ref.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "engine/database.h"
#include "invoke/call.h"

namespace mxcp::python {

// While it lives, queries of this thread do not wait for a free connection: inside of a function of
// SQL, whose caller has one already; on the event loop, where a coroutine that has one could not go
// on while another one waits.
class NestedQueries {
 public:
  enum class Inside { kFunction, kEventLoop };
  explicit NestedQueries(Inside inside);
  ~NestedQueries();
  NestedQueries(const NestedQueries&) = delete;
  NestedQueries& operator=(const NestedQueries&) = delete;

 private:
  const Inside inside_;
};

class Query {
 public:
  // `call` is whose caller, cancel token and functions count; may be null. `stop` stops this query
  // alone; may be null.
  explicit Query(std::shared_ptr<const invoke::Call> call,
                 std::shared_ptr<CancelToken> stop = nullptr);
  ~Query();  // without the GIL, unless closed

  // Without the GIL: takes a connection (once); runs a statement, and gives its first chunk; gives
  // the next one (nullptr at the end).
  Status open(invoke::Services& services);
  Status start(const std::string& sql, const types::Arguments& parameters);
  Result<void*> execute(const std::string& sql, const types::Arguments& parameters);
  Result<void*> next();
  // Gives everything back. Later calls are errors.
  void close();
  bool is_open() const { return lease_.has_value(); }
  const invoke::Call* call() const { return call_.get(); }
  // Only between execute() and the end of the rows.
  engine::ResultSet& rows() { return *rows_; }

 private:
  CancelToken* cancel() const;

  std::shared_ptr<const invoke::Call> call_;
  std::shared_ptr<CancelToken> stop_;
  std::optional<CancelToken::Registration> chain_;  // cancelling the call cancels `stop_`
  std::shared_ptr<engine::Database> database_;
  std::optional<engine::Lease> lease_;
  std::optional<engine::ResultSet> rows_;
};

// A query that outlives the function that began it: a stream, a transaction, an Arrow result. User
// code may forget it, so that a reload or the end closes it (close_held_queries).
struct HeldQuery {
  HeldQuery(std::shared_ptr<const invoke::Call> call, std::shared_ptr<CancelToken> stop)
      : query(std::move(call), std::move(stop)) {}
  std::timed_mutex mutex;  // see HeldLock
  std::atomic<std::thread::id> owner{};
  Query query;
};
// `stop` as for Query.
std::shared_ptr<HeldQuery> hold_query(std::shared_ptr<const invoke::Call> call,
                                      std::shared_ptr<CancelToken> stop = nullptr);

// The lock of a held query, which every use of it needs. Made without the GIL only; may be kept
// while the GIL is taken again. Not taken where waiting for it might not end: by the thread that
// has it, or inside of a function of SQL while another thread has it, whose query may be the one
// that calls the function.
class HeldLock {
 public:
  explicit HeldLock(HeldQuery& held);
  HeldLock(HeldQuery& held, std::chrono::milliseconds limit);
  ~HeldLock();
  HeldLock(const HeldLock&) = delete;
  HeldLock& operator=(const HeldLock&) = delete;
  explicit operator bool() const { return lock_.owns_lock(); }
  // For whoever did not get it.
  static constexpr const char* kAtWork = "the stream or transaction is at work";

 private:
  HeldQuery& held_;
  std::unique_lock<std::timed_mutex> lock_;
};

// Without the GIL. One that is at work is left alone: closing the database interrupts it.
void close_held_queries();

}  // namespace mxcp::python
