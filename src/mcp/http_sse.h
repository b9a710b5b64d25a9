// The HTTP transport of 2024-11-05: GET on a path opens a stream of events, whose first one,
// `endpoint`, names where to POST messages to. A POST is answered with 202; what there is to say
// about it comes as a `message` event on the stream. The end of the stream is the end of the
// session, and cancels what runs in it.
//
// Above that it is a session on a stream like that of stdio, with all its revisions.
#pragma once

#include <memory>
#include <string>

#include "mcp/http.h"

namespace mxcp::mcp {

struct SseOptions {
  std::string path = "/sse";
  std::string messages_path = "/messages";  // clients are told of it with a slash at its end
  std::size_t max_sessions = 10'000;
};

class SseEndpoint final : public HttpHandler {
 public:
  // The server must outlive the endpoint, and the endpoint every call it has given out.
  SseEndpoint(SseOptions options, Server& server);
  ~SseEndpoint() override;

  const std::string& path() const override;
  bool serves(std::string_view path) const override;
  std::shared_ptr<HttpCall> handle(HttpRequest request, std::shared_ptr<HttpReply> reply) override;
  // An idle session is one whose client is there: its stream is open.
  void sweep() override {}
  void end_streams() override;
  std::size_t session_count() const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mxcp::mcp
