// The revisions with a handshake, line by line.
#include "mcp/harness.h"

using namespace mxcp;
using namespace mxcp::mcp;
using namespace mxcp::mcp::testing;

namespace {

std::string initialize(const std::string& id, const std::string& version) {
  return request(id, "initialize",
                 R"({"protocolVersion":")" + version +
                     R"(","capabilities":{},"clientInfo":{"name":"t","version":"0"}})");
}

const std::string kAllCapabilities =
    R"({"logging":{},"completions":{},"prompts":{"listChanged":true},)"
    R"("resources":{"subscribe":true,"listChanged":true},"tools":{"listChanged":true}})";
const std::string kOldCapabilities =
    R"({"logging":{},"prompts":{"listChanged":true},)"
    R"("resources":{"subscribe":true,"listChanged":true},"tools":{"listChanged":true}})";
const std::string kTitled = R"({"name":"demo","title":"Demo","version":"1.2.3"})";
const std::string kUntitled = R"({"name":"demo","version":"1.2.3"})";

std::string initialized(const std::string& id, const std::string& version,
                        const std::string& capabilities, const std::string& info) {
  return result(id, R"({"protocolVersion":")" + version + R"(","capabilities":)" + capabilities +
                        R"(,"serverInfo":)" + info + R"(,"instructions":"Be nice"})");
}

}  // namespace

TEST_CASE("initialize answers with the revision that was asked for") {
  Rig rig;
  CHECK(rig.send(initialize("0", "2025-11-25")) ==
        Lines{initialized("0", "2025-11-25", kAllCapabilities, kTitled)});
  CHECK(rig.send(initialize("\"x\"", "2025-06-18")) ==
        Lines{initialized("\"x\"", "2025-06-18", kAllCapabilities, kTitled)});
  CHECK(rig.send(initialize("2", "2025-03-26")) ==
        Lines{initialized("2", "2025-03-26", kAllCapabilities, kUntitled)});
  CHECK(rig.send(initialize("3", "2024-11-05")) ==
        Lines{initialized("3", "2024-11-05", kOldCapabilities, kUntitled)});
}

TEST_CASE("initialize with an unknown revision, or one without a handshake, offers the latest") {
  for (const char* version : {"2023-01-01", "2099-01-01", "2026-07-28", "", "x"}) {
    Rig rig;
    CHECK(rig.send(initialize("1", version)) ==
          Lines{initialized("1", "2025-11-25", kAllCapabilities, kTitled)});
  }
}

TEST_CASE("initialize needs a revision") {
  Rig rig;
  CHECK(rig.send(request("1", "initialize")) ==
        Lines{error("1", -32602, "'protocolVersion' is missing; expected a string")});
  CHECK(rig.send(request("1", "initialize", R"({"protocolVersion":7})")) ==
        Lines{error("1", -32602, "'protocolVersion' must be a string, got integer")});
}

