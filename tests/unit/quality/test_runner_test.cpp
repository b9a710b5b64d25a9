#include "quality/test_runner.h"

#include <doctest/doctest.h>

#include "support/temp_project.h"

using namespace mxcp;
using quality::TestStatus;

namespace {

invoke::Outcome succeed(std::string json) {
  invoke::Outcome outcome;
  outcome.json = std::move(json);
  outcome.seconds = 0.25;
  return outcome;
}

invoke::Outcome fail(std::string message) {
  invoke::Outcome outcome;
  outcome.error = Error{Code::kPython, std::move(message)};
  return outcome;
}

std::string tool(const std::string& name, const std::string& tests) {
  return "tool:\n  name: " + name + "\n  language: python\n  source: {code: 'def " + name +
         "(): return 1'}\n  tests:\n" + tests;
}

// Runs the tests of one tool whose calls all end in `outcome`.
std::vector<quality::TestReport> run(const std::string& tests, const invoke::Outcome& outcome) {
  const test::TempProject project{{"tools/t.yml", tool("t", tests)}};
  const auto reports =
      quality::run_tests(*project.load(), [&](invoke::Request) { return outcome; }, {});
  REQUIRE(reports.size() == 1);
  CHECK(reports[0].endpoint == "tool/t");
  CHECK(reports[0].path == "tools/t.yml");
  REQUIRE(reports[0].error == "");
  return reports[0].tests;
}

}  // namespace

TEST_CASE("a test without assertion passes when the call succeeds") {
  const auto tests = run("    - {name: a, description: first, arguments: []}\n", succeed("1"));
  REQUIRE(tests.size() == 1);
  CHECK(tests[0].name == "a");
  CHECK(tests[0].description == "first");
  CHECK(tests[0].status == TestStatus::kPassed);
  CHECK(tests[0].seconds == 0.25);
}

TEST_CASE("a failed call is an error, a failed assertion a failure") {
  CHECK(run("    - {name: a, arguments: [], result: 1}\n", fail("boom"))[0].status ==
        TestStatus::kError);
  const auto tests = run("    - {name: a, arguments: [], result: 2}\n", succeed("1"));
  CHECK(tests[0].status == TestStatus::kFailed);
  CHECK(tests[0].error == "result: expected 2, got 1");
}

TEST_CASE("error_contains expects the call to fail") {
  const std::string expecting = "    - {name: a, arguments: [], error_contains: boom}\n";
  CHECK(run(expecting, fail("a boom was heard"))[0].status == TestStatus::kPassed);
  const auto other = run(expecting, fail("a bang"));
  CHECK(other[0].status == TestStatus::kFailed);
  CHECK(other[0].error == "error_contains: expected an error with 'boom', got: a bang");
  const auto none = run(expecting, succeed("{\"a\":1}"));
  CHECK(none[0].status == TestStatus::kFailed);
  CHECK(none[0].error ==
        "error_contains: expected the call to fail with 'boom', but it succeeded: {\"a\":1}");
}

TEST_CASE("the request carries the arguments and the identity of the test") {
  const test::TempProject project{
      {"tools/t.yml", tool("t",
                           "    - name: a\n"
                           "      arguments: [{key: x, value: [1, null]}]\n"
                           "      user_context: {username: ada, role: admin}\n"
                           "    - {name: b, arguments: []}\n")}};
  std::vector<invoke::Request> requests;
  quality::TestOptions options;
  options.headers = {{"x-id", "7"}};
  const auto call = [&](invoke::Request request) {
    requests.push_back(std::move(request));
    return succeed("1");
  };
  quality::run_tests(*project.load(), call, options);
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].id == "t");
  CHECK(requests[0].source == types::Source::kJson);
  CHECK(requests[0].arguments == Object{{"x", Array{1, nullptr}}});
  CHECK(requests[0].caller.transport == "test");
  CHECK(requests[0].caller.headers == options.headers);
  REQUIRE(requests[0].caller.user);
  CHECK(requests[0].caller.user->provider == "test");
  CHECK(requests[0].caller.user->username == "ada");
  CHECK(requests[0].caller.user->user_id == "test_user");
  CHECK(*requests[0].caller.user->raw_profile.find("role") == Value("admin"));
  CHECK_FALSE(requests[1].caller.user);

  requests.clear();
  options.user_context = Object{{"username", "bob"}};
  quality::run_tests(*project.load(), call, options);
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].caller.user->username == "bob");
  CHECK(requests[1].caller.user->username == "bob");
}

TEST_CASE("one endpoint can be chosen, a broken file is an error") {
  const test::TempProject project{{"tools/a.yml", tool("a", "    - {name: one, arguments: []}\n")},
                                  {"tools/b.yml", tool("b", "    - {name: two, arguments: []}\n")},
                                  {"tools/c.yml", "tool:\n  name: c\n  source: {cod: SELECT 1}\n"}};
  const auto call = [](invoke::Request) { return succeed("1"); };
  const auto chosen =
      quality::run_tests(*project.load(), call, {}, project::EndpointKind::kTool, "b");
  REQUIRE(chosen.size() == 1);
  CHECK(chosen[0].endpoint == "tool/b");
  CHECK(chosen[0].status() == TestStatus::kPassed);

  const auto all = quality::run_tests(*project.load(), call, {});
  REQUIRE(all.size() == 3);
  CHECK(all[2].endpoint == "tool/c");
  CHECK(all[2].status() == TestStatus::kError);
  CHECK(all[2].error.find("tools/c.yml:3:12") == 0);
  CHECK(quality::run_tests(*project.load(), call, {}, project::EndpointKind::kPrompt, "b").empty());
}

TEST_CASE("a prompt is judged by its last assistant message, or by its messages") {
  const test::TempProject project{{"prompts/p.yml",
                                   "prompt:\n  name: p\n  messages: [{prompt: hi}]\n"
                                   "  tests: [{name: a, arguments: [], result: {k: 1}}]\n"}};
  const auto status = [&](std::string json) {
    return quality::run_tests(*project.load(), [&](invoke::Request) { return succeed(json); },
                              {})[0]
        .status();
  };
  CHECK(status(R"([{"prompt":"{\"k\": 1}","role":"assistant","type":null},
                   {"prompt":"x","role":"user","type":null}])") == TestStatus::kPassed);
  CHECK(status(R"([{"prompt":"{\"k\": 2}","role":"assistant","type":null}])") ==
        TestStatus::kFailed);
  CHECK(status(R"([{"prompt":"{\"k\": 1}","role":"user","type":null}])") == TestStatus::kFailed);
}

TEST_CASE("a user context map as an identity") {
  const UserContext user = quality::user_from({{"user_id", 7},
                                               {"email", "a@b.co"},
                                               {"capabilities", Array{"read", "write"}},
                                               {"role", "x"}},
                                              "cli");
  CHECK(user.provider == "cli");
  CHECK(user.user_id == "7");
  CHECK(user.username == "cli_user");
  CHECK(user.email == "a@b.co");
  CHECK_FALSE(user.name);
  CHECK(user.capabilities == std::vector<std::string>{"read", "write"});
  CHECK(user.raw_profile.size() == 4);
}
