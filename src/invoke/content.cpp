#include "invoke/content.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/json.h"
#include "base/text.h"

namespace mxcp::invoke {
namespace {

using project::ContentKind;
using project::ContentSettings;

// What mcp.image() and its like in mxcp.runtime return is a dict with this member.
constexpr std::string_view kContentMark = "@mxcp.content";
// A longer list is data.
constexpr std::size_t kMaxBlocks = 256;

// --- as declared ---

Error refuse(const ContentSettings& content, const std::string& message, std::string hint) {
  return Error{Code::kInvalidOutput,
               "content of type '" + std::string(name_of(content.kind)) + "': " + message,
               content.place, std::move(hint)};
}

bool is_base64(std::string_view text) {
  if (text.size() % 4 != 0) return false;
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
  });
}

void append_encoded(std::string& out, std::string_view text) {
  constexpr std::string_view kUnreserved = "-._~";
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : text) {
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       kUnreserved.find(c) != std::string_view::npos;
    if (plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
}

// Each {placeholder} is an argument; the file was refused if one were not.
std::string expand(const std::string& uri, const types::Arguments& arguments) {
  std::string out;
  std::size_t at = 0;
  while (at < uri.size()) {
    const auto begin = uri.find('{', at);
    const auto end = begin == uri.npos ? uri.npos : uri.find('}', begin);
    out.append(uri, at, (end == uri.npos ? uri.size() : begin) - at);
    if (end == uri.npos) break;
    const std::string_view name = std::string_view(uri).substr(begin + 1, end - begin - 1);
    const auto argument = std::find_if(arguments.begin(), arguments.end(),
                                       [&](const auto& given) { return given.first == name; });
    if (argument != arguments.end() && !argument->second.is_null()) {
      append_encoded(out, to_plain_text(argument->second));
    }
    at = end + 1;
  }
  return out;
}

// The one value of a result: of SQL, the one column of its one row.
Result<Value> single(const ContentSettings& content, Value value, bool rows) {
  if (rows) {
    Array* const list = value.as_array();
    const std::size_t count = list == nullptr ? 0 : list->size();
    if (count != 1) {
      return refuse(content, "expected one row, got " + std::to_string(count),
                    count == 0 ? "the SQL found nothing" : "add LIMIT 1, or ask for less");
    }
    Value row = std::move(list->front());
    Object* const columns = row.as_object();
    if (columns == nullptr || columns->size() != 1) {
      const std::size_t wide = columns == nullptr ? 0 : columns->size();
      return refuse(content, "expected a single column, got " + std::to_string(wide),
                    "select what is to be shown, and nothing beside it");
    }
    value = std::move(columns->begin()->second);
  }
  if (value.is_null()) return refuse(content, "the result is null", "there is nothing to show");
  return value;
}

Result<Value> media(const ContentSettings& content, Value value) {
  const std::string* const text = value.as_string();
  if (value.as_bytes() == nullptr && (text == nullptr || !is_base64(*text))) {
    return refuse(content,
                  text != nullptr ? "the text is not base64"
                                  : "the result is " + std::string(value.kind_name()),
                  "return bytes (a BLOB in SQL, bytes in Python), or text in base64");
  }
  return Value(Object{{"type", std::string(name_of(content.kind))},
                      {"data", std::move(value)},
                      {"mimeType", content.mime_type}});
}

Value resource(const Call& call, const ContentSettings& content, Value value) {
  const bool is_blob = value.as_bytes() != nullptr;
  const bool is_data = value.is_array() || value.is_object();
  Object inner{{"uri", expand(content.uri, call.arguments)}};
  std::string mime_type = content.mime_type;
  if (mime_type.empty() && !is_blob) mime_type = is_data ? "application/json" : "text/plain";
  if (!mime_type.empty()) inner.add("mimeType", std::move(mime_type));
  if (is_blob) {
    inner.add("blob", std::move(value));
  } else {
    inner.add("text", is_data ? to_json(value) : to_plain_text(value));
  }
  return Object{{"type", "resource"}, {"resource", std::move(inner)}};
}

// A URI alone, or an object that has more of what a link can say.
Result<Value> link(const ContentSettings& content, const Value& value) {
  constexpr std::string_view kHint = "return its URI, or 'uri' with 'name', 'title', 'description'";
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kMembers = {{
      {"title", "title"},
      {"description", "description"},
      {"mime_type", "mimeType"},
      {"mimeType", "mimeType"},
  }};
  const Object* const object = value.as_object();
  // One column is the URI, whatever it is called.
  const Value* uri = object == nullptr ? &value : object->find("uri");
  if (uri == nullptr && object->size() == 1) uri = &object->begin()->second;
  if (uri == nullptr || !uri->is_string() || uri->as_string()->find(':') == std::string::npos) {
    return refuse(content,
                  uri == nullptr ? std::string("the result has no 'uri'")
                                 : to_json(*uri).substr(0, 100) + " is no URI",
                  std::string(kHint));
  }
  Object out{{"type", "resource_link"}, {"uri", *uri}};
  const Value* const name = object == nullptr ? nullptr : object->find("name");
  out.add("name", name == nullptr || name->is_null() ? *uri->as_string() : to_plain_text(*name));
  for (const auto& [from, to] : kMembers) {
    const Value* const given = object == nullptr ? nullptr : object->find(from);
    if (given != nullptr && !given->is_null()) out.set(std::string(to), to_plain_text(*given));
  }
  if (!content.mime_type.empty() && !out.contains("mimeType")) {
    out.add("mimeType", content.mime_type);
  }
  return Value(std::move(out));
}

}  // namespace

bool is_block(const Value& value) {
  return value.find(kContentMark) != nullptr;
}

Value to_block(Value value) {
  if (is_block(value)) {
    value.as_object()->erase(kContentMark);
    return value;
  }
  return Object{{"type", "text"},
                {"text", value.is_string() ? *value.as_string() : to_json(value)}};
}

std::optional<Array> take_content(Value& value) {
  if (is_block(value)) {
    Array blocks;
    blocks.push_back(to_block(std::move(value)));
    return blocks;
  }
  Array* const items = value.as_array();
  if (items == nullptr || items->size() > kMaxBlocks) return {};
  if (std::none_of(items->begin(), items->end(), is_block)) return {};
  for (Value& item : *items) item = to_block(std::move(item));
  return std::move(*items);
}

Result<Array> declared_content(const Call& call, Value value, bool rows) {
  const ContentSettings& content = *call.endpoint->content;
  Array blocks;
  if (content.kind == ContentKind::kResourceLink) {
    // Links are what a search finds: as many as there are.
    if (const Array* const list = value.as_array()) {
      for (const Value& item : *list) {
        MXCP_TRY(Value block, link(content, item));
        blocks.push_back(std::move(block));
      }
    } else {
      MXCP_TRY(Value block, link(content, value));
      blocks.push_back(std::move(block));
    }
  } else {
    MXCP_TRY(Value only, single(content, std::move(value), rows));
    if (content.kind == ContentKind::kResource) {
      blocks.push_back(resource(call, content, std::move(only)));
    } else {
      MXCP_TRY(Value block, media(content, std::move(only)));
      blocks.push_back(std::move(block));
    }
  }
  if (content.annotations.empty()) return blocks;
  for (Value& block : blocks) block.as_object()->set("annotations", content.annotations);
  return blocks;
}

}  // namespace mxcp::invoke
