// Any HTTP requests to the endpoint: a method, lines of headers, a blank line and a body each;
// requests are separated by a byte 0. The session id "S" stands for the last one that was minted.
#include <vector>

#include "base/text.h"
#include "mcp/http.h"
#include "mcp/http_headers.h"
#include "net/http_guard.h"
#include "protocol.h"

using namespace mxcp;

namespace {

mcp::HttpRequest read_request(std::string_view text, const std::string& session) {
  const auto take_line = [&text] {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? "" : text.substr(end + 1);
    return line;
  };
  mcp::HttpRequest request;
  request.method = std::string(take_line());
  request.caller.transport = "http";
  for (std::string_view line = take_line(); !line.empty(); line = take_line()) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string name = to_lower(line.substr(0, colon));
    const std::string_view value = trim(line.substr(colon + 1));
    const bool last_session = name == "mcp-session-id" && value == "S";
    request.caller.headers.emplace_back(name, last_session ? session : std::string(value));
  }
  request.body = std::string(text);
  return request;
}

class CheckingReply final : public mcp::HttpReply {
 public:
  explicit CheckingReply(std::string& session) : session_(session) {}
  ~CheckingReply() override {
    if (!begun_) fuzz::report({true, "a request without an answer"});
  }
  void respond(int status, std::string_view type, std::string body,
               std::string_view headers) override {
    begin(headers);
    if (status < 200 || status > 599) fuzz::report({true, "status " + std::to_string(status)});
    if (type == "application/json") fuzz::report({true, fuzz::wrong_in(body)});
    if (type.empty() != body.empty()) fuzz::report({true, "a body and no type, or the reverse"});
  }
  void begin_stream(std::string_view headers, std::string events) override {
    begin(headers);
    check(events);
  }
  bool send_events(std::string events) override {
    check(events);
    return true;
  }
  void end_stream(std::string events) override { check(events); }

 private:
  void begin(std::string_view headers) {
    if (begun_) fuzz::report({true, "two answers to a request"});
    begun_ = true;
    if (!headers.empty() && !headers.ends_with("\r\n")) fuzz::report({true, "broken headers"});
    constexpr std::string_view kSession = "Mcp-Session-Id: ";
    if (const std::size_t at = headers.find(kSession); at != std::string_view::npos) {
      const std::string_view id = headers.substr(at + kSession.size());
      session_ = id.substr(0, id.find('\r'));
    }
  }
  static void check(const std::string& events) {
    std::string_view left = events;
    while (!left.empty()) {
      const std::size_t end = left.find('\n');
      if (end == std::string_view::npos) fuzz::report({true, "an event without an end"});
      const std::string_view line = left.substr(0, end);
      left = left.substr(end + 1);
      // Without data: the event that begins a stream and only says its id.
      if (line.starts_with("data: ") && line != "data: ") {
        fuzz::report({true, fuzz::wrong_in(std::string(line.substr(6)))});
      }
    }
  }
  std::string& session_;
  bool begun_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static fuzz::EchoBackend backend;
  static mcp::Server server(fuzz::server_options(), backend);
  const net::HttpGuard guard({.bound_host = "127.0.0.1"});
  std::string_view left = fuzz::text_of(data, size);
  std::string session;  // outlives the endpoint, whose streams keep their replies
  mcp::HttpEndpoint endpoint({}, server);
  std::vector<std::shared_ptr<mcp::HttpCall>> calls;
  for (int i = 0; i < 8 && !left.empty(); ++i) {
    const std::size_t end = left.find('\0');
    mcp::HttpRequest request = read_request(left.substr(0, end), session);
    left = end == std::string_view::npos ? "" : left.substr(end + 1);
    static_cast<void>(guard.allows_host(request.header("host"), ""));
    static_cast<void>(guard.allows_origin(request.header("origin"), request.header("host"), ""));
    static_cast<void>(mcp::accepts(request.header("accept"), "text/event-stream"));
    calls.push_back(endpoint.handle(std::move(request), std::make_shared<CheckingReply>(session)));
  }
  endpoint.end_streams();
  for (const auto& call : calls) {
    if (call) call->disconnected();
  }
  return 0;
}
