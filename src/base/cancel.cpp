#include "base/cancel.h"

#include <utility>

namespace mxcp {

bool CancelToken::cancel(Code reason) {
  const std::lock_guard lock(mutex_);
  if (cancelled_.load(std::memory_order_relaxed)) return false;
  reason_.store(reason, std::memory_order_release);
  cancelled_.store(true, std::memory_order_release);
  for (const auto& [owner, callback] : callbacks_) callback();
  return true;
}

Error CancelToken::error() const {
  if (reason() == Code::kTimeout)
    return {Code::kTimeout, "the call took longer than its time limit"};
  if (reason() == Code::kUnavailable) {
    return {Code::kUnavailable, "the server is reloading or shutting down; try again"};
  }
  return {Code::kCancelled, "the call was cancelled"};
}

CancelToken::Registration::Registration(CancelToken* token, std::function<void()> callback)
    : token_(token) {
  if (token_ == nullptr) return;
  const std::lock_guard lock(token_->mutex_);
  // Cancelled before the work began: the work still sees it, by the flag or by this callback.
  if (token_->cancelled()) callback();
  token_->callbacks_.emplace_back(this, std::move(callback));
}

CancelToken::Registration::~Registration() {
  if (token_ == nullptr) return;
  const std::lock_guard lock(token_->mutex_);
  std::erase_if(token_->callbacks_, [this](const auto& entry) { return entry.first == this; });
}

}  // namespace mxcp
