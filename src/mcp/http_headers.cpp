#include "mcp/http_headers.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

#include "base/json.h"
#include "base/text.h"

namespace mxcp::mcp {
namespace {

constexpr std::string_view kOpening = "=?base64?";
constexpr std::string_view kClosing = "?=";

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return -1;
}

// RFC 4648, with padding; nullopt when it is anything else.
std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return {};
  std::size_t padding = 0;
  while (padding < 2 && text.ends_with('=')) {
    text.remove_suffix(1);
    ++padding;
  }
  std::string out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int digit = base64_digit(c);
    if (digit < 0) return {};
    bits = (bits << 6) | static_cast<std::uint32_t>(digit);
    if ((count += 6) < 8) continue;
    count -= 8;
    out += static_cast<char>((bits >> count) & 0xff);
  }
  // Bits that stand for nothing must be zero, so that each value has one spelling.
  if ((bits & ((1U << count) - 1U)) != 0) return {};
  return out;
}

RpcError mismatch(std::string message) {
  return {kHeaderMismatch, "header mismatch: " + std::move(message)};
}

// The member of `params` that Mcp-Name repeats; "" when the method has none.
std::string_view named_by(std::string_view method) {
  if (method == "tools/call" || method == "prompts/get") return "name";
  if (method == "resources/read") return "uri";
  if (method == "tasks/get" || method == "tasks/update" || method == "tasks/cancel") {
    return "taskId";
  }
  return "";
}

std::optional<RpcError> compare(std::string_view header, const HttpRequest& request,
                                std::string_view lower_case_header, std::string_view in_body,
                                bool may_be_encoded) {
  const std::string_view given = request.header(lower_case_header);
  if (given.empty()) return mismatch("the header " + std::string(header) + " is missing");
  const auto value =
      may_be_encoded ? decode_header_value(given) : std::optional<std::string>(std::string(given));
  if (!value) {
    return mismatch("the value of " + std::string(header) +
                    " has characters that are not allowed "
                    "there, or is no valid base64");
  }
  if (*value == in_body) return {};
  return mismatch("the header " + std::string(header) + " is '" + shorten(*value, 128) +
                  "', the body says '" + shorten(in_body, 128) + "'");
}

// 42 and 42.0 are one number.
bool is_number_of(std::string_view text, const Value& number) {
  const auto parsed = parse_json(text);
  if (!parsed.ok() || !parsed->is_number()) return false;
  const std::int64_t* const a = parsed->as_int();
  const std::int64_t* const b = number.as_int();
  if (a != nullptr && b != nullptr) return *a == *b;
  return to_double(*parsed) == to_double(number);
}

}  // namespace

std::optional<RpcError> check_repeated(const HttpRequest& request) {
  const auto& headers = request.caller.headers;
  for (auto it = headers.begin(); it != headers.end(); ++it) {
    if (!it->first.starts_with("mcp-")) continue;
    const bool again = std::any_of(std::next(it), headers.end(),
                                   [&](const auto& other) { return other.first == it->first; });
    if (again) {
      return mismatch("the header " + shorten(it->first, 64) +
                      " is there more than once; send it once");
    }
  }
  return {};
}

std::optional<RpcError> check_version_header(const HttpRequest& request,
                                             std::string_view protocol_version) {
  return compare("MCP-Protocol-Version", request, "mcp-protocol-version", protocol_version, false);
}

std::optional<RpcError> check_headers(const HttpRequest& request, const Message& message) {
  if (auto error = compare("Mcp-Method", request, "mcp-method", message.method, false)) {
    return error;
  }
  const std::string_view key = named_by(message.method);
  if (key.empty()) return {};
  // Without a name in the body there is nothing to repeat; the method will say what it misses.
  const Value* const name = message.params.find(key);
  if (name == nullptr || !name->is_string()) return {};
  return compare("Mcp-Name", request, "mcp-name", *name->as_string(), true);
}

std::optional<RpcError> check_parameter_headers(
    const HttpRequest& request, const std::vector<project::HeaderParameter>& parameters,
    const Object* arguments) {
  for (const project::HeaderParameter& parameter : parameters) {
    const Value* value = nullptr;
    const Object* inside = arguments;
    for (const std::string& step : parameter.path) {
      value = inside == nullptr ? nullptr : inside->find(step);
      inside = value == nullptr ? nullptr : value->as_object();
    }
    const std::string name = to_lower(parameter.header);
    const std::string_view given = request.header(name);
    if (value == nullptr || value->is_null()) {
      if (given.empty()) continue;
      return mismatch("the header " + parameter.header + " is '" + shorten(given, 128) +
                      "', but the arguments have no such value");
    }
    // What is no plain value was never meant for a header; the call will say what is wrong with it.
    if (!value->is_string() && !value->is_number() && value->as_bool() == nullptr) continue;
    const std::string in_body = to_plain_text(*value);
    if (given.empty() && in_body.empty()) continue;
    if (value->is_number() && is_number_of(given, *value)) continue;
    if (auto error = compare(parameter.header, request, name, in_body, true)) return error;
  }
  return {};
}

std::optional<std::string> decode_header_value(std::string_view value) {
  const bool visible = std::all_of(value.begin(), value.end(),
                                   [](char c) { return c == '\t' || (c >= 0x20 && c < 0x7f); });
  if (!visible) return {};
  if (!value.starts_with(kOpening) || !value.ends_with(kClosing) ||
      value.size() < kOpening.size() + kClosing.size()) {
    return std::string(value);
  }
  value.remove_prefix(kOpening.size());
  value.remove_suffix(kClosing.size());
  auto decoded = decode_base64(value);
  if (decoded && !is_valid_utf8(*decoded)) return {};
  return decoded;
}

bool accepts(std::string_view accept, std::string_view media_type) {
  if (trim(accept).empty()) return true;
  // What nearly every client sends.
  if (accept.find(media_type) != accept.npos && accept.find(';') == accept.npos) return true;
  const std::string_view type = media_type.substr(0, media_type.find('/'));
  for (const std::string& item : split(accept, ',')) {
    const auto parts = split(item, ';');
    const std::string range = to_lower(trim(parts.front()));
    if (range != media_type && range != "*/*" && range != std::string(type) + "/*") continue;
    // "q=0" means: anything but this.
    const bool refused = std::any_of(parts.begin() + 1, parts.end(), [](const std::string& part) {
      const std::string parameter = to_lower(trim(part));
      return parameter.starts_with("q=0") &&
             parameter.find_first_not_of("0.", 2) == std::string::npos;
    });
    if (!refused) return true;
  }
  return false;
}

bool is_json(std::string_view content_type) {
  if (content_type == "application/json") return true;
  const std::string type = to_lower(trim(content_type.substr(0, content_type.find(';'))));
  return type == "application/json" ||
         (type.starts_with("application/") && type.ends_with("+json"));
}

}  // namespace mxcp::mcp
