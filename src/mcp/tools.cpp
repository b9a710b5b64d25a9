// tools/call: the hot path. The result's JSON text goes into the answer as it is; nothing of it is
// parsed again.
#include "base/json.h"
#include "mcp/content.h"
#include "mcp/core.h"
#include "types/shape.h"

namespace mxcp::mcp {
namespace {

void append_content(std::string& out, std::string_view json, const std::string& notice) {
  out += R"([{"type":"text","text":)";
  // A string is its own text; everything else is JSON text.
  if (json.starts_with('"')) {
    out += json;
  } else {
    append_quoted_json(out, json);
  }
  if (!notice.empty()) {
    out += R"(},{"type":"text","text":)";
    append_json_string(out, notice);
  }
  out += "}]";
}

// In the shape that the output schema promises: an object as it is, all else as {"result": ...}.
void append_structured(Reply& reply, const types::Type& declared, const std::string& json) {
  if (types::is_wrapped(declared)) {
    std::string& out = reply.member("structuredContent");
    out += R"({"result":)";
    out += json;
    out += '}';
  } else if (json.starts_with('{')) {
    reply.member("structuredContent") += json;
  }
}

void answer_error(const ExchangePtr& exchange, const std::string& name, const std::string& reason) {
  const std::string text = "Error executing tool " + name + ": " + reason;
  Reply reply(*exchange, text.size());
  std::string& out = reply.member("content");
  out += R"([{"type":"text","text":)";
  append_json_string(out, text);
  out += "}]";
  reply.member("isError") += "true";
  exchange->answer(std::move(reply));
}

void answer_call(const ExchangePtr& exchange, const std::string& name,
                 const invoke::Outcome& outcome) {
  // The tool went away between the look-up and the call.
  if (outcome.error && outcome.error->code == Code::kNotFound && outcome.endpoint == nullptr) {
    return exchange->fail(unknown_name("tool", name, {}));
  }
  if (outcome.error) return answer_error(exchange, name, public_text(*outcome.error));
  if (outcome.is_content) {
    Reply reply(*exchange, outcome.json.size());
    append_content_blocks(reply.member("content"), exchange->revision(), outcome.json);
    reply.member("isError") += "false";
    return exchange->answer(std::move(reply));
  }
  const types::Type* declared = nullptr;  // where the answer has structured content
  if (exchange->revision().structured && outcome.endpoint && outcome.endpoint->return_type) {
    declared = &*outcome.endpoint->return_type;
  }
  // An object was promised and null is none; strict clients refuse a result without it.
  if (declared != nullptr && !types::is_wrapped(*declared) && outcome.json == "null") {
    return answer_error(exchange, name, "the tool returned no result (null)");
  }
  // The text block may double while it is quoted; the structured content comes on top.
  Reply reply(*exchange, 3 * outcome.json.size());
  append_content(reply.member("content"), outcome.json, outcome.notice);
  if (declared != nullptr) append_structured(reply, *declared, outcome.json);
  reply.member("isError") += "false";
  exchange->answer(std::move(reply));
}

}  // namespace

void call_tool(Core& core, const ExchangePtr& exchange) {
  const std::string* const name = required_text(exchange, "name");
  if (name == nullptr) return;
  if (core.backend().project()->find(project::EndpointKind::kTool, *name) == nullptr) {
    return exchange->fail(unknown_name("tool", *name, core.catalog()->names(ListKind::kTools)));
  }
  invoke::Request request;
  request.kind = project::EndpointKind::kTool;
  request.id = *name;
  if (Value* const given = exchange->params().find("arguments"); given && !given->is_null()) {
    if (given->as_object() == nullptr) {
      return exchange->fail(wrong_param("arguments", "an object", given));
    }
    request.arguments = std::move(*given->as_object());
  }
  request.caller = std::move(exchange->caller());
  request.cancel = exchange->cancel_token();
  request.client = exchange;
  core.backend().call(std::move(request), [exchange, name = *name](const invoke::Outcome& outcome) {
    answer_call(exchange, name, outcome);
  });
}

}  // namespace mxcp::mcp
