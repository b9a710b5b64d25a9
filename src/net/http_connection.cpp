#include "net/http_connection.h"

#ifdef __linux__
#include <linux/sockios.h>
#endif
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cerrno>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "net/http_request.h"
#include "net/http_text.h"

namespace mxcp::net {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr std::size_t kReadSize = 64 << 10;
// Bytes of later requests that are read while one runs: enough to see that the client is gone.
constexpr std::size_t kMaxAhead = 64 << 10;
constexpr std::chrono::seconds kLingerLimit{2};
// The body of a request that is not read on the thread of its connection.
constexpr std::size_t kLarge = 64 << 10;
// Bodies up to this size share a TLS record with their head.
constexpr std::size_t kSmall = 12 << 10;

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

int status_of(const boost::system::error_code& error) {
  if (error == http::error::header_limit) return 431;
  if (error == http::error::body_limit) return 413;
  if (error == http::error::bad_version) return 505;
  return 400;
}

std::string_view explanation(int status) {
  switch (status) {
    case 431: return "the headers of the request are too large";
    case 413: return "the body of the request is too large";
    case 501: return "'chunked' is the only transfer coding that is understood here";
    case 505: return "only HTTP/1.0 and HTTP/1.1 are spoken here";
    default: return "this is no valid HTTP request";
  }
}

Framing framing_of(const http::request<http::string_body>& head) {
  const auto value = [&](http::field field) {
    const auto found = head.find(field);
    return found == head.end() ? std::string_view() : view(found->value());
  };
  return {.is_http_1_1 = head.version() >= 11,
          .codings = head.count(http::field::transfer_encoding),
          .lengths = head.count(http::field::content_length),
          .coding = value(http::field::transfer_encoding),
          .length = value(http::field::content_length)};
}

std::vector<std::pair<std::string, std::string>> headers_of(
    const http::request<http::string_body>& head) {
  std::vector<std::pair<std::string, std::string>> headers;
  for (const auto& field : head) {
    headers.emplace_back(to_lower(view(field.name_string())),
                         std::string(trim(view(field.value()))));
  }
  return headers;
}

// Bytes in the socket that the other side has not taken; -1 when the system does not say.
int unsent_bytes([[maybe_unused]] int fd) {
  int bytes = -1;
#ifdef SIOCOUTQ
  if (::ioctl(fd, SIOCOUTQ, &bytes) != 0) return -1;
#endif
  return bytes;
}

}  // namespace

struct HttpConnection::Io {
  using Parser = http::request_parser<http::string_body>;

  Io(asio::io_context& io, int fd) : context(io), socket(io, fd), fd(fd) {}

  asio::io_context& context;
  asio::posix::stream_descriptor socket;
  const int fd;
  std::optional<Parser> parser;
};

HttpConnection::HttpConnection(asio::io_context& io, int socket, HttpService& service,
                               std::function<void(HttpConnection&)> on_closed)
    : service_(service),
      on_closed_(std::move(on_closed)),
      io_(std::make_unique<Io>(io, socket)),
      phase_began_(Clock::system().now()),
      writer_(socket),
      tls_(service.tls ? service.tls->accept() : nullptr),
      answered_(phase_began_),
      write_progress_(phase_began_) {}

HttpConnection::~HttpConnection() = default;

void HttpConnection::start() {
  wait_readable();
}

// --- reading ------------------------------------------------------------------------------------

void HttpConnection::wait_readable() {
  if (std::exchange(reading_, true)) return;
  io_->socket.async_wait(asio::posix::stream_descriptor::wait_read,
                         [self = shared_from_this()](const boost::system::error_code& error) {
                           self->reading_ = false;
                           if (!error) self->on_readable();
                         });
}

void HttpConnection::on_readable() {
  // Room to write may have been noticed in the same moment, and with it that the client is gone:
  // the descriptor may be somebody else's by now. Only this thread closes.
  if (closed_) return;
  static thread_local std::array<char, kReadSize> scratch;
  const ssize_t n = ::recv(io_->fd, scratch.data(), scratch.size(), 0);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return wait_readable();
  if (n < 0) return lost();
  if (n == 0) return end_of_input();
  if (phase_ == Phase::kLingering) return wait_readable();
  if (take({scratch.data(), static_cast<std::size_t>(n)})) process();
}

