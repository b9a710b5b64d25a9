#include "python/modules.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "python/exceptions.h"
#include "python/syntax.h"

namespace mxcp::python {
namespace {

bool is_skipped_folder(const fs::path& folder) {
  const std::string name = folder.filename().string();
  std::error_code ignored;
  return name.starts_with(".") || name == "__pycache__" || name == "site-packages" ||
         fs::exists(folder / "pyvenv.cfg", ignored);
}

// Depth first; links to folders are followed, each real folder once.
void collect(const fs::path& folder, std::set<std::string>& seen, std::vector<fs::path>& files) {
  std::error_code error;
  if (!seen.insert(fs::weakly_canonical(folder, error).string()).second) return;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    const fs::path& path = it->path();
    if (it->is_directory(ignored)) {
      if (!is_skipped_folder(path)) collect(path, seen, files);
    } else if (path.extension() == ".py" && !path.filename().string().starts_with("_") &&
               it->is_regular_file(ignored)) {
      files.push_back(path);
    }
  }
}

std::string real_path(const fs::path& file) {
  std::error_code ignored;
  return fs::weakly_canonical(file, ignored).string();
}

std::string first_part(const std::string& dotted) {
  return dotted.substr(0, dotted.find('.'));
}

Error name_taken(const fs::path& file, const std::string& name, const std::string& owner) {
  return Error{
      Code::kPython,
      fmt::format("the module name '{}' belongs to {}, and `import {}` would give that one", name,
                  owner, name),
      {display_user_path(file.string()), 0, 0},
      "rename the file or folder"};
}

std::string safe_name(const std::string& text) {
  std::string name;
  for (const char c : text) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    name += word ? c : '_';
  }
  return name;
}

PyRef to_list(const std::vector<std::string>& paths) {
  PyRef list = PyRef::steal(PyList_New(0));
  for (const std::string& path : paths) {
    const PyRef item = to_path(path);
    if (!list || !item || PyList_Append(list.get(), item.get()) != 0) return {};
  }
  return list;
}

}  // namespace

bool is_standard_module(const std::string& name) {
  PyObject* names = PySys_GetObject("stdlib_module_names");  // borrowed
  const PyRef key = to_str(name);
  const int found = names != nullptr && key ? PySequence_Contains(names, key.get()) : 0;
  if (found < 0) PyErr_Clear();
  return found > 0;
}

void adopt_thread(const char* name) {
  const PyRef threading = PyRef::steal(PyImport_ImportModule("threading"));
  const PyRef helper = threading ? imports_helper() : PyRef();
  const PyRef text = helper ? to_str(name) : PyRef();
  if (!text || !call_method(helper.get(), "adopt_thread", text.get())) PyErr_Clear();
}

PyRef imports_helper() {
  return PyRef::steal(PyImport_ImportModule("mxcp._imports"));
}

