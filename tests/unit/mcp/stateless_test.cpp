// Revision 2026-07-28: everything is in the request.
#include "mcp/core.h"
#include "mcp/harness.h"

using namespace mxcp;
using namespace mxcp::mcp;
using namespace mxcp::mcp::testing;

namespace {

std::string with_meta(const std::string& members = "") {
  return "{" + (members.empty() ? "" : members + ",") + kMeta + "}";
}

const std::string kVersionKey = "io.modelcontextprotocol/protocolVersion";
const std::string kCapabilitiesKey = "io.modelcontextprotocol/clientCapabilities";

}  // namespace

TEST_CASE("server/discover works before anything else") {
  Rig rig;
  CHECK(
      rig.send(request("\"d\"", "server/discover", with_meta())) ==
      Lines{result(
          "\"d\"",
          R"({"resultType":"complete","supportedVersions":["2026-07-28","2025-11-25",)"
          R"("2025-06-18","2025-03-26","2024-11-05"],"capabilities":{"logging":{},)"
          R"("completions":{},"prompts":{"listChanged":true},"resources":)"
          R"({"subscribe":true,"listChanged":true},"tools":{"listChanged":true}},"instructions":"Be nice",)"
          R"("ttlMs":5000,"cacheScope":"public",)" +
              kServerMeta + "}")});
}

TEST_CASE("a request must say its version and the client's capabilities, not who the client is") {
  Rig rig;
  const auto listed = [&](const std::string& meta) {
    const Lines lines = rig.send(request("1", "prompts/list", R"({"_meta":)" + meta + "}"));
    REQUIRE(lines.size() == 1);
    return lines[0];
  };
  CHECK(listed("{\"" + kCapabilitiesKey + "\":{}}") ==
        error("1", -32602, "_meta[\"" + kVersionKey + "\"] must be a string, but is missing"));
  CHECK(listed("{\"" + kVersionKey + "\":7,\"" + kCapabilitiesKey + "\":{}}") ==
        error("1", -32602, "_meta[\"" + kVersionKey + "\"] must be a string, got integer"));
  CHECK(
      listed("{\"" + kVersionKey + "\":\"2026-07-28\"}") ==
      error("1", -32602, "_meta[\"" + kCapabilitiesKey + "\"] must be an object, but is missing"));
  CHECK(listed("{\"" + kVersionKey + "\":\"2026-07-28\",\"" + kCapabilitiesKey + "\":[]}") ==
        error("1", -32602, "_meta[\"" + kCapabilitiesKey + "\"] must be an object, got array"));
  CHECK(rig.send(request("2", "server/discover")) ==
        Lines{error("2", -32602,
                    "'_meta' is missing; this method needs _meta[\"" + kVersionKey +
                        "\"] and _meta[\"" + kCapabilitiesKey + "\"]")});
  CHECK(rig.send(request("3", "subscriptions/listen", R"({"notifications":{}})"))[0].find(
            "-32602") != std::string::npos);
  CHECK(listed("{\"" + kVersionKey + "\":\"2026-07-28\",\"" + kCapabilitiesKey +
               R"(":{},"io.modelcontextprotocol/logLevel":"loud"})")
            .find("unknown log level \\\"loud\\\"") != std::string::npos);
  CHECK(listed("{\"" + kVersionKey + "\":\"2026-07-28\",\"" + kCapabilitiesKey + "\":{}}")
            .find("\"resultType\":\"complete\"") != std::string::npos);
}

TEST_CASE("an unsupported version is answered with those that are supported") {
  Rig rig;
  const auto ask = [&](const std::string& version) {
    return rig.send(request("1", "tools/list",
                            "{\"_meta\":{\"" + kVersionKey + "\":\"" + version + "\",\"" +
                                kCapabilitiesKey + "\":{}}}"));
  };
  CHECK(ask("1900-01-01") ==
        Lines{error("1", -32022, "protocol version '1900-01-01' is not supported",
                    R"({"supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26",)"
                    R"("2024-11-05"],"requested":"1900-01-01"})")});
  // Spoken here, but not in this way: naming it as supported would send the client in a circle.
  CHECK(ask("2025-11-25") ==
        Lines{error("1", -32022,
                    "protocol version '2025-11-25' is not supported in _meta: it begins with "
                    "'initialize'",
                    R"({"supported":["2026-07-28"],"requested":"2025-11-25"})")});
}

TEST_CASE("the methods of the handshake are gone") {
  Rig rig;
  for (const char* method :
       {"initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"}) {
    CHECK(rig.send(request("1", method, with_meta())) ==
          Lines{error("1", -32601,
                      "method '" + std::string(method) + "' was removed in 2026-07-28")});
  }
  CHECK(rig.send(request("1", "no/such", with_meta())) ==
        Lines{error("1", -32601, "method 'no/such' is not supported")});
}

