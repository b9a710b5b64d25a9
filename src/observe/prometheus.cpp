#include "observe/prometheus.h"

#include <fmt/format.h>

#include <cmath>

namespace mxcp::observe {
namespace {

void append_escaped(std::string& out, std::string_view text, bool quoted) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\\' || (quoted && c == '"')) {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
  }
}

}  // namespace

std::string prometheus_number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

void PrometheusText::family(std::string_view name, std::string_view type, std::string_view help) {
  text_ += "# HELP ";
  text_ += name;
  text_ += ' ';
  append_escaped(text_, help, false);
  text_ += "\n# TYPE ";
  text_ += name;
  text_ += ' ';
  text_ += type;
  text_ += '\n';
}

void PrometheusText::begin(std::string_view name, Labels labels) {
  text_ += name;
  char separator = '{';
  for (const auto& [key, value] : labels) {
    text_ += separator;
    text_ += key;
    text_ += "=\"";
    append_escaped(text_, value, true);
    text_ += '"';
    separator = ',';
  }
  if (separator == ',') text_ += '}';
  text_ += ' ';
}

void PrometheusText::sample(std::string_view name, Labels labels, std::uint64_t value) {
  begin(name, labels);
  text_ += std::to_string(value);
  text_ += '\n';
}

void PrometheusText::sample(std::string_view name, Labels labels, double value) {
  begin(name, labels);
  text_ += prometheus_number(value);
  text_ += '\n';
}

}  // namespace mxcp::observe
