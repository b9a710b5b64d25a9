// The stdio transport: one JSON-RPC message per line (MCP basic/transports/stdio).
//
// seize() first, before anything may print: the real descriptors 0 and 1 are duplicated
// (close-on-exec), then 0 becomes /dev/null and 1 becomes stderr, so that neither a print in user
// code nor a subprocess nor a C library can break the stream or eat from it.
#pragma once

#include <functional>
#include <memory>

#include "base/error.h"
#include "mcp/server.h"

namespace mxcp::net {

struct StdioStreams {
  int in = -1;
  int out = -1;
};
StdioStreams seize_stdio();

class StdioTransport {
 public:
  StdioTransport(mcp::Server& server, StdioStreams streams, std::size_t max_message);
  ~StdioTransport();

  // Reads on a thread of its own; `on_end` is called once, at end of input or on a read error.
  void start(std::function<void()> on_end);
  // Stops reading, waits for the answers that are due up to the deadline, closes the session.
  void stop(Instant deadline);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mxcp::net
