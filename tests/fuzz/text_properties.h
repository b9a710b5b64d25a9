// YAML and JSON: any text is read, and then written as JSON that says the same, or is explained.
#pragma once

#include <utility>

#include "base/json.h"
#include "base/yaml.h"
#include "verdict.h"

namespace mxcp::fuzz {

// Whether the characters of every scalar stand one behind the other in the file.
inline bool is_mapped_in_order(const YamlNode& node) {
  for (const YamlNode& item : node.items) {
    if (!is_mapped_in_order(item)) return false;
  }
  for (const auto& member : node.members) {
    if (!is_mapped_in_order(member.value)) return false;
  }
  if (!node.map.known()) return true;
  std::pair<int, int> last(1, 1);
  for (std::size_t i = 0; i <= node.scalar.size() && i < 200; ++i) {
    if (i < node.scalar.size() && (static_cast<unsigned char>(node.scalar[i]) & 0xC0) == 0x80) {
      continue;  // inside of a character
    }
    const auto [line, column] = node.map.at_offset(node.scalar, i);
    if (std::pair(line, column) < last) return false;
    last = {line, column};
  }
  return true;
}

inline Verdict yaml(std::string_view text) {
  const auto tree = parse_yaml(text, "a.yml");
  if (!tree.ok()) {
    if (tree.error().place.file != "a.yml") return {false, "the error names no file"};
    if (tree.error().message.empty()) return {false, "the error says nothing"};
    return {};
  }
  if (!is_mapped_in_order(*tree)) return {true, "a text's characters are not in order in the file"};
  const std::string json = to_json(tree->to_value());
  const auto again = parse_json(json, {.max_depth = 1000});
  if (!again.ok()) return {true, "what was read is written as invalid JSON: " + json};
  if (to_json(*again) != json) return {true, "read again it is something else: " + json};
  return {true, {}};
}

inline Verdict json(std::string_view text) {
  const auto value = parse_json(text);
  if (!value.ok()) {
    if (value.error().place.line <= 0 || value.error().place.column <= 0) {
      return {false, "the error has no place"};
    }
    return {};
  }
  const std::string compact = to_json(*value);
  const auto again = parse_json(compact);
  if (!again.ok() || to_json(*again) != compact) return {true, "compact form: " + compact};
  const auto pretty = parse_json(to_pretty_json(*value));
  if (!pretty.ok() || to_json(*pretty) != compact) return {true, "pretty form: " + compact};
  return {true, {}};
}

}  // namespace mxcp::fuzz
