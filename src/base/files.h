// The file system, with errors that name the path.
#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"

namespace mxcp {

namespace fs = std::filesystem;

// The whole file as bytes. Errors: kNotFound, kIo (directory, permission).
Result<std::string> read_file(const fs::path& path);
// The same of a regular file of at most `max_bytes`: a device may never end and a pipe never begin.
Result<std::string> read_regular_file(const fs::path& path, std::size_t max_bytes);
// Writes to a temporary file in the same folder and renames it into place.
Status write_file(const fs::path& path, std::string_view text);
// The nearest ancestor of `from` (itself included) that holds `name`; empty when there is none.
fs::path find_upwards(fs::path from, const std::string& name);
// Two spellings of one file: through links, `..`, or another working directory.
bool is_same_file(const fs::path& a, const fs::path& b);
// `path` relative to `base` when it lies inside, else as it is; for messages.
std::string display_path(const fs::path& path, const fs::path& base);
// "~/x" -> "$HOME/x".
fs::path expand_home(const std::string& path);
// An environment variable, or "" when unset.
std::string environment(const char* name);
// "1", "true", "yes" in any case.
bool is_truthy(std::string_view text);

}  // namespace mxcp
