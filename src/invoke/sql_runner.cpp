#include "invoke/sql_runner.h"

#include <chrono>
#include <new>
#include <optional>

#include "engine/free_query.h"
#include "invoke/limit_words.h"
#include "types/shape.h"

namespace mxcp::invoke {
namespace {

constexpr std::chrono::seconds kLeaseWait{30};

// The error as the author should see it: at the line of their own file.
Error in_source(Error error, const project::Source& source) {
  if (error.code != Code::kSql) return error;
  if (error.place.line > 0) {
    error.place = source.at(error.place.line, error.place.column);
  } else {
    error.place = source.place;
  }
  return std::move(error).in("failed to execute SQL");
}

bool is_scalar(types::Kind kind) {
  return kind != types::Kind::kArray && kind != types::Kind::kObject;
}

// A result whose columns prove that it fits goes from the vectors straight to its final text; what
// they do not prove, and what output policies look at, becomes a Value and goes on in the pipeline.
// A list is read up to its limits.
Result<RawResult> read(engine::ResultSet& rows, const Call& call) {
  RawResult raw;
  const auto& declared = call.endpoint->return_type;
  const engine::RowLimits limits = row_limits(*call.endpoint);
  // Content blocks are made of values, too.
  const bool guarded = !call.endpoint->policies.output.empty() || call.endpoint->content;
  if (!declared && !guarded) {
    MXCP_TRY(raw.read, rows_to_json(rows, raw.proven_json.emplace(), limits));
    return raw;
  }
  const types::Kind kind = declared ? declared->spec().kind : types::Kind::kArray;
  // A string is needed as itself, not as its JSON text.
  const bool direct =
      !guarded && kind != types::Kind::kString && engine::proves(rows.columns(), *declared);
  if (direct && kind == types::Kind::kArray) {
    MXCP_TRY(raw.read, rows_to_json(rows, raw.proven_json.emplace(), limits));
    return raw;
  }
  if (direct) {
    MXCP_TRY(const std::size_t count,
             single_row_to_json(rows, raw.proven_json.emplace(), is_scalar(kind)));
    if (count != 1) return types::not_single(*declared, count, true);
    return raw;
  }
  raw.rows = true;
  if (kind == types::Kind::kArray) {
    MXCP_TRY(engine::ValueRows list, rows_to_values(rows, limits));
    raw.read = list.read;
    raw.value = std::move(list.values);
    return raw;
  }
  MXCP_TRY(engine::ValueRows list, single_row_to_values(rows));
  if (list.read.rows != 1) return types::not_single(*declared, list.read.rows, true);
  raw.value = std::move(list.values);
  return raw;
}

// The statement is the argument, by somebody who did not write the project.
Result<RawResult> execute_free(engine::Lease& lease, const Call& call,
                               const engine::ExecuteOptions& options) {
  const std::string* const sql = call.arguments.front().second.as_string();
  if (sql == nullptr) return Error{Code::kInvalidArgs, "'sql' must be a string"};
  RawResult raw;
  MXCP_TRY(raw.read, engine::run_free_query(lease, *sql, raw.proven_json.emplace(),
                                            row_limits(*call.endpoint), options));
  return raw;
}

// `began`: when the statement began, after the wait for a connection.
Result<RawResult> execute(Services& services, const std::shared_ptr<const Call>& shared,
                          Instant& began) {
  const Call& call = *shared;
  if (call.cancel->cancelled()) return call.cancel->error();
  MXCP_TRY(const std::shared_ptr<engine::Database> database, services.database());
  call.stage.set(Stage::kConnection);
  MXCP_TRY(engine::Lease lease,
           database->lease(Clock::system().now() + kLeaseWait, call.cancel.get()));
  call.stage.set(Stage::kCode);
  began = Clock::system().now();

  engine::ExecuteOptions options;
  options.cancel = call.cancel.get();
  options.caller = &call.caller;
  options.call = shared;
  if (call.client && call.client->wants_progress()) {
    options.progress = [&](double percent) { call.client->progress(percent, 100.0, ""); };
  }
  // A schema of the author's own has properties that only it needs; a completion (pipeline.cpp) is
  // given more than it declares.
  const auto& parameters = call.endpoint->parameters;
  options.allow_unused = parameters.own_schema() != nullptr || parameters.empty();
  if (call.endpoint->free_sql) return execute_free(lease, call, options);
  const project::Source& source = call.endpoint->source;
  const std::optional<types::Arguments> completed = parameters.with_properties(call.arguments);
  const auto run = [&]() -> Result<RawResult> {
    MXCP_TRY(engine::ResultSet rows,
             lease.execute(source.text, completed ? *completed : call.arguments, options));
    return read(rows, call);
  };
  if (call.endpoint->only_reads) {
    // When it fails, the lease rolls back as it ends.
    MXCP_TRY(const engine::ResultSet begun, lease.execute("BEGIN TRANSACTION READ ONLY", {}));
  }
  auto raw = run();
  if (!raw.ok()) return in_source(std::move(raw).error(), source);
  if (call.endpoint->only_reads) (void)lease.execute("ROLLBACK", {});
  return raw;
}

}  // namespace

bool SlowEndpoints::contains(const project::Endpoint& endpoint) const {
  if (!any_.load(std::memory_order_relaxed)) return false;
  const std::lock_guard lock(mutex_);
  return mean_.contains(endpoint.id());
}

void SlowEndpoints::note(const project::Endpoint& endpoint, Duration took) {
  if (took < kSlow && !any_.load(std::memory_order_relaxed)) return;
  const std::lock_guard lock(mutex_);
  const auto known = mean_.find(endpoint.id());
  if (known == mean_.end()) {
    if (took >= kSlow) mean_.emplace(endpoint.id(), took);
  } else {
    known->second = (known->second + took) / 2;
    if (known->second < kQuick) mean_.erase(known);
  }
  any_ = !mean_.empty();
}

void SqlRunner::run(std::shared_ptr<const Call> call, RunnerDone done) {
  // The SQL behind the completions of a prompt has no name of its own.
  const bool named = !call->endpoint->id().empty();
  WorkerPool& workers = named && slow_.contains(*call->endpoint) ? slow_workers_ : workers_;
  // The task must be copyable, and `done` is needed again when the queue refuses the task.
  const auto shared_done = std::make_shared<RunnerDone>(std::move(done));
  const bool taken = workers.submit([this, call = std::move(call), shared_done, named] {
    Instant began{};
    auto raw = [&]() -> Result<RawResult> {
      try {
        return execute(services_, call, began);
      } catch (const std::bad_alloc&) {
        return out_of_memory();
      }
    }();
    if (named && began != Instant()) slow_.note(*call->endpoint, Clock::system().now() - began);
    (*shared_done)(std::move(raw));
  });
  if (!taken) {
    (*shared_done)(Error{Code::kOverloaded,
                         "the server is busy: too many calls are waiting",
                         {},
                         "try again in a moment"});
  }
}

}  // namespace mxcp::invoke
