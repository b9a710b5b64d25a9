// Who calls: the identity that policies, SQL functions and Python see.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/value.h"

namespace mxcp {

struct UserContext {
  std::string provider;  // "cli", "test", "github" ...
  std::string user_id;
  std::string username;
  std::optional<std::string> email;
  std::optional<std::string> name;
  std::optional<std::string> avatar_url;
  std::optional<std::string> external_token;
  Object raw_profile;
  std::vector<std::string> capabilities;
};

// Whether the code that serves a caller looked at who it is, so that another one may get another
// result. A copy has not been looked at.
class CallerMark {
 public:
  CallerMark() = default;
  CallerMark(const CallerMark&) noexcept {}
  CallerMark& operator=(const CallerMark&) noexcept { return *this; }
  void set() const { seen_.store(true, std::memory_order_relaxed); }
  bool is_set() const { return seen_.load(std::memory_order_relaxed); }

 private:
  mutable std::atomic<bool> seen_{false};
};

// One caller of one request.
struct Caller {
  std::string transport;  // "stdio", "http", "cli", "test"
  std::optional<UserContext> user;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  CallerMark looked_at = {};
};

// Tells users apart, for what belongs to one of them; "" without authentication.
inline std::string user_key(const Caller& caller) {
  return caller.user ? caller.user->provider + '\n' + caller.user->user_id : std::string();
}

}  // namespace mxcp
