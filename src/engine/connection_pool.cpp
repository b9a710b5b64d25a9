#include "engine/connection_pool.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/log.h"
#include "base/text.h"

namespace mxcp::engine {
namespace {

// See Database::lease.
constexpr std::size_t kNestedFactor = 16;
// How often close() interrupts what still runs behind its deadline, and when it gives up.
constexpr std::chrono::milliseconds kInterruptEvery{50};
constexpr std::chrono::seconds kGiveUpAfter{30};

DatabaseOptions with_defaults(DatabaseOptions options) {
  if (options.max_connections == 0) {
    options.max_connections = std::max<std::size_t>(4, 2 * std::thread::hardware_concurrency());
  }
  return options;
}

}  // namespace

ConnectionPool::ConnectionPool(DatabaseOptions options, std::unique_ptr<Instance> instance)
    : options_(with_defaults(std::move(options))), instance_(std::move(instance)) {}

Error ConnectionPool::unavailable() const {
  return {Code::kUnavailable, "the database " + options_.path.string() + " is closed"};
}

Result<std::unique_ptr<Connection>> ConnectionPool::take(Instant deadline, CancelToken* cancel,
                                                         bool nested) {
  if (cancel != nullptr && cancel->cancelled()) return cancel->error();
  {
    std::unique_lock lock(mutex_);
    if (closing_) return unavailable();
    if (!instance_ || instance_->invalid()) MXCP_TRY(heal(lock, deadline));
    if (waiters_.empty() && !idle_.empty()) {
      std::unique_ptr<Connection> connection = std::move(idle_.back());
      idle_.pop_back();
      leased_.insert(connection.get());
      ++in_use_;
      return connection;
    }
    const std::size_t limit = options_.max_connections * (nested ? kNestedFactor : 1);
    if ((!waiters_.empty() && !nested) || total_ >= limit) {
      lock.unlock();
      return wait(deadline, cancel);
    }
    ++total_;
    ++in_use_;
  }
  return open_connection();
}

Result<std::unique_ptr<Connection>> ConnectionPool::wait(Instant deadline, CancelToken* cancel) {
  Waiter waiter;
  {
    // Made and destroyed without our lock: the callback runs under the token's lock and takes ours.
    const CancelToken::Registration registration(cancel, [&] {
      const std::lock_guard lock(mutex_);
      waiter.ready.notify_one();
    });
    std::unique_lock lock(mutex_);
    // A connection may have come back since take() looked.
    if (waiters_.empty() && !idle_.empty()) {
      waiter.connection = std::move(idle_.back());
      idle_.pop_back();
      leased_.insert(waiter.connection.get());
      ++in_use_;
      waiter.granted = true;
    } else if (waiters_.empty() && total_ < options_.max_connections) {
      ++total_;
      ++in_use_;
      waiter.granted = true;
    } else {
      waiters_.push_back(&waiter);
      const auto over = [&] {
        return waiter.granted || closing_ || (cancel != nullptr && cancel->cancelled());
      };
      const Instant patient = std::min(deadline, Clock::system().now() + options_.extra_after);
      if (!waiter.ready.wait_until(lock, patient, over) && patient < deadline && may_open_extra()) {
        ++total_;
        ++in_use_;
        waiters_.remove(&waiter);
        waiter.granted = true;
      } else {
        waiter.ready.wait_until(lock, deadline, over);
        if (!waiter.granted) waiters_.remove(&waiter);
      }
    }
    if (!waiter.granted && closing_) return unavailable();
  }
  if (waiter.connection) return std::move(waiter.connection);
  if (waiter.granted) return open_connection();
  if (cancel != nullptr && cancel->cancelled()) return cancel->error();
  return Error{
      Code::kOverloaded,
      "no database connection became free in time: all " +
          std::to_string(options_.max_connections + options_.extra_connections) + " are in use",
      {},
      "long queries keep them busy, or transactions and streams of Python code that nobody "
      "closed; try again later"};
}

bool ConnectionPool::may_open_extra() const {
  return total_ < options_.max_connections + options_.extra_connections;
}

Result<std::unique_ptr<Connection>> ConnectionPool::open_connection() {
  Result<std::unique_ptr<Connection>> opened = Connection::open(*instance_);
  if (!opened.ok()) {
    release_slot();
    return opened;
  }
  const std::lock_guard lock(mutex_);
  leased_.insert(opened->get());
  return opened;
}

void ConnectionPool::release_slot() {
  const std::lock_guard lock(mutex_);
  --total_;
  --in_use_;
  if (!waiters_.empty() && !closing_ && may_open_extra()) {
    Waiter* const next = waiters_.front();
    waiters_.pop_front();
    ++total_;
    ++in_use_;
    next->granted = true;
    next->ready.notify_one();
  }
  if (abandoned_ && in_use_ == 0) close_instance();
  returned_.notify_all();
}

void ConnectionPool::give_back(std::unique_ptr<Connection> connection) {
  const bool keep = connection->reset() && !connection->instance().invalid();
  {
    std::unique_lock lock(mutex_);
    leased_.erase(connection.get());
    const bool surplus = total_ > options_.max_connections && waiters_.empty();
    if (keep && !closing_ && !surplus) {
      if (waiters_.empty()) {
        idle_.push_back(std::move(connection));
        --in_use_;
        returned_.notify_all();
      } else {
        Waiter* const next = waiters_.front();
        waiters_.pop_front();
        leased_.insert(connection.get());
        next->connection = std::move(connection);
        next->granted = true;
        next->ready.notify_one();
      }
      return;
    }
  }
  // Closed before its slot is free, so that the database is never closed under it.
  connection.reset();
  release_slot();
}

Status ConnectionPool::heal(std::unique_lock<std::mutex>& lock, Instant deadline) {
  const bool free = returned_.wait_until(lock, deadline, [&] {
    return closing_ || in_use_ == 0 || (instance_ && !instance_->invalid());
  });
  if (closing_) return unavailable();
  if (!free) {
    return Error{Code::kUnavailable,
                 "the database failed and cannot be opened again yet: it is in use"};
  }
  if (instance_ && !instance_->invalid()) return {};
  log::error("engine", "the database failed; closing it and opening it again");
  close_instance();
  MXCP_TRY(instance_, Instance::open(options_));
  return instance_->add_functions(functions_);
}

Status ConnectionPool::add_functions(const ScalarFunctions& functions) {
  const std::lock_guard lock(mutex_);
  if (closing_) return unavailable();
  if (instance_ && !instance_->invalid()) MXCP_TRY(instance_->add_functions(functions));
  functions_.insert(functions_.end(), functions.begin(), functions.end());
  return {};
}

void ConnectionPool::close_instance() {
  total_ -= idle_.size();
  idle_.clear();
  instance_.reset();
}

bool ConnectionPool::close(Instant deadline) {
  std::unique_lock lock(mutex_);
  closing_ = true;
  for (Waiter* waiter : waiters_) waiter->ready.notify_one();
  returned_.notify_all();
  const auto unused = [&] { return in_use_ == 0; };
  if (!returned_.wait_until(lock, deadline, unused)) {
    const Instant last = std::max(deadline, Clock::system().now()) + kGiveUpAfter;
    do {
      for (Connection* connection : leased_) connection->interrupt();
    } while (!returned_.wait_for(lock, kInterruptEvery, unused) && Clock::system().now() < last);
  }
  if (in_use_ > 0) {
    abandoned_ = true;
    log::error("engine", "{} of the database did not come back; it stays open until then",
               plural(in_use_, "connection"));
    return false;
  }
  close_instance();
  return true;
}

Database::Stats ConnectionPool::stats() const {
  const std::lock_guard lock(mutex_);
  return {total_, in_use_, waiters_.size()};
}

bool ConnectionPool::is_managed(const fs::path& path) const {
  const std::optional<Instance::Identity> asked = Instance::identify(path);
  if (!asked) {
    std::error_code error;
    return fs::weakly_canonical(path, error) == fs::weakly_canonical(options_.path, error);
  }
  {
    const std::lock_guard lock(mutex_);
    if (instance_ && instance_->identity() == asked) return true;
  }
  return Instance::identify(options_.path) == asked;
}

}  // namespace mxcp::engine
