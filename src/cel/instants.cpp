#include "cel/instants.h"

#include <array>
#include <charconv>
#include <chrono>
#include <limits>

#include <fmt/format.h>

namespace mxcp::cel {
namespace {

constexpr std::int64_t kNanos = 1'000'000'000;
constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kFirst = -62'135'596'800;  // 0001-01-01T00:00:00Z
constexpr std::int64_t kLast = 253'402'300'799;   // 9999-12-31T23:59:59Z

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// Exactly `count` digits.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return {};
  int out = 0;
  const auto read = std::from_chars(text.data(), text.data() + count, out);
  if (read.ec != std::errc() || read.ptr != text.data() + count || text[0] == '-') return {};
  text.remove_prefix(count);
  return out;
}

// One to nine digits, as nanoseconds.
std::optional<std::int64_t> take_fraction(std::string_view& text) {
  std::int64_t out = 0, unit = kNanos;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    unit /= 10;
    if (unit == 0) return {};
    out += (text[0] - '0') * unit;
    text.remove_prefix(1);
  }
  return unit == kNanos ? std::nullopt : std::optional(out);
}

std::optional<std::int32_t> take_clock_offset(std::string_view& text) {
  const auto hours = take_digits(text, 2);
  if (!hours || *hours > 23 || !take(text, ':')) return {};
  const auto minutes = take_digits(text, 2);
  if (!minutes || *minutes > 59) return {};
  return *hours * 3600 + *minutes * 60;
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

// ".5", or "" for none.
std::string fraction_text(std::int64_t nanos) {
  if (nanos == 0) return {};
  std::string out = fmt::format(".{:09}", nanos);
  out.erase(out.find_last_not_of('0') + 1);
  return out;
}

}  // namespace

std::optional<Moment> make_moment(std::int64_t seconds, std::int64_t nanos) {
  if (seconds < kFirst - 1 || seconds > kLast + 1) return {};
  seconds += floor_div(nanos, kNanos);
  nanos -= floor_div(nanos, kNanos) * kNanos;
  if (seconds < kFirst || seconds > kLast) return {};
  return Moment{seconds, static_cast<std::int32_t>(nanos)};
}

std::optional<Moment> parse_moment(std::string_view text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, '-')) return {};
  const auto month = take_digits(text, 2);
  if (!month || !take(text, '-')) return {};
  const auto day = take_digits(text, 2);
  if (!day || !(take(text, 'T') || take(text, 't'))) return {};
  const auto hour = take_digits(text, 2);
  if (!hour || !take(text, ':')) return {};
  const auto minute = take_digits(text, 2);
  if (!minute || !take(text, ':')) return {};
  const auto second = take_digits(text, 2);
  if (!second || *hour > 23 || *minute > 59 || *second > 59) return {};
  std::int64_t nanos = 0;
  if (take(text, '.')) {
    const auto fraction = take_fraction(text);
    if (!fraction) return {};
    nanos = *fraction;
  }
  std::int64_t offset = 0;
  if (!take(text, 'Z') && !take(text, 'z')) {
    const bool west = text.starts_with('-');
    if (!west && !text.starts_with('+')) return {};
    text.remove_prefix(1);
    const auto clock = take_clock_offset(text);
    if (!clock) return {};
    offset = west ? -*clock : *clock;
  }
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!text.empty() || !date.ok()) return {};
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return make_moment(days * kDay + *hour * 3600 + *minute * 60 + *second - offset, nanos);
}

std::string to_text(const Moment& moment) {
  const Calendar c = calendar_of(moment, 0);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}Z", c.year, c.month, c.day, c.hour,
                     c.minute, c.second, fraction_text(moment.nanos));
}

