// prompts/get.
//
// The backend renders a prompt to a list of {"prompt", "role", "type"}. MCP knows the roles user
// and assistant, so a system message is sent as the user's. A message of type "resource" holds a
// URI: one of ours is read, with all that guards it, and embedded; any other becomes a link, or
// plain text for revisions without links. A message of type "image" or "audio" holds the URI of one
// of our binary resources, or a data: URI. A function in Python may also give {"content": block}
// with a content block that is complete already.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "invoke/media.h"
#include "mcp/content.h"
#include "mcp/core.h"

namespace mxcp::mcp {
namespace {

struct PromptMessage {
  std::string text;
  bool from_assistant = false;
  std::string type;  // "text", "resource", "image", "audio"
  Value block;       // in place of the text; usually null
};

// "image/png" and "aGVs..." of "data:image/png;base64,aGVs...".
std::optional<std::pair<std::string, std::string>> read_data_uri(std::string_view uri) {
  constexpr std::string_view kScheme = "data:", kMark = ";base64,";
  if (!uri.starts_with(kScheme)) return {};
  const auto mark = uri.find(kMark);
  if (mark == std::string_view::npos) return {};
  return std::pair(std::string(uri.substr(kScheme.size(), mark - kScheme.size())),
                   std::string(uri.substr(mark + kMark.size())));
}

std::optional<std::vector<PromptMessage>> read_messages(const std::string& json) {
  auto parsed = parse_json(json);
  Array* const items = parsed.ok() ? parsed->as_array() : nullptr;
  if (items == nullptr) return {};
  std::vector<PromptMessage> out;
  for (Value& item : *items) {
    const auto text_of = [&](std::string_view key) {
      const Value* const value = item.find(key);
      return value == nullptr || !value->is_string() ? std::string() : *value->as_string();
    };
    out.push_back({text_of("prompt"), text_of("role") == "assistant", text_of("type"), {}});
    Object* const members = item.as_object();
    Value* const block = members == nullptr ? nullptr : members->find("content");
    if (block != nullptr) out.back().block = std::move(*block);
  }
  return out;
}

// Writes the messages one after the other; reading a resource interrupts it.
class PromptAnswer : public std::enable_shared_from_this<PromptAnswer> {
 public:
  PromptAnswer(Core& core, ExchangePtr exchange, std::vector<PromptMessage> messages,
               std::string description)
      : core_(core),
        exchange_(std::move(exchange)),
        messages_(std::move(messages)),
        description_(std::move(description)) {}

  void go_on() {
    for (; next_ < messages_.size(); ++next_) {
      const PromptMessage& message = messages_[next_];
      if (message.block.is_object()) {
        append_content_block(begin(message), exchange_->revision(), message.block);
        out_ += '}';
        continue;
      }
      if (message.type != "resource" && !is_media(message)) {
        append_text(message);
        continue;
      }
      if (const auto data = read_data_uri(message.text); data && is_media(message)) {
        if (!invoke::is_of_type(data->first, message.type) || !invoke::is_base64(data->second)) {
          return exchange_->fail({kInternalError, "the data: URI of the prompt's " + message.type +
                                                      " must be base64 of a type '" + message.type +
                                                      "/', got '" + shorten(message.text, 60) +
                                                      "'"});
        }
        append_media(message, data->first, to_json(data->second));
        continue;
      }
      if (auto resource = core_.catalog()->resolve(message.text)) return read(*std::move(resource));
      if (is_media(message)) {
        return exchange_->fail({kInternalError, "the prompt's " + message.type +
                                                    " is neither a "
                                                    "resource of this project nor a data: URI: '" +
                                                    shorten(message.text, 128) + "'"});
      }
      append_link(message);
    }
    Reply reply(*exchange_, out_.size());
    if (!description_.empty()) append_json_string(reply.member("description"), description_);
    reply.member("messages") += '[' + out_ + ']';
    exchange_->answer(std::move(reply));
  }

 private:
  void read(const Catalog::Resource& resource) {
    core_.backend().call(
        resource_request(exchange_, resource),
        [self = shared_from_this()](const invoke::Outcome& outcome) { self->embed(outcome); });
  }

