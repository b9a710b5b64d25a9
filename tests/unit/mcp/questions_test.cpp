// Questions of a running call to the client, in both eras.
#include "mcp/harness.h"

using namespace mxcp;
using namespace mxcp::mcp;
using namespace mxcp::mcp::testing;

namespace {

using Question = invoke::ClientChannel::Question;

// Not sealed at all: the text shows in the transcript.
class OpenSealer final : public Sealer {
 public:
  std::string seal(std::string_view text, std::string_view bound) const override {
    return std::string(text) + "|" + std::string(bound);
  }
  std::optional<std::string> open(std::string_view token, std::string_view bound) const override {
    const std::string end = "|" + std::string(bound);
    if (!token.ends_with(end)) return {};
    return std::string(token.substr(0, token.size() - end.size()));
  }
};

struct AskingRig : Rig {
  AskingRig() : Rig(options()) {}

  static ServerOptions options() {
    static const ManualClock clock;
    ServerOptions options = test_options();
    options.sealer = std::make_shared<OpenSealer>();
    options.clock = &clock;
    return options;
  }

  std::string params(const std::string& more = "",
                     const std::string& capabilities = R"("roots":{})") {
    return R"({"name":"add","arguments":{"a":1},"_meta":{)"
           R"("io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
           R"("io.modelcontextprotocol/clientCapabilities":{)" +
           capabilities + "}}" + more + "}";
  }

  // What call number `i` asks for, and what it gets.
  void ask(std::size_t i, std::vector<Question> questions) {
    backend.request(i).client->ask(std::move(questions), [this](Result<Object> answers) {
      answered.push_back(answers.ok() ? to_json(*answers) : answers.error().message);
      codes.push_back(answers.ok() ? std::optional<Code>() : answers.error().code);
    });
  }

  Lines answered;
  std::vector<std::optional<Code>> codes;
};

const Question kRoots{"r", "roots/list", {}};
const Question kName{"n", "elicitation/create", {{"message", "Name?"}}};

}  // namespace

TEST_CASE("2026-07-28: the result asks, the next request brings the answer") {
  AskingRig rig;
  rig.send(request("1", "tools/call", rig.params()));
  rig.ask(0, {kRoots});
  REQUIRE(rig.codes == std::vector<std::optional<Code>>{Code::kCancelled});
  CHECK(rig.backend.request(0).cancel->cancelled());
  const Lines asked = rig.peer->take();
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].find(R"("resultType":"input_required","inputRequests":{"r":{"method":"roots/list")"
                      R"(,"params":{}}},"requestState":")") != std::string::npos);
  rig.backend.fail(0, {Code::kCancelled, "cancelled"});
  CHECK(rig.peer->take().empty());

  const auto parsed = parse_json(asked[0]);
  const std::string state = *parsed->find("result")->find("requestState")->as_string();
  const std::string more =
      R"(,"requestState":)" + to_json(state) + R"(,"inputResponses":{"r":{"roots":[]},"other":1})";
  rig.send(request("2", "tools/call", rig.params(more)));
  rig.ask(1, {kRoots});
  CHECK(rig.answered.back() == R"({"r":{"roots":[]}})");
  rig.backend.finish(1, 2);
  CHECK(rig.peer->take().size() == 1);

  // The state belongs to this very request.
  std::string other = rig.params(more);
  other.replace(other.find(R"("a":1)"), 5, R"("a":2)");
  CHECK(rig.send(request("3", "tools/call", other))[0].find("-32602") != std::string::npos);
  CHECK(rig.send(request("4", "tools/call", rig.params(R"(,"requestState":"made up")")))[0].find(
            "requestState") != std::string::npos);
}

TEST_CASE("2026-07-28: what is no answer is asked again, what was answered is kept in the state") {
  AskingRig rig;
  const std::string both = R"("roots":{},"elicitation":{})";
  rig.send(
      request("1", "tools/call",
              rig.params(R"(,"inputResponses":{"r":{"roots":[]},"n":{"action":"maybe"}})", both)));
  rig.ask(0, {kRoots, kName});
  const Lines asked = rig.peer->take();
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].find(R"("inputRequests":{"n":{)") != std::string::npos);
  CHECK(asked[0].find(R"(\"answers\":{\"r\":{\"roots\":[]})") != std::string::npos);
  CHECK(rig.send(request("2", "tools/call", rig.params(R"(,"inputResponses":[])")))[0].find(
            "-32602") != std::string::npos);
}