TEST_CASE("capabilities name only what there is") {
  auto folder = std::make_unique<ProjectFolder>();
  folder->write("tools/free.yml", tool_yaml("free"));
  ServerOptions options = test_options();
  options.info = {.name = "n", .title = "", .version = "v", .instructions = ""};
  Rig rig(std::move(folder), options);
  CHECK(rig.send(initialize("1", "2025-11-25")) ==
        Lines{result("1",
                     R"({"protocolVersion":"2025-11-25","capabilities":{"logging":{},)"
                     R"("tools":{"listChanged":true}},"serverInfo":{"name":"n","version":"v"}})")});
  CHECK(rig.send(request("2", "prompts/list")) ==
        Lines{error("2", -32601, "this server has no prompts")});
  CHECK(rig.send(request("3", "resources/list")) ==
        Lines{error("3", -32601, "this server has no resources")});
  CHECK(rig.send(request("4", "resources/templates/list")) ==
        Lines{error("4", -32601, "this server has no resources")});
  CHECK(rig.send(request("5", "resources/read", R"({"uri":"a://b"})")) ==
        Lines{error("5", -32601, "this server has no resources")});
  CHECK(rig.send(request("6", "prompts/get", R"({"name":"x"})")) ==
        Lines{error("6", -32601, "this server has no prompts")});
  CHECK(rig.send(request("7", "completion/complete", "{}")) ==
        Lines{error("7", -32601, "this server has no prompts or resource templates")});
}

TEST_CASE("ping, unknown methods, notifications") {
  Rig rig;
  rig.handshake("2025-11-25");
  CHECK(rig.send(request("1", "ping")) == Lines{result("1", "{}")});
  CHECK(rig.send(request("\"1\"", "ping", "{}")) == Lines{result("\"1\"", "{}")});
  CHECK(rig.send(request("2", "no/such")) ==
        Lines{error("2", -32601, "method 'no/such' is not supported")});
  CHECK(rig.send(request("3", "resources/subscribe", R"({"uri":"a://b"})")) ==
        Lines{error("3", -32002, "resource not found: 'a://b'", R"({"uri":"a://b"})")});
  CHECK(rig.send(notification("notifications/roots/list_changed")).empty());
  CHECK(rig.send(notification("no/such")).empty());
  CHECK(rig.send(notification("tools/call", R"({"name":"free"})")).empty());
  CHECK(rig.send(R"({"jsonrpc":"2.0","id":9,"result":{"roots":[]}})").empty());
  CHECK(rig.send(R"({"jsonrpc":"2.0","id":9,"error":{"code":1,"message":"no"}})").empty());
  CHECK(rig.backend.count() == 0);
}

TEST_CASE("requests before the handshake are served by the newest revision that has one") {
  Rig rig;
  CHECK(rig.send(request("1", "ping")) == Lines{result("1", "{}")});
  const Lines listed = rig.send(request("2", "tools/list"));
  REQUIRE(listed.size() == 1);
  CHECK(listed[0].find("outputSchema") != std::string::npos);
  CHECK(listed[0].find("resultType") == std::string::npos);
  CHECK(rig.send("[" + request("3", "ping") + "]") ==
        Lines{error("", -32600,
                    "several messages in one array are not part of revision 2025-11-25; "
                    "send one at a time")});
}

TEST_CASE("setLevel") {
  Rig rig;
  rig.handshake("2025-06-18");
  CHECK(rig.send(request("1", "logging/setLevel", R"({"level":"warning"})")) ==
        Lines{result("1", "{}")});
  CHECK(rig.send(request("2", "logging/setLevel", R"({"level":"loud"})")) ==
        Lines{error("2", -32602,
                    "unknown log level \"loud\"; expected one of debug, info, notice, warning, "
                    "error, critical, alert, emergency")});
  CHECK(rig.send(request("3", "logging/setLevel")) ==
        Lines{error("3", -32602, "'level' is missing; expected a string")});
}

TEST_CASE("batches belong to 2025-03-26 and before") {
  for (const char* revision : {"2024-11-05", "2025-03-26"}) {
    Rig rig;
    rig.handshake(revision);
    CHECK(rig.send("[" + request("1", "ping") + "," + notification("x") + "," +
                   request("\"b\"", "nope") + ",7]") ==
          Lines{"[" + result("1", "{}") + "," +
                error("\"b\"", -32601, "method 'nope' is not supported") + "," +
                error("null", -32600, "a message must be a JSON object, got integer") + "]"});
    CHECK(rig.send("[]") == Lines{error("null", -32600, "the array of messages is empty")});
    CHECK(rig.send("[" + notification("x") + "]").empty());
    CHECK(rig.send("[" + request("1", "initialize", R"({"protocolVersion":"2025-03-26"})") + "]") ==
          Lines{"[" + error("1", -32600, "'initialize' must not be part of a batch") + "]"});
  }
  for (const char* revision : {"2025-06-18", "2025-11-25"}) {
    Rig rig;
    rig.handshake(revision);
    const bool null_id = std::string_view(revision) == "2025-06-18";
    CHECK(rig.send("[" + request("1", "ping") + "]") ==
          Lines{error(null_id ? "null" : "", -32600,
                      "several messages in one array are not part of revision " +
                          std::string(revision) + "; send one at a time")});
  }
}

TEST_CASE("a batch is answered when its last call is") {
  Rig rig;
  rig.handshake("2025-03-26");
  const auto call = [](const char* id) { return request(id, "tools/call", R"({"name":"free"})"); };
  CHECK(rig.send("[" + call("1") + "," + call("2") + "," + call("3") + "," + request("4", "ping") +
                 "]")
            .empty());
  rig.backend.finish(1, "two");
  CHECK(rig.peer->take().empty());
  // Withdrawn: no answer to it, and the others need not wait for it.
  CHECK(rig.send(notification("notifications/cancelled", R"({"requestId":3})")).empty());
  rig.backend.request(0).client->log("info", "", "hi");
  CHECK(rig.peer->take() ==
        Lines{notification("notifications/message", R"({"level":"info","data":"hi"})")});
  rig.backend.finish(0, "one");
  CHECK(rig.peer->take() == Lines{"[" + result("4", "{}") + "," + call_result("2", "\"two\"", "") +
                                  "," + call_result("1", "\"one\"", "") + "]"});
  rig.backend.finish(2, "three");
  CHECK(rig.peer->take().empty());
}

TEST_CASE("a batch of withdrawn calls is not answered") {
  Rig rig;
  rig.handshake("2025-03-26");
  rig.send("[" + request("1", "tools/call", R"({"name":"free"})") + "]");
  CHECK(rig.send(notification("notifications/cancelled", R"({"requestId":1})")).empty());
  // Whoever waits for the array is told, once, when the last of them is withdrawn.
  CHECK(rig.peer->withdrawn_count() == 1);
  rig.backend.finish(0, 1);
  CHECK(rig.peer->take().empty());
  CHECK(rig.peer->withdrawn_count() == 1);

  const std::string call = R"({"name":"free"})";
  rig.send("[" + request("2", "tools/call", call) + "," + request("3", "tools/call", call) + "]");
  rig.send(notification("notifications/cancelled", R"({"requestId":2})"));
  CHECK(rig.peer->withdrawn_count() == 1);
  rig.send(notification("notifications/cancelled", R"({"requestId":3})"));
  CHECK(rig.peer->withdrawn_count() == 2);
  CHECK(rig.peer->take().empty());
}

TEST_CASE("malformed input is answered, never fatal") {
  Rig rig;
  const auto one = [&](std::string_view line) {
    const Lines lines = rig.send(line);
    REQUIRE(lines.size() == 1);
    return lines[0];
  };
  CHECK(
      one("{") ==
      error("", -32700, "invalid JSON: the text ends in the middle of a value (line 1, column 2)"));
  CHECK(one("").find("-32700") != std::string::npos);
  CHECK(one("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"p\xFF\"}").find("-32700") !=
        std::string::npos);
  CHECK(one("nonsense").find("-32700") != std::string::npos);
  CHECK(one(std::string(200, '[')).find("-32700") != std::string::npos);
  CHECK(one("[1").find("-32700") != std::string::npos);
  CHECK(one("null") == error("", -32600, "a message must be a JSON object, got null"));
  CHECK(one("\"x\"") == error("", -32600, "a message must be a JSON object, got string"));
  CHECK(one(R"({"jsonrpc":"2.0","id":1,"method":"ping","params":[]})") ==
        error("1", -32602, "'params' must be an object, got array"));
  CHECK(one(request("1", "ping", R"({"_meta":3})")) ==
        error("1", -32602, "'_meta' must be an object"));
  CHECK(one(request("1", "ping", R"({"_meta":{"progressToken":1.5}})")) ==
        error("1", -32602, "_meta[\"progressToken\"] must be a string or an integer, got number"));
  rig.handshake("2024-11-05");
  CHECK(one("{").find(R"("id":null)") != std::string::npos);
}

TEST_CASE("a message above the limit is refused") {
  ServerOptions options = test_options();
  options.max_message = 100;
  Rig rig(options);
  CHECK(rig.send(request("1", "ping", R"({"x":")" + std::string(100, 'x') + "\"}")) ==
        Lines{error("1", -32600, "the message is larger than 100 bytes")});
  rig.server.receive_oversized(rig.session, {});
  CHECK(rig.peer->take() == Lines{error("", -32600, "the message is larger than 100 bytes")});
  CHECK(rig.send(request("1", "ping")) == Lines{result("1", "{}")});
}

TEST_CASE("every prefix and every mutilation of a message is survived") {
  Rig rig;
  rig.handshake("2025-03-26");
  const std::string whole =
      "[" + request("1", "tools/call", R"({"name":"free","arguments":{"a":[1,{"b":null}]}})") +
      "," +
      request("\"2\"", "tools/list", R"({"cursor":"tools:a","_meta":{"progressToken":"t"}})") + "]";
  for (std::size_t i = 0; i < whole.size(); ++i) {
    rig.send(whole.substr(0, i));
    rig.send(whole.substr(i));
    for (const char c : {'"', '{', '[', ']', '}', ',', ':', '0', '\\', '\0', '\x80'}) {
      std::string changed = whole;
      changed[i] = c;
      for (const std::string& line : rig.send(changed)) CHECK(parse_json(line).ok());
    }
  }
  CHECK(rig.send(request("\"last\"", "ping")) == Lines{result("\"last\"", "{}")});
}
