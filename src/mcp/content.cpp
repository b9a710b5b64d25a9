#include "mcp/content.h"

#include "base/json.h"

namespace mxcp::mcp {
namespace {

std::string json_of(const Value& block, std::string_view key, std::string_view otherwise) {
  const Value* const value = block.find(key);
  return value == nullptr ? std::string(otherwise) : to_json(*value);
}

std::string text_of(const Value& block, std::string_view key) {
  const Value* const value = block.find(key);
  return value == nullptr || !value->is_string() ? std::string() : *value->as_string();
}

void append_annotations(std::string& out, std::string_view json) {
  if (json.empty()) return;
  out += R"(,"annotations":)";
  out += json;
}

// "Title: docs://x", or the URI alone when there is no other name for it.
void append_link_as_text(std::string& out, const Value& block) {
  const std::string uri = text_of(block, "uri");
  std::string name = text_of(block, "title");
  if (name.empty()) name = text_of(block, "name");
  out += R"({"type":"text","text":)";
  append_json_string(out, name.empty() || name == uri ? uri : name + ": " + uri);
  append_annotations(out, json_of(block, "annotations", ""));
  out += '}';
}

}  // namespace

void append_audio_as_resource(std::string& out, std::string_view mime_type_json,
                              std::string_view base64_json, std::string_view annotations_json) {
  out += R"({"type":"resource","resource":{"uri":"urn:mxcp:audio","mimeType":)";
  out += mime_type_json;
  out += R"(,"blob":)";
  out += base64_json;
  out += '}';
  append_annotations(out, annotations_json);
  out += '}';
}

void append_content_block(std::string& out, const Revision& revision, const Value& block) {
  const std::string type = text_of(block, "type");
  if (type == "resource_link" && !revision.structured) return append_link_as_text(out, block);
  if (type == "audio" && !revision.audio) {
    return append_audio_as_resource(out, json_of(block, "mimeType", R"("audio/wav")"),
                                    json_of(block, "data", R"("")"),
                                    json_of(block, "annotations", ""));
  }
  append_json(out, block);
}

void append_content_blocks(std::string& out, const Revision& revision, std::string_view json) {
  if (revision.structured && revision.audio) {
    out += json;
    return;
  }
  const auto parsed = parse_json(json);
  const Array* const blocks = parsed.ok() ? parsed->as_array() : nullptr;
  if (blocks == nullptr) {
    out += json;
    return;
  }
  out += '[';
  for (const Value& block : *blocks) {
    if (&block != &blocks->front()) out += ',';
    append_content_block(out, revision, block);
  }
  out += ']';
}

}  // namespace mxcp::mcp