TEST_CASE("a client is asked only what it declared") {
  AskingRig rig;
  rig.send(request("1", "tools/call", rig.params()));
  rig.ask(0, {kName});
  const Lines lines = rig.peer->take();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find("-32021") != std::string::npos);
  CHECK(lines[0].find(R"("data":{"requiredCapabilities":{"elicitation":{}}})") !=
        std::string::npos);

  rig.handshake("2025-11-25");
  rig.send(request("2", "tools/call", R"({"name":"add","arguments":{"a":1}})"));
  rig.ask(1, {kName});
  CHECK(rig.codes.back() == Code::kUnavailable);
  rig.backend.finish(1, 2);
  CHECK(rig.peer->take().size() == 1);
}

TEST_CASE("handshake revisions: the server asks while the call runs") {
  AskingRig rig;
  rig.send(
      R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25",)"
      R"("capabilities":{"roots":{},"elicitation":{}},"clientInfo":{"name":"t","version":"0"}}})");
  rig.send(request("1", "tools/call", R"({"name":"add","arguments":{"a":1}})"));
  rig.ask(0, {kRoots, kName});
  CHECK(rig.peer->take() ==
        Lines{R"({"jsonrpc":"2.0","id":"mxcp-1","method":"roots/list","params":{}})",
              R"({"jsonrpc":"2.0","id":"mxcp-2","method":"elicitation/create",)"
              R"("params":{"message":"Name?"}})"});
  rig.send(R"({"jsonrpc":"2.0","id":"mxcp-2","result":{"action":"decline"}})");
  CHECK(rig.answered.empty());
  rig.send(R"({"jsonrpc":"2.0","id":"mxcp-9","result":{}})");  // an answer to nothing
  rig.send(R"({"jsonrpc":"2.0","id":"mxcp-1","result":{"roots":[]}})");
  CHECK(rig.answered == Lines{R"({"n":{"action":"decline"},"r":{"roots":[]}})"});

  // An error ends the wait for all of them.
  rig.ask(0, {kRoots, kName});
  rig.send(R"({"jsonrpc":"2.0","id":"mxcp-3","error":{"code":-1,"message":"no"}})");
  CHECK(rig.codes.back() == Code::kUnavailable);
  rig.send(R"({"jsonrpc":"2.0","id":"mxcp-4","result":{}})");
  CHECK(rig.answered.size() == 2);

  // So does the end of the call.
  rig.ask(0, {kRoots});
  rig.send(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})");
  CHECK(rig.codes.back() == Code::kCancelled);
  rig.backend.fail(0, {Code::kCancelled, "cancelled"});
}

TEST_CASE("resources that a client subscribed to") {
  Rig rig;
  rig.handshake("2025-11-25");
  CHECK(rig.send(request("1", "resources/subscribe", R"({"uri":"nowhere://x"})"))[0].find(
            "-32002") != std::string::npos);
  const auto parsed = parse_json(rig.send(request("2", "resources/list"))[0]);
  const std::string uri =
      *(*parsed->find("result")->find("resources")->as_array())[0].find("uri")->as_string();
  CHECK(rig.send(request("3", "resources/subscribe", R"({"uri":")" + uri + "\"}")) ==
        Lines{result("3", "{}")});
  rig.server.notify_resources_updated();
  CHECK(rig.peer->take() ==
        Lines{notification("notifications/resources/updated", R"({"uri":")" + uri + "\"}")});
  rig.send(request("4", "resources/unsubscribe", R"({"uri":")" + uri + "\"}"));
  rig.server.notify_resources_updated();
  CHECK(rig.peer->take().empty());

  // Each once, however often it is named.
  const std::string listen = R"({"notifications":{"resourceSubscriptions":[")" + uri + R"(",")" +
                             uri + R"(","nowhere://x"]},)" + kMeta + "}";
  CHECK(rig.send(request("5", "subscriptions/listen", listen))[0].find(
            R"("notifications":{"resourceSubscriptions":[")" + uri + "\"]}") != std::string::npos);
  rig.server.notify_resources_updated();
  const Lines told = rig.peer->take();
  REQUIRE(told.size() == 1);
  CHECK(told[0].find(R"("uri":")" + uri) != std::string::npos);
}
