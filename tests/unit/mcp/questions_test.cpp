// Questions of a running call to the client, in both eras.
#include "mcp/questions.h"
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

TEST_CASE("a client is asked in the modes that it declared") {
  const Question url{
      "u", "elicitation/create", {{"message", "Go"}, {"mode", "url"}, {"url", "https://x"}}};
  const Question tools{"s", "sampling/createMessage", {{"tools", Array{}}}};
  const auto missing = [](const std::vector<Question>& questions, const char* declared) {
    return to_json(missing_capabilities(questions, parse_json(declared)->as_object()));
  };
  CHECK(missing({kName}, R"({"elicitation":{}})") == "{}");
  CHECK(missing({kName}, R"({"elicitation":{"form":{}}})") == "{}");
  CHECK(missing({kName}, R"({"elicitation":{"url":{}}})") == R"({"elicitation":{"form":{}}})");
  CHECK(missing({kName}, R"({"elicitation":null})") == R"({"elicitation":{"form":{}}})");
  CHECK(missing({url}, R"({"elicitation":{"url":{}}})") == "{}");
  CHECK(missing({url}, R"({"elicitation":{}})") == R"({"elicitation":{"url":{}}})");
  CHECK(missing({url, kName}, "{}") == R"({"elicitation":{"url":{}}})");
  CHECK(missing({tools}, R"({"sampling":{}})") == R"({"sampling":{"tools":{}}})");
  CHECK(missing({tools}, R"({"sampling":{"tools":{}}})") == "{}");
  CHECK(missing({kRoots, tools}, "{}") == R"({"roots":{},"sampling":{"tools":{}}})");
}

TEST_CASE("an answer fits the schema that it was asked with") {
  const Object params{
      {"requestedSchema", *parse_json(R"({"type":"object","required":["name","age"],"properties":{
      "name":{"type":"string","minLength":2},"age":{"type":"integer","minimum":0},"vip":{"type":"boolean"},
      "color":{"type":"string","oneOf":[{"const":"r","title":"Red"},{"const":"g","title":"Green"}]},
      "tags":{"type":"array","maxItems":2,"items":{"type":"string","enum":["a","b"]}},
      "mail":{"type":"string","format":"email"}}})")}};
  const auto why = [&](const std::string& content) {
    const auto answer = parse_json(R"({"action":"accept")" + content + "}");
    return why_no_answer("elicitation/create", params, *answer).value_or("");
  };
  const auto with = [&](const std::string& more) {
    return why(R"(,"content":{"name":"Bo","age":5)" + more + "}");
  };
  CHECK(with("").empty());
  CHECK(with(R"(,"vip":true,"color":"g","tags":["a","b"],"mail":"a@b.org","unasked":[1])").empty());
  CHECK(with(R"(,"vip":null)").empty());
  CHECK(why("") == "'content.name' is missing");
  CHECK(why(R"(,"content":null)") == "'content.name' is missing");
  CHECK(why(R"(,"content":[])") == "'content' is array");
  CHECK(why(R"(,"content":{"name":"Bo"})") == "'content.age' is missing");
  CHECK(why(R"(,"content":{"name":"Bo","age":null})") == "'content.age' is missing");
  CHECK(why(R"(,"content":{"name":5,"age":5})") == "'content.name': expected a string, got 5");
  CHECK(why(R"(,"content":{"name":"B","age":5})").find("at least 2") != std::string::npos);
  CHECK(why(R"(,"content":{"name":"Bo","age":-1})").find("at least 0") != std::string::npos);
  CHECK(with(R"(,"vip":"yes")") ==
        "'content.vip': expected a boolean (true or false), got \"yes\"");
  CHECK(with(R"(,"color":"Red")").find("'content.color': must be one of \"r\", \"g\"") == 0);
  CHECK(with(R"(,"tags":["a","c"])").find("'content.tags[1]': must be one of") == 0);
  CHECK(with(R"(,"tags":["a","b","a"])").find("at most 2 items") != std::string::npos);
  CHECK(!with(R"(,"mail":"nobody")").empty());

  const auto shape = [](const char* method, const char* answer) {
    return why_no_answer(method, {}, *parse_json(answer)).value_or("");
  };
  CHECK(shape("elicitation/create", R"("Bob")") == "it is string");
  CHECK(shape("elicitation/create", "{}") == "'action' is missing");
  CHECK(shape("elicitation/create", R"({"action":"weird"})") ==
        R"('action' is "weird", not accept, decline or cancel)");
  CHECK(shape("elicitation/create", R"({"action":"decline"})").empty());
  CHECK(shape("roots/list", R"({"roots":[{"name":"x"}]})") == "'roots' has an entry without 'uri'");
  CHECK(shape("sampling/createMessage",
              R"({"role":"assistant","model":"m","content":{"type":"text","text":"x"}})")
            .empty());
  CHECK(shape("sampling/createMessage", R"({"role":"assistant","model":"m","content":"x"})") ==
        "'content' is no content block");
  CHECK(shape("sampling/createMessage", R"({"role":"assistant"})") == "'model' is missing");
}

