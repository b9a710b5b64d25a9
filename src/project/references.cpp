#include "project/references.h"

#include <algorithm>
#include <cstdlib>

#include "base/text.h"
#include "project/user_config.h"

namespace mxcp::project {
namespace {

bool is_name_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

bool may_have_reference(const std::string& text) {
  return text.find("${") != std::string::npos || text.find("://") != std::string::npos;
}

// ${NAME} anywhere in the text. What is no such form is left alone, except that a default value
// (${NAME:-x}) is refused: it would silently stay in the text.
Result<std::string> replace_variables(const std::string& text, const Place& place) {
  std::string out;
  std::size_t at = 0;
  while (true) {
    const auto begin = text.find("${", at);
    if (begin == std::string::npos) return out += text.substr(at);
    out.append(text, at, begin - at);
    std::size_t end = begin + 2;
    while (end < text.size() && is_name_character(text[end])) ++end;
    const std::string name = text.substr(begin + 2, end - begin - 2);
    if (end >= text.size() || name.empty() || text[end] != '}') {
      if (!name.empty() && end < text.size() && text[end] == ':') {
        return Error{Code::kConfig,
                     "'${" + name + ":...}': there are no default values in references", place,
                     "write ${" + name + "} and set the variable"};
      }
      out += "${";
      at = begin + 2;
      continue;
    }
    const char* const value = std::getenv(name.c_str());
    if (!value) {
      return Error{Code::kConfig, "the environment variable '" + name + "' is not set", place,
                   "set it before starting mxcp"};
    }
    out += value;
    at = end + 1;
  }
}

Result<std::string> read_reference_file(const std::string& name, const Place& place,
                                        const fs::path& base, bool& empty) {
  if (name.empty()) {
    return Error{Code::kConfig, "'file://' names no file", place, "write file:///absolute/path"};
  }
  fs::path path = expand_home(name);
  if (path.is_relative() && !base.empty()) path = base / path;
  auto text = read_file(path);
  if (!text.ok()) {
    Error error = std::move(text).error();
    error.code = Code::kConfig;
    error.place = place;
    return error;
  }
  const std::string_view trimmed = trim(*text);
  empty = trimmed.empty();
  return std::string(trimmed);
}

Result<std::string> resolve(const std::string& text, const Place& place, const fs::path& base,
                            bool& empty_file) {
  if (starts_with(text, "vault://") || starts_with(text, "op://")) {
    const bool vault = text[0] == 'v';
    return Error{Code::kConfig,
                 std::string("references to ") +
                     (vault ? "Vault (vault://)" : "1Password (op://)") +
                     " cannot be resolved by this version of mxcp",
                 place, "use ${NAME} or file:// instead"};
  }
  MXCP_TRY(std::string value, replace_variables(text, place));
  // Decided by what the author wrote: the content of a variable is never a reference itself.
  if (!starts_with(text, "file://")) return value;
  return read_reference_file(value.substr(7), place, base, empty_file);
}

}  // namespace

void resolve_tree(Problems& problems, YamlNode& node, const fs::path& base) {
  for (auto& member : node.members) resolve_tree(problems, member.value, base);
  for (YamlNode& item : node.items) resolve_tree(problems, item, base);
  if (node.kind != YamlNode::Kind::kScalar || !may_have_reference(node.scalar)) return;
  bool empty_file = false;
  auto value = resolve(node.scalar, problems.place(node), base, empty_file);
  if (!value.ok()) {
    problems.add(std::move(value).error());
    return;
  }
  if (empty_file) {
    problems.warning(problems.place(node),
                     "the file of '" + shorten(node.scalar, 80) + "' is empty");
  }
  if (*value == node.scalar) return;
  node.scalar = *std::move(value);
  node.plain = false;
}

Result<std::string> resolve_references(const std::string& text, const Place& place) {
  bool empty_file = false;
  return resolve(text, place, {}, empty_file);
}

}  // namespace mxcp::project
