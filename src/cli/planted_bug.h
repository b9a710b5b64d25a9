// A bug on purpose, to see that the sanitizer builds would catch a real one.
//
// `mxcp planted-bug NAME` exists only where the program was built with AddressSanitizer;
// script/test runs it and expects the sanitizer's report.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace mxcp::cli {

// Runs into the bug that args[2] names when args[1] is "planted-bug". Empty in every other build,
// and for every other command line.
std::optional<int> run_planted_bug(const std::vector<std::string>& args);

}  // namespace mxcp::cli
