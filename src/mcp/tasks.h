// Tasks (the extension io.modelcontextprotocol/tasks of 2026-07-28): calls of tools that go on
// after their request was answered. The client comes back for the result.
//
// A task is the ClientChannel of its call: what the code reports becomes its status message, and
// what it asks makes the task wait ("input_required") until tasks/update brings the answers; unlike
// a call that asks, it does not run again. Nothing of a task survives the process.
//
// Tasks belong to the caller who began them: to others, and after their time, they do not exist.
// How many there are is bounded (TaskLimits), and none is dropped before its time: when there is no
// place, a new one is refused.
//
// Threads: all methods, from any.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/byte_budget.h"
#include "invoke/call.h"
#include "mcp/message.h"
#include "mcp/questions.h"
#include "mcp/server.h"
#include "project/endpoint.h"

namespace mxcp::mcp {

constexpr std::string_view kTasksExtension = "io.modelcontextprotocol/tasks";

class TaskStore;

class Task final : public invoke::ClientChannel, public std::enable_shared_from_this<Task> {
 public:
  enum class Status { kWorking, kInputRequired, kCompleted, kFailed, kCancelled };
  struct Beginning {
    std::string id;
    std::string owner;
    std::shared_ptr<const Object> capabilities;  // of the client; may be null
    Object answers;                              // that it gave before the task began
    std::chrono::milliseconds ttl;
    std::chrono::milliseconds poll_interval;
    std::shared_ptr<void> place;
  };
  Task(TaskStore& store, Beginning beginning);
  ~Task() override;

  const std::string& id() const { return id_; }
  const std::string& owner() const { return owner_; }
  const std::shared_ptr<CancelToken>& cancel_token() const { return cancel_; }
  Instant expires() const { return expires_; }
  bool is_over() const;
  // To be held until the work is over, which may be after the task: see TaskLimits::max_running.
  std::shared_ptr<void> take_place() { return std::move(place_); }
  // The store is about to go: nothing is told any more.
  void abandon();

  // The members of a Task as JSON text, without braces; `details` also has the result, the error or
  // the questions.
  std::string summary() const;
  std::string details() const;

  // --- how it ends; only the first of these counts ---
  void complete(std::string result);  // JSON text
  void fail(RpcError error);
  // The work is told to stop.
  void cancel(std::string why, Code reason = Code::kCancelled);

  // Answers by key; what is not asked (any more) is ignored. The error names an answer that cannot
  // be used: that question stays open, the others' answers count.
  std::optional<RpcError> update(const Object& answers);
  // Whoever waits for an answer gets this error, now and later.
  void end_questions(const Error& error);

  // --- invoke::ClientChannel ---
  void log(const std::string& level, const std::string& logger, const Value& data) override;
  void progress(double progress, std::optional<double> total, const std::string& message) override;
  bool wants_progress() const override { return true; }
  Object capabilities() const override;
  void ask(std::vector<Question> questions, std::function<void(Result<Object>)> done) override;
  bool is_asking() const override;

 private:
  // Questions whose answers are waited for together.
  struct Asked {
    std::size_t missing = 0;
    Object answers;
    std::function<void(Result<Object>)> done;
  };
  // One that the client can see.
  struct Open {
    std::string key;   // never used twice in a task
    std::string name;  // what the code calls it
    std::string json;  // the request
    std::shared_ptr<Asked> asked;
  };
  using AskedList = std::vector<std::shared_ptr<Asked>>;

  void append_summary(std::string& out) const;  // with the lock held
  // With the lock held: the state, and that it is new.
  void enter(Status status, std::string_view message);
  AskedList take_open();  // with the lock held
  static void refuse(const AskedList& asked, const Error& error);
  // The end; false when it was over already. With a reason the work is told to stop. Outside of the
  // lock.
  bool end(Status status, std::string message, std::string payload,
           std::optional<Code> reason = {});

  TaskStore& store_;  // until the task is over
  std::shared_ptr<void> place_;
  const std::shared_ptr<ByteBudget> all_bytes_;  // that the tasks of the store keep
  const Clock& clock_;
  const std::string id_, owner_;
  const std::shared_ptr<const Object> capabilities_;
  const std::shared_ptr<CancelToken> cancel_ = std::make_shared<CancelToken>();
  const std::chrono::milliseconds ttl_, poll_interval_;
  const std::int64_t created_;  // unix microseconds
  const Instant expires_;

  mutable std::mutex mutex_;
  Status status_ = Status::kWorking;
  std::string status_message_;
  std::int64_t updated_;
  std::string payload_;  // the result or the error
  Object known_;         // answers from before the task
  std::vector<Open> open_;
  QuestionKeys keys_;
  std::size_t bytes_ = 0;  // of them, this task's
  std::optional<Error> no_answers_;
  std::optional<Instant> told_progress_;
};

class TaskStore {
 public:
  using OnChange = std::function<void(const Task&)>;
  // `options` must outlive the store. `on_change` is called without a lock of a task or the store.
  TaskStore(const ServerOptions& options, OnChange on_change);
  ~TaskStore();

  // A task for a call of that tool. The error when there is no place.
  std::variant<std::shared_ptr<Task>, RpcError> create(const project::TaskSettings& settings,
                                                       const Caller& caller,
                                                       std::shared_ptr<const Object> capabilities,
                                                       Object answers);
  // Null when it is not there, not this caller's, or its time is over.
  std::shared_ptr<Task> find(const std::string& id, const Caller& caller);
  // One that nobody was told of.
  void discard(const Task& task);

  // Forgets the tasks whose time is over; what still runs is cancelled.
  void sweep();
  // See Server::end_questions.
  void end_questions();

  // Waits until none runs any more. False at the deadline.
  bool wait_idle(Instant deadline);

  std::size_t size() const;
  std::size_t bytes() const { return bytes_->used(); }

 private:
  friend class Task;
  void task_ended();
  void forget_owner(const Task& task);  // with the lock held
  void changed(const Task& task) const { on_change_(task); }
  const Clock& clock() const { return *options_.clock; }

  const ServerOptions& options_;
  const OnChange on_change_;
  const std::shared_ptr<ByteBudget> bytes_;
  mutable std::mutex mutex_;
  std::condition_variable idle_;
  std::size_t unfinished_ = 0;
  // Places among those that run; may outlive the store, like the work that has them.
  const std::shared_ptr<std::atomic<std::size_t>> running_ =
      std::make_shared<std::atomic<std::size_t>>(0);
  std::optional<Error> no_answers_;
  std::unordered_map<std::string, std::shared_ptr<Task>> tasks_;  // by id
  std::unordered_map<std::string, std::size_t> per_owner_;        // how many of them are kept
  Instant next_expiry_ = Instant::max();
};

}  // namespace mxcp::mcp