bool HttpConnection::take(std::string_view bytes) {
  if (tls_ == nullptr) {
    in_.append(bytes);
    return true;
  }
  auto state = TlsChannel::State::kOpen;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    state = tls_->receive(bytes, in_);
    writer_.write(tls_->take_output());
    if (state == TlsChannel::State::kPlain) {
      const HttpAnswer answer = error_answer(400, "this port speaks https");
      writer_.write(response_head({.status = answer.status,
                                   .content_type = answer.content_type,
                                   .content_length = answer.body.size(),
                                   .chunked = false,
                                   .close = true,
                                   .headers = {}}),
                    answer.body);
    }
  }
  switch (state) {
    case TlsChannel::State::kOpen: return true;
    case TlsChannel::State::kEnded: end_of_input(); return false;
    case TlsChannel::State::kPlain:
    case TlsChannel::State::kFailed: break;
  }
  log::debug("http", "TLS: {}", tls_->failure());
  std::shared_ptr<mcp::HttpCall> call;
  {
    const std::lock_guard lock(mutex_);
    // Nothing can be answered any more; what is left of the connection has its time.
    busy_ = false;
    given_up_ = request_;
    set_streaming(false);
    call = std::exchange(call_, nullptr);
  }
  if (call != nullptr) call->disconnected();
  in_.clear();
  in_used_ = 0;
  io_->parser.reset();
  linger();
  return false;
}

// The client closed the connection, or only its side of it after it said what it wanted: both look
// alike until something is sent. What runs decides which it was.
void HttpConnection::end_of_input() {
  bool gone = phase_ == Phase::kLingering;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    if (call_ != nullptr && !call_->outlives_input()) gone = true;
    ended_ = true;
  }
  if (gone) return lost();
  // What ended stays readable.
  io_->socket.async_wait(asio::posix::stream_descriptor::wait_error,
                         [self = shared_from_this()](const boost::system::error_code& error) {
                           if (!error) self->lost();
                         });
  process();
}

void HttpConnection::process() {
  while (true) {
    bool broken = false;
    bool last = false;
    bool ended = false;
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return;
      broken = writer_.is_broken();
      if (!broken && writer_.has_pending()) wait_writable();
      wake_ = in_.size() > in_used_ || ended_;
      ended = ended_;
      if (!broken && busy_) break;
      // What was answered is read before more is asked.
      if (!broken && writer_.has_pending()) return;
      last = close_after_;
    }
    if (broken) return lost();
    if (last) return linger();
    if (in_used_ == in_.size()) {
      in_.clear();
      in_used_ = 0;
      if (in_.capacity() > kReadSize) std::string().swap(in_);
      if (ended) return close();
      break;
    }
    const Parsed parsed = parse();
    if (parsed == Parsed::kFailed) return;
    if (parsed == Parsed::kMore) {
      if (ended) return close();
      break;
    }
    dispatch();
  }
  if (ended_) return;
  if (in_.size() - in_used_ < kMaxAhead || phase_ != Phase::kIdle) wait_readable();
}

