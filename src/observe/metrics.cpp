#include "observe/metrics.h"

#include <algorithm>
#include <mutex>

#include "observe/process.h"
#include "observe/prometheus.h"

namespace mxcp::observe {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr std::size_t kCodes = static_cast<std::size_t>(Code::kInternal) + 1;
constexpr std::array<std::string_view, 3> kEnds = {"ok", "error", "cancelled"};

using Counter = std::atomic<std::uint64_t>;

}  // namespace

struct Metrics::Requests {
  std::array<Counter, kEnds.size()> by_end{};
};

struct Metrics::Calls {
  Counter ok{0};
  std::array<Counter, kCodes> failed{};
  std::array<Counter, kBounds.size() + 1> durations{};  // not cumulated; the last one has no bound
  Counter nanoseconds{0};

  void add(const invoke::Outcome& outcome) {
    (outcome.error ? failed[static_cast<std::size_t>(outcome.error->code)] : ok)
        .fetch_add(1, kRelaxed);
    const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), outcome.seconds);
    durations[static_cast<std::size_t>(bound - kBounds.begin())].fetch_add(1, kRelaxed);
    nanoseconds.fetch_add(static_cast<std::uint64_t>(std::max(0.0, outcome.seconds) * 1e9),
                          kRelaxed);
  }
};

Metrics::Metrics(std::vector<std::string> methods)
    : methods_(std::move(methods)),
      requests_(std::make_unique<Requests[]>(methods_.size() + 1)),
      unknown_(std::make_unique<Calls>()) {}

Metrics::~Metrics() = default;

void Metrics::request_ended(std::string_view method, RequestEnd end) {
  const auto known = std::find(methods_.begin(), methods_.end(), method);
  requests_[static_cast<std::size_t>(known - methods_.begin())]
      .by_end[static_cast<std::size_t>(end)]
      .fetch_add(1, kRelaxed);
}

void Metrics::call_ended(const invoke::Outcome& outcome) {
  if (outcome.endpoint == nullptr) return unknown_->add(outcome);
  const std::pair<project::EndpointKind, std::string_view> key(outcome.endpoint->kind,
                                                               outcome.endpoint->id());
  {
    const std::shared_lock lock(mutex_);
    if (const auto it = calls_.find(key); it != calls_.end()) return it->second->add(outcome);
  }
  const std::lock_guard lock(mutex_);
  auto& calls = calls_[Key(key.first, key.second)];
  if (calls == nullptr) calls = std::make_shared<Calls>();
  calls->add(outcome);
}

void Metrics::forget_others(const project::Project& project) {
  const std::lock_guard lock(mutex_);
  std::erase_if(calls_, [&](const auto& entry) {
    return project.find(entry.first.first, entry.first.second) == nullptr;
  });
}

// --- the text -----------------------------------------------------------------------------------

namespace {

void add_process(PrometheusText& out) {
  const ProcessNumbers process = process_numbers();
  const auto add = [&](std::string_view name, std::string_view type, std::string_view help,
                       const auto& value) {
    if (value) out.single(name, type, help, *value);
  };
  add("process_cpu_seconds_total", "counter", "CPU time of this process, user and system.",
      process.cpu_seconds);
  add("process_start_time_seconds", "gauge", "When this process was started, since 1970.",
      process.start_time);
  add("process_resident_memory_bytes", "gauge", "Memory in RAM.", process.resident_bytes);
  add("process_virtual_memory_bytes", "gauge", "Address space.", process.virtual_bytes);
  add("process_threads", "gauge", "Threads.", process.threads);
  add("process_open_fds", "gauge", "Open file descriptors.", process.open_descriptors);
  add("process_max_fds", "gauge", "The limit of open file descriptors.", process.max_descriptors);
}

}  // namespace

