#include "mcp/uri_template.h"

#include <doctest/doctest.h>

#include "base/text.h"

using namespace mxcp;
using namespace mxcp::mcp;

namespace {

// "id=1,name=x", or "no".
std::string matched(std::string_view pattern, std::string_view uri) {
  const auto values = UriTemplate(pattern).match(uri);
  if (!values) return "no";
  std::vector<std::string> parts;
  for (const auto& [name, value] : *values) parts.push_back(name + "=" + value);
  return join(parts, ",");
}

}  // namespace

TEST_CASE("placeholders take one path segment or a part of it") {
  CHECK(matched("users://{id}", "users://7") == "id=7");
  CHECK(matched("users://{id}/orders/{order}", "users://a/orders/b-c") == "id=a,order=b-c");
  CHECK(matched("x://{a}.{b}", "x://1.2.3") == "a=1,b=2.3");
  CHECK(matched("x://v{a}-{b}z", "x://v1-2-zz") == "a=1,b=2-z");
  CHECK(matched("x://{a}{b}", "x://abc") == "a=a,b=bc");
  CHECK(matched("s://find?q={q}&n={n}", "s://find?q=duck&n=5") == "q=duck,n=5");
  CHECK(matched("plain://text", "plain://text") == "");
}

TEST_CASE("what does not fit") {
  CHECK(matched("users://{id}", "users://") == "no");
  CHECK(matched("users://{id}", "users://1/2") == "no");
  CHECK(matched("users://{id}", "user://1") == "no");
  CHECK(matched("users://{id}/x", "users://1") == "no");
  CHECK(matched("users://{id}/x", "users://1/y") == "no");
  CHECK(matched("x://{a}{b}", "x://a") == "no");
  CHECK(matched("x://{a}z", "x://z") == "no");
  CHECK(matched("Users://{id}", "users://1") == "no");
  CHECK(matched("users://{id}", "users://{id}") == "no");
  CHECK(matched("users://{id}", "") == "no");
}

TEST_CASE("values are percent-decoded") {
  CHECK(matched("x://{a}", "x://a%20b%2Fc") == "a=a b/c");
  CHECK(matched("x://{a}", "x://%C3%BC") == "a=ü");
  CHECK(matched("x://{a}", "x://a+b") == "a=a+b");
  CHECK(matched("x://{a}", "x://%") == "no");
  CHECK(matched("x://{a}", "x://%2") == "no");
  CHECK(matched("x://{a}", "x://%zz") == "no");
  CHECK(matched("x://{a}", "x://%FF") == "no");
  CHECK(percent_decode("%41%") == std::nullopt);
  CHECK(percent_decode("") == "");
}

TEST_CASE("long URIs against many placeholders stay cheap") {
  const std::string uri = "x://" + std::string(100'000, 'a');
  CHECK(matched("x://{a}a{b}a{c}a{d}a{e}b", uri) == "no");
}

TEST_CASE("a template without its closing brace is literal") {
  CHECK(matched("x://{a", "x://{a") == "no");
  CHECK(matched("x://a}", "x://a") == "no");
}