HttpConnection::Parsed HttpConnection::parse() {
  auto& parser = io_->parser;
  if (!parser) {
    parser.emplace();
    parser->header_limit(static_cast<std::uint32_t>(service_.options.max_header));
    parser->body_limit(service_.options.max_body);
    parser->eager(false);  // stops behind the headers
    phase_ = Phase::kHeader;
    phase_began_ = Clock::system().now();
  }
  const auto feed = [&] {
    boost::system::error_code error;
    const asio::const_buffer rest(in_.data() + in_used_, in_.size() - in_used_);
    in_used_ += parser->put(rest, error);
    return error == http::error::need_more ? boost::system::error_code() : error;
  };
  auto error = feed();
  const bool has_header = phase_ == Phase::kHeader && parser->is_header_done();
  if (has_header) {
    if (const int status = framing_status(framing_of(parser->get())); status != 0) {
      fail(status, status == 400 ? "it is not certain where the body of the request ends"
                                 : explanation(status));
      return Parsed::kFailed;
    }
    headers_ = headers_of(parser->get());
    parser->eager(true);
    if (!error && !parser->is_done() && in_used_ < in_.size()) error = feed();
  }
  if (error) {
    const int status = status_of(error);
    fail(status, explanation(status));
    return Parsed::kFailed;
  }
  if (in_used_ > 0 && in_used_ == in_.size()) {
    in_.clear();
    in_used_ = 0;
  }
  if (parser->is_done()) return Parsed::kRequest;
  if (in_used_ > 0) {
    in_.erase(0, in_used_);
    in_used_ = 0;
  }
  // What the parser leaves of a body is the head of a chunk or a trailer, for which it has no
  // bound.
  if (phase_ == Phase::kBody && in_.size() > service_.options.max_header) {
    fail(431, explanation(431));
    return Parsed::kFailed;
  }
  if (has_header) {
    phase_ = Phase::kBody;
    phase_began_ = Clock::system().now();
    const auto expect = parser->get().find(http::field::expect);
    if (expect != parser->get().end() && to_lower(view(expect->value())) == "100-continue") {
      const std::lock_guard lock(mutex_);
      put("HTTP/1.1 100 Continue\r\n\r\n");
    }
  }
  return Parsed::kMore;
}

void HttpConnection::fail(int status, std::string_view message) {
  {
    const std::lock_guard lock(mutex_);
    busy_ = true;
    close_after_ = true;
    http_1_1_ = true;
    head_only_ = false;
    cors_.clear();
  }
  in_.clear();
  in_used_ = 0;
  io_->parser.reset();
  log::debug("http", "{}: {}", status, message);
  respond(error_answer(status, message));
  process();
}

// --- a request ----------------------------------------------------------------------------------

void HttpConnection::dispatch() {
  auto request = io_->parser->release();
  io_->parser.reset();
  phase_ = Phase::kIdle;

  mcp::HttpRequest out;
  out.method = std::string(view(request.method_string()));
  out.body = std::move(request.body());
  out.caller.transport = "http";
  out.caller.headers = std::move(headers_);
  const RequestTarget target = read_target(view(request.target()));
  out.path = std::string(target.path);
  out.query = std::string(target.query);
  const bool is_http_1_1 = request.version() >= 11;
  if (target.is_absolute) {
    if (!is_http_1_1 && out.header("host").empty()) out.caller.headers.emplace_back("host", "");
    for (auto& [name, value] : out.caller.headers) {
      if (name == "host") value = std::string(target.authority);
    }
  }

  HttpVerdict verdict = service_.judge(out, is_http_1_1);
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    busy_ = true;
    number = ++request_;
    http_1_1_ = is_http_1_1;
    head_only_ = out.method == "HEAD";
    if (!http_1_1_ || !request.keep_alive()) close_after_ = true;
    cors_ = std::move(verdict.cors);
  }
  if (auto& answer = verdict.answer) return respond(*std::move(answer));
  auto self = shared_from_this();
  if (out.body.size() < kLarge) {
    return take_call(number, service_.handler.handle(std::move(out), std::move(self)));
  }
  // Reading it takes long, and this thread has other connections.
  const auto large = std::make_shared<mcp::HttpRequest>(std::move(out));
  const bool taken = service_.large.submit([self = std::move(self), large, number] {
    self->take_call(number, self->service_.handler.handle(std::move(*large), self));
  });
  if (taken) return;
  respond(error_answer(503, "too many large requests wait; try again in a moment",
                       "Retry-After: 1\r\n"));
}

void HttpConnection::take_call(std::uint64_t request, std::shared_ptr<mcp::HttpCall> call) {
  {
    const std::lock_guard lock(mutex_);
    if (!closed_ && given_up_ != request) {
      if (busy_ && request_ == request) call_.swap(call);
      return;  // what is answered already needs no word of a disconnect
    }
  }
  if (call != nullptr) call->disconnected();
}

