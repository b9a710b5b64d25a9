#include "mcp/harness.h"

using namespace mxcp;
using namespace mxcp::mcp;
using namespace mxcp::mcp::testing;

namespace {

std::string read(const std::string& id, const std::string& uri) {
  return request(id, "resources/read", R"({"uri":")" + uri + "\"}");
}
std::string contents(const std::string& id, const std::string& uri, const std::string& mime,
                     const std::string& text) {
  return result(id, R"({"contents":[{"uri":")" + uri + R"(","mimeType":")" + mime + R"(","text":)" +
                        text + "}]}");
}

}  // namespace

TEST_CASE("static resources and templates are listed apart") {
  Rig rig;
  rig.handshake("2025-11-25");
  CHECK(rig.send(request("1", "resources/list")) ==
        Lines{result("1", R"({"resources":[{"uri":"config://motto","name":"Motto",)"
                          R"("description":"What we live by"}]})")});
  CHECK(rig.send(request("2", "resources/templates/list")) ==
        Lines{result("2", R"({"resourceTemplates":[{"uriTemplate":"users://{id}/profile",)"
                          R"("name":"Profile","description":"",)"
                          R"("mimeType":"application/vnd.demo+json"}]})")});
}

TEST_CASE("resources/read") {
  Rig rig;
  rig.handshake("2025-11-25");
  rig.send(read("1", "config://motto"));
  CHECK(rig.backend.request(0).kind == project::EndpointKind::kResource);
  CHECK(rig.backend.request(0).id == "config://motto");
  CHECK(rig.backend.request(0).arguments.empty());
  rig.backend.finish(0, "Do \"it\"");
  CHECK(rig.peer->take() == Lines{contents("1", "config://motto", "text/plain", R"("Do \"it\"")")});

  rig.send(read("2", "config://motto"));
  rig.backend.finish(1, Object{{"a", Array{1, "x"}}});
  CHECK(rig.peer->take() ==
        Lines{contents("2", "config://motto", "application/json", R"("{\"a\":[1,\"x\"]}")")});

  rig.send(read("3", "users://4%32/profile"));
  CHECK(rig.backend.request(2).id == "users://{id}/profile");
  CHECK(to_json(rig.backend.request(2).arguments) == R"({"id":"42"})");
  CHECK(rig.backend.request(2).source == types::Source::kText);
  rig.backend.finish(2, Object{{"id", 42}});
  CHECK(rig.peer->take() == Lines{contents("3", "users://4%32/profile", "application/vnd.demo+json",
                                           R"("{\"id\":42}")")});
}

TEST_CASE("a resource that was cut says so beside its data, also in a prompt") {
  auto folder = Rig::make_sample();
  folder->write("prompts/look.yml",
                "mxcp: 1\nprompt:\n  name: look\n  messages:\n    - {type: resource, prompt: "
                "config://motto}\n");
  Rig rig(std::move(folder), test_options());
  rig.handshake("2025-11-25");
  invoke::Outcome cut;
  cut.json = "[1]";
  cut.notice = "It was \"cut\"";
  cut.limit = invoke::LimitMet{"max_rows", "1", 1, 0};
  rig.send(read("1", "config://motto"));
  rig.backend.finish(0, cut);
  CHECK(rig.peer->take() ==
        Lines{result("1", R"({"contents":[{"uri":"config://motto","mimeType":"application/json",)"
                          R"("text":"[1]"},{"uri":"config://motto#truncated",)"
                          R"("mimeType":"text/plain","text":"It was \"cut\""}],"_meta":)"
                          R"({"mxcp/truncated":{"rows":1,"limit":"max_rows","value":"1"}}})")});
  rig.send(request("2", "prompts/get", R"({"name":"look"})"));
  rig.backend.finish(
      1, *parse_json(R"([{"role":"user","type":"resource","prompt":"config://motto"}])"));
  rig.backend.finish(2, cut);
  const Lines lines = rig.peer->take();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find(R"({"role":"user","content":{"type":"text","text":"It was \"cut\""}}])") !=
        std::string::npos);
}

TEST_CASE("unknown and failing resources are protocol errors") {
  Rig rig;
  rig.handshake("2025-11-25");
  for (const char* uri : {"no://such", "users://1/2/profile", "users://{id}/profile",
                          "users://%zz/profile", "", "config://motto/"}) {
    CHECK(rig.send(read("1", uri)) ==
          Lines{error("1", -32002, "resource not found: '" + std::string(uri) + "'",
                      R"({"uri":")" + std::string(uri) + "\"}")});
  }
  CHECK(rig.send(request("1", "resources/read")) ==
        Lines{error("1", -32602, "'uri' is missing; expected a string")});
  CHECK(rig.backend.count() == 0);

  rig.send(read("2", "users://x/profile"));
  rig.backend.fail(0, {Code::kInvalidArgs, "id: expected an integer, got \"x\""});
  CHECK(rig.peer->take() == Lines{error("2", -32602, "id: expected an integer, got \"x\"")});
  rig.send(read("3", "config://motto"));
  rig.backend.fail(1, {Code::kSql, "no table", {"resources/motto.yml", 1, 1}});
  CHECK(rig.peer->take() == Lines{error("3", -32603, "no table")});
}

TEST_CASE("the more specific of two templates is chosen") {
  auto folder = std::make_unique<ProjectFolder>();
  const auto write = [&](const std::string& file, const std::string& uri,
                         const std::vector<std::string>& names) {
    std::string text = "mxcp: 1\nresource:\n  uri: " + uri + "\n  parameters:\n";
    for (const auto& name : names) text += "    - name: " + name + "\n      type: string\n";
    folder->write("resources/" + file, text + "  source:\n    code: SELECT 1\n");
  };
  write("a.yml", "x://{a}/{b}", {"a", "b"});
  write("b.yml", "x://{a}/info", {"a"});
  Rig rig(std::move(folder), test_options());
  rig.handshake("2025-11-25");
  rig.send(read("1", "x://1/info"));
  rig.send(read("2", "x://1/other"));
  CHECK(rig.backend.request(0).id == "x://{a}/info");
  CHECK(rig.backend.request(1).id == "x://{a}/{b}");
}

TEST_CASE("prompts/list") {
  Rig rig;
  rig.handshake("2025-11-25");
  CHECK(rig.send(request("1", "prompts/list")) ==
        Lines{result("1", R"({"prompts":[{"name":"greet","description":"Says hello","arguments":[)"
                          R"({"name":"who","description":"Whom to greet","required":true},)"
                          R"({"name":"tone","required":false}]}]})")});
}

namespace {

std::string get_prompt(const std::string& id, const std::string& arguments = R"({"who":"Ann"})") {
  return request(id, "prompts/get", R"({"name":"greet","arguments":)" + arguments + "}");
}
Value message(const char* text, Value role, Value type) {
  return Object{{"prompt", text}, {"role", std::move(role)}, {"type", std::move(type)}};
}
std::string prompt_result(const std::string& id, const std::string& messages) {
  return result(id, R"({"description":"Says hello","messages":[)" + messages + "]}");
}

}  // namespace

TEST_CASE("prompts/get maps the roles") {
  Rig rig;
  rig.handshake("2025-11-25");
  rig.send(get_prompt("1"));
  const invoke::Request& asked = rig.backend.request(0);
  CHECK(asked.kind == project::EndpointKind::kPrompt);
  CHECK(asked.id == "greet");
  CHECK(to_json(asked.arguments) == R"({"who":"Ann"})");
  CHECK(asked.source == types::Source::kText);
  rig.backend.finish(0, Array{message("Be kind", "system", nullptr), message("Hi", "user", "text"),
                              message("Ho", "assistant", nullptr), message("?", nullptr, nullptr)});
  CHECK(rig.peer->take() ==
        Lines{prompt_result("1", R"({"role":"user","content":{"type":"text","text":"Be kind"}},)"
                                 R"({"role":"user","content":{"type":"text","text":"Hi"}},)"
                                 R"({"role":"assistant","content":{"type":"text","text":"Ho"}},)"
                                 R"({"role":"user","content":{"type":"text","text":"?"}})")});
}

TEST_CASE("a resource in a prompt is embedded when it is ours, else linked") {
  Rig rig;
  const Value rendered =
      Array{message("config://motto", "user", "resource"), message("other://x", "user", "resource"),
            message("users://7/profile", "assistant", "resource")};
  const std::string embedded =
      R"({"role":"user","content":{"type":"resource","resource":{"uri":"config://motto",)"
      R"("mimeType":"text/plain","text":"Do it"}}},)";
  const std::string last =
      R"(,{"role":"assistant","content":{"type":"resource","resource":{"uri":"users://7/profile",)"
      R"("mimeType":"application/vnd.demo+json","text":"{\"id\":7}"}}})";

  rig.handshake("2025-11-25");
  rig.send(get_prompt("1"));
  rig.backend.finish(0, rendered);
  CHECK(rig.backend.request(1).id == "config://motto");
  CHECK(rig.backend.count() == 2);
  rig.backend.finish(1, "Do it");
  CHECK(to_json(rig.backend.request(2).arguments) == R"({"id":"7"})");
  CHECK(rig.peer->take().empty());
  rig.backend.finish(2, Object{{"id", 7}});
  CHECK(rig.peer->take() ==
        Lines{prompt_result("1", embedded +
                                     R"({"role":"user","content":{"type":"resource_link",)"
                                     R"("uri":"other://x","name":"other://x"}})" +
                                     last)});

  // Revisions without links get the URI as text.
  rig.handshake("2025-03-26");
  rig.send(get_prompt("2"));
  rig.backend.finish(3, rendered);
  rig.backend.finish(4, "Do it");
  rig.backend.finish(5, Object{{"id", 7}});
  CHECK(rig.peer->take() ==
        Lines{prompt_result(
            "2",
            embedded + R"({"role":"user","content":{"type":"text","text":"other://x"}})" + last)});

  rig.send(get_prompt("3"));
  rig.backend.finish(6, rendered);
  rig.backend.fail(7, {Code::kSql, "no table"});
  CHECK(rig.peer->take() ==
        Lines{error("3", -32603, "resource 'config://motto' of the prompt: no table")});
}

TEST_CASE("prompts/get: errors") {
  Rig rig;
  rig.handshake("2025-11-25");
  CHECK(rig.send(request("1", "prompts/get", R"({"name":"gret"})")) ==
        Lines{error("1", -32602, "unknown prompt 'gret' (did you mean 'greet'?)")});
  CHECK(rig.send(request("1", "prompts/get")) ==
        Lines{error("1", -32602, "'name' is missing; expected a string")});
  CHECK(rig.send(get_prompt("1", R"({"who":1})")) ==
        Lines{error("1", -32602, "'who' must be a string, got integer")});
  CHECK(rig.send(get_prompt("1", "7")) ==
        Lines{error("1", -32602, "'arguments' must be an object, got integer")});
  CHECK(rig.backend.count() == 0);
  rig.send(get_prompt("2", "{}"));
  rig.backend.fail(0, {Code::kInvalidArgs, "who: required parameter is missing"});
  CHECK(rig.peer->take() == Lines{error("2", -32602, "who: required parameter is missing")});
  rig.send(get_prompt("3"));
  rig.backend.finish(1, Object{{"not", "a list"}});
  CHECK(rig.peer->take() == Lines{error("3", -32603, "prompt 'greet' gave no list of messages")});
}

TEST_CASE("completion/complete") {
  Rig rig;
  rig.handshake("2025-11-25");
  const auto complete = [&](const std::string& ref, const std::string& name,
                            const std::string& value) {
    return rig.send(request("1", "completion/complete",
                            R"({"ref":)" + ref + R"(,"argument":{"name":")" + name +
                                R"(","value":")" + value + "\"}}"));
  };
  const auto values = [](const std::string& list, int total) {
    return Lines{result("1", R"({"completion":{"values":[)" + list + R"(],"total":)" +
                                 std::to_string(total) + R"(,"hasMore":false}})")};
  };
  const std::string greet = R"({"type":"ref/prompt","name":"greet"})";
  const std::string user = R"({"type":"ref/resource","uri":"users://{id}/profile"})";
  CHECK(complete(greet, "tone", "") == values(R"("friendly","formal","FRANK")", 3));
  CHECK(complete(greet, "tone", "fr") == values(R"("friendly","FRANK")", 2));
  CHECK(complete(greet, "tone", "r") == values(R"("friendly","formal","FRANK")", 3));
  CHECK(complete(greet, "tone", "zzz") == values("", 0));
  CHECK(complete(greet, "who", "a") == values("", 0));
  // Those that begin with it first, then those that contain it.
  CHECK(complete(user, "id", "1") == values(R"("1","12","21")", 3));
  CHECK(complete(user, "id", "2") == values(R"("21","12")", 2));

  CHECK(complete(greet, "ton", "") ==
        Lines{error("1", -32602, "unknown argument 'ton' (did you mean 'tone'?)")});
  CHECK(complete(R"({"type":"ref/prompt","name":"nope"})", "x", "") ==
        Lines{error("1", -32602, "unknown prompt 'nope'")});
  CHECK(complete(R"({"type":"ref/resource","uri":"nope://nope"})", "x", "") ==
        Lines{error("1", -32602, "unknown resource template 'nope://nope'")});
  for (const char* bad : {"{}", "7", R"({"type":"ref/tool","name":"add"})",
                          R"({"type":"ref/prompt"})", R"({"type":"ref/resource","name":"x"})"}) {
    CHECK(complete(bad, "x", "") ==
          Lines{error("1", -32602,
                      "'ref' must be {\"type\":\"ref/prompt\",\"name\":...} or "
                      "{\"type\":\"ref/resource\",\"uri\":...}")});
  }
  CHECK(rig.send(request("1", "completion/complete", R"({"ref":)" + greet + "}")) ==
        Lines{error("1", -32602, "'argument' must be {\"name\":...,\"value\":...}, both strings")});
}

TEST_CASE("completion says that there is more when a limit cut its values") {
  auto folder = std::make_unique<ProjectFolder>();
  folder->write(
      "prompts/p.yml",
      "mxcp: 1\nprompt:\n  name: p\n  parameters:\n    - {name: x, type: string, completion: "
      "SELECT 1}\n  messages:\n    - prompt: hi\n");
  Rig rig(std::move(folder), test_options());
  rig.handshake("2025-11-25");
  const auto complete = [&](std::size_t call, std::optional<invoke::LimitMet> limit) {
    rig.send(
        request("1", "completion/complete",
                R"({"ref":{"type":"ref/prompt","name":"p"},"argument":{"name":"x","value":"a"}})"));
    invoke::Outcome outcome;
    outcome.json = R"([{"v":"a"},{"v":"b"}])";
    outcome.limit = std::move(limit);
    rig.backend.finish(call, std::move(outcome));
    return rig.peer->take();
  };
  CHECK(complete(0, {}) ==
        Lines{result("1", R"({"completion":{"values":["a"],"total":1,"hasMore":false}})")});
  for (const char* context : {R"("x")", R"({"arguments":[]})", R"({"arguments":{"y":1}})"}) {
    const auto lines = rig.send(request(
        "1", "completion/complete",
        R"({"ref":{"type":"ref/prompt","name":"p"},"argument":{"name":"x","value":"a"},"context":)" +
            std::string(context) + "}"));
    CHECK(lines.at(0).find("-32602") != std::string::npos);
  }
  CHECK(complete(1, invoke::LimitMet{"max_rows", "2", 2, 0}) ==
        Lines{result("1", R"({"completion":{"values":["a"],"hasMore":true}})")});
}

TEST_CASE("completion shows at most a hundred values") {
  auto folder = std::make_unique<ProjectFolder>();
  std::string list;
  for (int i = 0; i < 150; ++i) list += (i ? ", v" : "v") + std::to_string(i);
  folder->write("prompts/p.yml",
                "mxcp: 1\nprompt:\n  name: p\n  parameters:\n    - name: x\n"
                "      type: string\n      enum: [" +
                    list +
                    "]\n"
                    "    - name: flag\n      type: boolean\n"
                    "  messages:\n    - prompt: hi\n");
  Rig rig(std::move(folder), test_options());
  rig.handshake("2025-11-25");
  const auto complete = [&](const char* name) {
    return rig.send(request("1", "completion/complete",
                            R"({"ref":{"type":"ref/prompt","name":"p"},"argument":{"name":")" +
                                std::string(name) + R"(","value":""}})"))[0];
  };
  const std::string line = complete("x");
  CHECK(line.find(R"("v99"],"total":150,"hasMore":true)") != std::string::npos);
  CHECK(line.find("v100") == std::string::npos);
  CHECK(complete("flag").find(R"(["true","false"])") != std::string::npos);
}
