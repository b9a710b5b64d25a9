#include "policy/enforcer.h"

#include <doctest/doctest.h>

#include "base/json.h"
#include "support/temp_project.h"

using namespace mxcp;

namespace {

std::shared_ptr<const project::Endpoint> endpoint_with(const std::string& policies,
                                                       const std::string& type = {},
                                                       const std::string& kind = "tool") {
  std::string yaml = kind + ":\n  " + (kind == "resource" ? "uri: a://{n}" : "name: a") + "\n";
  if (kind != "prompt") yaml += "  source: {code: SELECT 1}\n";
  if (kind == "prompt") yaml += "  messages: [{prompt: x}]\n";
  yaml +=
      "  parameters:\n"
      "    - {name: n, type: integer, default: 5}\n";
  if (kind != "resource") {
    yaml += "    - {name: tags, type: array, items: {type: string}, default: []}\n";
  }
  yaml += type + "  policies:\n" + policies;
  const auto file = project::parse_endpoint(yaml, "a.yml");
  CAPTURE(test::texts_of(file.errors));
  REQUIRE(file.endpoint != nullptr);
  return file.endpoint;
}

Caller anonymous() {
  Caller caller;
  caller.transport = "stdio";
  return caller;
}

Caller known(const char* profile) {
  Caller caller = anonymous();
  UserContext& user = caller.user.emplace();
  user.provider = "test";
  user.user_id = "u1";
  user.username = "ann";
  user.raw_profile = *parse_json(profile)->as_object();
  user.capabilities = {"export"};
  return caller;
}

std::string input(const std::string& rules, const Object& given, const Caller& caller) {
  const auto endpoint = endpoint_with("    input:\n" + rules);
  auto arguments = endpoint->parameters.bind(given, types::Source::kText);
  REQUIRE(arguments.ok());
  const auto status = policy::check_input(*endpoint, *arguments, caller);
  if (status.ok()) return "allowed";
  CHECK(status.error().code == Code::kPolicyDenied);
  return status.error().message;
}

// The result that is left, as JSON, or the error.
std::string output(const std::string& rules, const std::string& result,
                   const Caller& caller = anonymous(), const std::string& type = {},
                   const std::string& kind = "tool") {
  const auto endpoint = endpoint_with("    output:\n" + rules, type, kind);
  Value value = *parse_json(result);
  const auto status = policy::apply_output(*endpoint, caller, value);
  if (status.ok()) return to_json(value);
  CHECK(status.error().code == Code::kPolicyDenied);
  return status.error().message;
}

}  // namespace

TEST_CASE("the user as conditions see it") {
  CHECK(to_json(policy::user_value(anonymous())) ==
        R"({"user_id":null,"username":null,"email":null,"name":null,"provider":null,)"
        R"("role":"anonymous","permissions":[],"capabilities":[],"raw":{}})");
  CHECK(to_json(policy::user_value(known(R"({"role":"admin","groups":["a"],"user_id":"forged",)"
                                         R"("capabilities":["forged"],"raw":1})"))) ==
        R"({"user_id":"u1","username":"ann","email":null,"name":null,"provider":"test",)"
        R"("role":"admin","permissions":[],"capabilities":["export"],)"
        R"("raw":{"role":"admin","groups":["a"],"user_id":"forged","capabilities":["forged"],)"
        R"("raw":1},"groups":["a"]})");
  CHECK(*policy::user_value(known("{}")).find("role")->as_string() == "user");
}

TEST_CASE("input rules: the first that is true denies, with its reason") {
  const std::string rules = R"y(
      - {condition: "user.role == 'anonymous'", action: deny}
      - {condition: "n > 9", action: deny, reason: too many}
      - {condition: "'x' in tags && !('write' in user.permissions)", action: deny, reason: not x}
)y";
  CHECK(input(rules, {}, anonymous()) == "Policy enforcement failed: Access denied by policy");
  CHECK(input(rules, {}, known("{}")) == "allowed");
  // From the command line everything is text: conditions see what the code will get.
  CHECK(input(rules, {{"n", "10"}}, known("{}")) == "Policy enforcement failed: too many");
  CHECK(input(rules, {{"n", "9"}}, known("{}")) == "allowed");
  CHECK(input(rules, {{"tags", R"(["x"])"}}, known("{}")) == "Policy enforcement failed: not x");
  CHECK(input(rules, {{"tags", R"(["x"])"}}, known(R"({"permissions":["write"]})")) == "allowed");
}

