#include "invoke/pipeline.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <new>
#include <optional>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "invoke/content.h"
#include "invoke/limit_words.h"
#include "invoke/media.h"
#include "invoke/prompt_messages.h"
#include "policy/enforcer.h"
#include "types/shape.h"

namespace mxcp::invoke {
namespace {

using project::EndpointKind;

Runner* runner_for(const Runners& runners, const project::Endpoint& endpoint) {
  if (endpoint.language == project::Language::kPython) return runners.python;
  return endpoint.kind == EndpointKind::kPrompt ? runners.prompt : runners.sql;
}

Outcome failed(Error error, std::optional<LimitMet> limit = {}) {
  Outcome outcome;
  outcome.error = std::move(error);
  outcome.limit = std::move(limit);
  return outcome;
}

Outcome failed_as_too_large(const Call& call, std::string_view what, std::uint64_t size) {
  return failed(too_large(*call.endpoint, what, size), max_bytes_met(call.endpoint->limits));
}

// Data that is a list, where a list was to be expected: it can end earlier.
bool can_be_cut(const Call& call, const Value& value) {
  if (!value.is_array() || call.endpoint->kind == EndpointKind::kPrompt) return false;
  const auto& declared = call.endpoint->return_type;
  return !declared || declared->spec().kind == types::Kind::kArray;
}

// Item after item, as long as there is room.
void write_items(const Array& items, std::string& out, std::uint64_t max_bytes,
                 engine::RowsRead& read) {
  out += '[';
  std::uint64_t written = 0;
  for (const Value& item : items) {
    const std::size_t before = out.size();
    if (written > 0) out += ',';
    append_json(out, item);
    if (out.size() >= max_bytes) {
      out.resize(before);
      read.cut = engine::Cut::kBytes;
      break;
    }
    ++written;
  }
  read.rows = written;
  out += ']';
}

// The rows that were left out may have been needed.
Status check_least(const Call& call, const engine::RowsRead& read) {
  const auto& declared = call.endpoint->return_type;
  if (!declared || !call.check_output || !declared->spec().min_items) return {};
  if (read.rows >= *declared->spec().min_items) return {};
  return Error{Code::kInvalidOutput,
               "the result was cut after " + std::to_string(read.rows) +
                   " rows, but the return type has minItems " +
                   std::to_string(*declared->spec().min_items),
               call.endpoint->place, "raise limits.max_bytes"};
}

// Says what was cut, and refuses what cannot be.
Outcome within_limits(const Call& call, Outcome outcome, const engine::RowsRead& read) {
  const auto& max_bytes = call.endpoint->limits.max_bytes;
  if (read.cut == engine::Cut::kNone) {
    if (max_bytes && outcome.json.size() > max_bytes->value && outcome.json != "[]") {
      return failed_as_too_large(call, "it", outcome.json.size());
    }
    return outcome;
  }
  if (read.rows == 0) return failed_as_too_large(call, "its first row", 0);
  if (auto enough = check_least(call, read); !enough.ok()) {
    return failed(std::move(enough).error(), cut_met(call.endpoint->limits, read));
  }
  outcome.limit = cut_met(call.endpoint->limits, read);
  outcome.notice = cut_notice(*call.endpoint, read);
  return outcome;
}

// Content blocks, where the tool returned some or declares that it does.
std::optional<Outcome> as_content(const Call& call, Value& value, bool rows,
                                  engine::RowsRead read) {
  if (call.endpoint->kind != EndpointKind::kTool) return {};
  const engine::RowLimits limits = row_limits(*call.endpoint);
  const Array* const given = value.as_array();
  const bool too_long = given != nullptr && given->size() > limits.max_rows;
  std::optional<Array> blocks;
  if (!rows) {
    auto taken = take_content(value, limits.max_rows);
    if (!taken.ok()) return failed(std::move(taken).error().at(call.endpoint->place));
    blocks = *std::move(taken);
  }
  if (!blocks && call.endpoint->content) {
    if (read.cut != engine::Cut::kNone && read.rows == 0) {
      return failed_as_too_large(call, "its first row", 0);
    }
    if (too_long) value.as_array()->resize(limits.max_rows);
    auto declared = declared_content(call, std::move(value), rows);
    if (!declared.ok()) return failed(std::move(declared).error());
    blocks = *std::move(declared);
  }
  if (!blocks) return {};
  if (too_long) read = {.rows = limits.max_rows, .cut = engine::Cut::kRows};
  if (call.endpoint->return_type) {
    return failed({Code::kInvalidOutput,
                   "the tool returned content blocks, but declares what data it returns",
                   call.endpoint->place, "leave out 'return:'"});
  }
  const Value content = *std::move(blocks);
  if (!call.endpoint->policies.output.empty()) {
    auto allowed = policy::check_content(*call.endpoint, call.caller, content);
    if (!allowed.ok()) return failed(std::move(allowed).error());
  }
  Outcome outcome;
  outcome.is_content = true;
  write_items(*content.as_array(), outcome.json, limits.max_bytes, read);
  if (read.cut == engine::Cut::kBytes && read.rows == 0) {
    return failed_as_too_large(call, "its first content block", 0);
  }
  return within_limits(call, std::move(outcome), read);
}

// Blocks that nobody took would be shown with the mark by which they are known.
Status check_data(const Call& call, const Value& value) {
  const project::Endpoint& endpoint = *call.endpoint;
  if (endpoint.language != project::Language::kPython || endpoint.kind == EndpointKind::kPrompt) {
    return {};
  }
  if (!has_block(value)) return {};
  if (endpoint.kind != EndpointKind::kTool) {
    return Error{Code::kInvalidOutput,
                 "the function returned a content block, which only tools and prompts can",
                 {},
                 "return text or bytes"};
  }
  return Error{Code::kInvalidOutput, std::string(kBlockInsideOfData)};
}

// Which rules are broken where, and nothing of the data.
std::string to_rules(const std::vector<types::Violation>& violations) {
  std::vector<std::string> lines;
  lines.reserve(violations.size());
  for (const types::Violation& v : violations) {
    lines.push_back((v.path.empty() ? "the result" : v.path) + " breaks '" + v.rule + "'");
  }
  return join(lines, "\n");
}

Status check_declared(const Call& call, const types::Type& declared, const Value& value) {
  if (!call.check_output) return {};
  const auto violations = declared.check(value);
  if (violations.empty()) return {};
  Error error{Code::kInvalidOutput, "output validation failed: " + types::to_text(violations),
              call.endpoint->place};
  // Values stand in that text, of fields too that a policy would have kept from the caller.
  if (!call.endpoint->policies.output.empty()) {
    error.detail =
        std::exchange(error.message, "output validation failed: " + to_rules(violations));
  }
  if (call.endpoint->return_derived) {
    error.hint =
        "the output schema was derived from the SQL when the server started, and the "
        "columns have changed: declare 'return', or reload";
  }
  return error;
}

// Brings the result into its declared shape, cuts it to its limits, checks it, and writes it.
Outcome shape_result(const Call& call, RawResult raw) {
  Outcome outcome;
  engine::RowsRead read = raw.read;
  const bool guarded = !call.endpoint->policies.output.empty();
  if (raw.proven_json && !guarded) {
    if (call.endpoint->kind == EndpointKind::kResource) {
      Value rows = Array();
      if (auto blob = is_blob(*call.endpoint, rows); !blob.ok()) return failed(blob.error());
    }
    outcome.json = std::move(*raw.proven_json);
    return within_limits(call, std::move(outcome), read);
  }
  Value value = std::move(raw.value);
  if (raw.proven_json) {
    // Policies need values. Runners know it; should one forget, nothing passes by.
    auto parsed = parse_json(*raw.proven_json, {.max_depth = 1000});
    if (!parsed.ok()) return failed(std::move(parsed).error());
    value = *std::move(parsed);
  }
  if (auto content = as_content(call, value, raw.rows, read)) return *std::move(content);
  if (auto is_data = check_data(call, value); !is_data.ok()) {
    return failed(std::move(is_data).error().at(raw.place));
  }
  if (call.endpoint->kind == EndpointKind::kPrompt &&
      call.endpoint->language == project::Language::kPython) {
    auto messages = to_messages(std::move(value), call.endpoint->name);
    if (!messages.ok()) return failed(std::move(messages).error().at(raw.place));
    value = *std::move(messages);
  }

  const types::Type* const declared =
      call.endpoint->return_type && call.endpoint->kind != EndpointKind::kPrompt
          ? &*call.endpoint->return_type
          : nullptr;
  if (declared != nullptr) {
    auto shaped = types::shape(std::move(value), *declared, raw.rows);
    if (!shaped.ok()) return failed(std::move(shaped).error());
    value = *std::move(shaped);
  }
  const engine::RowLimits limits = row_limits(*call.endpoint);
  Array* items = can_be_cut(call, value) ? value.as_array() : nullptr;
  if (items != nullptr && items->size() > limits.max_rows) {
    items->resize(limits.max_rows);
    read.cut = engine::Cut::kRows;
  }
  if (declared != nullptr) {
    if (auto fits = check_declared(call, *declared, value); !fits.ok()) {
      return failed(std::move(fits).error());
    }
  }
  if (guarded) {
    auto left = policy::apply_output(*call.endpoint, call.caller, value);
    if (!left.ok()) return failed(std::move(left).error());
    items = items == nullptr ? nullptr : value.as_array();
    // A policy left nothing: what was cut before no longer matters.
    if (items == nullptr || items->empty()) read.cut = engine::Cut::kNone;
  }
  if (call.endpoint->kind == EndpointKind::kResource) {
    auto blob = is_blob(*call.endpoint, value);
    if (!blob.ok()) return failed(std::move(blob).error());
    outcome.is_blob = *blob;
  }
  if (items != nullptr) {
    write_items(*items, outcome.json, limits.max_bytes, read);
  } else {
    append_json(outcome.json, value);
  }
  outcome = within_limits(call, std::move(outcome), read);
  if (std::string* text = value.as_string(); text != nullptr && !outcome.error) {
    outcome.text = std::move(*text);
  }
  return outcome;
}

Outcome shape_within_memory(const Call& call, RawResult raw) {
  try {
    return shape_result(call, std::move(raw));
  } catch (const std::bad_alloc&) {
    return failed(out_of_memory());
  }
}

// DuckDB and user code may put a whole table into the text of an error.
void limit_text(Error& error) {
  constexpr std::size_t kMost = 8192;
  for (std::string* const text : {&error.message, &error.detail}) {
    const std::size_t room = text == &error.message ? kMost : 8 * kMost;
    if (text->size() <= room) continue;
    const std::size_t size = text->size();
    std::size_t end = room;
    while (end > 0 && (static_cast<unsigned char>((*text)[end]) & 0xC0U) == 0x80U) --end;
    text->resize(end);
    *text += "… (" + plural(size - end, "more byte") + ")";
  }
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
  query->limits = endpoint.limits;
  query->only_reads = true;
  if (const auto* const entry = endpoint.parameters.find(parameter)) {
    const types::TypeSpec& spec = entry->type.spec();
    query->source.text = spec.completion;
    query->source.display_file = endpoint.display_file;
    query->source.map = spec.completion_map;
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
    if (to_lower(entry.name) != "value") add(entry.name);
  }
  return arguments;
}

// One call from the moment its arguments are bound to its one answer, which its work gives or,
// before, its deadline.
class Running : public std::enable_shared_from_this<Running> {
 public:
  Running(const Runners& runners, std::shared_ptr<const project::Endpoint> endpoint, Done done,
          Instant start, std::shared_ptr<void> work)
      : runners_(runners),
        endpoint_(std::move(endpoint)),
        done_(std::move(done)),
        start_(start),
        work_(std::move(work)) {}

