// The functions behind `mxcp.runtime`: what user code may ask while it runs.
//
// They are plain functions of the native module; python/mxcp/runtime gives them their public shape.
// What they need (services, project, hooks) is in state(); without a runtime they raise
// RuntimeError.
#pragma once

#include "python/py_ref.h"

#include "invoke/call.h"

namespace mxcp::python {

// Adds the functions to a module. False with a Python exception set.
bool add_runtime_functions(PyObject* module);

// db.execute(query, params=None) and what the other methods of `db` are made of, in runtime_db.cpp.
PyObject* db_execute(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords);
PyObject* db_stop_token(PyObject* self, PyObject*);
PyObject* db_stop(PyObject* self, PyObject* token);
PyObject* db_execute_with(PyObject* self, PyObject* const* args, Py_ssize_t count);
PyObject* db_hold(PyObject* self, PyObject* const* args, Py_ssize_t count);
PyObject* db_held_execute(PyObject* self, PyObject* const* args, Py_ssize_t count,
                          PyObject* keywords);
PyObject* db_held_start(PyObject* self, PyObject* const* args, Py_ssize_t count,
                        PyObject* keywords);
PyObject* db_held_next(PyObject* self, PyObject* const* args, Py_ssize_t count);
PyObject* db_held_close(PyObject* self, PyObject* handle);
PyObject* db_held_arrow(PyObject* self, PyObject* handle);

// Questions to the client, in client_api.cpp.
PyObject* ask_client(PyObject* self, PyObject* args);
PyObject* release_client(PyObject* self, PyObject* seconds);
PyObject* elicitation_complete(PyObject* self, PyObject* id);
PyObject* client_capabilities(PyObject* self, PyObject*);

// RuntimeError: no runtime is active.
void raise_no_runtime();
// state().services, or nullptr with a RuntimeError: outside of a runtime, in a forked child of it.
invoke::Services* services_or_raise();

}  // namespace mxcp::python
