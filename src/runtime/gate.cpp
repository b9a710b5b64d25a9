#include "runtime/gate.h"

#include <algorithm>
#include <system_error>
#include <utility>
#include <vector>

namespace mxcp::runtime {

Gate::Gate(Options options) : options_(options) {}

Gate::~Gate() {
  shut();
  if (expiry_.joinable()) expiry_.join();
}

Gate::Pass Gate::admit(Call call, Refuse refuse) {
  const std::lock_guard lock(running_->mutex);
  const auto entry =
      running_->calls.insert(running_->calls.end(), {std::move(call), std::move(refuse)});
  return Pass(nullptr, [running = running_, entry](void*) {
    Refuse last;  // destroyed after the lock is released
    const std::lock_guard lock(running->mutex);
    last = std::move(entry->refuse);
    running->calls.erase(entry);
    if (running->calls.empty()) running->idle.notify_all();
  });
}

void Gate::enter(Call call, Run run, Refuse refuse) {
  Pass pass;
  std::optional<Error> refusal;
  {
    const std::lock_guard lock(mutex_);
    if (state_ == State::kOpen) {
      pass = admit(std::move(call), std::move(refuse));
    } else if (state_ == State::kShut) {
      refusal = Error{Code::kUnavailable, "the server is shutting down"};
    } else if (waiting_.size() >= options_.max_waiting || !start_expiry()) {
      refusal = Error{Code::kOverloaded,
                      "the server is reloading and too many calls are waiting",
                      {},
                      "try again in a moment"};
    } else {
      const Instant until = Clock::system().now() + options_.max_wait;
      waiting_.push_back({std::move(call), std::move(run), std::move(refuse), until});
      changed_.notify_all();
      return;
    }
  }
  if (refusal) return refuse(*std::move(refusal));
  run(std::move(pass));
}

void Gate::close() {
  const std::lock_guard lock(mutex_);
  if (state_ == State::kOpen) state_ = State::kClosed;
}

void Gate::open() {
  std::vector<std::pair<Run, Pass>> admitted;
  {
    const std::lock_guard lock(mutex_);
    if (state_ != State::kClosed) return;
    state_ = State::kOpen;
    for (Waiting& call : std::exchange(waiting_, {})) {
      admitted.emplace_back(std::move(call.run),
                            admit(std::move(call.call), std::move(call.refuse)));
    }
  }
  for (auto& [run, pass] : admitted) run(std::move(pass));
}

void Gate::shut() {
  std::deque<Waiting> refused;
  {
    const std::lock_guard lock(mutex_);
    state_ = State::kShut;
    refused.swap(waiting_);
    changed_.notify_all();
  }
  for (Waiting& call : refused) call.refuse({Code::kUnavailable, "the server is shutting down"});
}

bool Gate::wait_idle(Instant deadline) {
  std::unique_lock lock(running_->mutex);
  return running_->idle.wait_until(lock, deadline, [this] { return running_->calls.empty(); });
}

bool Gate::all_ask() const {
  std::vector<std::shared_ptr<const invoke::ClientChannel>> clients;
  {
    const std::lock_guard lock(running_->mutex);
    for (const auto& entry : running_->calls) clients.push_back(entry.call.client.lock());
  }
  return std::all_of(clients.begin(), clients.end(),
                     [](const auto& client) { return client != nullptr && client->is_asking(); });
}

void Gate::cancel_running(Code reason) {
  std::vector<std::shared_ptr<CancelToken>> tokens;
  {
    const std::lock_guard lock(running_->mutex);
    for (const auto& entry : running_->calls) tokens.push_back(entry.call.cancel);
  }
  for (const auto& token : tokens) {
    if (token) token->cancel(reason);
  }
}

void Gate::refuse_running(const Error& reason) {
  std::vector<Refuse> refused;
  {
    const std::lock_guard lock(running_->mutex);
    for (auto& entry : running_->calls) {
      if (entry.refuse) refused.push_back(std::exchange(entry.refuse, nullptr));
    }
  }
  for (const Refuse& refuse : refused) refuse(reason);
}

std::size_t Gate::running() const {
  const std::lock_guard lock(running_->mutex);
  return running_->calls.size();
}

bool Gate::start_expiry() {
  if (expiry_.joinable()) return true;
  try {
    expiry_ = std::thread([this] { expire(); });
  } catch (const std::system_error&) {
    return false;
  }
  return true;
}

// The gate's own thread: refuses calls whose wait took too long. They queue in order of arrival, so
// the first one is always the next to expire.
void Gate::expire() {
  std::unique_lock lock(mutex_);
  while (state_ != State::kShut) {
    if (waiting_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const Instant until = waiting_.front().until;
    if (Clock::system().now() < until) {
      changed_.wait_until(lock, until);
      continue;
    }
    const Refuse refuse = std::move(waiting_.front().refuse);
    waiting_.pop_front();
    lock.unlock();
    refuse({Code::kUnavailable, "the server is still reloading", {}, "try again in a moment"});
    lock.lock();
  }
}

}  // namespace mxcp::runtime