  void fail(Error error, std::optional<LimitMet> limit = {}) {
    finish(failed(std::move(error), std::move(limit)));
  }

  const std::shared_ptr<const project::Endpoint>& endpoint() const { return endpoint_; }
  void keep_failure_quiet() { log_failure_ = false; }
  void count_as(Limiter::Ticket ticket) { ticket_ = std::move(ticket); }

  // Checks the arguments against a schema of the author's own, where there is one.
  void run_checked(Call given) {
    call_ = std::make_shared<Call>(std::move(given));
    watch();
    const auto schema = endpoint_->parameters.own_schema();
    if (schema == nullptr) return run();
    Object arguments;
    for (const auto& [name, value] : call_->arguments) arguments.add(name, value);
    check_own(runners_, schema, to_json(arguments), Code::kInvalidArgs, "",
              [self = shared_from_this()](Status checked) {
                if (!checked.ok()) return self->fail(std::move(checked).error());
                self->call_->arguments =
                    self->endpoint_->parameters.with_defaults(std::move(self->call_->arguments));
                self->run();
              });
  }

 private:
  void watch() {
    const auto& timeout = endpoint_->limits.timeout;
    if (!timeout || runners_.deadlines == nullptr) return;
    // Counts as running until the answer was handed over.
    deadline_ = runners_.deadlines->after(timeout->value, [weak = weak_from_this(), work = work_] {
      if (const auto running = weak.lock()) running->expire();
    });
  }