std::optional<Span> parse_span(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, std::int64_t>, 6> kUnits = {{
      {"ns", 1},
      {"us", 1'000},
      {"ms", 1'000'000},
      {"s", kNanos},
      {"m", 60 * kNanos},
      {"h", 3600 * kNanos},
  }};
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return Span{};
  if (text.empty()) return {};
  __int128 total = 0;
  while (!text.empty()) {
    // A number of any number of digits, with a fraction of which nine count.
    __int128 whole = 0;
    std::int64_t part = 0, scale = 1;
    std::size_t digits = 0;
    bool point = false;
    for (; !text.empty(); text.remove_prefix(1)) {
      const char c = text[0];
      if (c == '.' && !point) {
        point = true;
        continue;
      }
      if (c < '0' || c > '9') break;
      ++digits;
      if (!point) {
        whole = whole * 10 + (c - '0');
        if (whole > std::numeric_limits<std::int64_t>::max()) return {};
      } else if (scale < kNanos) {
        scale *= 10;
        part = part * 10 + (c - '0');
      }
    }
    if (digits == 0) return {};
    const std::string_view name = text.substr(0, text.find_first_of("0123456789."));
    std::int64_t unit = 0;
    for (const auto& [known, nanos] : kUnits) {
      if (known == name) unit = nanos;
    }
    if (unit == 0) return {};
    text.remove_prefix(name.size());
    total += whole * unit + static_cast<__int128>(part) * unit / scale;
    if (total > std::numeric_limits<std::int64_t>::max()) return {};
  }
  return Span{static_cast<std::int64_t>(negative ? -total : total)};
}

std::string to_text(const Span& span) {
  const bool negative = span.nanos < 0;
  const auto size = negative ? 0 - static_cast<std::uint64_t>(span.nanos)
                             : static_cast<std::uint64_t>(span.nanos);
  return fmt::format("{}{}{}s", negative ? "-" : "", size / kNanos,
                     fraction_text(static_cast<std::int64_t>(size % kNanos)));
}

std::optional<Moment> add(const Moment& moment, const Span& span, bool subtract) {
  const std::int64_t seconds = span.nanos / kNanos, nanos = span.nanos % kNanos;
  return subtract ? make_moment(moment.seconds - seconds, moment.nanos - nanos)
                  : make_moment(moment.seconds + seconds, moment.nanos + nanos);
}

std::optional<Span> difference(const Moment& later, const Moment& earlier) {
  const __int128 nanos =
      static_cast<__int128>(later.seconds - earlier.seconds) * kNanos + later.nanos - earlier.nanos;
  if (nanos > std::numeric_limits<std::int64_t>::max() ||
      nanos < std::numeric_limits<std::int64_t>::min()) {
    return {};
  }
  return Span{static_cast<std::int64_t>(nanos)};
}

std::optional<std::int32_t> parse_zone(std::string_view zone) {
  if (zone == "UTC" || zone == "Z") return 0;
  const bool west = zone.starts_with('-');
  if (west || zone.starts_with('+')) zone.remove_prefix(1);
  const auto offset = take_clock_offset(zone);
  if (!offset || !zone.empty()) return {};
  return west ? -*offset : *offset;
}

Calendar calendar_of(const Moment& moment, std::int32_t offset) {
  namespace chrono = std::chrono;
  const std::int64_t local = moment.seconds + offset;
  const std::int64_t days = floor_div(local, kDay);
  const std::int64_t second = local - days * kDay;
  const chrono::sys_days date{chrono::days(days)};
  const chrono::year_month_day ymd(date);
  Calendar out;
  out.year = static_cast<int>(ymd.year());
  out.month = static_cast<unsigned>(ymd.month());
  out.day = static_cast<unsigned>(ymd.day());
  out.hour = second / 3600;
  out.minute = second / 60 % 60;
  out.second = second % 60;
  out.milli = moment.nanos / 1'000'000;
  out.day_of_week = chrono::weekday(date).c_encoding();
  out.day_of_year = (date - chrono::sys_days(ymd.year() / 1 / 1)).count();
  return out;
}

}  // namespace mxcp::cel
