#include "project/limits_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "project/endpoint_extras.h"

namespace mxcp::project {
namespace {

using std::chrono::microseconds;

const Keys kEndpointKeys = {"timeout", "max_rows", "max_bytes", "concurrency", "rate"};
const Keys kPromptKeys = {"timeout", "max_bytes", "concurrency", "rate"};
const Keys kSiteKeys = {"timeout", "max_rows",           "max_bytes",  "concurrency",
                        "rate",    "server_concurrency", "server_rate"};
const Keys kTaskKeys = {"ttl",      "poll_interval", "max_running",
                        "max_kept", "max_per_user",  "max_bytes"};
const Advice kTaskAdvice = {
    {"running", "did you mean 'max_running'?"},    {"concurrency", "did you mean 'max_running'?"},
    {"kept", "did you mean 'max_kept'?"},          {"per_user", "did you mean 'max_per_user'?"},
    {"bytes", "did you mean 'max_bytes'?"},        {"timeout", "did you mean 'ttl'?"},
    {"interval", "did you mean 'poll_interval'?"},
};
const Advice kAdvice = {
    {"rows", "did you mean 'max_rows'?"},
    {"limit", "did you mean 'max_rows'?"},
    {"max_items", "did you mean 'max_rows'?"},
    {"bytes", "did you mean 'max_bytes'?"},
    {"size", "did you mean 'max_bytes'?"},
    {"max_size", "did you mean 'max_bytes'?"},
    {"max_concurrency", "did you mean 'concurrency'?"},
    {"max_concurrent", "did you mean 'concurrency'?"},
    {"parallel", "did you mean 'concurrency'?"},
    {"rate_limit", "did you mean 'rate'?"},
    {"requests_per_second", "write for example 'rate: 10/s'"},
    {"timeout_seconds", "write for example 'timeout: 30s'"},
    {"timeout_ms", "write for example 'timeout: 200ms'"},
};

constexpr double kLongest = 24 * 3600;  // seconds
constexpr std::string_view kNone = "'none' switches it off";

struct Unit {
  std::string_view name;
  double factor;
};
constexpr std::array<Unit, 4> kTimes = {{{"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}}};
constexpr std::array<Unit, 7> kSizes = {{{"B", 1},
                                         {"KB", 1e3},
                                         {"MB", 1e6},
                                         {"GB", 1e9},
                                         {"KiB", 1024},
                                         {"MiB", 1048576},
                                         {"GiB", 1073741824}}};
constexpr std::array<Unit, 3> kPeriods = {{{"s", 1}, {"m", 60}, {"h", 3600}}};

// Words that people use for a unit, and the one that is meant.
constexpr std::array<std::array<std::string_view, 2>, 20> kTimeWords = {{
    {"s", "s"},
    {"sec", "s"},
    {"secs", "s"},
    {"second", "s"},
    {"seconds", "s"},
    {"m", "m"},
    {"min", "m"},
    {"mins", "m"},
    {"minute", "m"},
    {"minutes", "m"},
    {"h", "h"},
    {"hr", "h"},
    {"hour", "h"},
    {"hours", "h"},
    {"ms", "ms"},
    {"millis", "ms"},
    {"msec", "ms"},
    {"msecs", "ms"},
    {"millisecond", "ms"},
    {"milliseconds", "ms"},
}};
constexpr std::array<std::array<std::string_view, 2>, 8> kSizeWords = {{
    {"k", "KB"},
    {"m", "MB"},
    {"g", "GB"},
    {"ki", "KiB"},
    {"mi", "MiB"},
    {"gi", "GiB"},
    {"byte", "B"},
    {"bytes", "B"},
}};

// "1.5 MB" -> 1.5 and "MB".
struct Quantity {
  double number = 0;
  std::string_view digits, unit;
};
std::optional<Quantity> split(std::string_view text) {
  text = trim(text);
  Quantity out;
  const auto [end, failure] =
      std::from_chars(text.data(), text.data() + text.size(), out.number, std::chars_format::fixed);
  if (failure != std::errc{} || !std::isfinite(out.number)) return {};
  out.digits = text.substr(0, static_cast<std::size_t>(end - text.data()));
  out.unit = trim(text.substr(out.digits.size()));
  return out;
}

template <std::size_t N>
const Unit* find_unit(const std::array<Unit, N>& units, std::string_view name, bool any_case) {
  const auto found = std::find_if(units.begin(), units.end(), [&](const Unit& unit) {
    return unit.name == name || (any_case && to_lower(unit.name) == to_lower(name));
  });
  return found == units.end() ? nullptr : &*found;
}

template <std::size_t N>
std::string_view meant(const std::array<std::array<std::string_view, 2>, N>& words,
                       std::string_view word) {
  for (const auto& [said, unit] : words) {
    if (said == word) return unit;
  }
  return {};
}

std::string write_hint(std::string_view text) {
  return "write '" + shorten(text, 40) + "'";
}

class LimitReader {
 public:
  LimitReader(Problems& problems, const YamlNode& node, Place owner, const Keys& keys, bool site)
      : LimitReader(Fields(problems, node, "the limits", std::move(owner), keys, kAdvice), site) {}
  LimitReader(Fields fields, bool site) : fields_(std::move(fields)), own_(!site) {
    if (site) fields_.lenient();
  }

  bool ok() const { return fields_.is_mapping(); }

  void timeout(std::string_view key, std::optional<Limit<microseconds>>& out) {
    const YamlNode* const node = given(key, out);
    if (node == nullptr) return;
    double seconds = 0;
    std::string hint = "for example 30, 1.5s, 200ms or 2m; " + std::string(kNone);
    const auto wrong = [&] {
      fields_.wrong(key, "a number of seconds, or text with a unit (ms, s, m, h)", std::move(hint));
    };
    if (const auto number = plain_number(*node)) {
      seconds = *number;
    } else if (const auto parts = text_of(*node, "s")) {
      const Unit* const unit = find_unit(kTimes, parts->unit, false);
      if (unit == nullptr) {
        if (const auto word = meant(kTimeWords, to_lower(parts->unit)); !word.empty()) {
          hint = write_hint(fmt::format("{}{}", parts->digits, word));
        }
        return wrong();
      }
      seconds = parts->number * unit->factor;
    } else {
      return wrong();
    }
    if (!(seconds >= 0.001)) {
      return fields_.wrong(key, "at least 1 ms", std::string(kNone));
    }
    if (seconds > kLongest) {
      return fields_.wrong(key, "at most 24 hours", std::string(kNone));
    }
    set(key, out, microseconds(std::llround(seconds * 1e6)));
  }

  void bytes(std::string_view key, std::optional<Limit<std::uint64_t>>& out) {
    const YamlNode* const node = given(key, out);
    if (node == nullptr) return;
    double bytes = 0;
    std::string hint = "for example 100000, 10MB or 64KiB; " + std::string(kNone);
    const auto wrong = [&] {
      fields_.wrong(key, "a number of bytes, or text with a unit (KB, MB, GB, KiB, MiB, GiB)",
                    std::move(hint));
    };
    if (const auto number = plain_number(*node)) {
      bytes = *number;
    } else if (const auto parts = text_of(*node, "B")) {
      const Unit* const unit = find_unit(kSizes, parts->unit, true);
      if (unit == nullptr) {
        if (const auto word = meant(kSizeWords, to_lower(parts->unit)); !word.empty()) {
          hint = write_hint(fmt::format("{}{}", parts->digits, word));
        }
        return wrong();
      }
      bytes = parts->number * unit->factor;
    } else {
      return wrong();
    }
    bytes = std::round(bytes);
    if (!(bytes >= 1)) return fields_.wrong(key, "at least 1", std::string(kNone));
    if (bytes > 1e15) return fields_.wrong(key, "at most 1000000 GB", std::string(kNone));
    set(key, out, static_cast<std::uint64_t>(bytes));
  }

  void count(std::string_view key, std::optional<Limit<std::uint64_t>>& out) {
    if (given(key, out) == nullptr) return;
    const auto number = fields_.integer(key, std::numeric_limits<std::int64_t>::min());
    if (!number) return;
    if (*number < 1) return fields_.wrong(key, "at least 1", std::string(kNone));
    set(key, out, static_cast<std::uint64_t>(*number));
  }

  // One that there always is: `none` stands for a number that is never reached.
  void count(std::string_view key, std::size_t& out) {
    std::optional<Limit<std::uint64_t>> limit = Limit<std::uint64_t>{out};
    count(key, limit);
    out = limit ? limit->value : kNever;
  }
  void bytes(std::string_view key, std::size_t& out) {
    std::optional<Limit<std::uint64_t>> limit = Limit<std::uint64_t>{out};
    bytes(key, limit);
    out = limit ? limit->value : kNever;
  }
  void duration(std::string_view key, std::chrono::milliseconds& out) {
    out = read_duration(fields_, key).value_or(out);
  }

  void rate(std::string_view key, std::optional<Limit<Rate>>& out) {
    const YamlNode* const node = given(key, out);
    if (node == nullptr) return;
    const auto wrong = [&](std::string hint) {
      fields_.wrong(key, "a number of calls per s, m or h", std::move(hint));
    };
    std::string hint = "for example 10/s, 100/m or 1000/h; " + std::string(kNone);
    if (node->kind != YamlNode::Kind::kScalar) return wrong(std::move(hint));
    const std::string_view text = trim(node->scalar);
    auto parts = split(text);
    if (!parts) return wrong(std::move(hint));
    if (parts->unit.empty()) {
      return wrong(fmt::format("say per what: '{0}/s', '{0}/m' or '{0}/h'", parts->digits));
    }
    const bool slash = parts->unit.front() == '/';
    std::string_view period = trim(slash ? parts->unit.substr(1) : parts->unit);
    if (!slash && period.starts_with("per ")) period = trim(period.substr(4));
    const Unit* const unit = slash ? find_unit(kPeriods, period, false) : nullptr;
    if (unit == nullptr) {
      const auto word = meant(kTimeWords, to_lower(period));
      if (find_unit(kPeriods, word, false) != nullptr) {
        hint = write_hint(fmt::format("{}/{}", parts->digits, word));
      }
      return wrong(std::move(hint));
    }
    if (parts->number != std::trunc(parts->number)) {
      return wrong("a whole number, if need be of a longer period");
    }
    if (parts->number < 1) return wrong("at least one call; " + std::string(kNone));
    if (parts->number > 1e9) return wrong("at most 1000000000 calls; " + std::string(kNone));
    set(key, out,
        Rate{static_cast<std::uint64_t>(parts->number),
             std::chrono::seconds(static_cast<int>(unit->factor))});
  }

 private:
  // The value that is to be read; nullptr when the key is absent, or takes the limit away.
  template <class T>
  const YamlNode* given(std::string_view key, std::optional<Limit<T>>& out) {
    if (!fields_.has(key)) return nullptr;
    const YamlNode* const node = fields_.find(key);
    if (node == nullptr || (node->kind == YamlNode::Kind::kScalar && node->scalar == "none")) {
      out.reset();
      return nullptr;
    }
    return node;
  }

  template <class T>
  void set(std::string_view key, std::optional<Limit<T>>& out, T value) {
    out = Limit<T>{std::move(value), fields_.place_of(key), own_};
  }

  static std::optional<double> plain_number(const YamlNode& node) {
    if (node.kind != YamlNode::Kind::kScalar) return {};
    const Value value = node.to_value();
    if (value.is_number()) return to_double(value);
    return {};
  }

  // A number and its unit. What came out of a reference may be a number alone.
  std::optional<Quantity> text_of(const YamlNode& node, std::string_view plain_unit) const {
    if (node.kind != YamlNode::Kind::kScalar) return {};
    auto parts = split(node.scalar);
    if (!parts || !parts->unit.empty()) return parts;
    if (own_) return {};
    parts->unit = plain_unit;
    return parts;
  }

  static constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();
  Fields fields_;
  const bool own_;
};

void read_common(LimitReader& reader, Limits& limits) {
  reader.timeout("timeout", limits.timeout);
  reader.count("max_rows", limits.max_rows);
  reader.bytes("max_bytes", limits.max_bytes);
  reader.count("concurrency", limits.concurrency);
  reader.rate("rate", limits.rate);
}

const YamlNode* limits_of(Fields& owner) {
  return owner.mapping("limits", "for example {timeout: 30s, max_rows: 1000}");
}

// "2.5" without useless zeros.
std::string number_text(double value) {
  return fmt::format("{}", value);
}

}  // namespace

void read_endpoint_limits(Problems& problems, Fields& endpoint, EndpointKind kind, Limits& limits) {
  const YamlNode* const node = limits_of(endpoint);
  if (node == nullptr) return;
  LimitReader reader(problems, *node, endpoint.key_place("limits"),
                     kind == EndpointKind::kPrompt ? kPromptKeys : kEndpointKeys, false);
  if (reader.ok()) read_common(reader, limits);
}

void read_site_limits(Problems& problems, Fields& top, Limits& limits, ServerLimits& server) {
  const YamlNode* const node = limits_of(top);
  if (node == nullptr) return;
  LimitReader reader(problems, *node, top.key_place("limits"), kSiteKeys, true);
  if (!reader.ok()) return;
  read_common(reader, limits);
  reader.count("server_concurrency", server.concurrency);
  reader.rate("server_rate", server.rate);
}

void read_task_limits(Problems& problems, Fields& top, TaskLimits& limits) {
  const YamlNode* const node = top.mapping("tasks", "for example {ttl: 2h, max_running: 100}");
  if (node == nullptr) return;
  LimitReader reader(
      Fields(problems, *node, "'tasks'", top.key_place("tasks"), kTaskKeys, kTaskAdvice), true);
  if (!reader.ok()) return;
  reader.duration("ttl", limits.ttl);
  reader.duration("poll_interval", limits.poll_interval);
  reader.count("max_running", limits.max_running);
  reader.count("max_kept", limits.max_kept);
  reader.count("max_per_user", limits.max_per_user);
  reader.bytes("max_bytes", limits.max_bytes);
}

void read_sql_tool_limits(Problems& problems, Fields& tool, Limits& limits) {
  const YamlNode* const node = limits_of(tool);
  if (node == nullptr) return;
  LimitReader reader(problems, *node, tool.key_place("limits"), kEndpointKeys, true);
  if (reader.ok()) read_common(reader, limits);
}

Limits Limits::defaults() {
  Limits limits;
  limits.max_bytes = Limit<std::uint64_t>{kDefaultMaxBytes};
  return limits;
}

std::string to_text(microseconds duration) {
  const double seconds = static_cast<double>(duration.count()) / 1e6;
  if (seconds < 1) return number_text(static_cast<double>(duration.count()) / 1000) + " ms";
  if (seconds < 120 || std::fmod(seconds, 60) != 0) return number_text(seconds) + " s";
  return number_text(seconds / 60) + " min";
}

std::string bytes_text(std::uint64_t bytes) {
  static constexpr std::array<std::pair<std::uint64_t, std::string_view>, 6> kUnits = {
      {{1ULL << 30, "GiB"},
       {1000000000, "GB"},
       {1ULL << 20, "MiB"},
       {1000000, "MB"},
       {1ULL << 10, "KiB"},
       {1000, "KB"}}};
  for (const auto& [size, name] : kUnits) {
    if (bytes >= size && bytes % size == 0) return fmt::format("{} {}", bytes / size, name);
  }
  return bytes == 1 ? "1 byte" : fmt::format("{} bytes", bytes);
}

std::string to_text(const Rate& rate) {
  const std::string_view period = rate.period.count() == 1    ? "second"
                                  : rate.period.count() == 60 ? "minute"
                                                              : "hour";
  return fmt::format("{} per {}", rate.calls, period);
}

}  // namespace mxcp::project
