// OwnSchemas: invoke::SchemaChecker by the `jsonschema` package, which is imported when the first
// schema of an author's own is met. On the worker threads of Python, since it needs the GIL.
#pragma once

#include "invoke/pipeline.h"
#include "python/py_ref.h"
#include "python/workers.h"

namespace mxcp::python {

class OwnSchemas final : public invoke::SchemaChecker {
 public:
  explicit OwnSchemas(Workers& workers) : workers_(workers) {}
  void check(std::shared_ptr<const std::string> schema, std::string json, Done done) override;

 private:
  Workers& workers_;
};

// For _core: matches(pattern, text). Finds the pattern anywhere, as JSON Schema means it; by RE2,
// so that no text can make it slow.
PyObject* matches(PyObject*, PyObject* args);

}  // namespace mxcp::python
