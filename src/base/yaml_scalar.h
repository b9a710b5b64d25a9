// Where the bytes of a scalar stand in its file; private to the YAML reader.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/text_map.h"
#include "base/yaml_text.h"

namespace mxcp::yaml {

enum class ScalarStyle { kPlain, kSingleQuoted, kDoubleQuoted, kLiteral, kFolded };

// `value`: what the scalar that begins at `begin` of the file was read as. Unknown for one that is
// written in a way that this does not follow (line ends that are none in YAML 1.2).
TextMap locate_scalar(const Text& text, std::size_t begin, ScalarStyle style,
                      std::string_view value);

}  // namespace mxcp::yaml
