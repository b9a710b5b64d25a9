#include "cli/command_line.h"

#include <doctest/doctest.h>

#include "cli/help.h"
#include "cli/inputs.h"
#include "support/temp_project.h"

using namespace mxcp;
using cli::parse_command_line;

namespace {

Result<cli::CommandLine> parse(std::string_view command, std::vector<std::string> arguments) {
  const cli::Command* found = cli::find_command(command);
  REQUIRE(found != nullptr);
  return parse_command_line(*found, arguments);
}

// The text of the usage error.
std::string refused(std::string_view command, std::vector<std::string> arguments) {
  const auto line = parse(command, std::move(arguments));
  if (line.ok()) return "accepted";
  CHECK(line.error().code == Code::kUsage);
  return line.error().text();
}

std::string param_error(const std::string& param) {
  const auto params = cli::parse_params({param});
  if (params.ok()) return "accepted";
  CHECK(params.error().code == Code::kUsage);
  return params.error().text();
}

}  // namespace

TEST_CASE("options, positionals and flags in any order") {
  const auto line = parse("run", {"--param", "a=1", "tool", "-p", "b=[1,2]", "--param=c=d=e",
                                  "name", "--json-output", "--profile", "x", "--profile", "y"});
  REQUIRE(line.ok());
  CHECK(line->value("TYPE") == "tool");
  CHECK(line->value("NAME") == "name");
  CHECK(line->values("param") == std::vector<std::string>{"a=1", "b=[1,2]", "c=d=e"});
  CHECK(line->value("profile") == "y");
  CHECK(line->has("json-output"));
  CHECK_FALSE(line->has("debug"));
  CHECK_FALSE(line->value("user-context"));
  CHECK_FALSE(line->help());
}

TEST_CASE("values are taken as they are") {
  const auto line = parse("run", {"tool", "t", "-p", "a=", "-p", "[1, 2]=x", "-p", "n=-5", "-u", "",
                                  "--request-headers", "{\"a\": [1, 2]}"});
  REQUIRE(line.ok());
  CHECK(line->values("param") == std::vector<std::string>{"a=", "[1, 2]=x", "n=-5"});
  CHECK(line->value("user-context") == "");
  CHECK(line->value("request-headers") == "{\"a\": [1, 2]}");
}

TEST_CASE("SQL as an argument") {
  for (const std::string sql :
       {"SELECT 1", "SELECT '[a]'", "[1]", "", "SELECT\n1 -- x", "-- a comment first\nSELECT 1"}) {
    CAPTURE(sql);
    const auto line = parse("query", {sql});
    REQUIRE_MESSAGE(line.ok(), (line.ok() ? "" : line.error().text()));
    CHECK(line->value("SQL") == sql);
  }
  const auto after = parse("query", {"--", "--comment\nSELECT 1"});
  REQUIRE_MESSAGE(after.ok(), (after.ok() ? "" : after.error().text()));
  CHECK(after->value("SQL") == "--comment\nSELECT 1");
}

TEST_CASE("help is asked for whatever else is wrong") {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--help"}, {"-h"}, {"tool", "--help"}}) {
    const auto line = parse("run", arguments);
    REQUIRE(line.ok());
    CHECK(line->help());
  }
}

TEST_CASE("wrong command lines are refused with what was meant") {
  CHECK(refused("run", {"tool", "t", "--nope"}) ==
        "unknown option '--nope' (a parameter of the endpoint is given as '--param nope=VALUE')");
  CHECK(refused("list", {"--jsonoutput"}) ==
        "unknown option '--jsonoutput' (did you mean '--json-output'?)");
  CHECK(refused("run", {"tool", "t", "--pram=a=1"}) ==
        "unknown option '--pram' (did you mean '--param'?)");
  CHECK(
      refused("run", {"tool", "t", "extra"}) ==
      "unexpected argument 'extra' (the endpoint's parameters are given as '--param NAME=VALUE')");
  CHECK(refused("run", {"tool"}) == "missing argument NAME");
  CHECK(refused("run", {}) == "missing argument TYPE");
  CHECK(refused("run", {"toool", "t"}) ==
        "TYPE must be one of tool, resource, prompt, not 'toool' (did you mean 'tool'?)");
  CHECK(refused("run", {"tool", "t", "--param"}) == "option '--param' needs a value: NAME=VALUE");
  CHECK(refused("serve", {"--transport", "tcp"}).find("one of streamable-http, stdio, sse") !=
        std::string::npos);
}

