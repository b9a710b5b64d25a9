// The HTTP transport: an MCP endpoint on a TCP port or a Unix socket, and pages beside it.
//
// HTTP/1.1 with keep-alive. Requests of one connection are answered in their order, one at a time;
// what a client sends ahead waits in the socket. Everything is bounded: headers (431), bodies
// (413), the time a request may take to arrive (408), the time a client may take to read, idle
// connections, and the number of connections (503). A client that does not read stalls itself and
// nobody else.
//
// A few threads read; whoever has an answer writes it, straight to the socket, without waiting.
// What the socket does not take is written when it can. A connection that closes while its request
// runs is told to the endpoint.
//
// A client that ends its side of the connection still gets its answer, unless the request is one
// that leaving cancels (HttpCall::outlives_input).
//
// Browsers: Host and Origin are checked (403), so that a page of somebody else's cannot reach a
// server on this machine; see HttpGuard.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "mcp/http.h"

namespace mxcp::net {

struct HttpOptions {
  std::string host = "localhost";
  int port = 8000;                         // 0: any that is free
  std::string unix_socket;                 // instead of host and port
  std::string base_url;                    // how clients reach the server through a proxy
  bool trust_proxy = false;                // X-Forwarded-Host stands for Host
  std::vector<std::string> allowed_hosts;  // more names to answer to, see HttpGuard
  std::string tls_certificate, tls_key;    // files; both or none

  std::size_t threads = 0;  // that read: 0 is one for each two cores
  std::size_t max_connections = 2048;
  std::size_t max_header = 32 << 10;
  std::size_t max_body = 16 << 20;
  // Bytes that wait for a client that listens to a stream; beyond, the stream is given up.
  std::size_t max_backlog = 8 << 20;
  std::chrono::milliseconds header_limit{15'000};  // from the first byte of a request
  std::chrono::milliseconds body_limit{60'000};    // from the end of its headers
  std::chrono::milliseconds write_limit{30'000};   // without progress
  std::chrono::milliseconds idle_limit{75'000};    // between requests
  std::chrono::milliseconds keep_alive{15'000};    // between signs of life on a stream
};

// What GET on a path beside the endpoint gives.
struct HttpPage {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
};
// By path ("/livez"). Called on the threads that read: they must not wait.
using HttpPages = std::map<std::string, std::function<HttpPage()>, std::less<>>;

class HttpServer {
 public:
  HttpServer(HttpOptions options, mcp::HttpHandler& handler, HttpPages pages);
  ~HttpServer();

  // Binds and begins to serve. Errors: kIo when that is not possible, e.g. the port is in use;
  // kConfig when the files for TLS cannot be used.
  Status start();
  // "http://localhost:8000/mcp", with the port that is bound.
  std::string url() const;
  // Reads the files for TLS again; connections from now on use them. When that fails, those of
  // before stay.
  Status reload_tls();
  // No more connections and requests; waits for the answers that are due, up to the deadline.
  void drain(Instant deadline);
  // Closes what is left.
  void stop();

  struct Stats {
    std::size_t connections = 0;
    std::size_t streams = 0;                               // answers that go on
    std::vector<std::pair<int, std::uint64_t>> responses;  // by status
  };
  Stats stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mxcp::net
