// Counters of a running server, and their text for Prometheus.
//
// Those who count do not wait for each other, and allocate nothing once an endpoint was called.
// Labels are bounded: methods are those the server knows, names those of endpoints of the project,
// and outcomes the codes of base/error.h; what a client makes up is counted under "".
//
// Threads: all methods, from any.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/database.h"
#include "invoke/call.h"
#include "project/project.h"

namespace mxcp::observe {

class Metrics final : public invoke::CallObserver {
 public:
  // `methods`: of the protocol, as requests name them.
  explicit Metrics(std::vector<std::string> methods);
  ~Metrics() override;

  void call_ended(const invoke::Outcome& outcome) override;

  enum class RequestEnd { kOk, kError, kCancelled };
  void request_ended(std::string_view method, RequestEnd end);

  // Forgets what was counted of endpoints that the project has no more.
  void forget_others(const project::Project& project);

  // What is asked when the text is.
  struct Now {
    std::string version;
    std::size_t running_calls = 0;
    std::size_t connections = 0;
    std::size_t streams = 0;
    std::size_t sessions = 0;
    std::vector<std::pair<int, std::uint64_t>> responses;  // by HTTP status
    std::optional<engine::Database::Stats> pool;
    std::uint64_t reloads = 0;
    std::uint64_t failed_reloads = 0;
    bool last_reload_failed = false;
    std::shared_ptr<const project::Project> project;
  };
  std::string text(const Now& now) const;

  // Upper bounds of the histogram of durations, in seconds.
  static constexpr std::array<double, 16> kBounds = {
      0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};

 private:
  struct Calls;
  struct Requests;
  using Key = std::pair<project::EndpointKind, std::string>;
  // Without a copy of the name.
  struct Less {
    using is_transparent = void;
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      if (a.first != b.first) return a.first < b.first;
      return std::string_view(a.second) < std::string_view(b.second);
    }
  };

  Calls& calls_of(project::EndpointKind kind, std::string_view name);

  const std::vector<std::string> methods_;
  const std::unique_ptr<Requests[]> requests_;  // one for each method, and one for all others
  const std::unique_ptr<Calls> unknown_;        // calls of what there is not
  mutable std::shared_mutex mutex_;
  std::map<Key, std::shared_ptr<Calls>, Less> calls_;
};

}  // namespace mxcp::observe