  void expire() {
    if (answered_.exchange(true)) return;
    call_->cancel->cancel(Code::kTimeout);
    answer(failed(timed_out(*call_), timeout_met(endpoint_->limits)));
  }

  // Input policy and run; then shape, validate, output policy and write, on the thread that has the
  // result.
  void run() {
    if (!endpoint_->policies.input.empty()) {
      auto allowed = policy::check_input(*endpoint_, call_->arguments, call_->caller);
      if (!allowed.ok()) return fail(std::move(allowed).error());
    }
    Runner* const runner = runner_for(runners_, *endpoint_);
    if (runner == nullptr) {
      return fail({Code::kUnavailable, "nothing here can run '" + endpoint_->id() + "'"});
    }
    runner->run(call_, [self = shared_from_this()](Result<RawResult> raw) {
      const Call& call = *self->call_;
      // A query that was interrupted, or a result that came after all: cancelled is cancelled.
      if (call.cancel->cancelled()) raw = call.cancel->error();
      if (!raw.ok()) return self->fail(std::move(raw).error());
      self->check_own_output(shape_within_memory(call, *std::move(raw)));
    });
  }

  void check_own_output(Outcome outcome) {
    if (endpoint_->output_schema == nullptr || !call_->check_output || outcome.error) {
      return finish(std::move(outcome));
    }
    std::string json = outcome.json;
    check_own(runners_, endpoint_->output_schema, std::move(json), Code::kInvalidOutput,
              "output validation failed: ",
              [self = shared_from_this(), outcome = std::move(outcome)](Status checked) mutable {
                if (checked.ok()) return self->finish(std::move(outcome));
                self->fail(std::move(checked).error().at(self->endpoint_->place));
              });
  }

