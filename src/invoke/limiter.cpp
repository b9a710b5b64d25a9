#include "invoke/limiter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "invoke/limit_words.h"

namespace mxcp::invoke {
namespace {

using project::Limit;
using project::Rate;

constexpr int kLongestRetry = 60;
constexpr double kNewest = 0.25;  // the weight of the last call in the average

std::string again(int seconds) {
  return "retry after " + plural(static_cast<std::size_t>(seconds), "second");
}

Limiter::Refusal too_many_at_once(std::string_view key, const Limit<std::uint64_t>& limit,
                                  std::string_view who, std::string_view kind, int seconds) {
  return {Error{Code::kOverloaded,
                fmt::format("too many calls at once: {} runs at most {} at the same time ({}); {}",
                            who, limit.value, limit_name(key, limit, kind), again(seconds)),
                limit.place},
          {key, std::to_string(limit.value), 0, seconds}};
}

Limiter::Refusal too_many(std::string_view key, const Limit<Rate>& limit, std::string_view who,
                          std::string_view kind, int seconds) {
  return {Error{Code::kOverloaded,
                fmt::format("too many calls: {} takes at most {} ({}); {}", who,
                            to_text(limit.value), limit_name(key, limit, kind), again(seconds)),
                limit.place},
          {key, to_text(limit.value), 0, seconds}};
}

}  // namespace

void Limiter::Bucket::refill(const Rate& wanted, Instant now) {
  const auto most = static_cast<double>(wanted.calls);
  if (calls < 0) {
    calls = most;
  } else {
    const double periods =
        std::chrono::duration<double>(now - since) / std::chrono::duration<double>(wanted.period);
    calls = std::min(most, calls + periods * most);
  }
  rate = wanted;
  since = now;
}

int Limiter::Bucket::seconds() const {
  const double each = static_cast<double>(rate.period.count()) / static_cast<double>(rate.calls);
  return std::max(1, static_cast<int>(std::ceil((1 - calls) * each - 1e-6)));
}

int Limiter::Counted::retry_after() const {
  return std::clamp(static_cast<int>(std::ceil(seconds)), 1, kLongestRetry);
}

Limiter::Limiter(const Clock& clock) : clock_(clock), state_(std::make_shared<State>()) {}

std::variant<Limiter::Ticket, Limiter::Refusal> Limiter::admit(const project::Endpoint& endpoint,
                                                               const project::ServerLimits& server,
                                                               What what) {
  const project::Limits& limits = endpoint.limits;
  const bool counts = limits.concurrency || server.concurrency;
  const bool begins = what != What::kRound;
  const Limit<Rate>* const own_rate = begins && limits.rate ? &*limits.rate : nullptr;
  const Limit<Rate>* const all_rate = begins && server.rate ? &*server.rate : nullptr;
  if (!counts && !own_rate && !all_rate) return Ticket();

  const std::string kind(name_of(endpoint.kind));
  const bool completes = what == What::kCompletion;
  const std::string who = (completes ? "completion of this " : "this ") + kind;
  const Instant now = clock_.now();
  const std::lock_guard lock(state_->mutex);
  Counted& own =
      state_->endpoints[(completes ? "completion of " : "") + kind + '/' + endpoint.id()];
  Counted& all = state_->server;
  if (limits.concurrency && own.running >= limits.concurrency->value) {
    return too_many_at_once("concurrency", *limits.concurrency, who, kind, own.retry_after());
  }
  if (server.concurrency && all.running >= server.concurrency->value) {
    return too_many_at_once("server_concurrency", *server.concurrency, "this server", kind,
                            all.retry_after());
  }
  // A little less than a whole call is one: rounding may not cost anybody a second.
  constexpr double kOne = 1 - 1e-9;
  if (own_rate) {
    own.bucket.refill(own_rate->value, now);
    if (own.bucket.calls < kOne)
      return too_many("rate", *own_rate, who, kind, own.bucket.seconds());
  }
  if (all_rate) {
    all.bucket.refill(all_rate->value, now);
    if (all.bucket.calls < kOne) {
      return too_many("server_rate", *all_rate, "this server", kind, all.bucket.seconds());
    }
  }
  if (own_rate) own.bucket.calls = std::max(0.0, own.bucket.calls - 1);
  if (all_rate) all.bucket.calls = std::max(0.0, all.bucket.calls - 1);
  if (!counts) return Ticket();

  // All that run are counted, also while only one of the limits is set: a reload may set the other.
  ++own.running;
  ++all.running;
  return Ticket(nullptr, [state = state_, &own, &all, now, &clock = clock_](void*) {
    const double took = std::chrono::duration<double>(clock.now() - now).count();
    const std::lock_guard lock(state->mutex);
    for (Counted* const counted : {&own, &all}) {
      --counted->running;
      counted->seconds += kNewest * (took - counted->seconds);
    }
  });
}

}  // namespace mxcp::invoke
