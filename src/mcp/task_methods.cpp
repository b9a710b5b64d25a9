// tasks/get, tasks/update, tasks/cancel.
#include "base/text.h"
#include "mcp/core.h"

namespace mxcp::mcp {
namespace {

// The task that the request names; fails the exchange and returns null otherwise.
std::shared_ptr<Task> named_task(Core& core, const ExchangePtr& exchange) {
  if (!exchange->declares(kTasksExtension)) {
    exchange->fail(missing_tasks_extension());
    return nullptr;
  }
  const std::string* const id = required_text(exchange, "taskId");
  if (id == nullptr) return nullptr;
  auto task = core.tasks().find(*id, exchange->caller());
  if (task == nullptr) {
    exchange->fail({kInvalidParams, "there is no task '" + shorten(*id, 128) +
                                        "' (any more); a task is kept for its ttlMs"});
  }
  return task;
}

}  // namespace

RpcError missing_tasks_extension() {
  Object extensions{{std::string(kTasksExtension), Object()}};
  return {kMissingCapability,
          "the client does not declare the extension " + std::string(kTasksExtension),
          Value(Object{{"requiredCapabilities", Object{{"extensions", std::move(extensions)}}}})};
}

void get_task(Core& core, const ExchangePtr& exchange) {
  const auto task = named_task(core, exchange);
  if (task == nullptr) return;
  const std::string details = task->details();
  Reply reply(*exchange, details.size());
  reply.append(details);
  exchange->answer(std::move(reply));
}

void update_task(Core& core, const ExchangePtr& exchange) {
  const auto task = named_task(core, exchange);
  if (task == nullptr) return;
  const Value* const answers = exchange->params().find("inputResponses");
  if (answers == nullptr || !answers->is_object()) {
    return exchange->fail(wrong_param("inputResponses", "an object", answers));
  }
  // First what changes, so that whoever reads the acknowledgement finds the task changed.
  if (const auto wrong = task->update(*answers->as_object())) return exchange->fail(*wrong);
  exchange->answer(Reply(*exchange));
}

void cancel_task(Core& core, const ExchangePtr& exchange) {
  const auto task = named_task(core, exchange);
  if (task == nullptr) return;
  task->cancel("cancelled by the client");
  exchange->answer(Reply(*exchange));
}

}  // namespace mxcp::mcp
