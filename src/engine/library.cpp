#include "engine/library.h"

#include <dlfcn.h>

#include <algorithm>
#include <charconv>
#include <mutex>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "engine/duckdb_api.h"

namespace mxcp::engine {
namespace {

constexpr std::string_view kInstall = "install it with: pip install 'duckdb>=1.4'";

std::mutex g_mutex;
std::vector<std::string> g_search;
Api g_api;
bool g_loaded = false;

// "_duckdb.cpython-311-x86_64-linux-gnu.so", "_duckdb.abi3.so", "_duckdb.so"
bool is_library_name(std::string_view name) {
  return name.starts_with("_duckdb.") && name.ends_with(".so");
}

template <class Accept>
std::string first_entry(const std::string& folder, Accept accept) {
  std::string best;
  std::error_code error;
  // An empty entry of sys.path is the current folder.
  for (fs::directory_iterator it(folder.empty() ? fs::path(".") : fs::path(folder), error), end;
       !error && it != end; it.increment(error)) {
    std::string name = it->path().filename().string();
    if (accept(name) && (best.empty() || name < best)) best = std::move(name);
  }
  return best;
}

// {major, minor} of "v1.4.4", or {0, 0}.
std::pair<int, int> parse_version(std::string_view text) {
  std::pair<int, int> version{0, 0};
  if (text.starts_with('v')) text.remove_prefix(1);
  const char* const end = text.data() + text.size();
  const auto [dot, error] = std::from_chars(text.data(), end, version.first);
  if (error == std::errc{} && dot != end && *dot == '.') {
    std::from_chars(dot + 1, end, version.second);
  }
  return version;
}

Error failure(std::string message, std::string_view hint = {}) {
  return {Code::kDatabase, std::move(message), {}, std::string(hint)};
}

Error not_found(const std::vector<std::string>& search) {
  const std::string version = installed_version(search);
  if (!version.empty() && parse_version(version) < std::pair(1, 4)) {
    return failure("duckdb " + version + " is installed, 1.4 or newer is needed", kInstall);
  }
  std::string message =
      "the Python package 'duckdb' is not installed: there is no _duckdb library in ";
  message += search.empty() ? "sys.path, which is empty" : join(search, ", ");
  return failure(std::move(message), kInstall);
}

}  // namespace

fs::path Library::find(const std::vector<std::string>& search) {
  if (std::string path = environment("MXCP_DUCKDB_LIBRARY"); !path.empty()) return path;
  for (const std::string& folder : search) {
    const std::string name = first_entry(folder, is_library_name);
    if (!name.empty()) return fs::path(folder) / name;
  }
  return {};
}

std::string installed_version(const std::vector<std::string>& search) {
  constexpr std::string_view kPrefix = "duckdb-", kSuffix = ".dist-info";
  for (const std::string& folder : search) {
    const std::string name = first_entry(folder, [&](std::string_view entry) {
      return entry.starts_with(kPrefix) && entry.ends_with(kSuffix);
    });
    if (!name.empty()) {
      return name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
    }
  }
  return {};
}

Result<const Api*> Library::load(const std::vector<std::string>& search) {
  const std::lock_guard lock(g_mutex);
  if (g_loaded) return &g_api;

  const fs::path path = find(search);
  if (path.empty()) return not_found(search);
  // By the file, as Python's import does it, so that `import duckdb` finds this very library. Lazy
  // binding saves 3-8 ms: most of its functions are never called.
  void* const handle = dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* const reason = dlerror();
    return failure("cannot load DuckDB's library: " + std::string(reason ? reason : path.string()),
                   kInstall);
  }

  Api api;
  std::string missing;
  const auto resolve = [&](auto& function, const char* name, bool required) {
    void* const symbol = dlsym(handle, name);
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(symbol);
    if (symbol == nullptr && required && missing.empty()) missing = name;
  };
#define MXCP_DUCKDB_RESOLVE(result, name, parameters) resolve(api.name, "duckdb_" #name, true);
  MXCP_DUCKDB_REQUIRED(MXCP_DUCKDB_RESOLVE)
#undef MXCP_DUCKDB_RESOLVE
#define MXCP_DUCKDB_RESOLVE(result, name, parameters) resolve(api.name, "duckdb_" #name, false);
  MXCP_DUCKDB_OPTIONAL(MXCP_DUCKDB_RESOLVE)
#undef MXCP_DUCKDB_RESOLVE

  if (api.library_version == nullptr) {
    return failure(path.string() + " is not DuckDB's library: it has no duckdb_library_version",
                   kInstall);
  }
  const std::string version = api.library_version();
  if (parse_version(version) < std::pair(1, 4)) {
    return failure(
        "DuckDB " + version + " (" + path.string() + ") is too old, 1.4 or newer is needed",
        kInstall);
  }
  if (!missing.empty()) {
    return failure("DuckDB " + version + " (" + path.string() + ") lacks the function " + missing +
                       "; this version is not supported",
                   "the versions 1.4 to 2.0 are known to work");
  }
  // Never closed: user code may have imported it, and DuckDB's threads may still run.
  g_api = api;
  g_loaded = true;
  return &g_api;
}

const Api& Library::loaded() {
  return g_api;
}

void set_library_search_path(std::vector<std::string> search) {
  const std::lock_guard lock(g_mutex);
  g_search = std::move(search);
}

std::vector<std::string> library_search_path() {
  const std::lock_guard lock(g_mutex);
  return g_search;
}

}  // namespace mxcp::engine
