#include "net/http_guard.h"

#include <doctest/doctest.h>

using namespace mxcp::net;

TEST_CASE("the host in a Host header") {
  CHECK(host_name("Example.com:8000") == "example.com");
  CHECK(host_name("[::1]:80") == "[::1]");
  CHECK(host_name("[::1]") == "[::1]");
  for (const char* none :
       {"", ":80", "a:b", "a:123456", "[::1", "[::1]x", "user@a", "a/b", "a b"}) {
    CHECK_MESSAGE(host_name(none) == "", none);
  }
}

TEST_CASE("on a local address only local names are let in") {
  const HttpGuard guard("localhost", "https://tools.example/mcp", false);
  for (const char* ours : {"localhost", "LOCALHOST:1", "127.0.0.1:8000", "127.8.8.8", "[::1]:8000",
                           "tools.example", "tools.example:443"}) {
    CHECK_MESSAGE(guard.allows_host(ours, ""), ours);
  }
  for (const char* foreign : {"evil.example", "127.0.0.1.evil.example", "127.evil",
                              "localhost.evil", "10.0.0.1", "", "[::2]"}) {
    CHECK_MESSAGE(!guard.allows_host(foreign, ""), foreign);
    CHECK_MESSAGE(!guard.allows_host(foreign, "localhost"), foreign);
  }
}

TEST_CASE("other addresses answer to every name, a trusted proxy decides for itself") {
  CHECK(HttpGuard("0.0.0.0", "", false).allows_host("anything.example", ""));
  CHECK(!HttpGuard("0.0.0.0", "", false).allows_host("", ""));
  const HttpGuard proxied("127.0.0.1", "", true);
  CHECK(proxied.allows_host("backend", "tools.example"));
  CHECK(!proxied.allows_host("backend", ""));
}

TEST_CASE("origins are this machine, the base URL, or the host that was asked") {
  const HttpGuard local("localhost", "https://tools.example", false);
  CHECK(local.allows_origin("", "localhost", ""));
  CHECK(local.allows_origin("http://localhost:3000", "localhost", ""));
  CHECK(local.allows_origin("https://tools.example", "localhost", ""));
  CHECK(!local.allows_origin("null", "localhost", ""));
  CHECK(!local.allows_origin("https://evil.example", "localhost", ""));
  CHECK(!local.allows_origin("evil", "localhost", ""));
  const HttpGuard open("0.0.0.0", "", true);
  CHECK(open.allows_origin("https://a.example", "a.example:80", ""));
  CHECK(!open.allows_origin("https://b.example", "a.example", ""));
  CHECK(open.allows_origin("https://b.example", "backend", "b.example"));
}
