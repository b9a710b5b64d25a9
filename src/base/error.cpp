#include "base/error.h"

#include <algorithm>
#include <array>
#include <vector>

namespace mxcp {

const CodeInfo& describe(Code code) {
  // Exit statuses: 2 is a wrong command line, 1 everything else. JSON-RPC codes follow the MCP
  // specification (basic, "Error codes"); failures of a tool itself travel as isError results.
  static constexpr std::array<CodeInfo, 16> kTable = {{
      {"usage", 2, -32602, 400},
      {"config", 1, -32603, 500},
      {"not_found", 1, -32602, 404},
      {"invalid_arguments", 1, -32602, 400},
      {"invalid_output", 1, -32603, 500},
      {"sql", 1, -32603, 500},
      {"database", 1, -32603, 503},
      {"python", 1, -32603, 500},
      {"policy_denied", 1, -32603, 403},
      {"timeout", 1, -32603, 504},
      {"cancelled", 1, -32603, 499},
      {"overloaded", 1, -32603, 503},
      {"unavailable", 1, -32603, 503},
      {"protocol", 1, -32600, 400},
      {"io", 1, -32603, 500},
      {"internal", 1, -32603, 500},
  }};
  return kTable[static_cast<std::size_t>(code)];
}

std::string Place::text() const {
  std::string out = file;
  if (!file.empty() && line > 0) {
    out += ':' + std::to_string(line);
    if (column > 0) out += ':' + std::to_string(column);
  }
  return out;
}

std::string Error::text() const {
  std::string out;
  if (place.known()) out = place.text() + ": ";
  out += message;
  if (!hint.empty()) out += " (" + hint + ")";
  return out;
}

Error Error::in(std::string_view context) && {
  message = std::string(context) + ": " + message;
  return std::move(*this);
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  std::vector<std::size_t> before(b.size() + 1), row(b.size() + 1), above(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                           lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

}  // namespace mxcp
