#include "mcp/tasks.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "mcp/questions.h"

namespace mxcp::mcp {
namespace {

constexpr std::string_view kNames[] = {"working", "input_required", "completed", "failed",
                                       "cancelled"};
// How often subscribers hear of progress.
constexpr std::chrono::seconds kProgressEvery{1};
// A status message is for people.
constexpr std::size_t kMaxMessage = 500;

void append_time(std::string& out, std::int64_t unix_micros) {
  append_json_string(out, to_iso(Timestamp{.micros = unix_micros / 1000 * 1000}) + 'Z');
}

// "7 of 12", "42.5".
std::string progress_text(double progress, std::optional<double> total) {
  const auto text = [](double number) {
    std::string out;
    append_json_double(out, std::round(number * 100) / 100);
    if (out.ends_with(".0")) out.resize(out.size() - 2);
    return out;
  };
  std::string out = text(progress);
  if (total && std::isfinite(*total)) out += " of " + text(*total);
  return out;
}

// Why the answer is none; `question` is the JSON of the request.
std::optional<std::string> why_not(const std::string& question, const Value& answer) {
  const auto parsed = parse_json(question);
  const Value* const method = parsed.ok() ? parsed->find("method") : nullptr;
  const Value* const params = parsed.ok() ? parsed->find("params") : nullptr;
  if (method == nullptr || params == nullptr || !params->is_object()) return "it was not asked";
  return why_no_answer(*method->as_string(), *params->as_object(), answer);
}

}  // namespace

// --- Task ---------------------------------------------------------------------------------------

Task::Task(TaskStore& store, Beginning beginning)
    : store_(store),
      place_(std::move(beginning.place)),
      all_bytes_(store.bytes_),
      clock_(store.clock()),
      id_(std::move(beginning.id)),
      owner_(std::move(beginning.owner)),
      capabilities_(std::move(beginning.capabilities)),
      ttl_(beginning.ttl),
      poll_interval_(beginning.poll_interval),
      created_(store.clock().unix_micros()),
      expires_(store.clock().now() + beginning.ttl),
      updated_(created_),
      known_(std::move(beginning.answers)) {}

Task::~Task() {
  all_bytes_->give(bytes_);
}

void Task::abandon() {
  const std::lock_guard lock(mutex_);
  if (status_ < Status::kCompleted) status_ = Status::kCancelled;
}

bool Task::is_over() const {
  const std::lock_guard lock(mutex_);
  return status_ >= Status::kCompleted;
}

void Task::append_summary(std::string& out) const {
  out += R"("taskId":)";
  append_json_string(out, id_);
  out += R"(,"status":")";
  out += kNames[static_cast<std::size_t>(status_)];
  out += '"';
  if (!status_message_.empty()) {
    out += R"(,"statusMessage":)";
    append_json_string(out, status_message_);
  }
  out += R"(,"createdAt":)";
  append_time(out, created_);
  out += R"(,"lastUpdatedAt":)";
  append_time(out, updated_);
  out += R"(,"ttlMs":)";
  append_json_int(out, ttl_.count());
  out += R"(,"pollIntervalMs":)";
  append_json_int(out, poll_interval_.count());
}

std::string Task::summary() const {
  std::string out;
  const std::lock_guard lock(mutex_);
  append_summary(out);
  return out;
}

std::string Task::details() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  out.reserve(payload_.size() + 512);
  append_summary(out);
  switch (status_) {
    case Status::kWorking:
    case Status::kCancelled: break;
    case Status::kInputRequired: {
      out += R"(,"inputRequests":{)";
      for (const Open& question : open_) {
        if (&question != &open_.front()) out += ',';
        append_json_string(out, question.key);
        out += ':';
        out += question.json;
      }
      out += '}';
      break;
    }
    case Status::kCompleted:
      out += R"(,"result":)";
      out += payload_;
      break;
    case Status::kFailed:
      out += R"(,"error":)";
      out += payload_;
      break;
  }
  return out;
}

void Task::enter(Status status, std::string_view message) {
  status_ = status;
  status_message_ = shorten(message, kMaxMessage);
  updated_ = clock_.unix_micros();
}

// --- the end ---

Task::AskedList Task::take_open() {
  AskedList out;
  for (const Open& question : open_) {
    if (std::find(out.begin(), out.end(), question.asked) == out.end()) {
      out.push_back(question.asked);
    }
  }
  open_.clear();
  return out;
}

void Task::refuse(const AskedList& asked, const Error& error) {
  for (const auto& one : asked) one->done(error);
}

bool Task::end(Status status, std::string message, std::string payload,
               std::optional<Code> reason) {
  AskedList given_up;
  {
    const std::lock_guard lock(mutex_);
    if (status_ >= Status::kCompleted) return false;
    given_up = take_open();
    known_ = {};
    all_bytes_->give(std::exchange(bytes_, 0));
    if (all_bytes_->take(payload.size())) {
      bytes_ = payload.size();
      payload_ = std::move(payload);
    } else {
      status = Status::kFailed;
      message = "the result (" + std::to_string(payload.size()) +
                " bytes) finds no place beside those of other tasks";
      payload_ = to_json(Object{{"code", kInternalError}, {"message", message}});
    }
    enter(status, message);
  }
  store_.task_ended();
  store_.changed(*this);
  // Before those who wait for answers go on.
  if (reason) cancel_->cancel(*reason);
  refuse(given_up, {Code::kCancelled, "the task is over"});
  return true;
}

