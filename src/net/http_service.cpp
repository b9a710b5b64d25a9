#include "net/http_service.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"

namespace mxcp::net {

HttpAnswer error_answer(int status, std::string_view message, std::string headers) {
  std::string body = R"({"error":)";
  append_json_string(body, message);
  body += "}\n";
  return {status, "application/json", std::move(body), std::move(headers)};
}

HttpVerdict HttpService::judge(const mcp::HttpRequest& request, bool is_http_1_1) const {
  const std::string_view host = request.header("host");
  const std::string_view forwarded = request.last_header("x-forwarded-host");
  const std::string_view origin = request.header("origin");
  const auto count = [&](std::string_view name) {
    return std::count_if(request.caller.headers.begin(), request.caller.headers.end(),
                         [name](const auto& header) { return header.first == name; });
  };
  const auto hosts = count("host");
  // A Unix socket is reached by a path; what a client calls it means nothing.
  const bool by_path = !options.unix_socket.empty();
  const bool origin_allowed = guard.allows_origin(origin, host, forwarded);

  HttpVerdict verdict;
  if (!origin.empty() && origin_allowed) {
    verdict.cors = "Access-Control-Allow-Origin: " + std::string(origin) +
                   "\r\nAccess-Control-Expose-Headers: Mcp-Session-Id\r\nVary: Origin\r\n";
  }
  if (hosts > 1 || (!by_path && hosts == 0 && is_http_1_1)) {
    verdict.answer = error_answer(400, "exactly one Host header is expected");
  } else if (!origin.empty() && count("origin") > 1) {
    verdict.answer = error_answer(400, "at most one Origin header is expected");
  } else if (!by_path && hosts == 1 && !guard.allows_host(host, forwarded)) {
    const bool proxied = options.trust_proxy && !forwarded.empty();
    verdict.answer = error_answer(
        403, "this Host is not served here: " + shorten(host, 100) +
                 (proxied ? ", forwarded for " + shorten(forwarded, 100) : std::string()) +
                 " (transport.http.allowed_hosts names those that are)");
  } else if (!origin_allowed) {
    verdict.answer = error_answer(403, "this Origin is not allowed: " + shorten(origin, 100));
  } else if (handler.serves(request.path)) {
    if (request.method == "OPTIONS") {
      verdict.answer = {204, "", "",
                        "Allow: POST, GET, DELETE\r\n"
                        "Access-Control-Allow-Methods: POST, GET, DELETE\r\n"
                        "Access-Control-Allow-Headers: *, Authorization\r\n"
                        "Access-Control-Max-Age: 3600\r\n"};
    }
  } else if (const auto page = pages.find(request.path); page == pages.end()) {
    verdict.answer = error_answer(404, "nothing is here; the MCP endpoint is " + handler.path());
  } else if (request.method != "GET" && request.method != "HEAD") {
    verdict.answer = error_answer(405, "only GET", "Allow: GET, HEAD\r\n");
  } else {
    HttpPage content = page->second();
    verdict.answer = {content.status, std::move(content.content_type), std::move(content.body),
                      "Cache-Control: no-store\r\n"};
  }
  return verdict;
}

}  // namespace mxcp::net
