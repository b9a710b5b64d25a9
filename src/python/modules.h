// The user's modules: which files there are, what they are called, importing and forgetting them.
//
// <root>/python and <root> (and <root>/plugins, when there are plugins) stand on sys.path behind
// the standard library and in front of the installed packages: a module of the project can never
// break the standard library, and `utils` of the project is not `utils` of some badly packed wheel.
// A name of the standard library (python/email.py) is refused with an error that says so, instead
// of silently giving the other module; hiding an installed package is a warning.
//
// A file under python/ has its dotted name (utils/validators.py is utils.validators, also without
// an __init__.py) and exists once, also when an endpoint reaches it through a link or as python.x;
// a file elsewhere gets a name made from its path; code in a YAML file one made from its endpoint.
//
// All functions need the GIL, except the static ones.
#pragma once

#include "python/py_ref.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "project/project.h"

namespace mxcp::python {

class Modules {
 public:
  // Every *.py under python/ that is imported at the start, sorted: not __init__.py, not _*.py, not
  // what lies in hidden folders, __pycache__ or a virtual environment. No GIL needed.
  static std::vector<fs::path> source_files(const fs::path& python_folder);
  // Those that may register hooks, by their text. No GIL needed.
  static std::vector<fs::path> possible_hook_files(const fs::path& python_folder);

  // Puts the folders on sys.path and watches imports (duckdb, logging). Repeated at every load.
  Status install(const project::Project& project);

  // The module of a file, imported on the first call. A failed import fails again with the same
  // error until forget().
  Result<PyRef> load(const fs::path& file);
  // The module made of the code in the endpoint's YAML file.
  Result<PyRef> load_inline(const project::Endpoint& endpoint);

  // Files whose names hide an installed package, as warnings for the log.
  std::vector<std::string> shadow_warnings(const std::vector<fs::path>& files) const;

  // Drops every module of the project from sys.modules.
  void forget();

  struct Entry {
    PyRef module;
    Error error;
  };
  // The project's modules, out of the way: they work on, but imports no longer find them.
  struct Aside {
    std::map<std::string, Entry> loaded;
    PyRef in_sys;  // dict: name -> module
  };
  Aside set_aside();
  // Drops what was loaded since, and finds the old ones again.
  void put_back(Aside aside);

 private:
  Result<PyRef> import(const fs::path& file);
  std::string dotted_name(const fs::path& file) const;
  Result<PyRef> remember(const std::string& key, Result<PyRef> loaded);

  fs::path python_folder_;
  std::map<std::string, Entry> loaded_;  // by real path
};

// Whether a name belongs to Python's standard library. With the GIL held.
bool is_standard_module(const std::string& name);

// Makes the current thread, which the native side started, look like one of Python's.
void adopt_thread(const char* name);

// python/mxcp/_imports.py; nothing and an exception when it cannot be imported.
PyRef imports_helper();

}  // namespace mxcp::python
