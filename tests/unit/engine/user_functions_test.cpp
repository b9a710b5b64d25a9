#include <atomic>
#include <thread>

#include "engine/engine_fixture.h"

namespace mxcp::engine {
namespace {

using testing::Fixture;
using testing::outcome_of;

Caller caller_named(const std::string& name) {
  Caller caller;
  caller.user.emplace();
  caller.user->username = name;
  return caller;
}

TEST_CASE("without a caller all of them are NULL") {
  Fixture f;
  const std::string all =
      "SELECT get_username() AS a, get_user_email() AS b, get_user_provider() AS c, "
      "get_user_external_token() AS d, get_request_header('x') AS e, get_request_headers_json() AS "
      "f";
  const std::string none = "[{\"a\":null,\"b\":null,\"c\":null,\"d\":null,\"e\":null,\"f\":null}]";
  CHECK(f.run(all) == none);
  const Caller anonymous;
  CHECK(f.run(all, {}, {.caller = &anonymous}) == none);
  CHECK(f.run(all, {}, {.caller = &anonymous}) == none);
}

TEST_CASE("each answers its piece of the caller") {
  Fixture f;
  Caller caller = caller_named("ann");
  caller.user->email = "ann@x.org";
  caller.user->provider = "github";
  caller.user->external_token = "t'1";
  caller.headers = {{"authorization", "Bearer \xff"}, {"x-id", "\u00e4"}};
  const ExecuteOptions options{.caller = &caller};
  CHECK(f.run("SELECT get_username() AS a, get_user_email() AS b, get_user_provider() AS c, "
              "get_user_external_token() AS d",
              {},
              options) == "[{\"a\":\"ann\",\"b\":\"ann@x.org\",\"c\":\"github\",\"d\":\"t'1\"}]");
  CHECK(f.run("SELECT get_request_header('Authorization') AS a, get_request_header(n) AS b FROM "
              "(VALUES ('X-ID'), (NULL), ('none')) t(n)",
              {}, options) ==
        "[{\"a\":\"Bearer \uFFFD\",\"b\":\"\u00e4\"},{\"a\":\"Bearer "
        "\uFFFD\",\"b\":null},{\"a\":\"Bearer "
        "\uFFFD\",\"b\":null}]");
  CHECK(f.run("SELECT get_request_headers_json()::JSON ->> 'x-id' AS j", {}, options) ==
        "[{\"j\":\"\u00e4\"}]");
  CHECK(f.run("SELECT count(*) AS n FROM range(5000) WHERE get_username() = 'ann'", {}, options) ==
        "[{\"n\":5000}]");
}

TEST_CASE("a cached statement never shows one caller's identity to another") {
  Fixture f({.max_connections = 1});
  f.run(
      "CREATE TABLE orders AS SELECT * FROM (VALUES ('ann', 1), ('bob', 2)) t(owner, amount); "
      "CREATE VIEW mine AS SELECT amount FROM orders WHERE owner = get_username(); "
      "CREATE MACRO me() AS get_username()");
  const Caller ann = caller_named("ann"), bob = caller_named("bob");
  const std::string view = "SELECT * FROM mine", macro = "SELECT me() AS m",
                    direct = "SELECT get_username() AS m WHERE $x = 1";
  for (int round = 0; round < 3; ++round) {
    CHECK(f.run(view, {}, {.caller = &ann}) == "[{\"amount\":1}]");
    CHECK(f.run(view, {}, {.caller = &ann}) == "[{\"amount\":1}]");
    CHECK(f.run(view, {}, {.caller = &bob}) == "[{\"amount\":2}]");
    CHECK(f.run(view) == "[]");
    CHECK(f.run(macro, {}, {.caller = &bob}) == "[{\"m\":\"bob\"}]");
    CHECK(f.run(macro, {}, {.caller = &ann}) == "[{\"m\":\"ann\"}]");
    CHECK(f.run(direct, {{"x", 1}}, {.caller = &bob}) == "[{\"m\":\"bob\"}]");
    CHECK(f.run(direct, {{"x", 1}}, {.caller = &ann}) == "[{\"m\":\"ann\"}]");
  }
  // The same statement begins to depend on the caller when its view changes.
  f.run("CREATE OR REPLACE VIEW mine AS SELECT amount FROM orders");
  CHECK(f.run(view, {}, {.caller = &ann}) == "[{\"amount\":1},{\"amount\":2}]");
  f.run("CREATE OR REPLACE VIEW mine AS SELECT amount FROM orders WHERE owner = me()");
  CHECK(f.run(view, {}, {.caller = &ann}) == "[{\"amount\":1}]");
  CHECK(f.run(view, {}, {.caller = &bob}) == "[{\"amount\":2}]");
}

TEST_CASE("parallel callers see only themselves") {
  Fixture f({.max_connections = 3});
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const Caller caller = caller_named("user" + std::to_string(t));
      const std::string expected = "[{\"u\":\"user" + std::to_string(t) + "\"}]";
      for (int i = 0; i < 100; ++i) {
        if (f.run("SELECT get_username() AS u", {}, {.caller = &caller}) != expected) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("a filter on the caller reaches the table scan") {
  Fixture f;
  f.run("CREATE TABLE t AS SELECT 'user' || i AS owner FROM range(1000) r(i)");
  const Caller caller = caller_named("user7");
  const std::string plan =
      f.run("EXPLAIN SELECT * FROM t WHERE owner = get_username()", {}, {.caller = &caller});
  CHECK(plan.find("get_username") == std::string::npos);
  CHECK(plan.find("user7") != std::string::npos);
}

}  // namespace
}  // namespace mxcp::engine
