// Finding the endpoint files; private to project/.
#pragma once

#include <vector>

#include "base/error.h"
#include "base/files.h"

namespace mxcp::project {

// A folder that cannot be read, a link that leads nowhere, a pipe with the name of an endpoint
// file.
struct Unreadable {
  fs::path path;
  std::string why, hint;
};

// Every .yml and .yaml file below `folder`, at any depth, sorted by path. Files and folders whose
// name begins with a dot are passed over. Symbolic links are followed; a folder that is reached in
// several ways counts once. A folder that does not exist holds nothing.
std::vector<fs::path> find_yaml_files(const fs::path& folder, std::vector<Unreadable>& unreadable);

}  // namespace mxcp::project
