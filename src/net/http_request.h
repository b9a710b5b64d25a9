// What a request line and its headers say, where the parser of requests leaves it to us: how the
// body ends, and what is asked for.
#pragma once

#include <cstddef>
#include <string_view>

namespace mxcp::net {

// What the headers of a request say about its body.
struct Framing {
  bool is_http_1_1 = true;
  // How many such headers there are, and the value of the first.
  std::size_t codings = 0, lengths = 0;
  std::string_view coding = {};  // Transfer-Encoding
  std::string_view length = {};  // Content-Length
};
// 0, or the status to refuse the request with because it is not certain where its body ends
// (RFC 9112, 6.1 to 6.3): any transfer coding but one "chunked", several lengths, or both. The
// connection has to close then: what follows the headers could be taken for a request. A server in
// front that reads them otherwise would let a request through that it has never seen.
int framing_status(const Framing& framing);

// The target of a request line: "/mcp?a=b", or, as it is for a proxy, "http://host:8000/mcp?a=b".
struct RequestTarget {
  std::string_view path;       // without a slash at its end, unless that is all
  std::string_view query;      // what follows the '?'
  std::string_view authority;  // "host:8000", which counts instead of Host (RFC 9112, 3.2.2)
  bool is_absolute = false;
};
RequestTarget read_target(std::string_view target);

}  // namespace mxcp::net