void Task::complete(std::string result) {
  end(Status::kCompleted, "", std::move(result));
}

void Task::fail(RpcError error) {
  Object payload{{"code", error.code}, {"message", error.message}};
  if (error.data) payload.add("data", *std::move(error.data));
  end(Status::kFailed, std::move(error.message), to_json(payload));
}

void Task::cancel(std::string why, Code reason) {
  end(Status::kCancelled, std::move(why), "", reason);
}

// --- what the code says and asks ---

// A task has no stream for messages: they go where those of a call without a client go.
void Task::log(const std::string& level, const std::string& logger, const Value& data) {
  const log::Level known = log::level_of(level);
  if (log::enabled(known)) log::write(known, logger, to_plain_text(data));
}

void Task::progress(double progress, std::optional<double> total, const std::string& message) {
  if (!std::isfinite(progress)) return;
  const Instant now = clock_.now();
  bool tell = false;
  {
    const std::lock_guard lock(mutex_);
    if (status_ != Status::kWorking) return;
    enter(Status::kWorking, message.empty() ? progress_text(progress, total) : message);
    tell = !told_progress_ || now - *told_progress_ >= kProgressEvery;
    if (tell) told_progress_ = now;
  }
  if (tell) store_.changed(*this);
}

Object Task::capabilities() const {
  return capabilities_ != nullptr ? *capabilities_ : Object();
}

void Task::ask(std::vector<Question> questions, std::function<void(Result<Object>)> done) {
  if (Object missing = missing_capabilities(questions, capabilities_.get()); !missing.empty()) {
    fail(missing_capability(std::move(missing)));
    cancel_->cancel();
    return done(Error{Code::kCancelled, "the client cannot be asked"});
  }
  const auto asked = std::make_shared<Asked>();
  asked->done = std::move(done);
  std::optional<Error> refused;
  bool wait = false;
  {
    const std::lock_guard lock(mutex_);
    if (status_ >= Status::kCompleted) {
      refused = Error{Code::kCancelled, "the task is over"};
    } else if (no_answers_) {
      refused = no_answers_;
    }
    std::vector<Open> opened;
    std::size_t bytes = 0;
    for (const Question& question : questions) {
      if (refused) break;
      // What the client said before the task began, once.
      if (const Value* const known = known_.find(question.key);
          known != nullptr && is_answer(question, *known)) {
        asked->answers.set(question.key, *known);
        known_.erase(question.key);
        continue;
      }
      std::string json = to_json(stateless_request(question));
      bytes += json.size();
      opened.push_back({keys_.next(question.key), question.key, std::move(json), asked});
    }
    if (!refused && !all_bytes_->take(bytes)) {
      refused = Error{Code::kOverloaded,
                      "the questions find no place beside what other tasks keep",
                      {},
                      "try again later"};
    }
    if (!refused) {
      bytes_ += bytes;
      asked->missing = opened.size();
      wait = !opened.empty();
      if (wait) {
        for (Open& question : opened) open_.push_back(std::move(question));
        enter(Status::kInputRequired, "");
      }
    }
  }
  if (refused) return asked->done(*std::move(refused));
  if (!wait) return asked->done(std::move(asked->answers));
  store_.changed(*this);
}

bool Task::is_asking() const {
  const std::lock_guard lock(mutex_);
  return !open_.empty();
}

std::optional<RpcError> Task::update(const Object& answers) {
  AskedList answered;
  std::optional<RpcError> wrong;
  {
    const std::lock_guard lock(mutex_);
    if (status_ != Status::kInputRequired) return {};
    bool any = false;
    std::erase_if(open_, [&](const Open& question) {
      const Value* const answer = answers.find(question.key);
      if (answer == nullptr) return false;
      if (const auto reason = why_not(question.json, *answer)) {
        wrong = RpcError{kInvalidParams, "'inputResponses." + shorten(question.key, 100) +
                                             "' cannot be used: " + *reason};
        return false;
      }
      any = true;
      question.asked->answers.set(question.name, *answer);
      if (--question.asked->missing == 0) answered.push_back(question.asked);
      all_bytes_->give(question.json.size());
      bytes_ -= question.json.size();
      return true;
    });
    if (!any) return wrong;
    enter(open_.empty() ? Status::kWorking : Status::kInputRequired, "");
  }
  store_.changed(*this);
  for (const auto& one : answered) one->done(std::move(one->answers));
  return wrong;
}

void Task::end_questions(const Error& error) {
  AskedList given_up;
  {
    const std::lock_guard lock(mutex_);
    no_answers_ = error;
    given_up = take_open();
    if (given_up.empty()) return;
    enter(Status::kWorking, "");
  }
  store_.changed(*this);
  refuse(given_up, error);
}

