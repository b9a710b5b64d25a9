// Type and parameter declarations of an endpoint file -> TypeSpec; private to project/.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/yaml.h"
#include "project/fields.h"
#include "types/type_spec.h"

namespace mxcp::project {

// `what` names the declaration in messages ("the return type"); `owner` is where it begins.
// Nothing when the kind itself is missing or wrong; other problems leave a usable spec.
std::optional<types::TypeSpec> read_type(Problems& problems, const YamlNode& node,
                                         std::string_view what, Place owner);

// What may stand after "Mcp-Param-" in the name of a header (RFC 9110: 1*tchar).
bool is_header_token(std::string_view text);

// The `parameters:` list. Names are checked here (pattern, duplicates); a parameter without a
// usable name or type is left out.
std::vector<types::ParameterSpec> read_parameters(Problems& problems, const YamlNode& list);

}  // namespace mxcp::project