TEST_CASE("both eras share a stream, and neither leaves a trace in the other") {
  Rig rig;
  CHECK(rig.send(request("1", "server/discover", with_meta())).size() == 1);
  rig.handshake("2025-03-26");
  CHECK(rig.send(request("2", "ping")) == Lines{result("2", "{}")});
  const std::string modern = rig.send(request("3", "tools/list", with_meta()))[0];
  CHECK(modern.find("outputSchema") != std::string::npos);
  CHECK(modern.find("\"ttlMs\":5000") != std::string::npos);
  const std::string legacy = rig.send(request("4", "tools/list"))[0];
  CHECK(legacy.find("outputSchema") == std::string::npos);
  CHECK(legacy.find("ttlMs") == std::string::npos);
  CHECK(legacy.find("_meta") == std::string::npos);
}

TEST_CASE("results say what they are") {
  Rig rig;
  rig.send(request("1", "tools/call", with_meta(R"("name":"add","arguments":{"a":1})")));
  rig.backend.finish(0, 3);
  CHECK(rig.peer->take() ==
        Lines{result("1", R"({"resultType":"complete","content":[{"type":"text","text":"3"}],)"
                          R"("structuredContent":{"result":3},"isError":false,)" +
                              kServerMeta + "}")});
  rig.send(request("2", "resources/read", with_meta(R"("uri":"config://motto")")));
  rig.backend.finish(1, "Do it");
  CHECK(rig.peer->take() ==
        Lines{result("2", R"({"resultType":"complete","contents":[{"uri":"config://motto",)"
                          R"("mimeType":"text/plain","text":"Do it"}],"ttlMs":0,)"
                          R"("cacheScope":"private",)" +
                              kServerMeta + "}")});
  CHECK(rig.send(request("3", "resources/read", with_meta(R"("uri":"no://such")"))) ==
        Lines{error("3", -32602, "resource not found: 'no://such'", R"({"uri":"no://such"})")});
}

TEST_CASE("log messages go to requests that name a level, and to no other") {
  Rig rig;
  const auto call = [&](const std::string& id, const std::string& level) {
    rig.send(request(
        id, "tools/call",
        R"({"name":"free","_meta":{")" + kVersionKey + R"(":"2026-07-28",")" + kCapabilitiesKey +
            R"(":{})" +
            (level.empty() ? "" : R"(,"io.modelcontextprotocol/logLevel":")" + level + '"') +
            "}}"));
  };
  call("1", "");
  call("2", "warning");
  for (std::size_t i : {0, 1}) {
    rig.backend.request(i).client->log("info", "app", "quiet");
    rig.backend.request(i).client->log("error", "app", Object{{"n", 1}});
  }
  CHECK(rig.peer->take() ==
        Lines{notification("notifications/message",
                           R"({"level":"error","logger":"app","data":{"n":1}})")});
}

TEST_CASE("a request can be cancelled on the stream") {
  Rig rig;
  rig.send(request("\"c\"", "tools/call", with_meta(R"("name":"free")")));
  CHECK(rig.send(notification("notifications/cancelled", R"({"requestId":"c","reason":"enough"})"))
            .empty());
  CHECK(rig.backend.request(0).cancel->cancelled());
  rig.backend.finish(0, 1);
  CHECK(rig.peer->take().empty());
}

TEST_CASE("subscriptions/listen: acknowledged first, then what was asked for, tagged") {
  Rig rig;
  const std::string tag = R"({"_meta":{"io.modelcontextprotocol/subscriptionId":)";
  CHECK(rig.send(request("7", "subscriptions/listen",
                         with_meta(R"("notifications":{"toolsListChanged":true,)"
                                   R"("promptsListChanged":false,)"
                                   R"("resourceSubscriptions":["config://motto"]})"))) ==
        Lines{notification("notifications/subscriptions/acknowledged",
                           tag + R"(7},"notifications":{"toolsListChanged":true,)"
                                 R"("resourceSubscriptions":["config://motto"]}})")});
  CHECK(rig.send(request("\"all\"", "subscriptions/listen",
                         with_meta(R"("notifications":{"toolsListChanged":true,)"
                                   R"("promptsListChanged":true,"resourcesListChanged":true})"))) ==
        Lines{notification("notifications/subscriptions/acknowledged",
                           tag + R"("all"},"notifications":{"toolsListChanged":true,)" +
                               R"("promptsListChanged":true,"resourcesListChanged":true}})")});

  // Nothing differs: nobody is told.
  rig.reload();
  rig.server.notify_list_changed();
  CHECK(rig.peer->take().empty());

  rig.folder->write("tools/new.yml", tool_yaml("new"));
  rig.reload();
  rig.server.notify_list_changed();
  CHECK(rig.peer->take() ==
        Lines{notification("notifications/tools/list_changed", tag + "7}}"),
              notification("notifications/tools/list_changed", tag + R"("all"}})")});

  rig.folder->remove("prompts/greet.yml");
  rig.folder->write("resources/b.yml",
                    "mxcp: 1\nresource:\n  uri: b://{x}\n  parameters:\n"
                    "    - name: x\n      type: string\n"
                    "  source:\n    code: SELECT $x\n");
  rig.reload();
  rig.server.notify_list_changed();
  CHECK(rig.peer->take() ==
        Lines{notification("notifications/prompts/list_changed", tag + R"("all"}})"),
              notification("notifications/resources/list_changed", tag + R"("all"}})")});

  // Withdrawn by the client: silence.
  CHECK(rig.send(notification("notifications/cancelled", R"({"requestId":7})")).empty());
  rig.folder->remove("tools/new.yml");
  rig.reload();
  rig.server.notify_list_changed();
  CHECK(rig.peer->take() ==
        Lines{notification("notifications/tools/list_changed", tag + R"("all"}})")});

  // Ended by the server: answered.
  rig.server.drain(rig.session, Clock::system().now());
  CHECK(rig.peer->take() ==
        Lines{result("\"all\"",
                     R"({"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":)"
                     R"({"name":"demo","title":"Demo","version":"1.2.3"},)"
                     R"("io.modelcontextprotocol/subscriptionId":"all"}})")});
}

TEST_CASE("subscriptions/listen: what is not served is not acknowledged; bad filters") {
  auto folder = std::make_unique<ProjectFolder>();
  folder->write("tools/free.yml", tool_yaml("free"));
  Rig rig(std::move(folder), test_options());
  CHECK(rig.send(request("1", "subscriptions/listen",
                         with_meta(R"("notifications":{"promptsListChanged":true,)"
                                   R"("resourcesListChanged":true})"))) ==
        Lines{notification("notifications/subscriptions/acknowledged",
                           R"({"_meta":{"io.modelcontextprotocol/subscriptionId":1},)"
                           R"("notifications":{}})")});
  CHECK(rig.send(request("2", "subscriptions/listen", with_meta())) ==
        Lines{error("2", -32602, "'notifications' is missing; expected an object")});
  CHECK(rig.send(request("3", "subscriptions/listen",
                         with_meta(R"("notifications":{"toolsListChanged":1})"))) ==
        Lines{error("3", -32602, "'toolsListChanged' must be true or false, got integer")});
}

TEST_CASE("the core serves a request without any session, each to its own peer") {
  Rig rig;
  Core core(test_options(), rig.backend);
  const auto start = [&](const std::string& line, const std::shared_ptr<Peer>& peer) {
    auto message = read_message(*parse_json(line));
    REQUIRE(std::holds_alternative<Message>(message));
    Message& well_formed = *std::get_if<Message>(&message);
    REQUIRE(is_stateless(well_formed));
    auto meta = read_stateless_meta(well_formed);
    REQUIRE(std::holds_alternative<RequestMeta>(meta));
    const auto exchange =
        std::make_shared<Exchange>(std::move(well_formed), *std::get_if<RequestMeta>(&meta),
                                   Caller{.transport = "http", .user = {}, .headers = {{"x", "y"}}},
                                   peer, std::weak_ptr<ExchangeOwner>(), core.setup());
    core.start(exchange);
    return exchange;
  };
  const auto one = std::make_shared<RecordingPeer>();
  const auto two = std::make_shared<RecordingPeer>();
  const auto three = std::make_shared<RecordingPeer>();
  const std::string call = request("1", "tools/call", with_meta(R"("name":"free")"));
  start(call, one);
  const auto second = start(call, two);
  start(request("1", "no/such", with_meta()), three);
  CHECK(rig.backend.request(1).caller.transport == "http");
  CHECK(rig.backend.request(1).caller.headers.size() == 1);
  rig.backend.request(0).client->log("error", "", "silent");
  // The client closed its connection.
  CHECK(second->withdraw());
  CHECK(!second->withdraw());
  rig.backend.finish(1, 2);
  rig.backend.finish(0, 1);
  CHECK(one->take().size() == 1);
  CHECK(one->error_codes() == std::vector<int>{0});
  CHECK(two->take().empty());
  CHECK(two->withdrawn_count() == 1);
  CHECK(three->error_codes() == std::vector<int>{-32601});
}
