#include "mcp/harness.h"

using namespace mxcp;
using namespace mxcp::mcp;
using namespace mxcp::mcp::testing;

namespace {

Value parsed(const std::string& line) {
  const auto value = parse_json(line);
  REQUIRE(value.ok());
  return *value;
}

// The names in the answer to a list method, and its cursor.
std::pair<std::string, std::string> page(const std::string& line, const char* member = "tools") {
  const Value message = parsed(line);
  const Value* const result = message.find("result");
  REQUIRE_MESSAGE(result != nullptr, line);
  std::string names;
  for (const Value& entry : *result->find(member)->as_array()) {
    names += (names.empty() ? "" : " ") + *entry.find("name")->as_string();
  }
  const Value* const cursor = result->find("nextCursor");
  return {names, cursor == nullptr ? "-" : *cursor->as_string()};
}

std::string call(const std::string& id, const std::string& name,
                 const std::string& arguments = "") {
  return request(id, "tools/call",
                 R"({"name":")" + name + '"' +
                     (arguments.empty() ? "" : R"(,"arguments":)" + arguments) + "}");
}

}  // namespace

TEST_CASE("tools/list: sorted, with what the revision knows") {
  Rig rig;
  const auto add_of = [&](const std::string& revision) {
    rig.handshake(revision);
    const Value message = parsed(rig.send(request("1", "tools/list"))[0]);
    const Array& tools = *message.find("result")->find("tools")->as_array();
    REQUIRE(tools.size() == 3);
    CHECK(*tools[0].find("name")->as_string() == "add");
    CHECK(*tools[1].find("name")->as_string() == "free");
    CHECK(*tools[2].find("name")->as_string() == "get_user");
    // A description is always there.
    CHECK(*tools[1].find("description")->as_string() == "");
    return tools[0];
  };
  const auto has = [](const Value& tool, const char* key) { return tool.find(key) != nullptr; };

  Value add = add_of("2025-11-25");
  CHECK(*add.find("title")->as_string() == "Adder");
  CHECK(to_json(*add.find("annotations")) ==
        R"({"title":"Adder","readOnlyHint":true,"idempotentHint":true})");
  CHECK(*add.find("outputSchema")->find("type")->as_string() == "object");
  CHECK(add.find("outputSchema")->find("properties")->find("result") != nullptr);
  CHECK(*add.find("inputSchema")->find("type")->as_string() == "object");
  CHECK(to_json(*add.find("inputSchema")->find("required")) == R"(["a"])");
  add = add_of("2025-06-18");
  CHECK((has(add, "title") && has(add, "annotations") && has(add, "outputSchema")));
  add = add_of("2025-03-26");
  CHECK((!has(add, "title") && has(add, "annotations") && !has(add, "outputSchema")));
  add = add_of("2024-11-05");
  CHECK((!has(add, "title") && !has(add, "annotations") && !has(add, "outputSchema")));
}

TEST_CASE("pages: cursors survive a restart and a reload") {
  auto folder = std::make_unique<ProjectFolder>();
  for (const char* name : {"e", "b", "d", "a", "c"}) {
    folder->write(std::string("tools/") + name + ".yml", tool_yaml(name));
  }
  ServerOptions options = test_options();
  options.page_size = 2;
  Rig rig(std::move(folder), options);
  rig.handshake("2025-11-25");
  const auto list = [&](const std::string& cursor) {
    return page(rig.send(request("1", "tools/list", R"({"cursor":")" + cursor + "\"}"))[0]);
  };
  using Page = std::pair<std::string, std::string>;
  CHECK(page(rig.send(request("1", "tools/list"))[0]) == Page{"a b", "tools:b"});
  CHECK(list("") == Page{"a b", "tools:b"});
  CHECK(list("tools:b") == Page{"c d", "tools:d"});
  CHECK(list("tools:d") == Page{"e", "-"});
  CHECK(list("tools:zz") == Page{"", "-"});
  CHECK(list("tools:bb") == Page{"c d", "tools:d"});
  CHECK(page(rig.send(request("1", "tools/list", R"({"cursor":null})"))[0]) ==
        Page{"a b", "tools:b"});

  rig.folder->remove("tools/b.yml");
  rig.folder->write("tools/bb.yml", tool_yaml("bb"));
  rig.reload();
  CHECK(list("tools:b") == Page{"bb c", "tools:c"});

  for (const char* bad : {"nonsense", "prompts:b", "tools"}) {
    CHECK(rig.send(request("2", "tools/list", R"({"cursor":")" + std::string(bad) + "\"}")) ==
          Lines{error("2", -32602,
                      "invalid cursor; use the 'nextCursor' of a previous answer to tools/list, or "
                      "none to begin again")});
  }
  CHECK(rig.send(request("3", "tools/list", R"({"cursor":5})")) ==
        Lines{error("3", -32602, "'cursor' must be a string, got integer")});
}

TEST_CASE("tools/list follows the project") {
  Rig rig;
  rig.handshake("2025-11-25");
  CHECK(page(rig.send(request("1", "tools/list"))[0]).first == "add free get_user");
  rig.folder->write("tools/new.yml", tool_yaml("more"));
  rig.reload();
  CHECK(page(rig.send(request("2", "tools/list"))[0]).first == "add free get_user more");
}

