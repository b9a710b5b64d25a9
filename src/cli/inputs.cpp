#include "cli/inputs.h"

#include "base/files.h"
#include "base/json.h"
#include "base/text.h"

namespace mxcp::cli {
namespace {

Error usage(std::string message, std::string hint = "") {
  return {Code::kUsage, std::move(message), {}, std::move(hint)};
}

Result<Value> json_from_file(const std::string& what, const std::string& path) {
  if (path.empty()) return usage(what + ": the file name after '@' is missing");
  auto text = read_file(expand_home(path));
  if (!text.ok()) return usage(what + ": " + text.error().text());
  auto value = parse_json(*text);
  if (value.ok()) return value;
  Error error = std::move(value).error();
  error.place.file = path;
  return usage(what + ": " + error.text());
}

}  // namespace

Result<Object> parse_params(const std::vector<std::string>& params) {
  Object out;
  for (const std::string& param : params) {
    const auto equals = param.find('=');
    if (equals == std::string::npos || equals == 0) {
      return usage("'--param " + param + "' must have the form NAME=VALUE",
                   "for example --param name=Ada");
    }
    std::string name = param.substr(0, equals);
    std::string text = param.substr(equals + 1);
    if (text.rfind("@@", 0) == 0) {
      out.set(std::move(name), text.substr(1));
    } else if (!text.empty() && text.front() == '@') {
      MXCP_TRY(Value value, json_from_file("--param " + name, text.substr(1)));
      out.set(std::move(name), std::move(value));
    } else {
      out.set(std::move(name), std::move(text));
    }
  }
  return out;
}

Result<std::optional<Object>> parse_object_option(const CommandLine& line,
                                                  const std::string& name) {
  const auto text = line.value(name);
  if (!text) return std::optional<Object>();
  const std::string what = "--" + name;
  Value value;
  if (!text->empty() && text->front() == '@') {
    MXCP_TRY(value, json_from_file(what, text->substr(1)));
  } else {
    auto parsed = parse_json(*text);
    if (!parsed.ok()) {
      const Place& at = parsed.error().place;
      return usage(what + ": " + parsed.error().message + " at column " + std::to_string(at.column),
                   "give a JSON object in quotes, or @FILE");
    }
    value = *std::move(parsed);
  }
  if (Object* object = value.as_object()) return std::optional(std::move(*object));
  return usage(what + " must be a JSON object, not " + shorten(to_json(value), 60));
}

Result<std::vector<std::pair<std::string, std::string>>> parse_headers(const CommandLine& line) {
  MXCP_TRY(const std::optional<Object> given, parse_object_option(line, "request-headers"));
  std::vector<std::pair<std::string, std::string>> headers;
  if (!given) return headers;
  for (const auto& [name, value] : *given) {
    if (value.is_array() || value.is_object()) {
      return usage("--request-headers: the value of '" + name + "' must be text, not " +
                   std::string(value.kind_name()));
    }
    headers.emplace_back(to_lower(name), to_plain_text(value));
  }
  return headers;
}

}  // namespace mxcp::cli
