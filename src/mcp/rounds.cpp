#include "mcp/rounds.h"

#include "mcp/server.h"

namespace mxcp::mcp {

std::string OpenRounds::begin() {
  std::string id = random_id();
  if (id.empty()) return id;
  const std::lock_guard lock(mutex_);
  open_.insert(id);
  order_.push_back(id);
  if (order_.size() > kKept) {
    open_.erase(order_.front());
    order_.pop_front();
  }
  return id;
}

bool OpenRounds::take(const std::string& id) {
  const std::lock_guard lock(mutex_);
  return open_.erase(id) == 1;
}

}  // namespace mxcp::mcp
