// tools/call: the hot path. The result's JSON text goes into the answer as it is; nothing of it is
// parsed again.
//
// A tool may run as a task (tasks.h) where the client declares the extension: then the answer only
// names the task. The same code runs either way.
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
void append_structured(ObjectText& result, const types::Type& declared, const std::string& json) {
  if (types::is_wrapped(declared)) {
    std::string& out = result.member("structuredContent");
    out += R"({"result":)";
    out += json;
    out += '}';
  } else if (json.starts_with('{')) {
    result.member("structuredContent") += json;
  }
}

void write_error(ObjectText& result, const std::string& name, const std::string& reason) {
  std::string& out = result.member("content");
  out += R"([{"type":"text","text":)";
  append_json_string(out, "Error executing tool " + name + ": " + reason);
  out += "}]";
  result.member("isError") += "true";
}

// The tool went away between the look-up and the call: there is no result.
bool is_gone(const invoke::Outcome& outcome) {
  return outcome.error && outcome.error->code == Code::kNotFound && outcome.endpoint == nullptr;
}

// The members of a CallToolResult.
void write_result(ObjectText& result, const Revision& revision, const std::string& name,
                  const invoke::Outcome& outcome) {
  add_limit_meta(result, outcome);
  if (outcome.error) return write_error(result, name, public_text(*outcome.error));
  if (outcome.is_content) {
    std::string& out = result.member("content");
    append_content_blocks(out, revision, outcome.json);
    if (!outcome.notice.empty()) {
      out.back() = ',';
      out += R"({"type":"text","text":)";
      append_json_string(out, outcome.notice);
      out += "}]";
    }
    result.member("isError") += "false";
    return;
  }
  const types::Type* declared = nullptr;  // where the answer has structured content
  if (revision.structured && outcome.endpoint && outcome.endpoint->return_type) {
    declared = &*outcome.endpoint->return_type;
  }
  // An object was promised and null is none; strict clients refuse a result without it.
  if (declared != nullptr && !types::is_wrapped(*declared) && outcome.json == "null") {
    return write_error(result, name, "the tool returned no result (null)");
  }
  append_content(result.member("content"), outcome.json, outcome.notice);
  if (declared != nullptr) append_structured(result, *declared, outcome.json);
  result.member("isError") += "false";
}

void answer_call(const ExchangePtr& exchange, const std::string& name,
                 const invoke::Outcome& outcome) {
  if (is_gone(outcome)) return exchange->fail(unknown_name("tool", name, {}));
  // The text block may double while it is quoted; the structured content comes on top.
  Reply reply(*exchange, outcome.is_content ? outcome.json.size() : 3 * outcome.json.size());
  write_result(reply, exchange->revision(), name, outcome);
  exchange->answer(std::move(reply));
}

// --- as a task ---

// What the request would have been answered with.
class TaskResult : public ObjectText {
 public:
  TaskResult() { member("resultType") += R"("complete")"; }
  std::string finish() && {
    write_meta();
    return '{' + std::move(text_) + '}';
  }
};

void finish_task(Task& task, const Revision& revision, const std::string& name,
                 const invoke::Outcome& outcome) {
  if (is_gone(outcome)) return task.fail(unknown_name("tool", name, {}));
  TaskResult result;
  write_result(result, revision, name, outcome);
  task.complete(std::move(result).finish());
}

// Begins the task and says so, then runs it. The error when there is no place for another.
std::optional<RpcError> start_task(Core& core, const ExchangePtr& exchange,
                                   const project::TaskSettings& settings,
                                   invoke::Request& request) {
  auto created = core.tasks().create(settings, exchange->caller(), exchange->client_capabilities(),
                                     exchange->answers());
  if (const RpcError* const error = std::get_if<RpcError>(&created)) return *error;
  const auto task = *std::get_if<std::shared_ptr<Task>>(&created);
  Reply reply(*exchange, 256, "task");
  reply.append(task->summary());
  // The client left without the id: nobody could ever ask for the result.
  if (!exchange->answer(std::move(reply))) {
    core.tasks().discard(*task);
    return {};
  }
  request.caller = std::move(exchange->caller());
  request.cancel = task->cancel_token();
  request.client = task;
  request.work = task->take_place();
  const std::string name = request.id;
  const Revision* const revision = &exchange->revision();
  core.backend().call(std::move(request), [task, name, revision](const invoke::Outcome& outcome) {
    finish_task(*task, *revision, name, outcome);
  });
  return {};
}

// Whether the call becomes a task; the error when it would have to and cannot.
std::variant<bool, RpcError> runs_as_task(const Exchange& exchange, const project::Endpoint& tool) {
  const project::TaskSettings& settings = tool.task;
  if (settings.support == project::TaskSupport::kForbidden) return false;
  if (!exchange.declares(kTasksExtension) || !exchange.revision().stateless) {
    if (settings.support == project::TaskSupport::kOptional) return false;
    if (exchange.revision().stateless) return missing_tasks_extension();
    return RpcError{kMethodNotFound, "the tool '" + tool.name +
                                         "' runs only as a task, which clients can use from "
                                         "revision 2026-07-28 on"};
  }
  return !settings.asks_first || !exchange.answers().empty();
}

}  // namespace

void call_tool(Core& core, const ExchangePtr& exchange) {
  const std::string* const name = required_text(exchange, "name");
  if (name == nullptr) return;
  const auto tool = core.backend().project()->find(project::EndpointKind::kTool, *name);
  if (tool == nullptr) {
    return exchange->fail(unknown_name("tool", *name, core.catalog()->names(ListKind::kTools)));
  }
  invoke::Request request;
  request.goes_on = exchange->goes_on();
  request.kind = project::EndpointKind::kTool;
  request.id = *name;
  if (Value* const given = exchange->params().find("arguments"); given && !given->is_null()) {
    if (given->as_object() == nullptr) {
      return exchange->fail(wrong_param("arguments", "an object", given));
    }
    request.arguments = std::move(*given->as_object());
  }
  const auto as_task = runs_as_task(*exchange, *tool);
  if (const RpcError* const error = std::get_if<RpcError>(&as_task)) return exchange->fail(*error);
  if (*std::get_if<bool>(&as_task)) {
    const auto error = start_task(core, exchange, tool->task, request);
    if (!error) return;
    // Without a place for a task, the client may as well wait for the answer.
    if (tool->task.support == project::TaskSupport::kRequired) return exchange->fail(*error);
  }
  request.caller = std::move(exchange->caller());
  request.cancel = exchange->cancel_token();
  request.client = exchange;
  core.backend().call(std::move(request), [exchange, name = *name](const invoke::Outcome& outcome) {
    answer_call(exchange, name, outcome);
  });
}

}  // namespace mxcp::mcp
