// What the operating system knows about this process.
#pragma once

#include <cstdint>
#include <optional>

namespace mxcp::observe {

// What the system does not say is absent.
struct ProcessNumbers {
  std::optional<double> cpu_seconds;
  std::optional<double> start_time;  // seconds since 1970
  std::optional<std::uint64_t> resident_bytes;
  std::optional<std::uint64_t> virtual_bytes;
  std::optional<std::uint64_t> threads;
  std::optional<std::uint64_t> open_descriptors;
  std::optional<std::uint64_t> max_descriptors;
};
ProcessNumbers process_numbers();

}  // namespace mxcp::observe
