// Keys of endpoints that only MCP clients see.
#include <doctest/doctest.h>

#include "base/json.h"
#include "project/endpoint.h"
#include "support/temp_project.h"

using namespace mxcp;
using namespace mxcp::project;

namespace {

EndpointFile tool(const std::string& keys) {
  return parse_endpoint("mxcp: 1\ntool:\n  name: t\n" + keys + "  source: {code: SELECT 1}\n",
                        "t.yml");
}

std::string problem(const std::string& keys) {
  const EndpointFile file = tool(keys);
  REQUIRE(file.errors.size() == 1);
  return file.errors[0].text();
}

std::int64_t ttl(const std::string& text) {
  const EndpointFile file = tool("  task: {support: optional, ttl: " + text + "}\n");
  return file.endpoint == nullptr ? -1 : file.endpoint->task.ttl.value().count();
}

}  // namespace

TEST_CASE("task: a word, or more") {
  CHECK(tool("").endpoint->task.support == TaskSupport::kForbidden);
  CHECK(tool("  task: optional\n").endpoint->task.support == TaskSupport::kOptional);
  const auto more = tool("  task: {support: required, questions: before, poll_interval: 250ms}\n");
  REQUIRE(more.endpoint != nullptr);
  CHECK(more.endpoint->task.support == TaskSupport::kRequired);
  CHECK(more.endpoint->task.asks_first);
  CHECK(more.endpoint->task.poll_interval->count() == 250);
  CHECK_FALSE(more.endpoint->task.ttl.has_value());
  CHECK(problem("  task: requird\n").find("did you mean 'required'") != std::string::npos);
  CHECK(problem("  task: {ttl: 1h}\n").find("'support'") != std::string::npos);
  CHECK(problem("  task: {support: optional, time: 1}\n").find("unknown key 'time'") !=
        std::string::npos);
}

TEST_CASE("times") {
  CHECK(ttl("90") == 90'000);
  CHECK(ttl("1.5s") == 1'500);
  CHECK(ttl("10 m") == 600'000);
  CHECK(ttl("2h") == 7'200'000);
  CHECK(ttl("1d") == 86'400'000);
  for (const std::string wrong : {"0", "-1s", "soon", "5 weeks", "1e9d", "[]", "nan", "0.1ms"}) {
    CAPTURE(wrong);
    CHECK(ttl(wrong) == -1);
  }
}

TEST_CASE("headers of parameters") {
  const auto file = tool(R"(  parameters:
    - {name: region, type: string, x-mcp-header: Region}
    - name: filter
      type: object
      properties:
        n: {type: integer, x-mcp-header: N}
)");
  REQUIRE(file.endpoint != nullptr);
  const auto& headers = file.endpoint->header_parameters;
  REQUIRE(headers.size() == 2);
  CHECK(headers[0].header == "Mcp-Param-Region");
  CHECK(headers[1].path == std::vector<std::string>{"filter", "n"});
  CHECK(to_json(file.endpoint->parameters.json_schema()).find(R"("x-mcp-header":"Region")") !=
        std::string::npos);

  const auto parameter = [](const std::string& keys) {
    return problem("  parameters:\n    - {name: a, " + keys + "}\n");
  };
  CHECK(parameter("type: number, x-mcp-header: A").find("t.yml:5:") != std::string::npos);
  CHECK(parameter("type: string, x-mcp-header: 'A B'").find("no name for a header") !=
        std::string::npos);
  CHECK(parameter("type: string, x-mcp-header: ''").find("no name for a header") !=
        std::string::npos);
  CHECK(parameter("type: array, items: {type: string, x-mcp-header: A}")
            .find("no client could find the value") != std::string::npos);
  CHECK(problem("  parameters:\n    - {name: a, type: string, x-mcp-header: A}\n"
                "    - {name: b, type: string, x-mcp-header: a}\n")
            .find("has the header 'a' already") != std::string::npos);
  // A result is no place for them.
  CHECK(problem("  return: {type: string, x-mcp-header: A}\n").find("unknown key") !=
        std::string::npos);
}

TEST_CASE("a schema of one's own") {
  const auto file = tool(R"(  input_schema:
    type: object
    properties:
      a: {type: integer, default: 3, x-mcp-header: A}
      b: {type: [string, "null"]}
    required: [b]
)");
  REQUIRE(file.endpoint != nullptr);
  const auto& parameters = file.endpoint->parameters;
  REQUIRE(parameters.own_schema() != nullptr);
  CHECK(*parameters.own_schema() ==
        R"({"type":"object","properties":{"a":{"type":"integer","default":3,"x-mcp-header":"A"},)"
        R"("b":{"type":["string","null"]}},"required":["b"]})");
  CHECK(file.endpoint->header_parameters.size() == 1);
  const auto bound = parameters.bind({{"c", 1}, {"b", "x"}}, types::Source::kJson);
  REQUIRE(bound.ok());
  const auto complete = parameters.with_defaults(*bound);
  REQUIRE(complete.size() == 3);
  CHECK(complete[0].first == "a");
  CHECK(to_json(complete[0].second) == "3");
  CHECK(complete[2].first == "c");
  // Texts of the command line are what the schema takes them for.
  const auto texts = parameters.bind({{"a", "5"}, {"b", "5"}}, types::Source::kText);
  CHECK(to_json((*texts)[0].second) == "5");
  CHECK(to_json((*texts)[1].second) == "\"5\"");

  CHECK(problem("  parameters: []\n  input_schema: {type: object}\n").find("remove one of them") !=
        std::string::npos);
  CHECK(problem("  return: {type: object}\n  output_schema: {type: object}\n")
            .find("remove one of them") != std::string::npos);
  CHECK(problem("  input_schema: hello\n").find("must be a JSON Schema") != std::string::npos);
  const auto header = [](const std::string& value) {
    return problem("  input_schema: {type: object, properties: {a: {type: string, x-mcp-header: " +
                   value + "}}}\n");
  };
  CHECK(header("5").find("'x-mcp-header' must be a string, found the number 5") !=
        std::string::npos);
  CHECK(header("1.5").find("must be a string, found the number 1.5") != std::string::npos);
  CHECK(header("true").find("must be a string, found true") != std::string::npos);
  CHECK(header("[A]").find("must be a string, found a list") != std::string::npos);
  CHECK(header("{A: 1}").find("must be a string, found a mapping") != std::string::npos);
  CHECK(header("null").find("must be a string, found nothing") != std::string::npos);
  CHECK(header("''").find("no name for a header") != std::string::npos);
  std::string deep = "{type: object}";
  for (int i = 0; i < 45; ++i) deep = "{type: object, not: " + deep + "}";
  CHECK(problem("  input_schema: " + deep + "\n").find("too deeply nested") != std::string::npos);
}

TEST_CASE("icons and _meta") {
  CHECK(problem("  icons: [{src: ftp://x}]\n").find("no address for an icon") != std::string::npos);
  CHECK(problem("  icons: [{url: https://x}]\n").find("did you mean 'src'") != std::string::npos);
  CHECK(problem("  _meta: {io.modelcontextprotocol/x: 1}\n").find("belongs to the protocol") !=
        std::string::npos);
  CHECK(to_json(tool("  _meta: {com.example/x: 1}\n").endpoint->meta) == R"({"com.example/x":1})");
}