TEST_CASE("--param gives text, JSON from files, and text that begins with @") {
  const test::TempProject project{{"in.json", "{\"k\": [1, null]}"}, {"bad.json", "{\"a\": 1,,}"}};
  const std::string root = project.root().string();
  const auto params =
      cli::parse_params({"a=1", "b=x=y", "c=@" + root + "/in.json", "d=@@home", "e=", "a=2"});
  REQUIRE_MESSAGE(params.ok(), (params.ok() ? "" : params.error().text()));
  CHECK(*params == Object{{"a", "2"},
                          {"b", "x=y"},
                          {"c", Object{{"k", Array{1, nullptr}}}},
                          {"d", "@home"},
                          {"e", ""}});
  CHECK(param_error("foo").find("must have the form NAME=VALUE") != std::string::npos);
  CHECK(param_error("=x").find("must have the form NAME=VALUE") != std::string::npos);
  CHECK(param_error("a=@").find("the file name after '@' is missing") != std::string::npos);
  CHECK(param_error("a=@" + root + "/absent.json").find("absent.json") != std::string::npos);
  CHECK(param_error("a=@" + root + "/bad.json").find("bad.json:1:9: invalid JSON") !=
        std::string::npos);
}

TEST_CASE("--user-context and --request-headers are JSON objects") {
  const test::TempProject project{{"user.json", "{\"role\": \"admin\"}"}};
  const auto option = [](std::string name, std::string value) {
    return parse("run", {"tool", "t", "--" + name, std::move(value)});
  };
  for (const std::string& value :
       {std::string("{\"role\": \"admin\"}"), "@" + (project.root() / "user.json").string()}) {
    const auto user = cli::parse_object_option(*option("user-context", value), "user-context");
    REQUIRE(user.ok());
    REQUIRE(*user);
    CHECK(**user == Object{{"role", "admin"}});
  }
  CHECK_FALSE(*cli::parse_object_option(*parse("run", {"tool", "t"}), "user-context"));
  for (const std::string value : {"{", "[1]", "text", "", "@", "@absent.json"}) {
    CAPTURE(value);
    const auto user = cli::parse_object_option(*option("user-context", value), "user-context");
    REQUIRE_FALSE(user.ok());
    CHECK(user.error().code == Code::kUsage);
    CHECK(user.error().message.find("--user-context") == 0);
  }
  const auto headers =
      cli::parse_headers(*option("request-headers", "{\"X-Id\": 7, \"A\": \"b\"}"));
  REQUIRE(headers.ok());
  CHECK(*headers == std::vector<std::pair<std::string, std::string>>{{"x-id", "7"}, {"a", "b"}});
  CHECK_FALSE(cli::parse_headers(*option("request-headers", "{\"a\": []}")).ok());
}

TEST_CASE("every command teaches by example") {
  const cli::Stream nowhere(-1);
  for (const cli::Command* command : cli::commands()) {
    CAPTURE(command->name);
    CHECK(command->examples.size() >= 2);
    const std::string help = cli::command_help(*command, nowhere);
    CHECK(help.find("Usage: mxcp " + command->name) == 0);
    CHECK(help.find("Examples:") != std::string::npos);
    CHECK(help.find("--help") != std::string::npos);
    for (const auto& option : command->options) {
      CHECK_FALSE(option.help.empty());
      CHECK(help.find("--" + option.name) != std::string::npos);
    }
    CHECK(cli::program_help(nowhere).find("  " + command->name + " ") != std::string::npos);
  }
}
