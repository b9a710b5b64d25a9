#include "mcp/http_headers.h"

#include <doctest/doctest.h>

using namespace mxcp;
using namespace mxcp::mcp;

TEST_CASE("header values may be written in base64, in one way only") {
  CHECK(decode_header_value("us-west1") == "us-west1");
  CHECK(decode_header_value("=?base64?SGVsbG8sIOS4lueVjA==?=") == "Hello, 世界");
  CHECK(decode_header_value("=?base64?IHBhZGRlZCA=?=") == " padded ");
  CHECK(decode_header_value("=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=") == "=?base64?literal?=");
  CHECK(decode_header_value("=?base64?"
                            "?=") == "");
  // Without both marks it is what it is.
  CHECK(decode_header_value("=?base64?YWRk") == "=?base64?YWRk");
  CHECK(decode_header_value("=?BASE64?YWRk?=") == "=?BASE64?YWRk?=");
  for (const char* broken : {"=?base64?YWR?=", "=?base64?YW!k?=", "=?base64?YWR=k?=",
                             "=?base64?YWRkYQ=?=", "=?base64?YWRkYR==?=", "=?base64?gICA?="}) {
    CHECK_MESSAGE(!decode_header_value(broken), broken);
  }
  CHECK(!decode_header_value("n\xc3\xa4me"));
  CHECK(!decode_header_value("a\x01"));
}

TEST_CASE("Accept") {
  CHECK(accepts("", "application/json"));
  CHECK(accepts("application/json, text/event-stream", "text/event-stream"));
  CHECK(accepts("*/*", "application/json"));
  CHECK(accepts("text/*;q=0.5", "text/event-stream"));
  CHECK(!accepts("text/*", "application/json"));
  CHECK(!accepts("text/html", "application/json"));
  CHECK(!accepts("application/json;q=0", "application/json"));
  CHECK(!accepts("application/json;q=0.0, text/event-stream", "application/json"));
  CHECK(accepts("Application/JSON; q=0.1", "application/json"));
}

TEST_CASE("Content-Type") {
  CHECK(is_json("application/json"));
  CHECK(is_json("Application/JSON; charset=utf-8"));
  CHECK(is_json("application/mcp+json"));
  CHECK(!is_json(""));
  CHECK(!is_json("text/json-ish"));
}