std::string Metrics::text(const Now& now) const {
  PrometheusText out;
  out.family("mxcp_build_info", "gauge", "The version of the server.");
  out.sample("mxcp_build_info", {{"version", now.version}}, std::uint64_t{1});

  out.family("mxcp_requests_total", "counter", "Requests of the protocol that ended, by method.");
  for (std::size_t i = 0; i <= methods_.size(); ++i) {
    for (std::size_t end = 0; end < kEnds.size(); ++end) {
      const std::uint64_t count = requests_[i].by_end[end].load(kRelaxed);
      if (count == 0) continue;
      const std::string_view method = i < methods_.size() ? methods_[i] : std::string_view();
      out.sample("mxcp_requests_total", {{"method", method}, {"outcome", kEnds[end]}}, count);
    }
  }

  struct Row {
    std::string_view kind;
    std::string name;
    std::shared_ptr<const Calls> calls;
  };
  std::vector<Row> rows;
  {
    const std::shared_lock lock(mutex_);
    for (const auto& [key, calls] : calls_) {
      rows.push_back({project::name_of(key.first), key.second, calls});
    }
  }
  out.family("mxcp_calls_total", "counter",
             "Calls of endpoints that ended; the outcome is ok, or the kind of error.");
  const auto add_outcomes = [&](std::string_view kind, std::string_view name, const Calls& calls) {
    const auto add = [&](std::string_view outcome, const Counter& counter) {
      const std::uint64_t count = counter.load(kRelaxed);
      if (count == 0) return;
      out.sample("mxcp_calls_total", {{"kind", kind}, {"name", name}, {"outcome", outcome}}, count);
    };
    add("ok", calls.ok);
    for (std::size_t code = 0; code < kCodes; ++code) {
      add(describe(static_cast<Code>(code)).name, calls.failed[code]);
    }
  };
  for (const Row& row : rows) add_outcomes(row.kind, row.name, *row.calls);
  add_outcomes("", "", *unknown_);

  out.family("mxcp_call_duration_seconds", "histogram",
             "How long calls of endpoints ran, without waiting for a start or reload.");
  for (const Row& row : rows) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i <= kBounds.size(); ++i) {
      sum += row.calls->durations[i].load(kRelaxed);
      const std::string bound = i < kBounds.size() ? prometheus_number(kBounds[i]) : "+Inf";
      out.sample("mxcp_call_duration_seconds_bucket",
                 {{"kind", row.kind}, {"name", row.name}, {"le", bound}}, sum);
    }
    const double seconds = static_cast<double>(row.calls->nanoseconds.load(kRelaxed)) / 1e9;
    out.sample("mxcp_call_duration_seconds_sum", {{"kind", row.kind}, {"name", row.name}}, seconds);
    out.sample("mxcp_call_duration_seconds_count", {{"kind", row.kind}, {"name", row.name}}, sum);
  }

  const auto gauge = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    out.single(name, "gauge", help, value);
  };
  gauge("mxcp_running_calls", "Calls of endpoints that run now.", now.running_calls);
  gauge("mxcp_http_connections", "Open connections.", now.connections);
  gauge("mxcp_http_streams", "Answers that are streams and go on.", now.streams);
  gauge("mxcp_sessions", "Open sessions.", now.sessions);
  out.family("mxcp_http_responses_total", "counter", "HTTP responses, by status.");
  for (const auto& [status, count] : now.responses) {
    out.sample("mxcp_http_responses_total", {{"status", std::to_string(status)}}, count);
  }
  if (now.pool) {
    gauge("mxcp_database_connections", "Connections of the database's pool.",
          now.pool->connections);
    gauge("mxcp_database_connections_busy", "Those of them that are in use.", now.pool->in_use);
    gauge("mxcp_database_waiting", "Calls that wait for a connection.", now.pool->waiting);
  }
  out.family("mxcp_reloads_total", "counter", "Reloads, and changed files that were taken up.");
  const std::uint64_t succeeded = now.reloads - std::min(now.reloads, now.failed_reloads);
  out.sample("mxcp_reloads_total", {{"outcome", "ok"}}, succeeded);
  out.sample("mxcp_reloads_total", {{"outcome", "failed"}}, now.failed_reloads);
  gauge("mxcp_last_reload_failed", "1 when the last reload failed; what was served before goes on.",
        now.last_reload_failed ? 1 : 0);
  if (now.project != nullptr) {
    std::uint64_t problems = 0;
    for (const auto& file : now.project->files()) problems += file.errors.size();
    gauge("mxcp_project_problems", "Problems in the project's files, whose endpoints are missing.",
          problems);
    std::array<std::uint64_t, 3> endpoints{};
    for (const auto& endpoint : now.project->endpoints()) {
      ++endpoints[static_cast<std::size_t>(endpoint->kind)];
    }
    out.family("mxcp_endpoints", "gauge", "Endpoints that are served.");
    for (std::size_t kind = 0; kind < endpoints.size(); ++kind) {
      out.sample("mxcp_endpoints",
                 {{"kind", project::name_of(static_cast<project::EndpointKind>(kind))}},
                 endpoints[kind]);
    }
  }
  add_process(out);
  return out.take();
}

}  // namespace mxcp::observe
