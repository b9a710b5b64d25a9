// MCP over HTTP without sockets: what a request means, and what is answered.
//
// A transport (net/http_server) reads complete requests and gives each one to an HttpHandler with
// an HttpReply to answer through. There are two: HttpEndpoint is Streamable HTTP; SseEndpoint
// (http_sse.h) is the transport of 2024-11-05, with a stream and an endpoint to post to.
//
// Both eras are served by the same HttpEndpoint, and every message decides for itself:
//   - A request of 2026-07-28 stands alone. Its headers must repeat what its body says
//     (http_headers.h), closing the connection cancels it, and nothing is kept afterwards.
//   - The handshake revisions have sessions (http_sessions.h): `initialize` mints an id that later
//     requests carry. Closing a connection cancels nothing there: what the request still has to say
//     is kept for a while, and GET with Last-Event-ID picks it up. With `stateless` there are no
//     sessions either: such requests are served one by one, too, and closing cancels.
//
// An answer is plain JSON unless something has to be said before it; then it becomes an SSE stream.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/user_context.h"
#include "mcp/server.h"

namespace mxcp::mcp {

// One complete request. Its headers stand in the caller, with names in lower case.
struct HttpRequest {
  std::string method;  // "POST"
  std::string path;    // "/mcp", without a slash at its end
  std::string query;   // what follows the '?'
  std::string body;
  Caller caller;

  // "" when absent; without blanks around it. Of several, the first.
  std::string_view header(std::string_view lower_case_name) const;
  std::string_view last_header(std::string_view lower_case_name) const;
  // Of a header that is a list: all of them as one (RFC 9110, 5.3).
  std::string list_header(std::string_view lower_case_name) const;
};

// Where the answer to one request goes: respond() once, or begin_stream(), any number of
// send_events() and end_stream(). From any thread, but one call at a time. None of them waits.
// Events are complete and in their final form.
class HttpReply {
 public:
  virtual ~HttpReply() = default;
  // `headers`: further lines, each ended by \r\n. An empty content type: there is no body.
  virtual void respond(int status, std::string_view content_type, std::string body,
                       std::string_view headers) = 0;
  // An SSE stream with status 200, and its first events.
  virtual void begin_stream(std::string_view headers, std::string events) = 0;
  // False when the client is gone, or so far behind that the stream was given up.
  virtual bool send_events(std::string events) = 0;
  virtual void end_stream(std::string last_events) = 0;
};

// A request that was taken.
class HttpCall {
 public:
  virtual ~HttpCall() = default;
  // The connection is gone; the reply is not used any more.
  virtual void disconnected() = 0;
  // The client ended its side of the connection, which looks like leaving until something is sent.
  // Whether it is to be answered all the same; if not, the connection counts as gone.
  virtual bool outlives_input() const { return false; }
};

// What a transport serves.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  // Where clients begin.
  virtual const std::string& path() const = 0;
  // Whether requests for this path are for handle(). From any thread.
  virtual bool serves(std::string_view path) const = 0;
  // Returns at once. Null when the request needs no word of a disconnect.
  virtual std::shared_ptr<HttpCall> handle(HttpRequest request,
                                           std::shared_ptr<HttpReply> reply) = 0;
  // Ends sessions that were idle too long. To be called every few seconds.
  virtual void sweep() = 0;
  // The server is about to stop: ends what would never end by itself (subscriptions, streams that a
  // client only listens to), as soon as nothing is due on it. To be called until all has ended.
  virtual void end_streams() = 0;
  virtual std::size_t session_count() const = 0;
};

struct HttpEndpointOptions {
  std::string path = "/mcp";
  bool stateless = false;
  std::size_t max_sessions = 10'000;
  // A session that nothing happened in for so long ends.
  std::chrono::milliseconds session_idle{30 * 60'000};
};

class HttpEndpoint final : public HttpHandler {
 public:
  // The server must outlive the endpoint.
  HttpEndpoint(HttpEndpointOptions options, Server& server);
  ~HttpEndpoint() override;

  const std::string& path() const override;
  bool serves(std::string_view path) const override { return path == this->path(); }
  std::shared_ptr<HttpCall> handle(HttpRequest request, std::shared_ptr<HttpReply> reply) override;
  void sweep() override;
  void end_streams() override;
  std::size_t session_count() const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mxcp::mcp
