// The command line of mxcp: what `mxcp ...` does, from the arguments to the exit status.
#pragma once

#include <string>
#include <vector>

namespace mxcp::cli {

// args[0] is the program as it was called, the rest its arguments. Called on the main thread,
// without Python's GIL. Exit statuses: 0 success, 1 failure, 2 a wrong command line. The
// interpreter need not be finalised afterwards: what Python has to do before leaving was done.
int run(const std::vector<std::string>& args);

}  // namespace mxcp::cli
