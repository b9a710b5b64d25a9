#include "invoke/pipeline.h"

#include <doctest/doctest.h>

#include "support/temp_project.h"

using namespace mxcp;

namespace {

constexpr const char* kTool = R"(
mxcp: 1
tool:
  name: double
  language: python
  parameters:
    - {name: n, type: integer, minimum: 0}
  return: {type: integer, maximum: 100}
  source: {code: "def double(n): return 2 * n"}
)";

// Answers with what the test prepared, and keeps the call it was given.
class FakeRunner final : public invoke::Runner {
 public:
  explicit FakeRunner(Result<invoke::RawResult> answer) : answer_(std::move(answer)) {}
  void run(std::shared_ptr<const invoke::Call> call, invoke::RunnerDone done) override {
    last = call;
    if (cancel_while_running) call->cancel->cancel();
    done(answer_);
  }
  std::shared_ptr<const invoke::Call> last;
  bool cancel_while_running = false;

 private:
  Result<invoke::RawResult> answer_;
};

invoke::RawResult value(Value v) {
  invoke::RawResult raw;
  raw.value = std::move(v);
  return raw;
}

invoke::Request request(const std::string& id, Object arguments) {
  invoke::Request request;
  request.id = id;
  request.arguments = std::move(arguments);
  return request;
}

invoke::Outcome run(const test::TempProject& project, FakeRunner& runner, invoke::Request request) {
  return invoke::invoke_and_wait(project.load(), {nullptr, &runner, nullptr}, std::move(request));
}

}  // namespace

TEST_CASE("arguments are coerced before the runner sees them, the result is written as JSON") {
  const test::TempProject project{{"tools/double.yml", kTool}};
  FakeRunner runner(value(42));
  const auto outcome = run(project, runner, request("double", {{"n", "21"}}));
  REQUIRE(!outcome.error);
  CHECK(outcome.json == "42");
  CHECK(!outcome.text);
  REQUIRE(runner.last->arguments.size() == 1);
  CHECK(runner.last->arguments[0].second == Value(21));
}

TEST_CASE("an unknown endpoint is not run") {
  const test::TempProject project{{"tools/double.yml", kTool}};
  FakeRunner runner(value(1));
  const auto outcome = run(project, runner, request("duoble", {}));
  REQUIRE(outcome.error);
  CHECK(outcome.error->code == Code::kNotFound);
  CHECK(outcome.error->text().find("double") != std::string::npos);
  CHECK(!runner.last);
}

TEST_CASE("bad arguments never reach the runner") {
  const test::TempProject project{{"tools/double.yml", kTool}};
  FakeRunner runner(value(1));
  for (Object arguments :
       {Object{}, Object{{"n", "x"}}, Object{{"n", -1}}, Object{{"n", 1}, {"m", 2}}}) {
    const auto outcome = run(project, runner, request("double", std::move(arguments)));
    REQUIRE(outcome.error);
    CHECK(outcome.error->code == Code::kInvalidArgs);
  }
  CHECK(!runner.last);
}

TEST_CASE("a result that breaks its declaration is an error, unless checking is off") {
  const test::TempProject project{{"tools/double.yml", kTool}};
  FakeRunner runner(value(101));
  auto outcome = run(project, runner, request("double", {{"n", 1}}));
  REQUIRE(outcome.error);
  CHECK(outcome.error->code == Code::kInvalidOutput);
  CHECK(outcome.error->message.find("100") != std::string::npos);

  auto unchecked = request("double", {{"n", 1}});
  unchecked.check_output = false;
  outcome = run(project, runner, std::move(unchecked));
  REQUIRE(!outcome.error);
  CHECK(outcome.json == "101");
}

TEST_CASE("a string result is also given as itself") {
  const test::TempProject project{
      {"tools/s.yml", "mxcp: 1\ntool: {name: s, language: python, source: {code: x}}\n"}};
  FakeRunner runner(value("a \"b\""));
  const auto outcome = run(project, runner, request("s", {}));
  CHECK(outcome.json == "\"a \\\"b\\\"\"");
  REQUIRE(outcome.text);
  CHECK(*outcome.text == "a \"b\"");
}

TEST_CASE("text that the runner proved passes as it is") {
  const test::TempProject project{{"tools/double.yml", kTool}};
  invoke::RawResult raw;
  raw.proven_json = "[1]";
  FakeRunner runner(std::move(raw));
  CHECK(run(project, runner, request("double", {{"n", 1}})).json == "[1]");
}

