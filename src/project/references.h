// ${NAME}, file://, vault:// and op:// in the values of the configuration files
// (mxcp-features 1.4); private to project/. resolve_references() for a single string is declared in
// user_config.h.
#pragma once

#include <map>
#include <string>

#include "base/files.h"
#include "base/yaml.h"
#include "project/fields.h"
#include "project/secret_stores.h"

namespace mxcp::project {

// The sections 'vault' and 'onepassword' of the user configuration.
struct StoreSettings {
  bool enabled = false;
  std::string address;
  std::string token_env;
};

// References to secret stores while one file is read: a secret is asked for once.
class SecretReader {
 public:
  SecretReader(const SecretStores& stores, StoreSettings vault, StoreSettings onepassword)
      : stores_(stores), vault_(std::move(vault)), onepassword_(std::move(onepassword)) {}

  // `reference` begins with vault:// or op://.
  Result<std::string> read(const std::string& reference, const Place& place);

 private:
  Result<std::string> read_vault(const std::string& reference, const Place& place);
  Result<std::string> read_onepassword(const std::string& reference, const Place& place);

  const SecretStores& stores_;
  StoreSettings vault_;
  StoreSettings onepassword_;
  std::map<std::string, Result<Object>> secrets_;  // by path in Vault
};

// Resolves every string value inside `node` (not the keys). What came out of a reference stays a
// string, whatever it looks like. `base`: the folder that a relative file:// starts from; empty for
// the current one. Without `secrets`, references to stores are errors.
void resolve_tree(Problems& problems, YamlNode& node, const fs::path& base,
                  SecretReader* secrets = nullptr);

}  // namespace mxcp::project
