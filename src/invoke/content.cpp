#include "invoke/content.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "invoke/media.h"

namespace mxcp::invoke {
namespace {

using project::ContentKind;
using project::ContentSettings;

// What mcp.image() and its like in mxcp.runtime return is a dict with this member.
constexpr std::string_view kContentMark = "@mxcp.content";
constexpr std::size_t kMaxBlocks = 256;

// --- as declared ---

Error refuse(const ContentSettings& content, const std::string& message, std::string hint) {
  return Error{Code::kInvalidOutput,
               "content of type '" + std::string(name_of(content.kind)) + "': " + message,
               content.place, std::move(hint)};
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

// --- as returned ---

using Names = std::vector<std::string_view>;

// The members of a block of that type, the required ones first.
struct BlockType {
  std::string_view name, called;
  Names members;
};
const std::vector<BlockType>& block_types() {
  static const std::vector<BlockType> types = {
      {"text", "a text", {"text", "annotations", "_meta", "type"}},
      {"image", "an image", {"data", "mimeType", "annotations", "_meta", "type"}},
      {"audio", "a sound", {"data", "mimeType", "annotations", "_meta", "type"}},
      {"resource", "a resource", {"resource", "annotations", "_meta", "type"}},
      {"resource_link",
       "a link",
       {"uri", "name", "title", "description", "mimeType", "size", "icons", "annotations", "_meta",
        "type"}},
  };
  return types;
}

Error wrong(std::string message, std::string hint = {}) {
  return Error{Code::kInvalidOutput, std::move(message), {}, std::move(hint)};
}

Error no_such(std::string_view key, std::string_view called, const Names& known) {
  std::string hint = suggest(key, known);
  if (hint.empty()) hint = "it has '" + join({known.begin(), known.end()}, "', '") + "'";
  return wrong("there is no '" + shorten(key, 60) + "' of " + std::string(called), hint);
}

bool is_text(const Value& value) {
  return value.is_string();
}
bool is_mime_type(const Value& value) {
  return value.is_string() && value.as_string()->find('/') != std::string::npos;
}
bool is_uri(const Value& value) {
  return value.is_string() && value.as_string()->find(':') != std::string::npos;
}
bool is_binary(const Value& value) {
  return value.as_bytes() != nullptr || (value.is_string() && is_base64(*value.as_string()));
}
bool is_list(const Value& value) {
  return value.is_array();
}
bool is_mapping(const Value& value) {
  return value.is_object();
}
bool is_size(const Value& value) {
  return value.as_int() != nullptr && *value.as_int() >= 0;
}
bool is_priority(const Value& value) {
  return value.is_number() && to_double(value) >= 0 && to_double(value) <= 1;
}
bool is_moment(const Value& value) {
  return value.is_string() || value.as_timestamp() != nullptr;
}
bool is_audience(const Value& value) {
  const Array* const roles = value.as_array();
  return roles != nullptr && std::all_of(roles->begin(), roles->end(), [](const Value& role) {
           return role == Value("user") || role == Value("assistant");
         });
}

struct MemberRule {
  std::string_view key;
  bool (*fits)(const Value&);
  std::string_view must_be;
};
constexpr std::array<MemberRule, 16> kMemberRules = {{
    {"text", is_text, "text"},
    {"data", is_binary, "base64 text, or bytes"},
    {"blob", is_binary, "base64 text, or bytes"},
    {"mimeType", is_mime_type, "a MIME type like 'image/png'"},
    {"resource", is_mapping, "a mapping"},
    {"uri", is_uri, "a URI"},
    {"name", is_text, "text"},
    {"title", is_text, "text"},
    {"description", is_text, "text"},
    {"size", is_size, "a number of bytes"},
    {"icons", is_list, "a list"},
    {"annotations", is_mapping, "a mapping"},
    {"_meta", is_mapping, "a mapping"},
    {"audience", is_audience, "a list of 'user' and 'assistant'"},
    {"priority", is_priority, "a number from 0 to 1"},
    {"lastModified", is_moment, "a date and time"},
}};

// That the members are known ones and fit, and that the first `required` of them are there.
Status check_members(const Object& object, std::string_view called, const Names& known,
                     std::size_t required) {
  for (const auto& [key, value] : object) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      return no_such(key, called, known);
    }
    const auto* const rule = std::find_if(kMemberRules.begin(), kMemberRules.end(),
                                          [&](const MemberRule& one) { return one.key == key; });
    if (rule != kMemberRules.end() && !rule->fits(value)) {
      return wrong("'" + key + "' of " + std::string(called) + " must be " +
                   std::string(rule->must_be));
    }
  }
  for (std::size_t i = 0; i < required; ++i) {
    if (object.contains(known[i])) continue;
    return wrong("'" + std::string(known[i]) + "' of " + std::string(called) + " is missing");
  }
  return {};
}

// None for what need not be there is as good as leaving it out.
void drop_nulls(Object& object, const Names& optional) {
  for (const std::string_view key : optional) {
    const Value* const value = object.find(key);
    if (value != nullptr && value->is_null()) object.erase(key);
  }
}

Status check_block(Object& block) {
  const Value* const given = block.find("type");
  const std::string type = given != nullptr && given->is_string() ? *given->as_string() : "";
  const auto& types = block_types();
  const auto found = std::find_if(types.begin(), types.end(),
                                  [&](const BlockType& one) { return one.name == type; });
  if (found == types.end()) return wrong("a block has no type '" + shorten(type, 60) + "'");
  if (type == "resource_link") {
    drop_nulls(block, {"title", "description", "mimeType", "size", "icons"});
  }
  const std::size_t required = type == "text" || type == "resource" ? 1 : 2;
  MXCP_TRY(check_members(block, found->called, found->members, required));
  if (type == "image" || type == "audio") {
    const std::string& mime_type = *block.find("mimeType")->as_string();
    if (!is_of_type(mime_type, type)) {
      return wrong("'mimeType' of " + std::string(found->called) + " must be one of '" + type +
                   "/', got '" + shorten(mime_type, 60) + "'");
    }
  }
  if (Value* const inner = block.find("resource")) {
    Object& resource = *inner->as_object();
    drop_nulls(resource, {"mimeType"});
    const std::string_view content = resource.contains("text") ? "text" : "blob";
    MXCP_TRY(check_members(resource, found->called, {"uri", content, "mimeType", "_meta"}, 2));
  }
  if (const Value* const annotations = block.find("annotations")) {
    MXCP_TRY(check_members(*annotations->as_object(), "the annotations",
                           {"audience", "priority", "lastModified"}, 0));
  }
  return {};
}

}  // namespace

