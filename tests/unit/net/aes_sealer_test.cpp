#include "net/aes_sealer.h"

#include <doctest/doctest.h>

using mxcp::net::AesSealer;

TEST_CASE("what was sealed opens, for what it is bound to") {
  const AesSealer sealer("");
  for (const std::string& text : {std::string(), std::string("x"), std::string(10000, 'y')}) {
    const std::string token = sealer.seal(text, "bound");
    CHECK(token != sealer.seal(text, "bound"));
    CHECK(sealer.open(token, "bound") == text);
    CHECK(!sealer.open(token, "bound to another"));
    CHECK(!AesSealer("").open(token, "bound"));
  }
}

TEST_CASE("no changed token opens") {
  const AesSealer sealer("a secret");
  const std::string token = sealer.seal("text", "");
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    // The last digits of base64 may hold bits that stand for nothing.
    if (const auto opened = sealer.open(changed, "")) {
      CHECK(*opened == "text");
      CHECK(i + 4 >= token.size());
    }
  }
  for (const char* wrong : {"", "=", "====", "AAAA", "not base64!"}) {
    CHECK_MESSAGE(!sealer.open(wrong, ""), wrong);
  }
}

TEST_CASE("processes with the same secret understand each other") {
  CHECK(AesSealer("shared").open(AesSealer("shared").seal("text", "b"), "b") == "text");
  CHECK(!AesSealer("other").open(AesSealer("shared").seal("text", "b"), "b"));
}
