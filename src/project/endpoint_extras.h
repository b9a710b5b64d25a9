// What MCP knows of an endpoint beside what it does: tasks, how it looks, how long it may be kept,
// headers, and JSON Schemas that authors write themselves; private to project/.
#pragma once

#include <optional>
#include <vector>

#include "project/endpoint.h"
#include "project/fields.h"

namespace mxcp::project {

// `task: optional`, or a mapping with more.
void read_task(Problems& problems, Fields& tool, TaskSettings& out);
// `title`, `icons`, `_meta`.
void read_appearance(Problems& problems, Fields& fields, Endpoint& out);
void read_icons(Problems& problems, Fields& owner, Array& out);
// `annotations` of a resource.
void read_content_annotations(Problems& problems, Fields& resource, Object& out);
// `content` of a tool.
void read_content(Problems& problems, Fields& tool, std::optional<ContentSettings>& out);
void read_cache(Problems& problems, Fields& resource, std::optional<CacheSettings>& out);

// "1.5s", "500ms", "2h"; a number counts seconds. Reports what is none, or not positive.
std::optional<std::chrono::milliseconds> read_duration(Fields& fields, std::string_view key);

// Headers stand at parameters of tools, each once, where clients can find the value. `completion`
// stands where clients can ask for it.
void check_parameter_extras(Problems& problems, EndpointKind kind,
                            const std::vector<types::ParameterSpec>& specs,
                            std::vector<HeaderParameter>& headers);

// A JSON Schema as it is written. Everything in it that can be known to be wrong without a
// validator is reported: another dialect, references that lead out of it or nowhere, depth,
// headers.
struct OwnSchema {
  Value value;
  std::vector<HeaderParameter> headers;
};
std::optional<OwnSchema> read_schema(Problems& problems, const YamlNode& node,
                                     std::string_view key);

}  // namespace mxcp::project