// --- TaskStore ----------------------------------------------------------------------------------

TaskStore::TaskStore(const ServerOptions& options, OnChange on_change)
    : options_(options),
      on_change_(std::move(on_change)),
      bytes_(std::make_shared<ByteBudget>(options.tasks.max_bytes)) {}

TaskStore::~TaskStore() {
  for (const auto& [id, task] : tasks_) task->abandon();
}

std::variant<std::shared_ptr<Task>, RpcError> TaskStore::create(
    const project::TaskSettings& settings, const Caller& caller,
    std::shared_ptr<const Object> capabilities, Object answers) {
  sweep();
  const TaskLimits& limits = options_.tasks;
  Task::Beginning beginning{
      .id = options_.new_task_id(),
      .owner = user_key(caller),
      .capabilities = std::move(capabilities),
      .answers = std::move(answers),
      .ttl = settings.ttl.value_or(limits.ttl),
      .poll_interval = settings.poll_interval.value_or(limits.poll_interval),
      .place = nullptr,
  };
  if (beginning.id.empty()) {
    return RpcError{kInternalError, "the operating system gives no random numbers"};
  }
  const auto full = [](std::size_t limit, std::string_view what) {
    return RpcError{kInternalError, "too many tasks " + std::string(what) + " (the limit is " +
                                        std::to_string(limit) + "); try again later"};
  };
  if (running_->fetch_add(1) >= limits.max_running) {
    running_->fetch_sub(1);
    return full(limits.max_running, "are running");
  }
  beginning.place = {nullptr, [running = running_](void*) { running->fetch_sub(1); }};
  // Made and, where it is refused, destroyed without the lock.
  auto task = std::make_shared<Task>(*this, std::move(beginning));
  std::optional<Error> no_answers;
  {
    const std::lock_guard lock(mutex_);
    if (tasks_.size() >= limits.max_kept) return full(limits.max_kept, "are kept");
    // Those without a name cannot be told apart.
    std::size_t& own = per_owner_[task->owner()];
    if (!task->owner().empty() && own >= limits.max_per_user) {
      return full(limits.max_per_user, "of this user are kept");
    }
    ++own;
    next_expiry_ = std::min(next_expiry_, task->expires());
    tasks_.emplace(task->id(), task);
    ++unfinished_;
    no_answers = no_answers_;
  }
  if (no_answers) task->end_questions(*no_answers);
  return task;
}

std::shared_ptr<Task> TaskStore::find(const std::string& id, const Caller& caller) {
  const std::string owner = user_key(caller);
  const Instant now = clock().now();
  sweep();
  const std::lock_guard lock(mutex_);
  const auto it = tasks_.find(id);
  if (it == tasks_.end() || it->second->owner() != owner || it->second->expires() <= now) return {};
  return it->second;
}

void TaskStore::discard(const Task& task) {
  std::shared_ptr<Task> last;  // destroyed after the lock is released
  {
    const std::lock_guard lock(mutex_);
    const auto it = tasks_.find(task.id());
    if (it == tasks_.end()) return;
    last = std::move(it->second);
    tasks_.erase(it);
    forget_owner(*last);
  }
  last->cancel("nobody was told of it");
}

void TaskStore::forget_owner(const Task& task) {
  const auto it = per_owner_.find(task.owner());
  if (it != per_owner_.end() && --it->second == 0) per_owner_.erase(it);
}

void TaskStore::sweep() {
  std::vector<std::shared_ptr<Task>> over;
  {
    const Instant now = clock().now();
    const std::lock_guard lock(mutex_);
    if (next_expiry_ > now) return;
    next_expiry_ = Instant::max();
    std::erase_if(tasks_, [&](auto& entry) {
      if (entry.second->expires() > now) {
        next_expiry_ = std::min(next_expiry_, entry.second->expires());
        return false;
      }
      forget_owner(*entry.second);
      over.push_back(std::move(entry.second));
      return true;
    });
  }
  for (const auto& task : over) task->cancel("its time is over", Code::kTimeout);
}

void TaskStore::end_questions() {
  const Error error{Code::kUnavailable, "the server is shutting down: nobody can answer"};
  std::vector<std::shared_ptr<Task>> tasks;
  {
    const std::lock_guard lock(mutex_);
    no_answers_ = error;
    for (const auto& [id, task] : tasks_) tasks.push_back(task);
  }
  for (const auto& task : tasks) task->end_questions(error);
}

std::size_t TaskStore::size() const {
  const std::lock_guard lock(mutex_);
  return tasks_.size();
}

void TaskStore::task_ended() {
  const std::lock_guard lock(mutex_);
  if (--unfinished_ == 0) idle_.notify_all();
}

bool TaskStore::wait_idle(Instant deadline) {
  std::unique_lock lock(mutex_);
  return idle_.wait_until(lock, deadline, [this] { return unfinished_ == 0; });
}

}  // namespace mxcp::mcp
