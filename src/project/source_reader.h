// `source:` and `language:` of an endpoint -> Source; private to project/.
#pragma once

#include "project/endpoint.h"
#include "project/fields.h"

namespace mxcp::project {

struct SourceContext {
  const fs::path& yaml;  // absolute
  const fs::path& root;
  const std::string& display_file;  // of the YAML
};

// Reads both from the fields of the endpoint. SQL files are read, Python files only looked for.
void read_source(Problems& problems, Fields& endpoint, const SourceContext& context,
                 Language& language, Source& source);

}  // namespace mxcp::project
