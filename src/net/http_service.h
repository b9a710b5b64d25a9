// What the connections of an HTTP server share, and what becomes of a request before its handler
// sees it: Host and Origin are checked, pages and other paths answered.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/worker_pool.h"
#include "mcp/http.h"
#include "net/http_guard.h"
#include "net/http_server.h"
#include "net/tls.h"

namespace mxcp::net {

// What was answered.
struct HttpCounters {
  static constexpr std::size_t kStatuses = 600;
  std::array<std::atomic<std::uint64_t>, kStatuses> responses{};  // by status
  std::atomic<std::size_t> streams{0};                            // that go on

  void responded(int status) {
    responses[static_cast<std::size_t>(status) % kStatuses].fetch_add(1, std::memory_order_relaxed);
  }
};

// An answer that no handler gives.
struct HttpAnswer {
  int status = 200;
  std::string content_type;  // "" when there is no body
  std::string body;
  std::string headers = {};  // further lines, each with its \r\n
};
// {"error": message}
HttpAnswer error_answer(int status, std::string_view message, std::string headers = {});

struct HttpVerdict {
  std::string cors;                  // headers for the origin of the request, in any answer to it
  std::optional<HttpAnswer> answer;  // nothing: the request is for the handler
};

// What all connections share.
class HttpService {
 public:
  HttpService(HttpOptions given, mcp::HttpHandler& the_handler, HttpPages the_pages)
      : options(std::move(given)),
        guard({.bound_host = options.unix_socket.empty() ? options.host : "",
               .base_url = options.base_url,
               .trust_proxy = options.trust_proxy,
               .allowed_hosts = options.allowed_hosts}),
        handler(the_handler),
        pages(std::move(the_pages)) {}

  HttpVerdict judge(const mcp::HttpRequest& request, bool is_http_1_1) const;

  const HttpOptions options;
  const HttpGuard guard;
  mcp::HttpHandler& handler;
  const HttpPages pages;
  std::unique_ptr<TlsContext> tls;  // null for plain HTTP; set before the first connection
  std::atomic<bool> stopping{false};
  HttpCounters counters;
  // Reads large requests.
  WorkerPool large{{.threads = 1, .max_queued = 256, .name = "mxcp-large"}};
};

}  // namespace mxcp::net
