// Instance: one open DuckDB database and what all its connections share.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "engine/database.h"
#include "engine/duckdb_api.h"

namespace mxcp::engine {

class Connection;

class Instance {
 public:
  // Opens the file, registers the SQL functions of the caller's identity, creates the secrets and
  // loads the extensions. Errors: see Database::open.
  static Result<std::unique_ptr<Instance>> open(const DatabaseOptions& options);
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;
  // All connections are gone. The file is closed and unlocked when this returns.
  ~Instance();

  const Api& api() const { return api_; }
  // What made the database read-only; "" when it is not.
  const std::string& readonly_by() const { return readonly_by_; }
  Result<c::Connection> connect();

  // See Database::add_functions.
  Status add_functions(const ScalarFunctions& functions);

  // Counts statements that may change what others mean (DDL, settings): prepared statements of an
  // older generation are not used again.
  std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }
  void next_generation() { generation_.fetch_add(1, std::memory_order_acq_rel); }

  // After a fatal error DuckDB answers nothing but errors until the file is opened again.
  bool invalid() const { return invalid_.load(std::memory_order_acquire); }
  void set_invalid() { invalid_.store(true, std::memory_order_release); }

  // Which Connection a DuckDB connection id belongs to: how a function that is being bound finds
  // its caller. nullptr for a connection that is not ours (DuckDB's own).
  Connection* find(c::Index connection_id);
  void enter(c::Index connection_id, Connection* connection);
  void leave(c::Index connection_id);

  // The open file, to recognise it under another name.
  struct Identity {
    std::uint64_t device = 0, inode = 0;
    friend bool operator==(const Identity&, const Identity&) = default;
  };
  static std::optional<Identity> identify(const fs::path& path);
  const std::optional<Identity>& identity() const { return identity_; }

 private:
  explicit Instance(const Api& api) : api_(api) {}
  // Waits for another process, as the options say.
  Status open_free_file(const DatabaseOptions& options);
  Status open_file(const DatabaseOptions& options);
  Status set_up(const DatabaseOptions& options);
  Status add_functions(c::Connection connection, const ScalarFunctions& functions);

  const Api& api_;
  c::Database database_ = nullptr;
  bool json_errors_ = false;  // set for the whole instance; else per connection
  std::string search_path_;   // for each connection; "" when the whole instance has it
  std::optional<Identity> identity_;
  std::string readonly_by_;
  std::atomic<std::uint64_t> generation_{0};
  std::atomic<bool> invalid_{false};
  std::mutex mutex_;
  std::unordered_map<c::Index, Connection*> connections_;
};

}  // namespace mxcp::engine
