// Python exceptions <-> Error. With the GIL held.
#pragma once

#include "python/py_ref.h"

#include <string>

#include "base/error.h"
#include "base/files.h"

namespace mxcp::python {

// An exception object taken out of the interpreter's "current exception".
PyRef fetch_exception();

// Takes the current exception (there must be one) and turns it into an Error:
//   message  str(e), or the type's name when that is empty or raises; KeyError and the exceptions
//            that end programs (SystemExit, KeyboardInterrupt ...) always with their type's name
//   place    the innermost line of the user's own code: the file of a SyntaxError, else the last
//            frame of the traceback inside the project
//   hint     what helps with mistakes that everybody makes (a package is not installed ...)
//   detail   the whole traceback, as Python prints it
Error take_exception();
Error to_error(PyObject* exception);

// The same for an exception during the import of a module.
Error take_import_error(const std::string& module_file);

// Raises what db.execute raises for this error: the subclass of duckdb.Error that its text names
// ("Catalog Error: ..." -> duckdb.CatalogException), or RuntimeError.
void raise_sql_error(const Error& error);
// RuntimeError with the error's text.
void raise_runtime_error(const Error& error);

// Where the user's own files are: set by load(). Decides which frame of a traceback is the place.
void set_user_code_root(const fs::path& root);
// "python/x.py" for a file inside the project, else the path as it is.
std::string display_user_path(const std::string& file);
bool is_user_file(const std::string& file);

}  // namespace mxcp::python
