// The stdio transport: one JSON-RPC message per line (MCP basic/transports/stdio).
//
// seize_stdio() first, before anything may print: the real descriptors 0 and 1 are duplicated
// (close-on-exec), then 0 becomes /dev/null and 1 becomes stderr, so that neither a print in user
// code nor a subprocess nor a C library can break the stream or eat from it.
//
// One thread reads, and writes what could not be written at once. An answer is written by the
// thread that has it, without waiting: what the client does not take in time is queued, up to
// kMaxBacklog bytes; beyond that notifications are dropped and no more requests are read until the
// client has caught up. So a client that stops reading stalls itself and nobody else.
//
// A client that is gone (end of input, or nobody reads our output) ends the transport. SIGPIPE is
// ignored from then on in the whole process unless somebody handles it.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "base/error.h"
#include "mcp/server.h"

namespace mxcp::net {

// Owned by whoever gets them; the transport closes them.
struct StdioStreams {
  int in = -1;
  int out = -1;
};
StdioStreams seize_stdio();

constexpr std::size_t kMaxBacklog = 8 << 20;

class StdioTransport {
 public:
  StdioTransport(mcp::Server& server, StdioStreams streams, std::size_t max_message);
  ~StdioTransport();

  // Reads on a thread of its own; `on_end` is called once from there, at end of input or when the
  // client is gone. It must not call stop() itself.
  void start(std::function<void()> on_end);
  // Stops reading and waits for the answers that are due, up to the deadline. Later ones are still
  // written. May be called again.
  void drain(Instant deadline);
  // The same, then closes the session.
  void stop(Instant deadline);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mxcp::net
