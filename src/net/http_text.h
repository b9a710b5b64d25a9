// The text of HTTP/1.1 responses.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mxcp::net {

struct ResponseHead {
  int status = 200;
  std::string_view content_type;  // "" when there is no body
  std::optional<std::size_t>
      content_length;  // none: the body is chunked, or ends with the connection
  bool chunked = false;
  bool close = false;
  std::string_view headers;  // further lines, each with its \r\n
};
std::string response_head(const ResponseHead& head);

// One chunk of a chunked body; the empty text would end it and gives "".
std::string chunk(std::string_view text);
constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace mxcp::net
