// Any bytes as a condition.
#include "cel_properties.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return mxcp::fuzz::report(mxcp::fuzz::condition(mxcp::fuzz::text_of(data, size)));
}
