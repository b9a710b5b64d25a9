#include "net/http_guard.h"

#include <doctest/doctest.h>

using namespace mxcp::net;

TEST_CASE("the host in a Host header") {
  CHECK(host_name("Example.com:8000") == "example.com");
  CHECK(host_name("[::1]:80") == "[::1]");
  CHECK(host_name("[::1]") == "[::1]");
  CHECK(host_name("localhost:") == "localhost");
  CHECK(host_name("localhost.:80") == "localhost");
  CHECK(host_name("tools.example.") == "tools.example");
  CHECK(host_name("backend.") == "backend.");
  for (const char* none :
       {"", ":80", "a:b", "a:123456", "[::1", "[::1]x", "user@a", "a/b", "a b"}) {
    CHECK_MESSAGE(host_name(none) == "", none);
  }
}

TEST_CASE("on a local address only local names are let in") {
  const HttpGuard guard({.bound_host = "localhost", .base_url = "https://tools.example/mcp"});
  for (const char* ours : {"localhost", "LOCALHOST:1", "127.0.0.1:8000", "127.8.8.8", "[::1]:8000",
                           "tools.example", "tools.example:443"}) {
    CHECK_MESSAGE(guard.allows_host(ours, ""), ours);
  }
  for (const char* foreign : {"evil.example", "127.0.0.1.evil.example", "127.evil",
                              "localhost.evil", "10.0.0.1", "", "[::2]", "backend"}) {
    CHECK_MESSAGE(!guard.allows_host(foreign, ""), foreign);
    CHECK_MESSAGE(!guard.allows_host(foreign, "localhost"), foreign);
  }
}

TEST_CASE("on other addresses also those, and names, that nobody can register") {
  const HttpGuard guard({.bound_host = "0.0.0.0"});
  for (const char* ours : {"localhost:8000", "10.0.0.1:8000", "[fe80::1]", "backend", "BACKEND:80",
                           "tools.local", "mxcp.default.svc.cluster.local", "vm.internal"}) {
    CHECK_MESSAGE(guard.allows_host(ours, ""), ours);
  }
  for (const char* foreign : {"evil.example", "10.0.0.1.evil.example", "backend.", "internal.evil",
                              "10.0.0.1x", "1.2.3.4.5", ""}) {
    CHECK_MESSAGE(!guard.allows_host(foreign, ""), foreign);
  }
}

TEST_CASE("hosts that are allowed by name") {
  const HttpGuard guard({.bound_host = "localhost",
                         .base_url = "",
                         .trust_proxy = false,
                         .allowed_hosts = {"Tools.example", "*.inside.example", "[2001:db8::1]"}});
  for (const char* ours : {"tools.example:9000", "a.inside.example", "a.b.inside.example",
                           "[2001:db8::1]:80", "localhost"}) {
    CHECK_MESSAGE(guard.allows_host(ours, ""), ours);
  }
  for (const char* foreign : {"inside.example", "xinside.example", ".inside.example",
                              "other.example", "x.tools.example"}) {
    CHECK_MESSAGE(!guard.allows_host(foreign, ""), foreign);
  }
  CHECK(guard.allows_origin("https://a.inside.example", "localhost", ""));
  CHECK(!guard.allows_origin("https://other.example", "localhost", ""));
  const HttpGuard every(
      {.bound_host = "localhost", .base_url = "", .trust_proxy = false, .allowed_hosts = {"*"}});
  CHECK(every.allows_host("anything.example", ""));
  CHECK(!every.allows_host("", ""));
  // Every host, but not every page.
  CHECK(!every.allows_origin("https://evil.example", "anything.example", ""));
}

TEST_CASE("behind a trusted proxy both hosts are judged") {
  const HttpGuard proxied(
      {.bound_host = "127.0.0.1", .base_url = "https://tools.example", .trust_proxy = true});
  CHECK(proxied.allows_host("backend", "tools.example"));
  CHECK(proxied.allows_host("10.0.0.1:8000", "Tools.example:443"));
  CHECK(proxied.allows_host("backend", ""));
  CHECK(proxied.allows_host("tools.example", ""));
  CHECK(!proxied.allows_host("localhost", "evil.example"));
  CHECK(!proxied.allows_host("evil.example", "localhost"));
  CHECK(!proxied.allows_host("evil.example", "tools.example"));
  CHECK(!proxied.allows_host("evil.example", ""));
  CHECK(!proxied.allows_host("localhost", "tools.example@evil.example"));
  // What the nearest proxy added counts, not what its client sent.
  CHECK(!proxied.allows_host("localhost", "tools.example, evil.example"));
  CHECK(proxied.allows_host("localhost", "evil.example, tools.example"));
  // Nobody is trusted, so the header says nothing.
  const HttpGuard direct({.bound_host = "127.0.0.1"});
  CHECK(direct.allows_host("localhost", "evil.example"));
}

TEST_CASE("origins are this machine, the base URL, or the host that was asked") {
  const HttpGuard local({.bound_host = "localhost", .base_url = "https://tools.example"});
  CHECK(local.allows_origin("", "localhost", ""));
  CHECK(local.allows_origin("http://localhost:3000", "localhost", ""));
  CHECK(local.allows_origin("https://tools.example", "localhost", ""));
  CHECK(!local.allows_origin("null", "localhost", ""));
  CHECK(!local.allows_origin("https://evil.example", "localhost", ""));
  CHECK(!local.allows_origin("evil", "localhost", ""));
  const HttpGuard open({.bound_host = "0.0.0.0", .base_url = "", .trust_proxy = true});
  CHECK(open.allows_origin("https://a.example", "a.example:80", ""));
  CHECK(!open.allows_origin("https://b.example", "a.example", ""));
  CHECK(open.allows_origin("https://b.example", "backend", "b.example"));
}
