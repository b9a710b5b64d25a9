// The secret stores behind vault:// and op:// references, see project/secret_stores.h. What they
// need (hvac; the command op) is loaded when the first reference is met.
#pragma once

#include <string>

#include "base/error.h"
#include "base/files.h"
#include "base/value.h"

namespace mxcp::python {

// Without the GIL; both may wait for the network, for at most 30 seconds.
// `project`: its root, see SecretStores.
Result<Object> read_vault(const fs::path& project, const std::string& address,
                          const std::string& token, const std::string& path);
Result<std::string> read_onepassword(const std::string& reference, const std::string& token);

}  // namespace mxcp::python