TEST_CASE("2026-07-28: the same question asked again is another one") {
  AskingRig rig;
  const std::string roots = R"({"roots":[]})";
  rig.send(request("1", "tools/call", rig.params(R"(,"inputResponses":{"r":)" + roots + "}")));
  rig.ask(0, {kRoots});
  CHECK(rig.answered.back() == R"({"r":{"roots":[]}})");
  rig.ask(0, {kRoots});
  CHECK(rig.codes.back() == Code::kCancelled);
  CHECK(rig.peer->take().at(0).find(R"("inputRequests":{"r-2":{)") != std::string::npos);
  rig.backend.fail(0, {Code::kCancelled, "cancelled"});

  // The code runs from its beginning, where it asks both.
  rig.send(request("2", "tools/call",
                   rig.params(R"(,"inputResponses":{"r":)" + roots +
                              R"(,"r-2":{"roots":[{"uri":"file:///a"}]}})")));
  rig.ask(1, {kRoots});
  rig.ask(1, {kRoots});
  CHECK(rig.answered.back() == R"({"r":{"roots":[{"uri":"file:///a"}]}})");
  rig.backend.finish(1, 2);
}

TEST_CASE("no questions have no answers, at once") {
  AskingRig rig;
  rig.send(request("1", "tools/call", rig.params()));
  rig.ask(0, {});
  rig.backend.finish(0, 2);
  rig.handshake("2025-11-25");
  rig.send(request("2", "tools/call", R"({"name":"add","arguments":{"a":1}})"));
  rig.ask(1, {});
  CHECK(rig.answered == Lines{"{}", "{}"});
  rig.backend.finish(1, 2);
}

TEST_CASE("handshake revisions: an answer of the wrong shape is an error that says why") {
  AskingRig rig;
  rig.send(
      R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25",)"
      R"("capabilities":{"elicitation":{"url":{},"form":{}}},"clientInfo":{"name":"t","version":"0"}}})");
  rig.send(request("1", "tools/call", R"({"name":"add","arguments":{"a":1}})"));
  rig.ask(0, {kName});
  rig.send(R"({"jsonrpc":"2.0","id":"mxcp-1","result":{"action":"weird"}})");
  CHECK(rig.codes.back() == Code::kUnavailable);
  CHECK(rig.answered.back().find(R"(elicitation/create cannot be used: 'action' is "weird")") !=
        std::string::npos);
  rig.peer->take();

  // By URL, with a number where the author gave none.
  rig.ask(
      0, {{"u", "elicitation/create", {{"message", "Go"}, {"mode", "url"}, {"url", "https://x"}}}});
  const auto asked = parse_json(rig.peer->take().at(0));
  CHECK(asked->find("params")->find("elicitationId")->as_string()->size() == 32);
  rig.send(R"({"jsonrpc":"2.0","id":"mxcp-2","result":{"action":"accept"}})");
  CHECK(rig.answered.back() == R"({"u":{"action":"accept"}})");
  rig.backend.request(0).client->elicitation_complete("e1");
  CHECK(rig.peer->take() ==
        Lines{notification("notifications/elicitation/complete", R"({"elicitationId":"e1"})")});
}

TEST_CASE("2026-07-28: questions by URL have no number, and nothing tells of their end") {
  AskingRig rig;
  rig.send(request("1", "tools/call", rig.params("", R"("elicitation":{"url":{}})")));
  rig.backend.request(0).client->elicitation_complete("e1");
  CHECK(rig.peer->take().empty());
  rig.ask(0,
          {{"u",
            "elicitation/create",
            {{"message", "Go"}, {"mode", "url"}, {"url", "https://x"}, {"elicitationId", "e1"}}}});
  const Lines lines = rig.peer->take();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find(R"("params":{"message":"Go","mode":"url","url":"https://x"})") !=
        std::string::npos);
  rig.backend.fail(0, {Code::kCancelled, "cancelled"});
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
  CHECK(rig.send(R"({"jsonrpc":"2.0","id":"mxcp-4","result":{}})").empty());
  CHECK(rig.answered.size() == 2);

  // So does the end of the call.
  rig.ask(0, {kRoots});
  rig.send(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})");
  CHECK(rig.codes.back() == Code::kCancelled);
  rig.backend.fail(0, {Code::kCancelled, "cancelled"});
}

TEST_CASE("handshake revisions: questions that nobody waits for any more are taken back") {
  AskingRig rig;
  rig.send(
      R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25",)"
      R"("capabilities":{"roots":{},"elicitation":{}},"clientInfo":{"name":"t","version":"0"}}})");
  const auto call = [&](const std::string& id) {
    rig.send(request(id, "tools/call", R"({"name":"add","arguments":{"a":1}})"));
  };
  const auto taken_back = [](const std::string& id) {
    return notification("notifications/cancelled", R"({"requestId":")" + id + R"("})");
  };
  // Another of the same set was refused.
  call("1");
  rig.ask(0, {kRoots, kName});
  CHECK(rig.peer->take().size() == 2);
  CHECK(rig.send(R"({"jsonrpc":"2.0","id":"mxcp-1","error":{"code":-1,"message":"no"}})") ==
        Lines{taken_back("mxcp-2")});
  // The client withdrew the call; what is asked afterwards never leaves.
  rig.ask(0, {kRoots});
  CHECK(rig.peer->take().size() == 1);
  CHECK(rig.send(notification("notifications/cancelled", R"({"requestId":1})")) ==
        Lines{taken_back("mxcp-3")});
  rig.ask(0, {kRoots, kName});
  CHECK(rig.codes.back() == Code::kCancelled);
  CHECK(rig.peer->take().empty());
  rig.backend.fail(0, {Code::kCancelled, "cancelled"});
  // The call was answered without it.
  call("2");
  rig.ask(1, {kRoots});
  CHECK(rig.peer->take().size() == 1);
  rig.backend.finish(1, 1);
  const Lines last = rig.peer->take();
  REQUIRE(last.size() == 2);
  CHECK(last[0].find(R"("id":2)") != std::string::npos);
  CHECK(last[1] == taken_back("mxcp-6"));
  // Nobody is told when the session itself is over.
  call("3");
  rig.ask(2, {kRoots});
  CHECK(rig.peer->take().size() == 1);
  rig.server.close(rig.session);
  CHECK(rig.codes.back() == Code::kCancelled);
  CHECK(rig.peer->take().empty());
  rig.backend.fail(2, {Code::kCancelled, "cancelled"});
}

TEST_CASE("handshake revisions: a client that takes nothing before the answer is not asked") {
  AskingRig rig;
  rig.send(
      R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-03-26",)"
      R"("capabilities":{"roots":{}},"clientInfo":{"name":"t","version":"0"}}})");
  rig.peer->take_answers_only();
  const std::string params = R"({"name":"add","arguments":{"a":1}})";
  rig.send(request("1", "tools/call", params));
  rig.send("[" + request("2", "tools/call", params) + "]");
  for (const std::size_t i : {0, 1}) {
    rig.ask(i, {kRoots});
    CHECK(rig.answered.back() ==
          "the client cannot be asked: its Accept does not list text/event-stream");
    CHECK(rig.codes.back() == Code::kUnavailable);
  }
  CHECK(rig.peer->take().empty());
  rig.backend.finish(0, 1);
  rig.backend.finish(1, 2);
  CHECK(rig.peer->take().size() == 2);
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
