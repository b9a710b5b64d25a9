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

// Against a schema of the author's own; the error lists what breaks it.
void check_own(const Runners& runners, std::shared_ptr<const std::string> schema, std::string json,
               Code code, const std::string& prefix, std::function<void(Status)> then) {
  if (runners.schemas == nullptr) {
    return then(Error{Code::kUnavailable, "nothing here can check a JSON Schema"});
  }
  runners.schemas->check(
      std::move(schema), std::move(json),
      [code, prefix, then = std::move(then)](Result<SchemaChecker::Violations> checked) {
        if (!checked.ok()) return then(std::move(checked).error());
        if (checked->empty()) return then({});
        then(Error{code, prefix + types::to_text(*checked)});
      });
}

// The SQL behind `completion:` as an endpoint of its own, guarded like the one it belongs to.
std::shared_ptr<const project::Endpoint> completion_query(const project::Endpoint& endpoint,
                                                          const std::string& parameter) {
  auto query = std::make_shared<project::Endpoint>();
  query->kind = EndpointKind::kResource;
  query->name = endpoint.name;
  query->uri = endpoint.uri;
  query->place = endpoint.place;
  query->display_file = endpoint.display_file;
  if (const auto* const entry = endpoint.parameters.find(parameter)) {
    const types::TypeSpec& spec = entry->type.spec();
    query->source.text = spec.completion;
    query->source.first_line = 0;
    const auto place = spec.places.find("completion");
    query->source.place = place == spec.places.end() ? spec.place : place->second;
  }
  return query;
}

Result<types::Arguments> completion_arguments(const project::Endpoint& endpoint,
                                              const Object& given) {
  types::Arguments arguments;
  const auto add = [&](const std::string& name) {
    const Value* const value = given.find(name);
    arguments.emplace_back(name, value == nullptr ? Value() : *value);
  };
  add("value");
  for (const auto& entry : endpoint.parameters.entries()) {
    if (entry.name != "value") add(entry.name);
  }
  return arguments;
}

// One call from the moment its arguments are bound.
class Running : public std::enable_shared_from_this<Running> {
 public:
  Running(const Runners& runners, std::shared_ptr<const project::Endpoint> endpoint, Done done,
          Instant start)
      : runners_(runners), endpoint_(std::move(endpoint)), done_(std::move(done)), start_(start) {}

  void fail(Error error) {
    Outcome outcome;
    outcome.error = std::move(error);
    finish(std::move(outcome));
  }

  const std::shared_ptr<const project::Endpoint>& endpoint() const { return endpoint_; }

  // Checks the arguments against a schema of the author's own, where there is one.
  void run_checked(Call call) {
    const auto schema = endpoint_->parameters.own_schema();
    if (schema == nullptr) return run(std::move(call));
    Object arguments;
    for (const auto& [name, value] : call.arguments) arguments.add(name, value);
    check_own(runners_, schema, to_json(arguments), Code::kInvalidArgs, "",
              [self = shared_from_this(), call = std::move(call)](Status checked) mutable {
                if (!checked.ok()) return self->fail(std::move(checked).error());
                call.arguments = call.endpoint->parameters.with_defaults(std::move(call.arguments));
                self->run(std::move(call));
              });
  }

 private:
  // Run; then shape, validate and write the result, on the thread that has it.
  void run(Call given) {
    Runner* const runner = runner_for(runners_, *endpoint_);
    if (runner == nullptr) {
      return fail({Code::kUnavailable, "nothing here can run '" + endpoint_->id() + "'"});
    }
    const auto call = std::make_shared<const Call>(std::move(given));
    runner->run(call, [self = shared_from_this(), call](Result<RawResult> raw) {
      // A query that was interrupted, or a result that came after all: cancelled is cancelled.
      if (call->cancel->cancelled()) raw = call->cancel->error();
      if (!raw.ok()) return self->fail(std::move(raw).error());
      auto finished = invoke::finish(*call, *std::move(raw));
      if (!finished.ok()) return self->fail(std::move(finished).error());
      self->check_result(*call, *std::move(finished));
    });
  }

  void check_result(const Call& call, Outcome outcome) {
    if (endpoint_->output_schema == nullptr || !call.check_output)
      return finish(std::move(outcome));
    std::string json = outcome.json;
    check_own(runners_, endpoint_->output_schema, std::move(json), Code::kInvalidOutput,
              "output validation failed: ",
              [self = shared_from_this(), outcome = std::move(outcome)](Status checked) mutable {
                if (checked.ok()) return self->finish(std::move(outcome));
                self->fail(std::move(checked).error().at(self->endpoint_->place));
              });
  }

  void finish(Outcome outcome) {
    outcome.endpoint = endpoint_;
    outcome.seconds = seconds_since(start_);
    if (outcome.error && !outcome.error->detail.empty()) {
      log::error("call", "{} '{}': {}\n{}", project::name_of(endpoint_->kind), endpoint_->id(),
                 outcome.error->message, outcome.error->detail);
    }
    done_(std::move(outcome));
  }

  const Runners& runners_;
  const std::shared_ptr<const project::Endpoint> endpoint_;
  const Done done_;
  const Instant start_;
};

}  // namespace

void invoke(std::shared_ptr<const project::Project> project, const Runners& runners,
            Request request, Done done) {
  const Instant start = Clock::system().now();
  // Find the endpoint.
  const auto endpoint = project->find(request.kind, request.id);
  if (!endpoint) {
    Outcome outcome;
    outcome.error = project->not_found(request.kind, request.id);
    outcome.seconds = seconds_since(start);
    return done(std::move(outcome));
  }
  const bool completes = !request.completes.empty();
  const auto running = std::make_shared<Running>(
      runners, completes ? completion_query(*endpoint, request.completes) : endpoint,
      std::move(done), start);

  // Coerce and validate the arguments.
  auto arguments = completes ? completion_arguments(*endpoint, request.arguments)
                             : endpoint->parameters.bind(request.arguments, request.source);
  if (!arguments.ok()) return running->fail(std::move(arguments).error());

  // Input policy.
  if (auto allowed = check_policies(*endpoint); !allowed.ok()) {
    return running->fail(std::move(allowed).error());
  }
  running->run_checked({std::move(project), running->endpoint(), *std::move(arguments),
                        std::move(request.caller), std::move(request.cancel),
                        std::move(request.client), request.check_output});
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