// --- answers, from any thread -------------------------------------------------------------------

void HttpConnection::put(std::string head, std::string body) {
  if (tls_ == nullptr) return writer_.write(std::move(head), std::move(body));
  if (!tls_->is_established()) return;
  if (body.size() <= kSmall) {
    head += body;
    body.clear();
  }
  head = tls_->seal(head);
  if (!body.empty()) body = tls_->seal(body);
  writer_.write(std::move(head), std::move(body));
}

void HttpConnection::respond(HttpAnswer answer) {
  respond(answer.status, answer.content_type, std::move(answer.body), answer.headers);
}

void HttpConnection::respond(int status, std::string_view content_type, std::string body,
                             std::string_view headers) {
  std::shared_ptr<mcp::HttpCall> done;  // destroyed after the lock is released
  const std::lock_guard lock(mutex_);
  if (closed_ || !busy_ || streaming_) return;
  if (service_.stopping.load(std::memory_order_relaxed)) close_after_ = true;
  std::string more;
  if (!cors_.empty()) headers = more = cors_ + std::string(headers);
  std::string head = response_head({.status = status,
                                    .content_type = content_type,
                                    .content_length = body.size(),
                                    .chunked = false,
                                    .close = close_after_,
                                    .headers = headers});
  service_.counters.responded(status);
  // Its length is told, but a body would be taken for the beginning of the next answer.
  if (head_only_) body.clear();
  put(std::move(head), std::move(body));
  finish(done);
}

std::string HttpConnection::framed(std::string_view events) const {
  return chunked_ ? chunk(events) : std::string(events);
}

void HttpConnection::begin_stream(std::string_view headers, std::string events) {
  const std::lock_guard lock(mutex_);
  if (closed_ || !busy_ || streaming_) return;
  set_streaming(true);
  service_.counters.responded(200);
  chunked_ = http_1_1_;
  if (!chunked_) close_after_ = true;
  std::string text = response_head({.status = 200,
                                    .content_type = "text/event-stream",
                                    .content_length = {},
                                    .chunked = chunked_,
                                    .close = close_after_,
                                    .headers = "Cache-Control: no-cache\r\n"
                                               "X-Accel-Buffering: no\r\n" +
                                               cors_ + std::string(headers)});
  put(std::move(text), framed(events));
  write_progress_ = answered_ = Clock::system().now();
  if (writer_.has_pending()) wake();
}

bool HttpConnection::send_events(std::string events) {
  const std::lock_guard lock(mutex_);
  if (closed_ || !streaming_) return false;
  if (writer_.is_broken() || writer_.pending() > service_.options.max_backlog) {
    log::warning("http", "a client does not read its stream, which is given up");
    // As if it had gone; process() sees it.
    ::shutdown(io_->fd, SHUT_RDWR);
    wake();
    return false;
  }
  if (!writer_.has_pending()) write_progress_ = Clock::system().now();
  put(framed(events));
  answered_ = Clock::system().now();
  if (writer_.has_pending()) wake();
  return true;
}

void HttpConnection::end_stream(std::string last_events) {
  std::shared_ptr<mcp::HttpCall> done;
  const std::lock_guard lock(mutex_);
  if (closed_ || !streaming_) return;
  if (service_.stopping.load(std::memory_order_relaxed)) close_after_ = true;
  std::string text = framed(last_events);
  if (chunked_) text += kLastChunk;
  put(std::move(text));
  finish(done);
}

void HttpConnection::finish(std::shared_ptr<mcp::HttpCall>& done) {
  busy_ = false;
  set_streaming(false);
  done = std::move(call_);
  call_ = nullptr;
  write_progress_ = answered_ = Clock::system().now();
  // Usually there is nothing to do: the next request makes the socket readable.
  if (wake_ || close_after_ || writer_.has_pending() || writer_.is_broken()) wake();
}

