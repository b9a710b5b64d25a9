// Who calls: the identity that policies, SQL functions and Python see.
#pragma once

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

// One caller of one request.
struct Caller {
  std::string transport;  // "stdio", "http", "cli", "test"
  std::optional<UserContext> user;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
};

// Tells users apart, for what belongs to one of them; "" without authentication.
inline std::string user_key(const Caller& caller) {
  return caller.user ? caller.user->provider + '\n' + caller.user->user_id : std::string();
}

}  // namespace mxcp
