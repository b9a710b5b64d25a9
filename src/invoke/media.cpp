#include "invoke/media.h"

#include <algorithm>
#include <string>

#include "base/text.h"

namespace mxcp::invoke {

bool is_base64(std::string_view text) {
  if (text.size() % 4 != 0) return false;
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
  });
}

bool is_text_type(std::string_view mime_type) {
  const std::string type = to_lower(trim(mime_type.substr(0, mime_type.find(';'))));
  if (type.starts_with("text/")) return true;
  constexpr std::string_view kEnds[] = {
      "json", "jsonl", "json-seq", "xml",   "yaml",    "javascript", "ecmascript",
      "sql",  "csv",   "graphql",  "/toml", "/x-toml", "/x-sh",      "-urlencoded"};
  return std::any_of(std::begin(kEnds), std::end(kEnds),
                     [&](std::string_view end) { return type.ends_with(end); });
}

bool is_of_type(std::string_view mime_type, std::string_view type) {
  return mime_type.size() > type.size() + 1 && mime_type[type.size()] == '/' &&
         to_lower(mime_type.substr(0, type.size())) == type;
}

Result<bool> is_blob(const project::Endpoint& resource, Value& value) {
  const std::string mime_type = resource.mime_type.value_or("");
  if (const Bytes* const bytes = value.as_bytes()) {
    if (mime_type.empty() || !is_text_type(mime_type) || !is_valid_utf8(bytes->data)) return true;
    value = std::string(bytes->data);
    return false;
  }
  const std::string* const text = value.as_string();
  const bool fits = text != nullptr && is_base64(*text);
  for (const std::string_view type : {"image", "audio", "video", "font"}) {
    if (!is_of_type(mime_type, type)) continue;
    if (fits) return true;
    return Error{Code::kInvalidOutput,
                 "a resource of type '" + mime_type + "' gave " +
                     (text != nullptr ? "text that is no base64" : "data that is no bytes"),
                 resource.place,
                 "return bytes: 'bytes' in Python; in SQL one BLOB, with 'return: {type: string}'"};
  }
  // Text in base64 is what a binary type can be told from.
  return fits && !text->empty() && !mime_type.empty() && !is_text_type(mime_type);
}

}  // namespace mxcp::invoke
