// Whether the annotations of a function contradict what its endpoint declares. Only what is certain
// is told: what is not known by the file's text (see Annotation) fits everything.
#pragma once

#include <vector>

#include "base/error.h"
#include "project/endpoint.h"
#include "python/syntax.h"

namespace mxcp::python {

// Appends warnings (rules::kPythonAnnotation); their places have the lines of the source's text and
// no file.
void check_annotations(const project::Endpoint& endpoint, const FunctionSyntax& function,
                       std::vector<Error>& errors);

}  // namespace mxcp::python
