// ${NAME} and file:// in the values of the configuration files (mxcp-features 1.4); private to
// project/. resolve_references() for a single string is declared in user_config.h.
#pragma once

#include "base/files.h"
#include "base/yaml.h"
#include "project/fields.h"

namespace mxcp::project {

// Resolves every string value inside `node` (not the keys). What came out of a reference stays a
// string, whatever it looks like. `base`: the folder that a relative file:// starts from; empty for
// the current one.
void resolve_tree(Problems& problems, YamlNode& node, const fs::path& base);

}  // namespace mxcp::project
