#include "observe/metrics.h"

#include <doctest/doctest.h>

#include <thread>

#include "observe/process.h"
#include "observe/prometheus.h"

using namespace mxcp;
using observe::Metrics;

namespace {

std::string lines_with(const std::string& text, std::string_view word) {
  std::string out;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = text.find('\n', begin);
    const std::string line = text.substr(begin, end - begin);
    if (line.find(word) != std::string::npos && line.front() != '#') out += line + '\n';
    begin = end + 1;
  }
  return out;
}

}  // namespace

TEST_CASE("the exposition format") {
  observe::PrometheusText out;
  out.family("a_total", "counter", "Back\\slash and\nnewline.");
  out.sample("a_total", {}, std::uint64_t{18446744073709551615U});
  out.sample("a_total", {{"x", "quote\" back\\ line\n"}, {"y", "käse"}}, 0.25);
  CHECK(out.take() ==
        "# HELP a_total Back\\\\slash and\\nnewline.\n# TYPE a_total counter\n"
        "a_total 18446744073709551615\n"
        "a_total{x=\"quote\\\" back\\\\ line\\n\",y=\"käse\"} 0.25\n");
  CHECK(observe::prometheus_number(0.0005) == "0.0005");
  CHECK(observe::prometheus_number(60) == "60");
  CHECK(observe::prometheus_number(1.0 / 0.0) == "+Inf");
}

TEST_CASE("requests by method and outcome; made-up methods are one") {
  Metrics metrics({"tools/call", "ping"});
  using End = Metrics::RequestEnd;
  metrics.request_ended("ping", End::kOk);
  metrics.request_ended("ping", End::kOk);
  metrics.request_ended("tools/call", End::kCancelled);
  for (const char* made_up : {"a", "b", ""}) metrics.request_ended(made_up, End::kError);
  CHECK(lines_with(metrics.text({}), "mxcp_requests") ==
        "mxcp_requests_total{method=\"tools/call\",outcome=\"cancelled\"} 1\n"
        "mxcp_requests_total{method=\"ping\",outcome=\"ok\"} 2\n"
        "mxcp_requests_total{method=\"\",outcome=\"error\"} 3\n");
}

TEST_CASE("calls by endpoint, outcome and duration") {
  Metrics metrics({});
  const auto endpoint = [](std::string name) {
    auto made = std::make_shared<project::Endpoint>();
    made->kind = project::EndpointKind::kTool;
    made->name = std::move(name);
    return made;
  };
  const auto call = [&](const std::shared_ptr<const project::Endpoint>& which, double seconds,
                        std::optional<Error> error = {}) {
    invoke::Outcome outcome;
    outcome.endpoint = which;
    outcome.seconds = seconds;
    outcome.error = std::move(error);
    metrics.call_ended(outcome);
  };
  const auto one = endpoint("one");
  call(one, 0.0005);
  call(one, 0.3);
  call(endpoint("one"), 1000, Error{Code::kTimeout, "late"});
  call(nullptr, 0, Error{Code::kNotFound, "no such tool"});
  const std::string text = metrics.text({});
  CHECK(lines_with(text, "mxcp_calls_total") ==
        "mxcp_calls_total{kind=\"tool\",name=\"one\",outcome=\"ok\"} 2\n"
        "mxcp_calls_total{kind=\"tool\",name=\"one\",outcome=\"timeout\"} 1\n"
        "mxcp_calls_total{kind=\"\",name=\"\",outcome=\"not_found\"} 1\n");
  CHECK(lines_with(text, "le=\"0.0005\"") ==
        "mxcp_call_duration_seconds_bucket{kind=\"tool\",name=\"one\",le=\"0.0005\"} 1\n");
  CHECK(lines_with(text, "le=\"0.25\"").ends_with(" 1\n"));
  CHECK(lines_with(text, "le=\"0.5\"").ends_with(" 2\n"));
  CHECK(lines_with(text, "le=\"60\"").ends_with(" 2\n"));
  CHECK(lines_with(text, "le=\"+Inf\"").ends_with(" 3\n"));
  CHECK(lines_with(text, "_count") ==
        "mxcp_call_duration_seconds_count{kind=\"tool\",name=\"one\"} 3\n");
  CHECK(lines_with(text, "_sum") ==
        "mxcp_call_duration_seconds_sum{kind=\"tool\",name=\"one\"} 1000.3005\n");
}

TEST_CASE("many threads count exactly") {
  Metrics metrics({"ping"});
  const auto endpoint = std::make_shared<project::Endpoint>();
  endpoint->name = "t";
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      invoke::Outcome outcome;
      outcome.endpoint = endpoint;
      for (int k = 0; k < 10'000; ++k) {
        metrics.request_ended("ping", Metrics::RequestEnd::kOk);
        metrics.call_ended(outcome);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const std::string text = metrics.text({});
  CHECK(lines_with(text, "mxcp_requests_total").ends_with(" 40000\n"));
  CHECK(lines_with(text, "mxcp_calls_total").ends_with(" 40000\n"));
}

TEST_CASE("what the system says about this process") {
  const auto numbers = observe::process_numbers();
#ifdef __linux__
  REQUIRE(numbers.resident_bytes);
  CHECK(*numbers.resident_bytes > (1U << 20));
  CHECK(*numbers.virtual_bytes >= *numbers.resident_bytes);
  CHECK(*numbers.threads >= 1);
  CHECK(*numbers.open_descriptors >= 3);
  CHECK(*numbers.start_time > 1.6e9);
#endif
  CHECK(numbers.cpu_seconds.value_or(0) >= 0);
}
