#include "project/references.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "project/user_config.h"

namespace mxcp::project {
namespace {

// More is no secret or setting, but the wrong file.
constexpr std::size_t kMaxReferenced = 1 << 20;

bool is_name_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

bool may_have_reference(const std::string& text) {
  return text.find("${") != std::string::npos || text.find("://") != std::string::npos;
}

Error unset(const std::vector<std::string>& names, const Place& place) {
  if (names.size() == 1) {
    return {Code::kConfig, "the environment variable '" + names[0] + "' is not set", place,
            "set it before starting mxcp"};
  }
  std::string list;
  for (std::size_t i = 0; i < names.size(); ++i) {
    list += (i == 0 ? "'" : i + 1 == names.size() ? " and '" : ", '") + names[i] + "'";
  }
  return {Code::kConfig, "the environment variables " + list + " are not set", place,
          "set them before starting mxcp"};
}

// ${NAME} anywhere in the text. What is no such form is left alone, except that a default value
// (${NAME:-x}) is refused: it would silently stay in the text.
Result<std::string> replace_variables(const std::string& text, const Place& place) {
  std::string out;
  std::vector<std::string> missing;
  std::size_t at = 0;
  while (true) {
    const auto begin = text.find("${", at);
    if (begin == std::string::npos) {
      if (!missing.empty()) return unset(missing, place);
      return out += text.substr(at);
    }
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
    if (value != nullptr) {
      out += value;
    } else if (std::find(missing.begin(), missing.end(), name) == missing.end()) {
      missing.push_back(name);
    }
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
  auto text = read_regular_file(path, kMaxReferenced);
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

// The token that a section names, or why there is none.
Result<std::string> token_of(const StoreSettings& settings, std::string_view section,
                             const Place& place) {
  const std::string name(section);
  if (!settings.enabled) {
    return Error{Code::kConfig, "the reference needs '" + name + "', which is not enabled", place,
                 "write '" + name + ": {enabled: true" +
                     (section == "vault" ? ", address: ..." : "") +
                     "}' at the top of the user configuration"};
  }
  const std::string token = environment(settings.token_env.c_str());
  if (!token.empty()) return token;
  return Error{Code::kConfig,
               "the environment variable '" + settings.token_env + "' with the token for '" + name +
                   "' is not set",
               place, "set it before starting mxcp"};
}

Result<std::string> resolve(const std::string& text, const Place& place, const fs::path& base,
                            bool& empty_file, SecretReader* secrets = nullptr) {
  if (starts_with(text, "vault://") || starts_with(text, "op://")) {
    if (secrets != nullptr) return secrets->read(text, place);
    const bool vault = text[0] == 'v';
    return Error{Code::kConfig,
                 std::string("references to ") +
                     (vault ? "Vault (vault://)" : "1Password (op://)") + " are not resolved here",
                 place, "they belong into the user configuration; use ${NAME} or file:// instead"};
  }
  MXCP_TRY(std::string value, replace_variables(text, place));
  // Decided by what the author wrote: the content of a variable is never a reference itself.
  if (!starts_with(text, "file://")) return value;
  return read_reference_file(value.substr(7), place, base, empty_file);
}

}  // namespace

Result<std::string> SecretReader::read(const std::string& reference, const Place& place) {
  return starts_with(reference, "vault://") ? read_vault(reference, place)
                                            : read_onepassword(reference, place);
}

Result<std::string> SecretReader::read_vault(const std::string& reference, const Place& place) {
  const auto hash = reference.find('#');
  const std::string path = reference.substr(8, hash == std::string::npos ? hash : hash - 8);
  const std::string key = hash == std::string::npos ? "" : reference.substr(hash + 1);
  if (path.empty() || key.empty()) {
    return Error{Code::kConfig, "'" + shorten(reference, 80) + "' names no key", place,
                 "write vault://path/of/the/secret#key"};
  }
  MXCP_TRY(const std::string token, token_of(vault_, "vault", place));
  if (vault_.address.empty()) {
    return Error{Code::kConfig, "'vault' has no address", place,
                 "for example 'address: https://vault.example.com:8200'"};
  }
  auto found = secrets_.find(path);
  if (found == secrets_.end()) {
    Result<Object> secret = stores_.vault
                                ? stores_.vault(stores_.project, vault_.address, token, path)
                                : Error{Code::kConfig, "vault:// cannot be resolved here"};
    found = secrets_.emplace(path, std::move(secret)).first;
  }
  if (!found->second.ok()) {
    Error error = found->second.error();
    error.code = Code::kConfig;
    return std::move(error).in("vault://" + shorten(path, 80)).at(place);
  }
  const Object& secret = *found->second;
  const Value* value = secret.find(key);
  if (value == nullptr) {
    std::vector<std::string> names;
    for (const auto& member : secret) names.push_back(member.first);
    return Error{
        Code::kConfig,
        "the secret 'vault://" + shorten(path, 80) + "' has no key '" + shorten(key, 60) + "'",
        place, suggest(key, names)};
  }
  return value->is_string() ? *value->as_string() : to_json(*value);
}

Result<std::string> SecretReader::read_onepassword(const std::string& reference,
                                                   const Place& place) {
  const std::string_view path = std::string_view(reference).substr(5);
  const auto query = path.find('?');
  const std::string_view names = path.substr(0, query);
  const auto slashes = std::count(names.begin(), names.end(), '/');
  if (slashes < 2 || slashes > 3 || names.front() == '/' || names.back() == '/' ||
      names.find("//") != std::string_view::npos) {
    return Error{Code::kConfig, "'" + shorten(reference, 80) + "' names no field", place,
                 "write op://vault/item/field, or op://vault/item/section/field"};
  }
  if (query != std::string_view::npos && path.substr(query) != "?attribute=otp" &&
      path.substr(query) != "?attribute=totp") {
    return Error{Code::kConfig,
                 "'" + shorten(reference, 80) + "' asks for an attribute that is not known", place,
                 "only ?attribute=otp, for a one-time password"};
  }
  MXCP_TRY(const std::string token, token_of(onepassword_, "onepassword", place));
  Result<std::string> value = stores_.onepassword
                                  ? stores_.onepassword(reference, token)
                                  : Error{Code::kConfig, "op:// cannot be resolved here"};
  if (value.ok()) return value;
  Error error = std::move(value).error();
  error.code = Code::kConfig;
  return std::move(error).in(shorten(reference, 80)).at(place);
}

void resolve_tree(Problems& problems, YamlNode& node, const fs::path& base, SecretReader* secrets) {
  for (auto& member : node.members) resolve_tree(problems, member.value, base, secrets);
  for (YamlNode& item : node.items) resolve_tree(problems, item, base, secrets);
  if (node.kind != YamlNode::Kind::kScalar || !may_have_reference(node.scalar)) return;
  bool empty_file = false;
  auto value = resolve(node.scalar, problems.place(node), base, empty_file, secrets);
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