  void embed(const invoke::Outcome& outcome) {
    const PromptMessage& message = messages_[next_];
    if (outcome.error) {
      RpcError error = call_failed(outcome);
      error.message = "resource '" + message.text + "' of the prompt: " + error.message;
      return exchange_->fail(error);
    }
    if (is_media(message)) {
      const std::string mime_type =
          outcome.endpoint != nullptr ? outcome.endpoint->mime_type.value_or("") : "";
      if (!outcome.is_blob || !invoke::is_of_type(mime_type, message.type)) {
        return exchange_->fail({kInternalError, "resource '" + message.text +
                                                    "' of the prompt is no " + message.type +
                                                    ": bytes with 'mime_type: " + message.type +
                                                    "/...' are expected"});
      }
      append_media(message, mime_type, outcome.json);
      ++next_;
      return go_on();
    }
    std::string& out = begin(message);
    out += R"({"type":"resource","resource":)";
    append_resource_contents(out, message.text, outcome);
    if (outcome.limit && exchange_->revision().structured) {
      out.pop_back();
      const auto [key, value] = limit_meta(outcome);
      out += R"(,"_meta":{")" + std::string(key) + R"(":)" + to_json(value) + "}}";
    }
    out += "}}";
    // In words too, as a message of its own: a block holds one resource.
    if (!outcome.notice.empty()) append_text({outcome.notice, message.from_assistant, "text", {}});
    ++next_;
    go_on();
  }

  std::string& begin(const PromptMessage& message) {
    if (!out_.empty()) out_ += ',';
    out_ += message.from_assistant ? R"({"role":"assistant","content":)"
                                   : R"({"role":"user","content":)";
    return out_;
  }

  void append_text(const PromptMessage& message) {
    std::string& out = begin(message);
    out += R"({"type":"text","text":)";
    append_json_string(out, message.text);
    out += "}}";
  }

  static bool is_media(const PromptMessage& message) {
    return message.type == "image" || message.type == "audio";
  }

  void append_media(const PromptMessage& message, const std::string& mime_type,
                    const std::string& base64_json) {
    std::string& out = begin(message);
    if (message.type == "audio" && !exchange_->revision().audio) {
      std::string mime_type_json;
      append_json_string(mime_type_json, mime_type);
      append_audio_as_resource(out, mime_type_json, base64_json, {});
      out += '}';
      return;
    }
    out += R"({"type":")" + message.type + R"(","data":)";
    out += base64_json;
    out += R"(,"mimeType":)";
    append_json_string(out, mime_type);
    out += "}}";
  }

  void append_link(const PromptMessage& message) {
    if (!exchange_->revision().structured) return append_text(message);
    std::string& out = begin(message);
    out += R"({"type":"resource_link","uri":)";
    append_json_string(out, message.text);
    out += R"(,"name":)";
    append_json_string(out, message.text);
    out += "}}";
  }

  Core& core_;
  const ExchangePtr exchange_;
  const std::vector<PromptMessage> messages_;
  const std::string description_;
  std::size_t next_ = 0;
  std::string out_;
};

}  // namespace

void get_prompt(Core& core, const ExchangePtr& exchange) {
  const auto catalog = core.catalog();
  if (!catalog->has(ListKind::kPrompts)) return exchange->fail(nothing_to_serve("prompts"));
  const std::string* const name = required_text(exchange, "name");
  if (name == nullptr) return;
  if (catalog->project()->find(project::EndpointKind::kPrompt, *name) == nullptr) {
    return exchange->fail(unknown_name("prompt", *name, catalog->names(ListKind::kPrompts)));
  }
  invoke::Request request;
  request.goes_on = exchange->goes_on();
  request.kind = project::EndpointKind::kPrompt;
  request.id = *name;
  request.source = types::Source::kText;
  if (Value* const given = exchange->params().find("arguments"); given && !given->is_null()) {
    if (given->as_object() == nullptr) {
      return exchange->fail(wrong_param("arguments", "an object", given));
    }
    for (const auto& [key, value] : *given->as_object()) {
      if (!value.is_string()) return exchange->fail(wrong_param(key, "a string", &value));
    }
    request.arguments = std::move(*given->as_object());
  }
  request.caller = exchange->caller();
  request.cancel = exchange->cancel_token();
  request.client = exchange;
  core.backend().call(
      std::move(request), [&core, exchange, name = *name](const invoke::Outcome& outcome) {
        if (outcome.error && outcome.error->code == Code::kNotFound && !outcome.endpoint) {
          return exchange->fail(unknown_name("prompt", name, {}));
        }
        if (outcome.error) return exchange->fail(call_failed(outcome));
        auto messages = read_messages(outcome.json);
        if (!messages) {
          return exchange->fail({kInternalError, "prompt '" + name + "' gave no list of messages"});
        }
        const std::string description =
            outcome.endpoint == nullptr ? std::string() : outcome.endpoint->description;
        std::make_shared<PromptAnswer>(core, exchange, *std::move(messages), description)->go_on();
      });
}

}  // namespace mxcp::mcp
