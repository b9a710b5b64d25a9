#include "net/http_request.h"

#include <doctest/doctest.h>

#include <string>

using namespace mxcp::net;

TEST_CASE("where the body of a request ends") {
  CHECK(framing_status({}) == 0);
  CHECK(framing_status({.lengths = 1, .length = "12"}) == 0);
  for (const char* clear : {"chunked", " Chunked "}) {
    CHECK_MESSAGE(framing_status({.codings = 1, .coding = clear}) == 0, clear);
  }
  for (const char* unclear : {"xchunked", "gzip", "identity", "chunked, identity", "chunked, gzip",
                              "", "chunked;q=1", "\"chunked\""}) {
    CHECK_MESSAGE(framing_status({.codings = 1, .coding = unclear}) == 400, unclear);
  }
  for (const char* unknown :
       {"gzip, chunked", "identity,chunked", "chunked, chunked", ",chunked"}) {
    CHECK_MESSAGE(framing_status({.codings = 1, .coding = unknown}) == 501, unknown);
  }
  CHECK(framing_status({.codings = 2, .coding = "chunked"}) == 400);
  CHECK(framing_status({.codings = 1, .lengths = 1, .coding = "chunked", .length = "2"}) == 400);
  CHECK(framing_status({.codings = 1, .lengths = 1, .coding = "x", .length = "2"}) == 400);
  CHECK(framing_status({.lengths = 2, .length = "2"}) == 400);
  CHECK(framing_status({.lengths = 1, .length = "2, 2"}) == 400);
  // HTTP/1.0 has no transfer codings.
  CHECK(framing_status({.is_http_1_1 = false, .codings = 1, .coding = "chunked"}) == 400);
  CHECK(framing_status({.is_http_1_1 = false, .lengths = 1, .length = "2"}) == 0);
}

TEST_CASE("what a request asks for") {
  const auto is = [](std::string_view target, std::string_view path, std::string_view query,
                     std::string_view authority) {
    const RequestTarget read = read_target(target);
    CHECK_MESSAGE(read.path == path, std::string(target));
    CHECK_MESSAGE(read.query == query, std::string(target));
    CHECK_MESSAGE(read.authority == authority, std::string(target));
  };
  is("/mcp", "/mcp", "", "");
  is("/mcp/?a=b?c#d", "/mcp", "a=b?c#d", "");
  is("/", "/", "", "");
  is("*", "*", "", "");
  is("/to/http://x/y", "/to/http://x/y", "", "");
  is("http://localhost:8000/livez", "/livez", "", "localhost:8000");
  is("HTTPS://Tools.example/mcp/?a", "/mcp", "a", "Tools.example");
  is("http://localhost", "/", "", "localhost");
  is("http://localhost?a", "/", "a", "localhost");
  is("http:///livez", "/livez", "", "");
  CHECK(read_target("http:///livez").is_absolute);
  is("ftp://localhost/livez", "ftp://localhost/livez", "", "");
  is("http://user@evil.example/livez", "/livez", "", "user@evil.example");
}
