// ByteBudget: how many bytes may be kept in one place, and in that place with others.
//
// Threads: any. Who has taken bytes may outlive whoever made the budget.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace mxcp {

class ByteBudget {
 public:
  // What is taken counts for `all`, too, which may be null.
  explicit ByteBudget(std::size_t limit, std::shared_ptr<ByteBudget> all = nullptr)
      : limit_(limit), all_(std::move(all)) {}
  bool take(std::size_t bytes);  // false when there is no place for them: nothing was taken
  void give(std::size_t bytes);
  std::size_t used() const { return used_.load(std::memory_order_relaxed); }
  std::size_t limit() const { return limit_; }

 private:
  const std::size_t limit_;
  const std::shared_ptr<ByteBudget> all_;
  std::atomic<std::size_t> used_{0};
};

}  // namespace mxcp
