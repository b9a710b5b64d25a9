// A database in a folder of its own, for tests that run SQL.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "engine/database.h"
#include "engine/library.h"

namespace mxcp::engine::testing {

// Where the `duckdb` package is: $MXCP_TEST_SITE_PACKAGES, or the sys.path of the interpreter of
// the active or of the project's virtual environment. ($MXCP_DUCKDB_LIBRARY wins over all of it.)
inline std::vector<std::string> site_packages() {
  if (std::string given = environment("MXCP_TEST_SITE_PACKAGES"); !given.empty()) return {given};
  std::string root = environment("MXCP_TEST_DATA");
  root = root.empty() ? fs::path(__FILE__).parent_path().parent_path().parent_path().parent_path()
                      : fs::path(root).parent_path();
  std::string python = environment("VIRTUAL_ENV");
  python = (python.empty() ? root + "/.venv" : python) + "/bin/python";
  std::error_code error;
  if (!fs::exists(python, error)) python = "python3";
  std::vector<std::string> paths;
  const std::string command = "'" + python + "' -c 'import sys; print(*sys.path, sep=\"\\n\")'";
  if (FILE* pipe = popen(command.c_str(), "r")) {
    char line[4096];
    while (std::fgets(line, sizeof line, pipe) != nullptr) {
      std::string path = line;
      while (!path.empty() && path.back() == '\n') path.pop_back();
      if (!path.empty()) paths.push_back(path);
    }
    pclose(pipe);
  }
  return paths;
}

inline void set_search_path() {
  static const bool done = [] {
    set_library_search_path(site_packages());
    return true;
  }();
  (void)done;
}

class TempFolder {
 public:
  TempFolder() {
    std::string name = (fs::temp_directory_path() / "mxcp-engine-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

inline Instant soon(int seconds = 60) {
  return Clock::system().now() + std::chrono::seconds(seconds);
}

// The JSON of the rows, or the error's text with its place in front: "2:8: Binder Error: ...".
inline std::string outcome_of(Result<ResultSet> rows) {
  std::string json;
  Status status = rows.ok() ? rows_to_json(*rows, json) : Status(rows.error());
  if (status.ok()) return json;
  const Error& error = status.error();
  std::string text = error.message;
  if (!error.hint.empty()) text += " (" + error.hint + ")";
  if (error.place.line > 0) {
    text =
        std::to_string(error.place.line) + ':' + std::to_string(error.place.column) + ": " + text;
  }
  return text;
}

struct Fixture {
  explicit Fixture(DatabaseOptions options = {}) {
    set_search_path();
    options.path = folder.path() / "test.duckdb";
    auto opened = Database::open(std::move(options));
    if (!opened.ok()) FAIL(opened.error().text());
    database = *std::move(opened);
  }

  Lease lease() {
    auto taken = database->lease(soon());
    if (!taken.ok()) FAIL(taken.error().text());
    return *std::move(taken);
  }
  // On a lease of its own.
  std::string run(std::string_view sql, const types::Arguments& arguments = {},
                  const ExecuteOptions& options = {}) {
    Lease own = lease();
    return outcome_of(own.execute(sql, arguments, options));
  }
  // The single value of the single row.
  std::string value(std::string_view sql, const types::Arguments& arguments = {}) {
    Lease own = lease();
    auto rows = own.execute(sql, arguments);
    if (!rows.ok()) return rows.error().message;
    std::string json;
    const auto count = single_row_to_json(*rows, json, true);
    if (!count.ok()) return count.error().message;
    return *count == 1 ? json : std::to_string(*count) + " rows";
  }
  bool is_1_4() const { return database->version().starts_with("v1.4"); }

  TempFolder folder;
  std::unique_ptr<Database> database;
};

}  // namespace mxcp::engine::testing
