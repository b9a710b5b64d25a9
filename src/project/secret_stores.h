// SecretStores: who answers vault:// and op:// references of the user configuration. project/ says
// what it needs; python/ asks Vault through hvac and 1Password through its command, wired in cli/.
#pragma once

#include <functional>
#include <string>

#include "base/error.h"
#include "base/files.h"
#include "base/value.h"

namespace mxcp::project {

struct SecretStores {
  // Every key of the secret at `path`, from KV version 2, then 1. `project` is the root of the
  // project, whose virtual environment may have the package that this needs.
  std::function<Result<Object>(const fs::path& project, const std::string& address,
                               const std::string& token, const std::string& path)>
      vault = {};
  // The value of "op://vault/item/field", with "?attribute=otp" a one-time password.
  std::function<Result<std::string>(const std::string& reference, const std::string& token)>
      onepassword = {};
  fs::path project = {};  // set by Project::load
};

}  // namespace mxcp::project
