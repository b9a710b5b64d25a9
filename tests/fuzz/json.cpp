// Any bytes as a JSON message.
#include "text_properties.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return mxcp::fuzz::report(mxcp::fuzz::json(mxcp::fuzz::text_of(data, size)));
}
