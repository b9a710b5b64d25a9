#include "python/query.h"

#include <algorithm>
#include <chrono>
#include <vector>

namespace mxcp::python {
namespace {

// How long a query waits for a connection before it is refused.
constexpr std::chrono::seconds kLeaseLimit{60};
constexpr std::chrono::milliseconds kBusyLimit{200};

struct Held {
  std::mutex mutex;
  std::vector<std::weak_ptr<HeldQuery>> queries;
};

Held& held() {
  static Held* const instance = new Held;  // never destroyed: threads of user code may outlive us
  return *instance;
}

// Without the lock, since the last to let go of one closes it, which may take long.
std::vector<std::shared_ptr<HeldQuery>> held_queries() {
  std::vector<std::shared_ptr<HeldQuery>> all;
  const std::lock_guard lock(held().mutex);
  for (const auto& known : held().queries) {
    if (auto query = known.lock()) all.push_back(std::move(query));
  }
  return all;
}

thread_local int nested_queries = 0;
thread_local int sql_functions = 0;  // that this thread is inside of

// Whether the call has a stream or a transaction open. (One that is at work is open.)
bool holds_connection(const invoke::Call* call, const Query* besides) {
  if (call == nullptr) return false;
  const auto all = held_queries();
  return std::any_of(all.begin(), all.end(), [&](const auto& query) {
    return &query->query != besides && query->query.call() == call;
  });
}

}  // namespace

NestedQueries::NestedQueries(Inside inside) : inside_(inside) {
  ++nested_queries;
  if (inside_ == Inside::kFunction) ++sql_functions;
}
NestedQueries::~NestedQueries() {
  --nested_queries;
  if (inside_ == Inside::kFunction) --sql_functions;
}

Query::Query(std::shared_ptr<const invoke::Call> call, std::shared_ptr<CancelToken> stop)
    : call_(std::move(call)), stop_(std::move(stop)) {}

Query::~Query() {
  close();
}

CancelToken* Query::cancel() const {
  if (stop_) return stop_.get();
  return call_ ? call_->cancel.get() : nullptr;
}

Status Query::open(invoke::Services& services) {
  if (stop_ && call_ && call_->cancel) {
    chain_.emplace(call_->cancel.get(), [token = stop_.get(), parent = call_->cancel.get()] {
      token->cancel(parent->reason());
    });
  }
  MXCP_TRY(database_, services.database());
  const bool nested = nested_queries > 0 || holds_connection(call_.get(), this);
  if (call_) call_->stage.set(invoke::Stage::kConnection);
  MXCP_TRY(lease_, database_->lease(Clock::system().now() + kLeaseLimit, cancel(), nested));
  if (call_) call_->stage.set(invoke::Stage::kCode);
  return {};
}

Status Query::start(const std::string& sql, const types::Arguments& parameters) {
  if (!lease_) return Error{Code::kPython, "the stream or transaction is closed"};
  rows_.reset();
  engine::ExecuteOptions options;
  options.cancel = cancel();
  options.caller = call_ ? &call_->caller : nullptr;
  options.call = call_;
  MXCP_TRY(rows_, lease_->execute(sql, parameters, options));
  return {};
}

Result<void*> Query::execute(const std::string& sql, const types::Arguments& parameters) {
  MXCP_TRY(start(sql, parameters));
  return rows_->next_chunk();
}

Result<void*> Query::next() {
  if (!rows_) return nullptr;
  return rows_->next_chunk();
}

void Query::close() {
  rows_.reset();
  lease_.reset();
  database_.reset();
  chain_.reset();
}

std::shared_ptr<HeldQuery> hold_query(std::shared_ptr<const invoke::Call> call,
                                      std::shared_ptr<CancelToken> stop) {
  auto query = std::make_shared<HeldQuery>(std::move(call), std::move(stop));
  const std::lock_guard lock(held().mutex);
  auto& all = held().queries;
  std::erase_if(all, [](const auto& known) { return known.expired(); });
  all.push_back(query);
  return query;
}

HeldLock::HeldLock(HeldQuery& held) : held_(held), lock_(held.mutex, std::defer_lock) {
  if (held_.owner.load() == std::this_thread::get_id()) return;
  if (sql_functions > 0) {
    (void)lock_.try_lock();
  } else {
    lock_.lock();
  }
  if (lock_) held_.owner = std::this_thread::get_id();
}

HeldLock::HeldLock(HeldQuery& held, std::chrono::milliseconds limit)
    : held_(held), lock_(held.mutex, limit) {
  if (lock_) held_.owner = std::this_thread::get_id();
}

HeldLock::~HeldLock() {
  if (lock_) held_.owner = std::thread::id();
}

void close_held_queries() {
  std::vector<std::weak_ptr<HeldQuery>> all;
  {
    const std::lock_guard lock(held().mutex);
    all.swap(held().queries);
  }
  for (const auto& known : all) {
    const std::shared_ptr<HeldQuery> query = known.lock();
    if (!query) continue;
    const HeldLock lock(*query, kBusyLimit);
    if (lock) query->query.close();
  }
}

}  // namespace mxcp::python
