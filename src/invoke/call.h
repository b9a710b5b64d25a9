// One call on its way through the pipeline, and the interfaces that others implement for it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "base/user_context.h"
#include "base/value.h"
#include "engine/database.h"
#include "project/project.h"
#include "types/parameters.h"

namespace mxcp::invoke {

// Messages from running user code to the client that made the call (mxcp.runtime.mcp). All methods
// may be called from any thread and do nothing once the call is over.
class ClientChannel {
 public:
  virtual ~ClientChannel() = default;
  // level: debug, info, notice, warning, error ...
  virtual void log(const std::string& level, const std::string& logger, const Value& data) = 0;
  virtual void progress(double progress, std::optional<double> total,
                        const std::string& message) = 0;
  // Whether the client asked for progress: then the engine polls the query's.
  virtual bool wants_progress() const = 0;

  // The client shall fetch the rest of the answer itself, not before `retry`: its connection is
  // not needed meanwhile. Where that cannot be, nothing happens.
  virtual void release(std::chrono::milliseconds /*retry*/) {}

  // A question to the client, or through it to its user: `method` is elicitation/create,
  // sampling/createMessage or roots/list.
  struct Question {
    std::string key;
    std::string method;
    Object params;
  };
  // What the client said it can do in this call.
  virtual Object capabilities() const { return {}; }
  // `done` gets the answers by key, once, from any thread. An error with kCancelled means that the
  // call is over for now: the client will call again and bring the answers, and the code then runs
  // from its beginning.
  // By value: those who implement it keep both.
  // NOLINTNEXTLINE(performance-unnecessary-value-param)
  virtual void ask(std::vector<Question> /*questions*/, std::function<void(Result<Object>)> done) {
    done(Error{Code::kUnavailable, "this client cannot be asked"});
  }
  // Whether a question is open, so that the call may rest until somebody answers.
  virtual bool is_asking() const { return false; }
  // What the user was led to by an elicitation with an URL is done there. Where the revision has no
  // such message, nothing happens.
  virtual void elicitation_complete(const std::string& /*id*/) {}
};

// What a caller asks for.
struct Request {
  project::EndpointKind kind = project::EndpointKind::kTool;
  std::string id;  // tool or prompt name, resource URI or template
  Object arguments;
  // A parameter: not the endpoint runs, but the SQL that says what may be typed for it. It knows
  // $value, what was typed so far, and the other parameters as far as `arguments` has them.
  std::string completes;
  types::Source source = types::Source::kJson;
  Caller caller;
  std::shared_ptr<CancelToken> cancel = std::make_shared<CancelToken>();
  std::shared_ptr<ClientChannel> client;  // may be null
  bool check_output = true;
  // Another round of a call that asked its client something: counted when it began, see Limiter.
  bool goes_on = false;
  // What user code raised goes to the log with its traceback. Tests that expect an error say false.
  bool log_failure = true;
  // Let go when the work is over: after the answer, where a deadline gave that before. May be null.
  std::shared_ptr<void> work = nullptr;
};

// What a call is waiting for; told to a caller whose time is up meanwhile.
enum class Stage { kThread, kConnection, kCode };
struct StageMark {
  StageMark() = default;
  StageMark(const StageMark& other) : now(other.now.load(std::memory_order_relaxed)) {}
  StageMark& operator=(const StageMark&) = delete;
  mutable std::atomic<Stage> now{Stage::kThread};
  void set(Stage stage) const { now.store(stage, std::memory_order_relaxed); }
};

// A Request after its endpoint was found and its arguments were coerced: what a Runner gets.
struct Call {
  std::shared_ptr<const project::Project> project;
  std::shared_ptr<const project::Endpoint> endpoint;
  types::Arguments arguments;
  Caller caller;
  std::shared_ptr<CancelToken> cancel;
  std::shared_ptr<ClientChannel> client;
  bool check_output = true;
  StageMark stage = {};  // set by runners
};

// What running an endpoint gave, before shaping and checking.
struct RawResult {
  // When set: compact JSON text in its final shape, already proven to fit the declared return.
  std::optional<std::string> proven_json;
  Value value;        // otherwise
  bool rows = false;  // value is a list of row objects from SQL
  // Of a list that was cut already, while it was read.
  engine::RowsRead read = {};
  Place place = {};  // of the function that gave the value, for what is wrong with it
};

// The limit that a call met: it refused or stopped the call, or, beside a result, cut it. For
// clients that read data; people and models get words.
struct LimitMet {
  std::string_view limit;  // the key: "max_rows", "rate" ...
  std::string value;       // "1000", "10 per second"
  std::uint64_t rows = 0;  // that were kept
  int retry_after = 0;     // seconds; 0: trying again will not help
};

// What a result of the endpoint may have.
inline engine::RowLimits row_limits(const project::Endpoint& endpoint) {
  engine::RowLimits out;
  if (endpoint.limits.max_rows) out.max_rows = endpoint.limits.max_rows->value;
  if (endpoint.limits.max_bytes) out.max_bytes = endpoint.limits.max_bytes->value;
  return out;
}

// What the caller gets. `json` is always valid JSON.
struct Outcome {
  std::optional<Error> error;
  std::string json;                 // compact
  std::optional<std::string> text;  // when the result is a string: the string itself
  std::string notice;  // for the caller, beside the result: "the result was cut ..."; mostly ""
  std::optional<LimitMet> limit;  // which `error` or `notice` are about
  // `json` is a list of MCP content blocks (images, resources ...) instead of data.
  bool is_content = false;
  bool is_blob = false;                               // of a resource: `json` is base64
  bool about_caller = false;                          // another caller may get another result
  std::shared_ptr<const project::Endpoint> endpoint;  // null when it was not found
  double seconds = 0;
};

using Done = std::function<void(Outcome)>;

// Hears of every call of a server when its outcome is known, before the caller does. From any
// thread, many at a time; must not wait.
class CallObserver {
 public:
  virtual ~CallObserver() = default;
  virtual void call_ended(const Outcome& outcome) = 0;
};

using RunnerDone = std::function<void(Result<RawResult>)>;

// Runs endpoints of one language. `run` returns at once; `done` is called exactly once, from any
// thread, also when the call is cancelled. The Call lives until then.
class Runner {
 public:
  virtual ~Runner() = default;
  virtual void run(std::shared_ptr<const Call> call, RunnerDone done) = 0;
};

// What user code may ask of the program while it runs; implemented by runtime/, used by python/.
class Services {
 public:
  virtual ~Services() = default;
  virtual std::shared_ptr<const project::Project> project() const = 0;
  // The open database; opens it when it is not yet. Blocks: never call it with the GIL held.
  // Errors: kDatabase, kUnavailable (during a reload).
  virtual Result<std::shared_ptr<engine::Database>> database() = 0;
  // SQL functions of user code, once per load: for the database that is open, and for those that
  // are opened from now on until a reload. Blocks, like database(). Errors: kConfig, kDatabase.
  virtual Status set_functions(engine::ScalarFunctions functions) = 0;
  // Queues a reload: drain, close the database, run `payload` (on a thread of the runtime; it
  // returns the error of user code, already logged with its traceback), reopen. Returns at once.
  // Errors: kUnavailable outside a server.
  virtual Status request_reload(std::function<Status()> payload, std::string description) = 0;
};

}  // namespace mxcp::invoke
