#include "mcp/message.h"

#include <utility>

#include "base/json.h"

namespace mxcp::mcp {

std::string public_text(const Error& error) {
  if (error.hint.empty()) return error.message;
  return error.message + " (" + error.hint + ")";
}

RpcError to_rpc(const Error& error) {
  return {describe(error.code).json_rpc, public_text(error)};
}

std::optional<RequestId> RequestId::from(const Value& value) {
  if (value.is_string() || value.as_int() != nullptr) return RequestId{to_json(value)};
  const ExactNumber* number = value.as_number();
  if (number == nullptr || number->text.find_first_of(".eE") != std::string::npos) return {};
  return RequestId{number->text};
}

std::variant<Message, Malformed> read_message(Value value) {
  Object* const object = value.as_object();
  if (object == nullptr) {
    return Malformed{
        {kInvalidRequest, "a message must be a JSON object, got " + std::string(value.kind_name())},
        {}};
  }
  const Value* const id_value = object->find("id");
  const auto id = id_value == nullptr ? std::nullopt : RequestId::from(*id_value);
  const auto invalid = [&](std::string message) {
    return Malformed{{kInvalidRequest, std::move(message)}, id};
  };

  const Value* const version = object->find("jsonrpc");
  if (version == nullptr || version->as_string() == nullptr || *version->as_string() != "2.0") {
    return invalid("'jsonrpc' must be \"2.0\"");
  }
  Message message;
  Value* const method = object->find("method");
  if (method == nullptr) {
    if (object->contains("result") || object->contains("error")) {
      message.kind = Message::Kind::kResponse;
      if (id) message.id = *id;
      if (Value* const result = object->find("result")) message.result = std::move(*result);
      if (const Value* const error = object->find("error")) {
        const Value* const text = error->find("message");
        message.failure = text != nullptr && text->is_string() ? *text->as_string() : "an error";
      }
      return message;
    }
    return invalid("'method' is missing");
  }
  if (method->as_string() == nullptr) {
    return invalid("'method' must be a string, got " + std::string(method->kind_name()));
  }
  if (id_value != nullptr) {
    if (!id) return invalid("'id' must be a string or an integer");
    message.kind = Message::Kind::kRequest;
    message.id = *id;
  }
  message.method = std::move(*method->as_string());
  if (Value* const params = object->find("params"); params != nullptr && !params->is_null()) {
    if (params->as_object() == nullptr) {
      // A notification is never answered (JSON-RPC 2.0, 4.1); nothing is known of this one.
      if (!id) return message;
      return Malformed{
          {kInvalidParams, "'params' must be an object, got " + std::string(params->kind_name())},
          id};
    }
    message.params = std::move(*params->as_object());
  }
  return message;
}

RpcError parse_failure(const Error& error) {
  std::string what = error.message;
  if (error.place.line > 0) {
    what += " (line " + std::to_string(error.place.line) + ", column " +
            std::to_string(error.place.column) + ")";
  }
  return {kParseError, std::move(what)};
}

std::string error_message(const RequestId* id, bool null_id, const RpcError& error) {
  std::string out = R"({"jsonrpc":"2.0",)";
  if (id != nullptr) {
    out += R"("id":)" + id->json + ',';
  } else if (null_id) {
    out += R"("id":null,)";
  }
  out += R"("error":{"code":)";
  append_json_int(out, error.code);
  out += R"(,"message":)";
  append_json_string(out, error.message);
  if (error.data) {
    out += R"(,"data":)";
    append_json(out, *error.data);
  }
  out += "}}";
  return out;
}

std::string request_message(std::string_view id, std::string_view method, const Object& params) {
  return to_json(Object{{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}});
}

std::string notification_message(std::string_view method, std::string_view params) {
  std::string out = R"({"jsonrpc":"2.0","method":)";
  append_json_string(out, method);
  if (!params.empty()) {
    out += R"(,"params":)";
    out += params;
  }
  out += '}';
  return out;
}

void append_quoted_json(std::string& out, std::string_view json) {
  // Sized for the worst case first, so that the loop writes through a bare pointer.
  const std::size_t start = out.size();
  out.resize(start + 2 * json.size() + 2);
  char* to = out.data() + start;
  *to++ = '"';
  for (const char c : json) {
    if (c == '"' || c == '\\') *to++ = '\\';
    *to++ = c;
  }
  *to++ = '"';
  out.resize(static_cast<std::size_t>(to - out.data()));
}

}  // namespace mxcp::mcp