TEST_CASE("tools/call hands over name, arguments, caller") {
  Rig rig;
  rig.handshake("2025-11-25");
  CHECK(rig.send(call("1", "add", R"({"a":1,"b":12345678901234567890})")).empty());
  const invoke::Request& asked = rig.backend.request(0);
  CHECK(asked.kind == project::EndpointKind::kTool);
  CHECK(asked.id == "add");
  CHECK(to_json(asked.arguments) == R"({"a":1,"b":12345678901234567890})");
  CHECK(asked.source == types::Source::kJson);
  CHECK(asked.caller.transport == "stdio");
  REQUIRE(asked.client != nullptr);
  CHECK(!asked.client->wants_progress());
  CHECK(!asked.cancel->cancelled());
  rig.send(call("2", "add"));
  CHECK(rig.backend.request(1).arguments.empty());
  rig.send(call("3", "add", "null"));
  CHECK(rig.backend.request(2).arguments.empty());
}

TEST_CASE("results: one text block, and structured content where the type is declared") {
  Rig rig;
  rig.handshake("2025-11-25");
  std::size_t calls = 0;
  const auto answer = [&](const std::string& tool, const std::string& json) {
    rig.send(call("1", tool));
    invoke::Outcome outcome;
    outcome.json = json;
    rig.backend.finish(calls++, std::move(outcome));
    const Lines lines = rig.peer->take();
    REQUIRE(lines.size() == 1);
    return lines[0];
  };
  CHECK(answer("add", "3") == call_result("1", R"("3")", R"({"result":3})"));
  CHECK(answer("add", "null") == call_result("1", R"("null")", R"({"result":null})"));
  CHECK(answer("get_user", R"({"id":1,"name":"a\"b"})") ==
        call_result("1", R"("{\"id\":1,\"name\":\"a\\\"b\"}")", R"({"id":1,"name":"a\"b"})"));
  // An object was promised, and a client would check: null cannot be said but as an error.
  CHECK(
      answer("get_user", "null") ==
      R"({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":)"
      R"x("Error executing tool get_user: the tool returned no result (null)"}],"isError":true}})x");
  CHECK(answer("free", R"("text")") == call_result("1", R"("text")", ""));
  CHECK(answer("free", R"("")") == call_result("1", R"("")", ""));
  CHECK(answer("free", R"([{"n":1.50},true])") == call_result("1", R"("[{\"n\":1.50},true]")", ""));
  CHECK(answer("free", "[]") == call_result("1", R"("[]")", ""));
  CHECK(answer("free", R"("ä\n\"q\" 🦆")") == call_result("1", R"("ä\n\"q\" 🦆")", ""));
}

TEST_CASE("structured content exists from 2025-06-18 on") {
  for (const auto& [revision, structured] :
       std::vector<std::pair<std::string, bool>>{{"2024-11-05", false},
                                                 {"2025-03-26", false},
                                                 {"2025-06-18", true},
                                                 {"2025-11-25", true}}) {
    Rig rig;
    rig.handshake(revision);
    rig.send(call("1", "add"));
    rig.backend.finish(0, 3);
    CHECK(rig.peer->take() ==
          Lines{call_result("1", R"("3")", structured ? R"({"result":3})" : "")});
  }
}

TEST_CASE("what goes wrong in a tool is a result the model can read") {
  Rig rig;
  rig.handshake("2025-11-25");
  std::size_t calls = 0;
  const auto failed = [&](Error error) {
    rig.send(call("1", "add"));
    rig.backend.fail(calls++, std::move(error));
    return rig.peer->take();
  };
  const auto text = [](const std::string& message) {
    std::string quoted;
    append_json_string(quoted, "Error executing tool add: " + message);
    return Lines{call_result("1", quoted, "", true)};
  };
  CHECK(failed({Code::kInvalidArgs, "a: required parameter is missing"}) ==
        text("a: required parameter is missing"));
  CHECK(failed({Code::kInvalidArgs, "unknown parameter 'c'", {}, "did you mean 'b'?"}) ==
        text("unknown parameter 'c' (did you mean 'b'?)"));
  Error placed{Code::kSql, "no table \"x\"\nline 2"};
  placed.place = {"tools/add.yml", 3, 1};
  placed.detail = "secret";
  CHECK(failed(placed) == text("no table \"x\"\nline 2"));
  CHECK(failed({Code::kTimeout, "took too long"}) == text("took too long"));
  CHECK(failed({Code::kPolicyDenied, "Policy enforcement failed: no"}) ==
        text("Policy enforcement failed: no"));
  // Cancelled by somebody else than the client: it still waits for an answer.
  CHECK(failed({Code::kCancelled, "the call was cancelled"}) == text("the call was cancelled"));
  CHECK(failed({Code::kPython, "bad \xFF byte"}) == text("bad \xEF\xBF\xBD byte"));
}

TEST_CASE("what is wrong with the request is a protocol error") {
  Rig rig;
  rig.handshake("2025-11-25");
  CHECK(rig.send(call("1", "ad")) ==
        Lines{error("1", -32602, "unknown tool 'ad' (did you mean 'add'?)")});
  CHECK(rig.send(call("1", "something_else")) ==
        Lines{error("1", -32602, "unknown tool 'something_else'")});
  CHECK(rig.send(call("1", "greet")) ==
        Lines{error("1", -32602, "unknown tool 'greet' (did you mean 'free'?)")});
  CHECK(rig.send(request("1", "tools/call")) ==
        Lines{error("1", -32602, "'name' is missing; expected a string")});
  CHECK(rig.send(request("1", "tools/call", R"({"name":["add"]})")) ==
        Lines{error("1", -32602, "'name' must be a string, got array")});
  CHECK(rig.send(call("1", "add", "[1]")) ==
        Lines{error("1", -32602, "'arguments' must be an object, got array")});
  CHECK(rig.backend.count() == 0);
  // Gone between the look-up and the call.
  rig.send(call("1", "add"));
  rig.backend.fail(0, {Code::kNotFound, "Endpoint 'add' not found in tools"});
  CHECK(rig.peer->take() == Lines{error("1", -32602, "unknown tool 'add'")});
}