void HttpConnection::set_streaming(bool on) {
  if (std::exchange(streaming_, on) == on) return;
  if (on) {
    service_.counters.streams.fetch_add(1, std::memory_order_relaxed);
  } else {
    service_.counters.streams.fetch_sub(1, std::memory_order_relaxed);
  }
}

void HttpConnection::wake() {
  asio::post(io_->context, [self = shared_from_this()] { self->process(); });
}

void HttpConnection::wait_writable() {
  if (std::exchange(writing_, true)) return;
  io_->socket.async_wait(asio::posix::stream_descriptor::wait_write,
                         [self = shared_from_this()](const boost::system::error_code& error) {
                           self->writing_ = false;
                           if (error) return;
                           {
                             const std::lock_guard lock(self->mutex_);
                             if (self->closed_) return;
                             if (self->writer_.flush()) {
                               self->write_progress_ = Clock::system().now();
                             }
                           }
                           self->process();
                         });
}

// --- the end ------------------------------------------------------------------------------------

void HttpConnection::turn_away() {
  // Saying so would take a handshake first.
  if (tls_ != nullptr) return close();
  {
    const std::lock_guard lock(mutex_);
    busy_ = true;
    close_after_ = true;
  }
  respond(error_answer(503, "too many connections; try again in a moment", "Retry-After: 1\r\n"));
  process();
}

void HttpConnection::linger() {
  if (phase_ == Phase::kLingering) return;
  phase_ = Phase::kLingering;
  phase_began_ = Clock::system().now();
  // Nothing is left to read.
  if (ended_) return close();
  if (tls_ != nullptr) {
    const std::lock_guard lock(mutex_);
    writer_.write(tls_->farewell());
  }
  ::shutdown(io_->fd, SHUT_WR);
  wait_readable();
}

void HttpConnection::lost() {
  std::shared_ptr<mcp::HttpCall> call;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    call = std::move(call_);
    call_ = nullptr;
  }
  if (call != nullptr) call->disconnected();
  close();
}

void HttpConnection::close() {
  std::shared_ptr<mcp::HttpCall> call;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(closed_, true)) return;
    set_streaming(false);
    call = std::move(call_);
    call_ = nullptr;
    if (tls_ != nullptr) writer_.write(tls_->farewell());
    boost::system::error_code ignored;
    io_->socket.close(ignored);
  }
  if (call != nullptr) call->disconnected();
  on_closed_(*this);
}

void HttpConnection::drain() {
  bool idle = false;
  {
    const std::lock_guard lock(mutex_);
    idle = !busy_ && !writer_.has_pending();
    close_after_ = true;
  }
  if (idle && phase_ != Phase::kLingering) close();
}

void HttpConnection::sweep(Instant now) {
  const HttpOptions& options = service_.options;
  bool stuck = false, idle = false, late = false;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    if (writer_.has_pending()) {
      // A slow client takes bytes out of the socket long before there is room for more of ours.
      const int unsent = unsent_bytes(io_->fd);
      if (unsent != unsent_) write_progress_ = now;
      unsent_ = unsent;
      stuck = now - write_progress_ > options.write_limit;
    } else if (streaming_) {
      if (now - answered_ > options.keep_alive) {
        put(framed(":\n\n"));
        write_progress_ = answered_ = now;
        if (writer_.has_pending() || writer_.is_broken()) wake();
      }
    } else if (!busy_) {
      const auto in_phase = now - phase_began_;
      switch (phase_) {
        case Phase::kIdle:
          idle =
              now - answered_ > (tls_ != nullptr && !tls_->is_established() ? options.header_limit
                                                                            : options.idle_limit);
          break;
        case Phase::kHeader: late = in_phase > options.header_limit; break;
        case Phase::kBody: late = in_phase > options.body_limit; break;
        case Phase::kLingering: stuck = in_phase > kLingerLimit; break;
      }
    }
  }
  if (stuck) return lost();
  if (idle) return close();
  if (late) fail(408, "the request took too long to arrive");
}

}  // namespace mxcp::net
