// The native module `mxcp._core`: the door between Python and the program.
//
// main(argv) hands the command line over and does not come back. Everything else in here are the
// functions behind mxcp.runtime (python/runtime_api.h).
#include <nanobind/nanobind.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <exception>
#include <string>
#include <system_error>
#include <vector>

#include "cli/app.h"
#include "engine/library.h"
#include "python/interpreter.h"
#include "python/runtime_api.h"

namespace nb = nanobind;

namespace {

// Arguments and paths as the operating system has them, whatever their encoding.
std::vector<std::string> to_bytes(nb::handle list) {
  std::vector<std::string> strings;
  for (const nb::handle item : list) {
    PyObject* bytes = nullptr;
    if (PyUnicode_FSConverter(item.ptr(), &bytes) == 0) {
      PyErr_Clear();  // sys.path may hold anything
      continue;
    }
    strings.emplace_back(PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes));
    Py_DECREF(bytes);
  }
  return strings;
}

// A database that is opened as descriptor 1 or 2 would be written over with what is printed.
void keep_standard_descriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    // The lowest that is free is this one.
    if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF) (void)::open("/dev/null", O_RDWR);
  }
}

// Nothing of ours throws; what a library threw and nobody caught must not end in std::terminate.
int run(const std::vector<std::string>& arguments) {
  try {
    return mxcp::cli::run(arguments);
  } catch (const std::system_error& e) {
    const bool threads = e.code() == std::errc::resource_unavailable_try_again;
    std::fprintf(
        stderr, "mxcp: %s\n",
        threads ? "the system gives no more threads (ulimit -u, ulimit -v, pids.max)" : e.what());
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "mxcp: out of memory\n");
  } catch (const std::exception& e) {
    std::fprintf(stderr, "mxcp: internal error: %s\n", e.what());
  } catch (...) {
    std::fprintf(stderr, "mxcp: internal error\n");
  }
  return 1;
}

void main(const nb::list& argv) {
  keep_standard_descriptors();
  const std::vector<std::string> arguments = to_bytes(argv);
  if (PyObject* path = PySys_GetObject("path"); path != nullptr && PyList_Check(path)) {
    mxcp::engine::set_library_search_path(to_bytes(path));
  }
  const nb::gil_scoped_release released;
  const int status = run(arguments);
  mxcp::python::finish_interpreter();
  std::fflush(nullptr);
  // Threads of the program and of user code may still run: the interpreter is not finalised.
  ::_exit(status);
}

}  // namespace

NB_MODULE(_core, module) {
  module.doc() = "The native side of mxcp; use the command `mxcp` and the package mxcp.runtime.";
  module.def(
      "main", &main, nb::arg("argv"),
      "Runs the command line `argv` (with the program's name first) and leaves the process.");
  if (!mxcp::python::add_runtime_functions(module.ptr())) throw nb::python_error();
}
