// One connection of the HTTP server: requests in, answers out.
//
// All methods belong to the thread of its io_context, except those of HttpReply, which may be
// called from any. `mutex_` guards what both sides touch: whether a request runs, and the writer.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "mcp/http.h"
#include "net/http_service.h"
#include "net/socket_writer.h"
#include "net/tls.h"

namespace boost::asio {
class io_context;
}

namespace mxcp::net {

class HttpConnection final : public mcp::HttpReply,
                             public std::enable_shared_from_this<HttpConnection> {
 public:
  // Owns the socket, which must be non-blocking. `on_closed` is called once.
  HttpConnection(boost::asio::io_context& io, int socket, HttpService& service,
                 std::function<void(HttpConnection&)> on_closed);
  ~HttpConnection() override;

  void start();
  // There is no place for this connection: says so and closes.
  void turn_away();
  // Closes once the running request is answered.
  void drain();
  void close();
  // Looks at the deadlines; to be called every so often.
  void sweep(Instant now);

  void respond(int status, std::string_view content_type, std::string body,
               std::string_view headers) override;
  void begin_stream(std::string_view headers, std::string events) override;
  bool send_events(std::string events) override;
  void end_stream(std::string last_events) override;

 private:
  struct Io;
  enum class Phase { kIdle, kHeader, kBody, kLingering };
  enum class Parsed { kMore, kRequest, kFailed };

  void wait_readable();
  void wait_writable();
  void on_readable();
  // Bytes off the socket. False when they are the last that can be made sense of.
  bool take(std::string_view bytes);
  // The client sends no more.
  void end_of_input();
  // Goes on with whatever is due: pending output, the next request, closing.
  void process();
  Parsed parse();
  // Answers a request that could not be read, and closes.
  void fail(int status, std::string_view message);
  void dispatch();
  // Whom a disconnect concerns, of the request with that number. From any thread.
  void take_call(std::uint64_t request, std::shared_ptr<mcp::HttpCall> call);
  void respond(HttpAnswer answer);
  // Our side is done: waits for the client to close, so that it can read what was written.
  void linger();
  // The client is gone.
  void lost();

  // With the lock held.
  void put(std::string head, std::string body = {});
  void finish(std::shared_ptr<mcp::HttpCall>& done);
  void set_streaming(bool on);
  void wake();
  std::string framed(std::string_view events) const;

  HttpService& service_;
  const std::function<void(HttpConnection&)> on_closed_;
  std::unique_ptr<Io> io_;
  std::string in_;
  std::size_t in_used_ = 0;
  Phase phase_ = Phase::kIdle;
  Instant phase_began_;
  bool reading_ = false;  // waits for input
  bool writing_ = false;  // waits for room to write
  // Of the request that is read. Not what stands behind its body: no proxy looked at that.
  std::vector<std::pair<std::string, std::string>> headers_;

  std::mutex mutex_;
  SocketWriter writer_;
  const std::unique_ptr<TlsChannel> tls_;  // null for plain HTTP
  std::shared_ptr<mcp::HttpCall> call_;
  std::uint64_t request_ = 0;   // the number of the one that runs, or ran last
  std::uint64_t given_up_ = 0;  // a request that cannot be answered any more
  std::string cors_;            // headers for the origin of the running request
  bool busy_ = false;           // a request runs
  bool streaming_ = false;      // its answer is a stream that has begun
  bool chunked_ = false;
  bool http_1_1_ = true;
  bool head_only_ = false;    // the request is a HEAD: its answer has no body
  bool close_after_ = false;  // the running request is the last
  bool wake_ = false;         // input waits for the end of the request
  bool ended_ = false;        // the client sends no more
  bool closed_ = false;
  Instant answered_;        // when the last answer, or piece of a stream, was written
  Instant write_progress_;  // when the client last took something
  int unsent_ = -1;
};

}  // namespace mxcp::net
