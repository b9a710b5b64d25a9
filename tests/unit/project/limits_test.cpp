#include "project/limits.h"

#include <doctest/doctest.h>

#include "project/endpoint.h"

using namespace mxcp;
using namespace mxcp::project;

namespace {

EndpointFile read(const std::string& limits, const std::string& more = "") {
  return parse_endpoint("mxcp: 1\ntool:\n  name: t\n  source: {code: SELECT 1}\n" + more +
                            "  limits: " + limits + "\n",
                        "t.yml");
}

std::string problem(const std::string& limits, const std::string& more = "") {
  const EndpointFile file = read(limits, more);
  return file.errors.empty() ? "" : file.errors.front().text();
}

std::string seconds(const std::string& value) {
  const EndpointFile file = read("{timeout: " + value + "}");
  if (!file.endpoint) return file.errors.front().text();
  return to_text(file.endpoint->limits.timeout->value);
}

std::string bytes(const std::string& value) {
  const EndpointFile file = read("{max_bytes: " + value + "}");
  if (!file.endpoint) return file.errors.front().text();
  return bytes_text(file.endpoint->limits.max_bytes->value);
}

std::string rate(const std::string& value) {
  const EndpointFile file = read("{rate: " + value + "}");
  if (!file.endpoint) return file.errors.front().text();
  return to_text(file.endpoint->limits.rate->value);
}

}  // namespace

TEST_CASE("limits as people write them") {
  CHECK(seconds("30") == "30 s");
  CHECK(seconds("1.5") == "1.5 s");
  CHECK(seconds("1.5s") == "1.5 s");
  CHECK(seconds("200ms") == "200 ms");
  CHECK(seconds("2m") == "2 min");
  CHECK(seconds("24h") == "1440 min");
  CHECK(bytes("1234") == "1234 bytes");
  CHECK(bytes("10MB") == "10 MB");
  CHECK(bytes("64 KiB") == "64 KiB");
  CHECK(bytes("1.5gb") == "1500 MB");
  CHECK(rate("10/s") == "10 per second");
  CHECK(rate("100 / m") == "100 per minute");
  CHECK(rate("1000/h") == "1000 per hour");
}

TEST_CASE("what is missing is the default, and can be switched off") {
  CHECK(read("{timeout: 1}").endpoint->limits.max_bytes->value == kDefaultMaxBytes);
  CHECK(!read("{max_bytes: none}").endpoint->limits.max_bytes);
  CHECK(!read("{max_bytes: null}").endpoint->limits.max_bytes);
  CHECK(!read("{}").endpoint->limits.timeout);
}

TEST_CASE("mistakes are explained") {
  CHECK(seconds("5 seconds") ==
        "t.yml:5:21: 'timeout' must be a number of seconds, or text with a unit (ms, s, m, h), "
        "found the string '5 seconds' (write '5s')");
  CHECK(seconds("soon").find("for example 30, 1.5s, 200ms or 2m") != std::string::npos);
  CHECK(seconds("0").find("'timeout' must be at least 1 ms") != std::string::npos);
  CHECK(seconds("25h").find("at most 24 hours") != std::string::npos);
  CHECK(seconds("-1").find("at least 1 ms") != std::string::npos);
  CHECK(bytes("10M").find("write '10MB'") != std::string::npos);
  CHECK(bytes("0").find("at least 1") != std::string::npos);
  CHECK(rate("10").find("say per what: '10/s', '10/m' or '10/h'") != std::string::npos);
  CHECK(rate("10/sec").find("write '10/s'") != std::string::npos);
  CHECK(rate("10 per minute").find("write '10/m'") != std::string::npos);
  CHECK(rate("0/s").find("at least one call") != std::string::npos);
  CHECK(rate("0.5/s").find("a whole number") != std::string::npos);
  CHECK(problem("{max_rows: 0}").find("'none' switches it off") != std::string::npos);
  CHECK(problem("{max_rows: many}").find("must be a whole number") != std::string::npos);
  CHECK(problem("{max_row: 1}").find("did you mean 'max_rows'?") != std::string::npos);
  CHECK(problem("{server_rate: 1/s}").find("unknown key 'server_rate'") != std::string::npos);
  CHECK(problem("10").find("must be a mapping") != std::string::npos);
}

TEST_CASE("a result that must have more rows than it may have") {
  const std::string list = "  return: {type: array, minItems: 5}\n";
  CHECK(problem("{max_rows: 4}", list)
            .find("the return type has minItems 5, but 'max_rows' cuts "
                  "results to 4") != std::string::npos);
  CHECK(problem("{max_rows: 5}", list).empty());
}
