// Limits of calls: `limits:` of an endpoint, and in mxcp-site.yml for all of them.
//
//     limits: {timeout: 30s, max_rows: 1000, max_bytes: 1MB, concurrency: 4, rate: 10/s}
//
// An endpoint begins with the site's limits (which begin with kDefaultMaxBytes and nothing else)
// and its own keys replace them one by one; `none` takes one away. What an endpoint has in the end
// is in Endpoint::limits; who enforces it is invoke/.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace mxcp::project {

// A result without any limit could take all memory: this holds where nobody says anything else.
inline constexpr std::uint64_t kDefaultMaxBytes = 64 << 20;

template <class T>
struct Limit {
  T value;
  Place place = {};  // unknown: built in
  bool own = false;  // declared by the endpoint itself, not for all of the server
};

// A token bucket: so many calls at once, and so many more in each period.
struct Rate {
  std::uint64_t calls = 1;
  std::chrono::seconds period{1};
  friend bool operator==(const Rate&, const Rate&) = default;
};

struct Limits {
  std::optional<Limit<std::chrono::microseconds>> timeout;
  std::optional<Limit<std::uint64_t>> max_rows;   // of a result that is a list
  std::optional<Limit<std::uint64_t>> max_bytes;  // of the result as JSON
  std::optional<Limit<std::uint64_t>> concurrency;
  std::optional<Limit<Rate>> rate;

  static Limits defaults();
};

// Of all calls of a server together.
struct ServerLimits {
  std::optional<Limit<std::uint64_t>> concurrency;  // `server_concurrency`
  std::optional<Limit<Rate>> rate;                  // `server_rate`
};

// `tasks:` of mxcp-site.yml, about those that a server keeps (mcp/tasks.h). The times are for tools
// that declare none.
struct TaskLimits {
  std::chrono::milliseconds ttl{3'600'000};        // from the beginning of a task
  std::chrono::milliseconds poll_interval{1'000};  // how often a client should ask
  std::size_t max_running = 1'000;
  std::size_t max_kept = 10'000;
  std::size_t max_per_user = 2'000;  // of the latter, where users have names
  std::size_t max_bytes = 64 << 20;  // of results and questions
};

// For people: "1.5 s", "2 min"; "64 MiB", "10 MB", "1234 bytes"; "10 per second".
std::string to_text(std::chrono::microseconds duration);
std::string bytes_text(std::uint64_t bytes);
std::string to_text(const Rate& rate);

}  // namespace mxcp::project
