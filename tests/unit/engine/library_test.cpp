#include "engine/library.h"

#include <Python.h>
#include <dlfcn.h>

#include <set>

#include "base/text.h"
#include "engine/duckdb_api.h"
#include "engine/engine_fixture.h"

namespace mxcp::engine {
namespace {

using testing::TempFolder;

TEST_CASE("the library is found beside the packages, by name only") {
  if (!environment("MXCP_DUCKDB_LIBRARY").empty()) return;
  TempFolder folder;
  const fs::path one = folder.path() / "one", two = folder.path() / "two";
  for (const fs::path& path : {one / "duckdb", two}) fs::create_directories(path);
  const std::vector<std::string> search = {(folder.path() / "absent").string(), one.string(),
                                           two.string()};
  CHECK(Library::find(search).empty());
  CHECK(installed_version(search).empty());
  REQUIRE(write_file(two / "_duckdb.cpython-311-x86_64-linux-gnu.so", "").ok());
  REQUIRE(write_file(two / "_duckdbx.so", "").ok());
  fs::create_directories(two / "duckdb-1.4.4.dist-info");
  fs::create_directories(two / "duckdb_engine-0.1.dist-info");
  CHECK(Library::find(search) == two / "_duckdb.cpython-311-x86_64-linux-gnu.so");
  CHECK(installed_version(search) == "1.4.4");
}

TEST_CASE("the library is loaded once, and `import duckdb` gets the same one") {
  testing::set_search_path();
  const auto loaded = Library::load(library_search_path());
  REQUIRE(loaded.ok());
  const Api& api = **loaded;
  CHECK(&api == &Library::loaded());
  CHECK(*Library::load({}) == &api);
  CHECK(std::string(api.library_version()).starts_with("v"));

  const fs::path path = Library::find(library_search_path());
  Py_InitializeEx(0);
  std::string code = "import sys\nsys.path[:0] = [";
  code += "'" + path.parent_path().string() + "']\n";
  code += "import duckdb\nassert duckdb.connect().execute('select 42').fetchall() == [(42,)]\n";
  CHECK(PyRun_SimpleString(code.c_str()) == 0);

  // One mapping of one file, and the same functions.
  std::set<std::string> files;
  auto maps = read_file("/proc/self/maps");
  REQUIRE(maps.ok());
  for (const std::string& line : split(*maps, '\n')) {
    if (const auto at = line.find('/'); at != std::string::npos) {
      if (line.find("/_duckdb.") != std::string::npos) files.insert(line.substr(at));
    }
  }
  CHECK(files.size() == 1);
  void* const handle = dlopen(files.begin()->c_str(), RTLD_NOW | RTLD_NOLOAD);
  REQUIRE(handle != nullptr);
  CHECK(dlsym(handle, "duckdb_library_version") == reinterpret_cast<void*>(api.library_version));
}

}  // namespace
}  // namespace mxcp::engine
