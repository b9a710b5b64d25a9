#include "base/byte_budget.h"

namespace mxcp {

bool ByteBudget::take(std::size_t bytes) {
  if (all_ != nullptr && !all_->take(bytes)) return false;
  std::size_t used = used_;
  do {
    if (bytes > 0 && used + bytes > limit_) {
      if (all_ != nullptr) all_->give(bytes);
      return false;
    }
  } while (!used_.compare_exchange_weak(used, used + bytes));
  return true;
}

void ByteBudget::give(std::size_t bytes) {
  used_ -= bytes;
  if (all_ != nullptr) all_->give(bytes);
}

}  // namespace mxcp
