// The lists inside an endpoint file; private to project/.
#pragma once

#include <vector>

#include "project/endpoint.h"
#include "project/fields.h"

namespace mxcp::project {

void read_annotations(Problems& problems, Fields& endpoint, std::optional<Annotations>& out);
void read_messages(Problems& problems, Fields& endpoint, std::vector<PromptMessage>& out);
void read_tests(Problems& problems, Fields& endpoint, std::vector<TestCase>& out);

// The names of the {placeholders} of a resource's URI; what is wrong with it is reported.
std::vector<std::string> read_placeholders(Problems& problems, const Place& place,
                                           const std::string& uri);

}  // namespace mxcp::project