bool is_block(const Value& value) {
  return value.find(kContentMark) != nullptr;
}

bool has_block(const Value& value) {
  if (const Array* const items = value.as_array()) {
    return std::any_of(items->begin(), items->end(), has_block);
  }
  const Object* const members = value.as_object();
  return members != nullptr && std::any_of(members->begin(), members->end(), [](const auto& one) {
           return one.first == kContentMark || has_block(one.second);
         });
}

Result<Value> to_block(Value value) {
  if (!is_block(value)) {
    if (has_block(value)) return wrong(std::string(kBlockInsideOfData));
    return Value(Object{{"type", "text"},
                        {"text", value.is_string() ? *value.as_string() : to_json(value)}});
  }
  value.as_object()->erase(kContentMark);
  MXCP_TRY(check_block(*value.as_object()));
  return value;
}

Result<std::optional<Array>> take_content(Value& value, std::uint64_t max_blocks) {
  Array blocks;
  if (is_block(value)) {
    MXCP_TRY(Value block, to_block(std::move(value)));
    blocks.push_back(std::move(block));
    return std::optional(std::move(blocks));
  }
  Array* const items = value.as_array();
  if (items == nullptr || std::none_of(items->begin(), items->end(), is_block)) {
    return std::optional<Array>();
  }
  if (items->size() > max_blocks) items->resize(max_blocks);
  if (items->size() > kMaxBlocks) {
    return wrong("more than " + std::to_string(kMaxBlocks) + " content blocks",
                 "return fewer, or set limits.max_rows");
  }
  for (Value& item : *items) {
    auto block = to_block(std::move(item));
    if (!block.ok()) {
      return std::move(block).error().in("block " + std::to_string(blocks.size() + 1));
    }
    blocks.push_back(*std::move(block));
  }
  return std::optional(std::move(blocks));
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
