#include "invoke/pipeline.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "types/shape.h"

namespace mxcp::invoke {
namespace {

using project::EndpointKind;

Runner* runner_for(const Runners& runners, const project::Endpoint& endpoint) {
  if (endpoint.kind == EndpointKind::kPrompt) return runners.prompt;
  return endpoint.language == project::Language::kPython ? runners.python : runners.sql;
}

// Policies cannot be enforced yet, and an unenforced policy is an open door: such a call is
// refused.
Status check_policies(const project::Endpoint& endpoint) {
  if (endpoint.input_policies.empty() && endpoint.output_policies.empty()) return {};
  const auto& rules =
      endpoint.input_policies.empty() ? endpoint.output_policies : endpoint.input_policies;
  return Error{Code::kPolicyDenied,
               "'" + endpoint.id() + "' declares policies, which this version cannot enforce; " +
                   "the call is refused",
               rules.front().place};
}

// What mcp.image() and its like in mxcp.runtime return is a dict with this member.
constexpr std::string_view kContentMark = "@mxcp.content";
// A longer list is data.
constexpr std::size_t kMaxBlocks = 256;

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

// The blocks, when the function returned one of them or a list with one among it.
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

// Brings the result into its declared shape, checks it, and writes it.
Result<Outcome> finish(const Call& call, RawResult raw) {
  Outcome outcome;
  outcome.notice = std::move(raw.notice);
  if (raw.proven_json) {
    outcome.json = std::move(*raw.proven_json);
    return outcome;
  }
  Value value = std::move(raw.value);
  if (call.endpoint->kind == EndpointKind::kTool && !raw.rows) {
    if (auto blocks = take_content(value)) {
      if (call.endpoint->return_type) {
        return Error{Code::kInvalidOutput,
                     "the tool returned content blocks, but declares what data it returns",
                     call.endpoint->place, "leave out 'return:'"};
      }
      outcome.is_content = true;
      append_json(outcome.json, Value(*std::move(blocks)));
      return outcome;
    }
  }
  if (const auto& declared = call.endpoint->return_type;
      declared && call.endpoint->kind != EndpointKind::kPrompt) {
    MXCP_TRY(value, types::shape(std::move(value), *declared, raw.rows));
    if (call.check_output) {
      if (const auto violations = declared->check(value); !violations.empty()) {
        Error error{Code::kInvalidOutput, "output validation failed: " + types::to_text(violations),
                    call.endpoint->place};
        if (call.endpoint->return_derived) {
          error.hint =
              "the output schema was derived from the SQL when the server started, and the "
              "columns have changed: declare 'return', or reload";
        }
        return error;
      }
    }
  }
  append_json(outcome.json, value);
  if (std::string* text = value.as_string()) outcome.text = std::move(*text);
  return outcome;
}

double seconds_since(Instant start) {
  return std::chrono::duration<double>(Clock::system().now() - start).count();
}

}  // namespace

void invoke(std::shared_ptr<const project::Project> project, const Runners& runners,
            Request request, Done done) {
  const Instant start = Clock::system().now();
  const auto fail = [&](Error error, std::shared_ptr<const project::Endpoint> endpoint) {
    Outcome outcome;
    outcome.error = std::move(error);
    outcome.endpoint = std::move(endpoint);
    outcome.seconds = seconds_since(start);
    done(std::move(outcome));
  };

  // Find the endpoint.
  const auto endpoint = project->find(request.kind, request.id);
  if (!endpoint) return fail(project->not_found(request.kind, request.id), nullptr);

  // Coerce and validate the arguments.
  auto arguments = endpoint->parameters.bind(request.arguments, request.source);
  if (!arguments.ok()) return fail(std::move(arguments).error(), endpoint);

  // Input policy.
  if (auto allowed = check_policies(*endpoint); !allowed.ok()) {
    return fail(std::move(allowed).error(), endpoint);
  }

  // Run; then shape, validate and write the result, on the thread that has it.
  const auto call = std::make_shared<const Call>(
      Call{std::move(project), endpoint, *std::move(arguments), std::move(request.caller),
           std::move(request.cancel), std::move(request.client), request.check_output});
  Runner* const runner = runner_for(runners, *endpoint);
  if (runner == nullptr) {
    return fail({Code::kUnavailable, "nothing here can run '" + endpoint->id() + "'"}, endpoint);
  }
  runner->run(call, [call, start, done = std::move(done)](Result<RawResult> raw) {
    Outcome outcome;
    // A query that was interrupted, or a result that came after all: cancelled is cancelled.
    if (call->cancel->cancelled()) raw = call->cancel->error();
    if (raw.ok()) {
      auto finished = finish(*call, *std::move(raw));
      if (finished.ok()) {
        outcome = *std::move(finished);
      } else {
        outcome.error = std::move(finished).error();
      }
    } else {
      outcome.error = std::move(raw).error();
    }
    outcome.endpoint = call->endpoint;
    outcome.seconds = seconds_since(start);
    if (outcome.error && !outcome.error->detail.empty()) {
      log::error("call", "{} '{}': {}\n{}", project::name_of(call->endpoint->kind),
                 call->endpoint->id(), outcome.error->message, outcome.error->detail);
    }
    done(std::move(outcome));
  });
}

Outcome invoke_and_wait(std::shared_ptr<const project::Project> project, const Runners& runners,
                        Request request) {
  std::mutex mutex;
  std::condition_variable ready;
  std::optional<Outcome> result;
  invoke(std::move(project), runners, std::move(request), [&](Outcome outcome) {
    const std::lock_guard lock(mutex);
    result = std::move(outcome);
    ready.notify_one();
  });
  std::unique_lock lock(mutex);
  ready.wait(lock, [&] { return result.has_value(); });
  return *std::move(result);
}

}  // namespace mxcp::invoke
