// A URI template and a URI, each on its line.
#include "base/text.h"
#include "mcp/uri_template.h"
#include "verdict.h"

using namespace mxcp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return 0;
  const mcp::UriTemplate pattern(text.substr(0, end));
  const auto values = pattern.match(text.substr(end + 1));
  if (!values) return 0;
  for (const auto& [name, value] : *values) {
    if (value.empty()) fuzz::report({true, "'" + name + "' stands for nothing"});
    if (!is_valid_utf8(value)) fuzz::report({true, "'" + name + "' is not UTF-8"});
  }
  return 0;
}
