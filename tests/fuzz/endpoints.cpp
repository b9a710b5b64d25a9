// Any bytes as the file of a tool, resource or prompt, called without arguments.
#include "endpoint_properties.h"

using namespace mxcp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string name = "t.yml";
  const auto file = project::parse_endpoint(fuzz::text_of(data, size), name);
  fuzz::report(fuzz::endpoint(file, name));
  if (file.endpoint) {
    fuzz::report(fuzz::arguments(file.endpoint->parameters, {}, types::Source::kJson));
  }
  return 0;
}
