// What a property says of one input. The same properties are tried on seeded mutations by the unit
// tests and on what libFuzzer thinks of by the programs of this folder.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace mxcp::fuzz {

struct Verdict {
  bool accepted = false;  // the input was valid; otherwise it was refused, which is fine as well
  std::string wrong;      // the property that did not hold; "" when all did
};

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// libFuzzer keeps the input of a program that aborts.
inline int report(const Verdict& verdict) {
  if (verdict.wrong.empty()) return 0;
  std::fprintf(stderr, "property violated: %s\n", verdict.wrong.c_str());
  std::abort();
}

}  // namespace mxcp::fuzz
