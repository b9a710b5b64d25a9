// Library: DuckDB's C API out of the `duckdb` wheel.
//
// The wheel's shared library is the very one `import duckdb` loads: a second copy of DuckDB in one
// process would take the same file lock twice and corrupt the file. It is found next to the other
// site-packages and opened with dlopen; its functions are in a table declared in duckdb_api.h.
// Loading takes 9-18 ms and happens when the first database is opened, never before.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/files.h"

namespace mxcp::engine {

struct Api;  // duckdb_api.h

class Library {
 public:
  // Looks for the wheel's library in `search` (Python's sys.path), or takes $MXCP_DUCKDB_LIBRARY.
  // Once per process; later calls return the first library. Errors: kDatabase, naming what was
  // looked for and how to install it; a version older than 1.4 names the version.
  static Result<const Api*> load(const std::vector<std::string>& search);
  // The library that load() returned, for DuckDB's callbacks. Only after it.
  static const Api& loaded();
  // Its path without loading it, or empty.
  static fs::path find(const std::vector<std::string>& search);
};

// The version of the installed `duckdb` package, from the name of its dist-info folder, without
// loading anything: "2.0.0", or "" when it is not installed. For `mxcp --version`.
std::string installed_version(const std::vector<std::string>& search);

// Set once by the program (the Python side knows sys.path), used by Database::open.
void set_library_search_path(std::vector<std::string> search);
std::vector<std::string> library_search_path();

}  // namespace mxcp::engine