TEST_CASE("input rules fail closed") {
  const std::string cannot = "Policy enforcement failed: a condition cannot be evaluated";
  // A key that this user does not have.
  const std::string department = R"(
      - {condition: "user.department != 'sales'", action: deny}
)";
  CHECK(input(department, {}, known(R"({"department":"sales"})")) == "allowed");
  CHECK(input(department, {}, known("{}")) == cannot);
  CHECK(input(department, {}, anonymous()) == cannot);
  // Neither true nor false.
  CHECK(input("      - {condition: user.verified, action: deny}\n", {},
              known(R"({"verified":"no"})")) == cannot);
  CHECK(input("      - {condition: n / 0 == 1, action: deny}\n", {}, anonymous()) == cannot);
  // What does nothing on input denies nothing either.
  CHECK(input(R"(
      - {condition: "true", action: mask_fields, fields: [a]}
      - {condition: "user.nothing == 1", action: filter_sensitive_fields}
)",
              {}, anonymous()) == "allowed");
  // Where and why is for the log.
  const auto endpoint = endpoint_with(
      "    input:\n      - action: deny\n        condition: |\n          n > 1 &&\n"
      "            user.department == 'x'\n");
  const types::Arguments arguments = {{"n", Value(5)}, {"tags", Value(Array{})}};
  const auto status = policy::check_input(*endpoint, arguments, anonymous());
  REQUIRE(!status.ok());
  CHECK(status.error().detail == "a.yml:12:18: no such key: 'department'");
  // A value that nobody gave.
  CHECK_FALSE(policy::check_input(*endpoint, {}, anonymous()).ok());
}

TEST_CASE("output rules: removed, masked, in order; conditions see what came") {
  const std::string rows = R"([{"id":1,"pay":5,"mail":"a"},{"id":2,"pay":null},{"pay":7},3])";
  CHECK(output(R"(
      - {condition: "true", action: filter_fields, fields: [mail, nothing]}
      - {condition: "response[0].mail == 'a'", action: mask_fields, fields: [pay, mail]}
)",
               rows) == R"([{"id":1,"pay":"****"},{"id":2,"pay":"****"},{"pay":"****"},3])");
  CHECK(output(R"(
      - {condition: "user.role == 'admin'", action: filter_fields, fields: [id]}
)",
               rows) == to_json(*parse_json(rows)));
  CHECK(output(R"(
      - {condition: "true", action: filter_fields, fields: [id]}
)",
               R"({"id":1,"in":{"id":2}})") == R"({"in":{"id":2}})");
  CHECK(output("      - {condition: 'true', action: filter_fields, fields: [id]}\n", "\"text\"") ==
        "\"text\"");
  // Two columns of one name.
  CHECK(output("      - {condition: 'true', action: filter_fields, fields: [a]}\n", R"({"a":1})") ==
        "{}");
}

TEST_CASE("output rules: deny, and fail closed") {
  const std::string rules = R"y(
      - {condition: "true", action: mask_fields, fields: [pay]}
      - {condition: "response.exists(r, r.pay > 10)", action: deny, reason: much pay}
)y";
  CHECK(output(rules, R"([{"pay":5}])") == R"([{"pay":"****"}])");
  CHECK(output(rules, R"([{"pay":5},{"pay":11}])") == "Output policy enforcement failed: much pay");
  CHECK(output("      - {condition: 'true', action: deny}\n", "1") ==
        "Output policy enforcement failed: Output blocked by policy");
  const std::string cannot = "Output policy enforcement failed: a condition cannot be evaluated";
  CHECK(output(rules, R"([{"pay":null}])") == cannot);
  CHECK(output(rules, R"({"pay":1})") == cannot);
  CHECK(output("      - {condition: response.a, action: filter_fields, fields: [b]}\n",
               R"({"a":1,"b":2})") == cannot);
}

