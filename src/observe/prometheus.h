// Text in Prometheus' exposition format, version 0.0.4.
//
//     PrometheusText out;
//     out.family("mxcp_calls_total", "counter", "Calls of endpoints that ended.");
//     out.sample("mxcp_calls_total", {{"name", "get_user"}}, 42);
//     out.take();
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace mxcp::observe {

class PrometheusText {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  // Its samples follow at once.
  void family(std::string_view name, std::string_view type, std::string_view help);
  void sample(std::string_view name, Labels labels, std::uint64_t value);
  void sample(std::string_view name, Labels labels, double value);
  // A family with one sample.
  template <typename Number>
  void single(std::string_view name, std::string_view type, std::string_view help, Number value) {
    family(name, type, help);
    sample(name, {}, value);
  }

  std::string take() { return std::move(text_); }

 private:
  void begin(std::string_view name, Labels labels);

  std::string text_;
};

// The shortest text that reads back the same: "0.005", "1", "+Inf".
std::string prometheus_number(double value);

}  // namespace mxcp::observe
