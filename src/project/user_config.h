// The user's config file (mxcp-features 1.3): $MXCP_CONFIG or ~/.mxcp/config.yml.
//
// References (${NAME}, file://, vault://, op://) are resolved at the top level and in the effective
// project and profile only, so that unset variables of other profiles do no harm. Messages about
// secrets, plugins and authentication never show values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/value.h"
#include "project/secret_stores.h"

namespace mxcp::project {

struct Secret {
  std::string name;
  std::string type;
  Object parameters;  // references resolved
};

struct HttpTransportConfig {
  int port = 8000;
  std::string host = "localhost";
  std::string scheme;  // "" when not given
  std::string base_url;
  bool trust_proxy = false;
  bool stateless = false;
  std::vector<std::string> allowed_hosts;
  std::string tls_cert, tls_key;  // both or none
  std::optional<bool> metrics;
};

struct LoggingConfig {
  bool enabled = true;
  std::string path;
  std::string level = "WARNING";
  std::int64_t max_bytes = 10485760;
  int backup_count = 5;
};

struct UserConfig {
  fs::path file;  // empty when there is none
  std::string transport = "streamable-http";
  HttpTransportConfig http;
  LoggingConfig logging;
  // Of the effective project and profile only.
  std::vector<Secret> secrets;
  std::map<std::string, Object> plugin_config;
  Object auth;       // as written; auth/ reads it
  Object telemetry;  // as written
  Object models;     // as written
  Object raw;        // the whole file, references of the effective profile resolved

  const Secret* secret(std::string_view name) const;
};

struct UserConfigResult {
  UserConfig config;
  std::vector<Error> errors;
  std::vector<Error> warnings;  // e.g. the project of mxcp-site.yml is not in the file
};
// A missing default file is no error; a missing file that $MXCP_CONFIG names is.
// `stores` answers vault:// and op://.
UserConfigResult load_user_config(const std::string& project, const std::string& profile,
                                  const SecretStores& stores = {});

// Replaces ${NAME} and file:// in one string (mxcp-features 1.4). A relative file:// starts from
// the current folder.
Result<std::string> resolve_references(const std::string& text, const Place& place);

}  // namespace mxcp::project
