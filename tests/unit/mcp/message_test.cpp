#include "mcp/message.h"

#include <doctest/doctest.h>

#include "base/json.h"
#include "mcp/request_meta.h"
#include "mcp/revisions/revision.h"

using namespace mxcp;
using namespace mxcp::mcp;

namespace {

std::variant<Message, Malformed> read(std::string_view text) {
  auto value = parse_json(text);
  REQUIRE(value.ok());
  return read_message(*std::move(value));
}

// "code message", and the id when there is one.
std::string problem(std::string_view text) {
  const auto message = read(text);
  const Malformed* const malformed = std::get_if<Malformed>(&message);
  REQUIRE(malformed != nullptr);
  return std::to_string(malformed->error.code) + " " + malformed->error.message +
         (malformed->id ? " #" + malformed->id->json : "");
}

std::string id_of(std::string_view text) {
  const auto value = parse_json(text);
  REQUIRE(value.ok());
  const auto id = RequestId::from(*value);
  return id ? id->json : "refused";
}

}  // namespace

TEST_CASE("ids keep their type and every digit") {
  CHECK(id_of("7") == "7");
  CHECK(id_of("\"7\"") == "\"7\"");
  CHECK(id_of("0") == "0");
  CHECK(id_of("-12") == "-12");
  CHECK(id_of("9223372036854775808") == "9223372036854775808");
  CHECK(id_of("123456789012345678901234567890") == "123456789012345678901234567890");
  CHECK(id_of("\"\"") == "\"\"");
  CHECK(id_of(R"("a\"b\\\n\u0001é")") == R"("a\"b\\\n\u0001é")");
  for (const char* bad : {"null", "1.5", "1.0", "1e3", "true", "[1]", "{}"}) {
    CAPTURE(bad);
    CHECK(id_of(bad) == "refused");
  }
}

TEST_CASE("messages are told apart") {
  auto message = read(R"({"jsonrpc":"2.0","id":1,"method":"m","params":{"a":1}})");
  REQUIRE(std::holds_alternative<Message>(message));
  CHECK(std::get_if<Message>(&message)->kind == Message::Kind::kRequest);
  CHECK(std::get_if<Message>(&message)->id.json == "1");
  CHECK(to_json(std::get_if<Message>(&message)->params) == R"({"a":1})");
  message = read(R"({"jsonrpc":"2.0","method":"m","params":null})");
  CHECK(std::get_if<Message>(&message)->kind == Message::Kind::kNotification);
  CHECK(std::get_if<Message>(&message)->params.empty());
  message = read(R"({"jsonrpc":"2.0","id":1,"result":{}})");
  CHECK(std::get_if<Message>(&message)->kind == Message::Kind::kResponse);
  message = read(R"({"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}})");
  CHECK(std::get_if<Message>(&message)->kind == Message::Kind::kResponse);
}

TEST_CASE("what is no message says why") {
  CHECK(problem("1") == "-32600 a message must be a JSON object, got integer");
  CHECK(problem("null") == "-32600 a message must be a JSON object, got null");
  CHECK(problem(R"({"id":1,"method":"m"})") == "-32600 'jsonrpc' must be \"2.0\" #1");
  CHECK(problem(R"({"jsonrpc":2.0,"id":1,"method":"m"})") == "-32600 'jsonrpc' must be \"2.0\" #1");
  CHECK(problem(R"({"jsonrpc":"2.0","id":"x"})") == "-32600 'method' is missing #\"x\"");
  CHECK(problem(R"({"jsonrpc":"2.0","id":1,"method":7})") ==
        "-32600 'method' must be a string, got integer #1");
  CHECK(problem(R"({"jsonrpc":"2.0","id":null,"method":"m"})") ==
        "-32600 'id' must be a string or an integer");
  CHECK(problem(R"({"jsonrpc":"2.0","id":1.5,"method":"m"})") ==
        "-32600 'id' must be a string or an integer");
  CHECK(problem(R"({"jsonrpc":"2.0","id":1,"method":"m","params":[1]})") ==
        "-32602 'params' must be an object, got array #1");
}

TEST_CASE("errors without an id") {
  CHECK(error_message(nullptr, true, {-32700, "x"}) ==
        R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}})");
  CHECK(error_message(nullptr, false, {-32700, "x"}) ==
        R"({"jsonrpc":"2.0","error":{"code":-32700,"message":"x"}})");
  const RequestId id{"\"a\""};
  CHECK(
      error_message(&id, true, {-32602, "x\ny", Value(Object{{"uri", "u"}})}) ==
      R"({"jsonrpc":"2.0","id":"a","error":{"code":-32602,"message":"x\ny","data":{"uri":"u"}}})");
}

TEST_CASE("JSON text as a JSON string reads back as itself") {
  for (const char* json :
       {R"({"a":"b\"c\\d","e":[1,null]})", "null", "[]", R"({"ü":"🦆\n"})", ""}) {
    std::string out = "before";
    append_quoted_json(out, json);
    REQUIRE(out.starts_with("before"));
    const auto read_back = parse_json(std::string_view(out).substr(6));
    REQUIRE(read_back.ok());
    REQUIRE(read_back->is_string());
    CHECK(*read_back->as_string() == json);
  }
}

TEST_CASE("what the client may read of an error") {
  Error error{Code::kSql, "no such table", {"tools/a.yml", 3, 7}, "did you mean 'x'?", "traceback"};
  CHECK(public_text(error) == "no such table (did you mean 'x'?)");
  CHECK(to_rpc(error).code == -32603);
  error.code = Code::kInvalidArgs;
  CHECK(to_rpc(error).code == -32602);
}

TEST_CASE("revisions") {
  CHECK(revision_names(false) == std::vector<std::string>{"2026-07-28", "2025-11-25", "2025-06-18",
                                                          "2025-03-26", "2024-11-05"});
  CHECK(revision_names(true) == std::vector<std::string>{"2026-07-28"});
  CHECK(latest_handshake_revision().name == "2025-11-25");
  CHECK(latest_stateless_revision().name == "2026-07-28");
  CHECK(find_revision("2025-06-18")->structured);
  CHECK(!find_revision("2025-03-26")->structured);
  CHECK(find_revision("1999-01-01") == nullptr);
}

TEST_CASE("log levels are ordered") {
  CHECK(log_level_from("debug") == LogLevel::kDebug);
  CHECK(log_level_from("emergency") == LogLevel::kEmergency);
  CHECK(!log_level_from("Debug"));
  CHECK(!log_level_from(""));
  CHECK(name_of(LogLevel::kNotice) == "notice");
  CHECK(LogLevel::kNotice < LogLevel::kWarning);
}

TEST_CASE("a notification is never answered, whatever its parameters are") {
  auto value = parse_json(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":[1]})");
  const auto read = read_message(*std::move(value));
  const Message* const message = std::get_if<Message>(&read);
  REQUIRE(message != nullptr);
  CHECK(message->kind == Message::Kind::kNotification);
  CHECK(message->params.empty());
}