  // The work is over.
  void finish(Outcome outcome) {
    deadline_ = {};
    // Whoever has read an answer does not count as running, and may call again.
    ticket_.reset();
    if (!answered_.exchange(true)) {
      answer(std::move(outcome));
    } else {
      log::info("call", "{} '{}' ended {:.1f} s after it began; its time was up before",
                project::name_of(endpoint_->kind), endpoint_->id(), seconds_since(start_));
    }
    work_.reset();
  }

  void answer(Outcome outcome) {
    outcome.endpoint = endpoint_;
    outcome.seconds = seconds_since(start_);
    outcome.about_caller = call_ && call_->caller.looked_at.is_set();
    if (outcome.error) limit_text(*outcome.error);
    if (outcome.error && !outcome.error->detail.empty() && log_failure_) {
      log::error("call", "{} '{}': {}\n{}", project::name_of(endpoint_->kind), endpoint_->id(),
                 outcome.error->message, outcome.error->detail);
    }
    // What the call held goes before it stops counting as running.
    const Done done = std::move(done_);
    done(std::move(outcome));
  }

  const Runners& runners_;
  const std::shared_ptr<const project::Endpoint> endpoint_;
  Done done_;
  const Instant start_;
  std::shared_ptr<void> work_;
  bool log_failure_ = true;
  Limiter::Ticket ticket_;
  std::shared_ptr<Call> call_;
  std::atomic<bool> answered_{false};  // or about to be, by whoever set it
  Deadlines::Entry deadline_;
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
      std::move(done), start, std::move(request.work));
  if (!request.log_failure) running->keep_failure_quiet();

  // Coerce and validate the arguments.
  auto arguments = completes ? completion_arguments(*endpoint, request.arguments)
                             : endpoint->parameters.bind(request.arguments, request.source);
  if (!arguments.ok()) return running->fail(std::move(arguments).error());

  // Check limits.
  if (runners.limiter != nullptr) {
    const auto what = completes         ? Limiter::What::kCompletion
                      : request.goes_on ? Limiter::What::kRound
                                        : Limiter::What::kCall;
    auto admitted = runners.limiter->admit(*endpoint, project->site().server_limits, what);
    if (auto* const refusal = std::get_if<Limiter::Refusal>(&admitted)) {
      return running->fail(std::move(refusal->error), std::move(refusal->limit));
    }
    running->count_as(std::move(*std::get_if<Limiter::Ticket>(&admitted)));
  }

  // The SQL behind a completion is guarded like the endpoint it belongs to.
  if (completes && endpoint->policies.any()) {
    auto allowed =
        policy::check_completion(*endpoint, request.completes, request.arguments, request.caller);
    if (!allowed.ok()) return running->fail(std::move(allowed).error());
  }
  running->run_checked({std::move(project),
                        running->endpoint(),
                        *std::move(arguments),
                        std::move(request.caller),
                        std::move(request.cancel),
                        std::move(request.client),
                        request.check_output,
                        {}});
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