TEST_CASE("a call cancelled while it ran is cancelled, whatever it returned") {
  const test::TempProject project{{"tools/double.yml", kTool}};
  FakeRunner runner(value(1));
  runner.cancel_while_running = true;
  const auto outcome = run(project, runner, request("double", {{"n", 1}}));
  REQUIRE(outcome.error);
  CHECK(outcome.error->code == Code::kCancelled);
}

TEST_CASE("an input policy denies before anything runs, and sees what the code would get") {
  const test::TempProject project{{"tools/p.yml", R"(
mxcp: 1
tool:
  name: p
  language: python
  parameters: [{name: n, type: integer, default: 9}]
  source: {code: x}
  policies:
    input:
      - {condition: "n == 9", action: deny, reason: nine}
)"}};
  FakeRunner runner(value(1));
  for (const Object& arguments : {Object{}, Object{{"n", "9"}}, Object{{"n", 9.0}}}) {
    const auto outcome = run(project, runner, request("p", arguments));
    REQUIRE(outcome.error);
    CHECK(outcome.error->code == Code::kPolicyDenied);
    CHECK(outcome.error->message == "Policy enforcement failed: nine");
    CHECK(!runner.last);
  }
  CHECK(run(project, runner, request("p", {{"n", 8}})).json == "1");
}

constexpr const char* kGuarded = R"(
mxcp: 1
tool:
  name: g
  language: python
  source: {code: x}
  return:
    type: array
    items:
      type: object
      properties: {pay: {type: integer, maximum: 10}, name: {type: string}}
  policies:
    output:
      - {condition: "true", action: filter_fields, fields: [pay]}
      - {condition: "response.size() == 1", action: mask_fields, fields: [name]}
)";

TEST_CASE("an output policy changes the result, also one that the runner wrote already") {
  const test::TempProject project{{"tools/g.yml", kGuarded}};
  FakeRunner runner(value(Array{Object{{"pay", 5}, {"name", "a"}}, Object{{"name", "b"}}}));
  CHECK(run(project, runner, request("g", {})).json == R"([{"name":"a"},{"name":"b"}])");
  invoke::RawResult raw;
  raw.proven_json = R"([{"pay":5,"name":"a"}])";
  FakeRunner proven(std::move(raw));
  CHECK(run(project, proven, request("g", {})).json == R"([{"name":"****"}])");
}

TEST_CASE("a result that breaks its type says nothing of what a policy would have removed") {
  const test::TempProject project{{"tools/g.yml", kGuarded}};
  FakeRunner runner(value(Array{Object{{"pay", 4711}, {"name", 5}}}));
  const auto outcome = run(project, runner, request("g", {}));
  REQUIRE(outcome.error);
  CHECK(outcome.error->message ==
        "output validation failed: [0].pay breaks 'maximum'\n[0].name breaks 'type'");
  CHECK(outcome.error->detail.find("4711") != std::string::npos);
}

TEST_CASE("a result that a policy made null is no list that can be cut") {
  const test::TempProject project{{"tools/s.yml", R"(
tool:
  name: s
  language: python
  source: {code: x}
  limits: {max_rows: 1}
  return: {type: array, sensitive: true, items: {type: integer}}
  policies:
    output: [{condition: "true", action: filter_sensitive_fields}]
)"}};
  FakeRunner runner(value(Array{1, 2, 3}));
  const auto outcome = run(project, runner, request("s", {}));
  CHECK(!outcome.error);
  CHECK(outcome.json == "null");
}

TEST_CASE("content blocks are checked, cut, and never shown as data") {
  const std::string head = "mxcp: 1\ntool: {name: s, language: python, source: {code: x}";
  const test::TempProject project{{"tools/s.yml", head + ", limits: {max_rows: 2}}\n"}};
  const auto text = [](Value of) {
    return Value(Object{{"type", "text"}, {"text", std::move(of)}, {"@mxcp.content", true}});
  };
  const auto answer = [&](Value given) {
    FakeRunner runner(value(std::move(given)));
    return run(project, runner, request("s", {}));
  };
  auto outcome = answer(Array{text("a"), "b", text("c")});
  REQUIRE(!outcome.error);
  CHECK(outcome.json == R"([{"type":"text","text":"a"},{"type":"text","text":"b"}])");
  CHECK(outcome.is_content);
  CHECK(outcome.limit);

  outcome = answer(Array{"a", text(5)});
  REQUIRE(outcome.error);
  CHECK(outcome.error->code == Code::kInvalidOutput);
  CHECK(outcome.error->message == "block 2: 'text' of a text must be text");

  outcome = answer(Object{{"a", Array{text("b")}}});
  REQUIRE(outcome.error);
  CHECK(outcome.error->message.find("inside of data") != std::string::npos);
}