TEST_CASE("sensitive fields go, at any depth") {
  const std::string type = R"(  return:
    type: array
    items:
      type: object
      properties:
        id: {type: integer}
        card: {type: string, sensitive: true}
        address:
          type: object
          properties: {street: {type: string, sensitive: true}, city: {type: string}}
        keys: {type: array, items: {type: string, sensitive: true}}
        orders:
          type: array
          items: {type: object, properties: {sum: {type: number, sensitive: true}}}
)";
  const std::string rule = "      - {condition: 'true', action: filter_sensitive_fields}\n";
  CHECK(output(rule,
               R"([{"id":1,"card":"c","address":{"street":"s","city":"x"},"keys":["a","b"],
                   "orders":[{"sum":1},{"sum":2,"n":3}],"more":{"card":1}},{"id":2,"address":null}])",
               anonymous(), type) ==
        R"([{"id":1,"address":{"city":"x"},"keys":[],"orders":[{},{"n":3}],"more":{"card":1}},)"
        R"({"id":2,"address":null}])");
  // A result of another form than declared (--skip-output-validation) keeps nothing.
  CHECK(output(rule, R"({"id":1,"card":"c"})", anonymous(), type) == "null");
  CHECK(output(rule, R"([{"id":1,"orders":{"sum":1}},"c"])", anonymous(), type) ==
        R"([{"id":1,"orders":null},null])");
  CHECK(output(rule, "\"secret\"", anonymous(), "  return: {type: string, sensitive: true}\n") ==
        "null");
  CHECK(output(rule, "{\"a\":1}", anonymous(), "  return: {type: object}\n") == "{\"a\":1}");
}

TEST_CASE("content blocks have no fields: what should change them blocks them") {
  const Value blocks = Array{Object{{"type", "text"}, {"text", "x"}}};
  const auto check = [&](const std::string& rules) {
    const auto status =
        policy::check_content(*endpoint_with("    output:\n" + rules), anonymous(), blocks);
    return status.ok() ? "allowed" : status.error().message;
  };
  CHECK(check("      - {condition: response.size() > 1, action: deny}\n") == "allowed");
  CHECK(check("      - {condition: \"response[0].text == 'x'\", action: deny}\n") ==
        "Output policy enforcement failed: Output blocked by policy");
  CHECK(check("      - {condition: 'true', action: filter_fields, fields: [text]}\n") ==
        "Output policy enforcement failed: the fields of content blocks cannot be filtered");
  CHECK(check("      - {condition: 'false', action: mask_fields, fields: [text]}\n") == "allowed");
}

TEST_CASE("a completion is guarded by what is known") {
  const auto check = [](const std::string& rules, const Object& given, const Caller& caller) {
    const auto endpoint = endpoint_with(rules);
    return policy::check_completion(*endpoint, "tags", given, caller).ok();
  };
  const std::string number = "    input:\n      - {condition: n == 9, action: deny}\n";
  CHECK(check(number, {{"n", "8"}}, anonymous()));
  CHECK_FALSE(check(number, {{"n", "9"}}, anonymous()));
  CHECK_FALSE(check(number, {{"n", "x"}}, anonymous()));
  CHECK_FALSE(check(number, {}, anonymous()));
  const std::string own =
      "    input:\n      - {condition: \"'x' in tags && user.role != 'admin'\", action: deny}\n";
  CHECK(check(own, {{"tags", "[]"}}, known(R"({"role":"admin"})")));
  CHECK_FALSE(check(own, {{"tags", "[]"}}, anonymous()));
  const std::string results =
      "    output:\n      - {condition: \"user.role != 'admin' || response == 1\", action: deny}\n";
  CHECK_FALSE(check(results, {}, anonymous()));
  CHECK_FALSE(check(results, {}, known(R"({"role":"admin"})")));
  CHECK(check("    output:\n      - {condition: \"user.role == 'guest'\", action: deny}\n", {},
              anonymous()));
}
