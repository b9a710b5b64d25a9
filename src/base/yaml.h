// YAML text -> a tree that knows where everything stands.
//
// The parser is libyaml; this turns its events into YamlNode, an immutable tree with line and
// column of every key and value, so that any later complaint can point into the user's file.
// Columns count characters, not bytes.
//
// Refused with a clear error: duplicate keys, more than one document, aliases that expand beyond
// the node limit ("YAML bomb"), nesting beyond the depth limit, oversized files, tabs used as
// indentation, tags of one's own, `{key:value}` without a space, control characters. UTF-8 and
// UTF-16 (by byte order mark) are read, line ends may be LF, CRLF or CR; the locale never matters.
//
// The merge key `<<` of YAML 1.1 is honoured. Types resolve by the core schema of YAML 1.2: yes,
// no, on and off are strings.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/text_map.h"
#include "base/value.h"

namespace mxcp {

struct YamlLimits {
  std::size_t max_bytes = 8 << 20;
  std::size_t max_nodes = 200'000;  // after alias expansion
  std::size_t max_depth = 64;
};

class YamlNode {
 public:
  enum class Kind { kNull, kScalar, kSequence, kMapping };
  struct Member;

  Kind kind = Kind::kNull;
  std::string scalar;  // the text, when kScalar
  bool plain = true;   // an unquoted scalar: subject to type resolution (YAML 1.2 core schema)
  std::vector<YamlNode> items;  // kSequence
  std::vector<Member> members;  // kMapping, in file order
  int line = 0;                 // of the first character of the value, from 1
  int column = 0;               // likewise
  TextMap map;                  // of a scalar's text

  // The value of a key; nullptr when absent or when this is no mapping.
  const YamlNode* find(std::string_view key) const;
  const Member* find_member(std::string_view key) const;

  // Type resolution of the YAML 1.2 core schema: null, true/false, integers (also 0x, 0o),
  // floats, else a string. Quoted scalars are strings. A number keeps all its digits.
  Value to_value() const;

  // "a string", "a list", "a mapping", "true", "the number 5" ... for messages.
  std::string describe() const;
};

struct YamlNode::Member {
  std::string key;
  int line = 0;  // of the key
  int column = 0;
  YamlNode value;
};

// `file` is only for messages (Place::file). Errors: kConfig with place.
Result<YamlNode> parse_yaml(std::string_view text, const std::string& file,
                            const YamlLimits& limits = {});

}  // namespace mxcp