std::vector<fs::path> Modules::source_files(const fs::path& python_folder) {
  std::vector<fs::path> files;
  std::set<std::string> seen;
  collect(python_folder, seen, files);
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<fs::path> Modules::possible_hook_files(const fs::path& python_folder) {
  std::vector<fs::path> files = source_files(python_folder);
  std::erase_if(files, [](const fs::path& file) {
    const auto text = read_file(file);
    return !text.ok() || !may_register_hooks(*text);
  });
  return files;
}

Status Modules::install(const project::Project& project) {
  python_folder_ = project.site().paths.python.lexically_normal();
  set_user_code_root(project.root());
  // Imported first on another thread, it would take that one for the main thread.
  const PyRef threading = PyRef::steal(PyImport_ImportModule("threading"));
  const PyRef helper = threading ? imports_helper() : PyRef();
  if (!helper) return take_exception();
  std::vector<std::string> folders;
  std::vector<fs::path> wanted{python_folder_, project.root()};
  if (!project.site().plugins.empty()) wanted.push_back(project.site().paths.plugins);
  for (const fs::path& folder : wanted) {
    std::error_code ignored;
    const std::string path = folder.lexically_normal().string();
    if (fs::is_directory(folder, ignored) &&
        std::find(folders.begin(), folders.end(), path) == folders.end()) {
      folders.push_back(path);
    }
  }
  const PyRef root = to_path(project.root().lexically_normal().string());
  const PyRef modules = to_path(python_folder_.string());
  const PyRef list = to_list(folders);
  if (!root || !modules || !list) return take_exception();
  if (!call_method(helper.get(), "install", root.get(), modules.get(), list.get())) {
    return take_exception();
  }
  return {};
}

// "utils.validators", or "" for a file that has no dotted name.
std::string Modules::dotted_name(const fs::path& file) const {
  const auto inside = [](const fs::path& path, const fs::path& folder) -> std::string {
    const fs::path relative = path.lexically_relative(folder);
    if (relative.empty() || *relative.begin() == "..") return {};
    std::string name;
    for (const fs::path& part : relative.parent_path()) {
      if (part.string().find('.') != std::string::npos) return {};
      name += part.string() + ".";
    }
    const std::string stem = relative.stem().string();
    if (stem.find('.') != std::string::npos || relative.extension() != ".py") return {};
    if (stem == "__init__") return name.substr(0, name.empty() ? 0 : name.size() - 1);
    return name + stem;
  };
  std::string name = inside(file.lexically_normal(), python_folder_);
  if (name.empty()) name = inside(real_path(file), real_path(python_folder_));
  return name;
}

Result<PyRef> Modules::remember(const std::string& key, Result<PyRef> loaded) {
  if (loaded.ok()) {
    loaded_[key] = {*loaded, {}};
  } else {
    loaded_[key] = {{}, loaded.error()};
  }
  return loaded;
}

Result<PyRef> Modules::load(const fs::path& file) {
  const std::string key = real_path(file);
  if (const auto found = loaded_.find(key); found != loaded_.end()) {
    if (found->second.module) return found->second.module;
    return found->second.error;
  }
  return remember(key, import(file));
}

Result<PyRef> Modules::import(const fs::path& file) {
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) {
    return Error{Code::kPython,
                 fmt::format("the file '{}' does not exist", display_user_path(file.string()))};
  }
  const std::string name = dotted_name(file);
  if (name.empty()) {
    const PyRef helper = imports_helper();
    const std::string path = file.lexically_normal().string();
    const PyRef module_name = to_str(fmt::format(
        "mxcp_file_{}_{:x}", safe_name(file.stem().string()), std::hash<std::string>{}(path)));
    const PyRef path_object = to_path(path);
    if (!helper || !module_name || !path_object) return take_exception();
    PyRef module = call_method(helper.get(), "load_file", module_name.get(), path_object.get());
    if (!module) return take_import_error(path);
    return module;
  }
  if (is_standard_module(first_part(name))) {
    return name_taken(file, first_part(name), "Python's standard library");
  }
  PyRef module = PyRef::steal(PyImport_ImportModule(name.c_str()));
  if (!module) return take_import_error(file.string());
  const PyRef found = find_attribute(module.get(), "__file__");
  const std::string where = text_of(found.get());
  if (where.empty() || !fs::equivalent(where, file, ignored)) {
    return name_taken(file, name, where.empty() ? "another package" : "'" + where + "'");
  }
  return module;
}

Result<PyRef> Modules::load_inline(const project::Endpoint& endpoint) {
  const std::string path = endpoint.file.string();
  const std::string key = path + "#" + endpoint.id();
  if (const auto found = loaded_.find(key); found != loaded_.end()) {
    if (found->second.module) return found->second.module;
    return found->second.error;
  }
  const project::Source& source = endpoint.source;
  const PyRef helper = imports_helper();
  const PyRef code = helper ? compile_inside(source.text, path, source.map) : PyRef();
  if (!code) return remember(key, take_import_error(path));
  const PyRef name = to_str(
      fmt::format("mxcp_inline_{}_{:x}", safe_name(endpoint.id()), std::hash<std::string>{}(path)));
  const PyRef path_object = to_path(path);
  PyRef module;
  if (name && path_object) {
    module = call_method(helper.get(), "load_code", name.get(), path_object.get(), code.get());
  }
  if (!module) return remember(key, take_import_error(path));
  return remember(key, std::move(module));
}

std::vector<std::string> Modules::shadow_warnings(const std::vector<fs::path>& files) const {
  std::vector<std::string> warnings;
  std::set<std::string> seen;
  const PyRef helper = imports_helper();
  for (const fs::path& file : files) {
    const std::string name = first_part(dotted_name(file));
    if (!helper || name.empty() || !seen.insert(name).second || is_standard_module(name)) continue;
    const PyRef str = to_str(name);
    const PyRef found = str ? call_method(helper.get(), "installed_elsewhere", str.get()) : PyRef();
    const std::string where = text_of(found.get());
    if (!where.empty()) {
      warnings.push_back(fmt::format(
          "the project's module '{}' hides the installed package of that name ({})", name, where));
    }
  }
  PyErr_Clear();
  return warnings;
}

void Modules::forget() {
  (void)set_aside();
}

Modules::Aside Modules::set_aside() {
  Aside aside{std::exchange(loaded_, {}), {}};
  if (const PyRef helper = imports_helper()) aside.in_sys = call_method(helper.get(), "unload");
  PyErr_Clear();
  return aside;
}

void Modules::put_back(Aside aside) {
  forget();
  loaded_ = std::move(aside.loaded);
  PyObject* const modules = PyImport_GetModuleDict();  // borrowed
  if (aside.in_sys && PyDict_Update(modules, aside.in_sys.get()) != 0) PyErr_Clear();
}

}  // namespace mxcp::python
