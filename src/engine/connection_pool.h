// ConnectionPool: the bounded set of connections of one database, and the database itself.
//
// Connections are opened when they are needed and nobody has returned one. Who has to wait is
// served in order. All functions may be called from any thread.
#pragma once

#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_set>
#include <vector>

#include "engine/connection.h"
#include "engine/instance.h"

namespace mxcp::engine {

class ConnectionPool {
 public:
  ConnectionPool(DatabaseOptions options, std::unique_ptr<Instance> instance);

  const DatabaseOptions& options() const { return options_; }

  // See Database.
  Result<std::unique_ptr<Connection>> take(Instant deadline, CancelToken* cancel,
                                           bool nested = false);
  // A connection that take() gave. It is made ready for the next caller, or closed.
  void give_back(std::unique_ptr<Connection> connection);
  bool close(Instant deadline);
  Status add_functions(const ScalarFunctions& functions);
  Database::Stats stats() const;
  bool is_managed(const fs::path& path) const;

 private:
  struct Waiter {
    std::condition_variable ready;
    bool granted = false;
    std::unique_ptr<Connection> connection;  // none: the permission to open one
  };

  Result<std::unique_ptr<Connection>> wait(Instant deadline, CancelToken* cancel);
  bool may_open_extra() const;  // with the lock held
  // A slot is reserved already (in_use_, total_).
  Result<std::unique_ptr<Connection>> open_connection();
  void release_slot();
  // After a fatal error: closes the database and opens it again once nobody uses it.
  Status heal(std::unique_lock<std::mutex>& lock, Instant deadline);
  void close_instance();
  Error unavailable() const;

  const DatabaseOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable returned_;
  std::unique_ptr<Instance> instance_;
  ScalarFunctions functions_;                      // of every instance
  std::vector<std::unique_ptr<Connection>> idle_;  // the last one returned is the next one taken
  std::unordered_set<Connection*> leased_;
  std::list<Waiter*> waiters_;
  std::size_t total_ = 0;   // open or being opened
  std::size_t in_use_ = 0;  // of them, not idle
  bool closing_ = false;
  bool abandoned_ = false;  // close() gave up: the last one to return a connection closes
};

}  // namespace mxcp::engine
