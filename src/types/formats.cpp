#include "types/formats.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/ascii.h"
#include "base/calendar.h"
#include "base/text.h"
#include "types/decimal.h"

namespace mxcp::types {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kDay = 86'400 * kSecond;
// 0001-01-01T00:00:00Z and the last microsecond of 9999: what Python and DuckDB both have.
constexpr std::int64_t kFirstInstant = -62'135'596'800 * kSecond;
constexpr std::int64_t kLastInstant = 253'402'300'800 * kSecond - 1;

// Reads exactly `count` digits at the front of `text` and removes them; -1 when they are not there.
int take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return -1;
  int out = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_digit(text[i])) return -1;
    out = out * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return out;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

Reason take_date(std::string_view& text, Date& out) {
  const int year = take_digits(text, 4);
  if (year < 0 || !take(text, '-')) return kMalformed;
  const int month = take_digits(text, 2);
  if (month < 0 || !take(text, '-')) return kMalformed;
  const int day = take_digits(text, 2);
  if (day < 0) return kMalformed;
  if (year == 0) return "there is no year 0000";
  if (month < 1 || month > 12) return "the month must be 01 to 12";
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  static constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const int last = kDays[static_cast<std::size_t>(month - 1)] + (leap && month == 2 ? 1 : 0);
  if (day < 1 || day > last) return "that month has no such day";
  out.days = static_cast<std::int32_t>(days_of({year, month, day}));
  return {};
}

Reason take_zone(std::string_view& text, Time& out) {
  if (text.empty()) return {};
  out.has_zone = true;
  if (take(text, 'Z') || take(text, 'z')) return {};
  const bool west = text.front() == '-';
  if (!take(text, '+') && !take(text, '-')) return kMalformed;
  const int hours = take_digits(text, 2);
  if (hours < 0) return kMalformed;
  int minutes = 0;
  if (!text.empty()) {
    take(text, ':');
    minutes = take_digits(text, 2);
    if (minutes < 0) return kMalformed;
  }
  if (hours > 15 || minutes > 59) return "the offset must be within 15:59 of UTC";
  out.offset = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
  return {};
}

Reason take_time(std::string_view& text, Time& out) {
  const int hour = take_digits(text, 2);
  if (hour < 0 || !take(text, ':')) return kMalformed;
  const int minute = take_digits(text, 2);
  if (minute < 0) return kMalformed;
  int second = 0;
  std::int64_t micros = 0;
  bool too_fine = false;
  if (take(text, ':')) {
    second = take_digits(text, 2);
    if (second < 0) return kMalformed;
    if (take(text, '.') || take(text, ',')) {
      std::int64_t unit = kSecond;
      if (text.empty() || !is_digit(text.front())) return kMalformed;
      while (!text.empty() && is_digit(text.front())) {
        unit /= 10;
        too_fine = too_fine || (unit == 0 && text.front() != '0');
        micros += (text.front() - '0') * unit;
        text.remove_prefix(1);
      }
    }
  }
  if (hour > 23) return "the hour must be 00 to 23";
  if (minute > 59) return "the minute must be 00 to 59";
  if (second > 59) return "the second must be 00 to 59";
  out.micros = ((hour * 60LL + minute) * 60 + second) * kSecond + micros;
  if (const Reason why = take_zone(text, out); !why.empty()) return why;
  if (!text.empty()) return kMalformed;
  return too_fine ? kTooFine : Reason{};
}

Reason from_micros(std::int64_t micros, Timestamp& out) {
  if (micros < kFirstInstant || micros > kLastInstant) {
    return "outside the years 0001 to 9999; it counts seconds, not milliseconds";
  }
  out = Timestamp{micros, true, 0};
  return {};
}

}  // namespace

Reason parse_date(std::string_view text, Date& out) {
  if (const Reason why = take_date(text, out); !why.empty()) return why;
  return text.empty() ? Reason{} : kMalformed;
}

Reason parse_time(std::string_view text, Time& out) {
  out = {};
  return take_time(text, out);
}

Reason parse_date_time(std::string_view text, Timestamp& out) {
  Date date;
  if (const Reason why = take_date(text, date); !why.empty()) return why;
  Time time;
  Reason fine;
  if (!text.empty()) {
    if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return kMalformed;
    fine = parse_time(text, time);
    if (!fine.empty() && fine != kTooFine) return fine;
  }
  out = Timestamp{date.days * kDay + time.micros, time.has_zone, time.offset};
  if (time.has_zone) {
    out.micros -= time.offset * kSecond;
    if (out.micros < kFirstInstant || out.micros > kLastInstant) {
      return "outside the years 0001 to 9999";
    }
  }
  return fine;
}

Reason timestamp_of(const Value& seconds, Timestamp& out) {
  if (const std::int64_t* i = seconds.as_int()) {
    constexpr std::int64_t kLimit = INT64_MAX / kSecond;
    return from_micros(std::clamp(*i, -kLimit, kLimit) * kSecond, out);
  }
  Decimal micros = decimal_of(seconds);
  micros.exponent += 6;
  const auto size = static_cast<std::int64_t>(micros.digits.size());
  // More digits before the point than any instant in range has.
  if (size + micros.exponent > 18) return from_micros(INT64_MAX, out);
  std::int64_t whole = 0;
  for (std::int64_t k = 0; k < size + micros.exponent; ++k) {
    whole = whole * 10 + (k < size ? micros.digits[static_cast<std::size_t>(k)] - '0' : 0);
  }
  if (const std::int64_t k = size + micros.exponent; k >= 0 && k < size) {
    whole += micros.digits[static_cast<std::size_t>(k)] >= '5' ? 1 : 0;
  }
  return from_micros(micros.negative ? -whole : whole, out);
}

Reason parse_timestamp(std::string_view text, Timestamp& out) {
  text = trim(text);
  if (const auto number = parse_decimal(text)) return timestamp_of(to_number(*number), out);
  if (const Reason why = parse_date_time(text, out); !why.empty()) return why;
  if (!out.has_zone) return "a date-time needs its zone here";
  out.offset = 0;
  return {};
}

Reason check_email(std::string_view text) {
  const auto at = text.rfind('@');
  if (at == std::string_view::npos) return "there is no @";
  const std::string_view local = text.substr(0, at);
  const std::string_view domain = text.substr(at + 1);
  if (local.empty()) return "nothing before the @";
  if (local.size() > 64 || text.size() > 254) return "too long";
  const auto dots_ok = [](std::string_view part) {
    return part.front() != '.' && part.back() != '.' && part.find("..") == std::string_view::npos;
  };
  const bool local_ok = dots_ok(local) && std::all_of(local.begin(), local.end(), [](char c) {
                          constexpr std::string_view kMarks = "!#$%&'*+/=?^_`{|}~-.";
                          return is_alpha(c) || is_digit(c) || is_beyond_ascii(c) ||
                                 kMarks.find(c) != std::string_view::npos;
                        });
  if (!local_ok) return "the part before the @ is malformed";
  if (domain.find('.') == std::string_view::npos) return "the host has no dot";
  std::string_view rest = domain;
  while (true) {
    const auto dot = rest.find('.');
    const std::string_view label = rest.substr(0, dot);
    const bool ok = !label.empty() && label.size() <= 63 && label.front() != '-' &&
                    label.back() != '-' && std::all_of(label.begin(), label.end(), [](char c) {
                      return is_alpha(c) || is_digit(c) || is_beyond_ascii(c) || c == '-';
                    });
    if (!ok) return "the host is malformed";
    if (dot == std::string_view::npos) {
      // A top-level domain is never a number; this is an address such as 127.0.0.1.
      return std::all_of(label.begin(), label.end(), is_digit) ? Reason("the host is malformed")
                                                               : Reason{};
    }
    rest.remove_prefix(dot + 1);
  }
}

Reason check_uri(std::string_view text) {
  const auto colon = text.find(':');
  const std::string_view scheme = text.substr(0, colon);
  const bool scheme_ok = !scheme.empty() && is_alpha(scheme.front()) &&
                         std::all_of(scheme.begin(), scheme.end(), [](char c) {
                           return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
                         });
  if (colon == std::string_view::npos || !scheme_ok) return "there is no scheme";
  std::string_view rest = text.substr(colon + 1);
  if (rest.empty()) return "nothing follows the scheme";
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const auto c = static_cast<unsigned char>(rest[i]);
    constexpr std::string_view kForbidden = "<>\"{}|\\^`";
    if (c <= 0x20 || c == 0x7F) return "spaces and control characters must be %-encoded";
    if (kForbidden.find(rest[i]) != std::string_view::npos) {
      return "<>\"{}|\\^` must be %-encoded";
    }
    const auto hex = [&](std::size_t k) {
      return k < rest.size() && (is_digit(rest[k]) || (rest[k] >= 'a' && rest[k] <= 'f') ||
                                 (rest[k] >= 'A' && rest[k] <= 'F'));
    };
    if (c == '%' && (!hex(i + 1) || !hex(i + 2))) return "% must be followed by two hex digits";
  }
  if (!rest.starts_with("//")) return {};
  rest.remove_prefix(2);
  std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    authority.remove_prefix(at + 1);
  }
  std::string_view port;
  if (authority.starts_with('[')) {
    const auto close = authority.find(']');
    if (close == std::string_view::npos) return "the host is malformed";
    port = authority.substr(close + 1);
    authority = authority.substr(0, close + 1);
    if (authority.size() <= 2 || (!port.empty() && port.front() != ':')) {
      return "the host is malformed";
    }
  } else if (const auto at = authority.find(':'); at != std::string_view::npos) {
    port = authority.substr(at);
    authority = authority.substr(0, at);
  }
  if (!port.empty()) port.remove_prefix(1);
  int number = 0;
  for (const char c : port) {
    number = is_digit(c) && number <= 65535 ? number * 10 + (c - '0') : 65536;
  }
  if (number > 65535) return "the port must be a number up to 65535";
  if (authority.empty() && to_lower(scheme) != "file") return "there is no host";
  return {};
}

Reason check_duration(std::string_view text, bool signs) {
  const auto take_sign = [&] { return signs && (take(text, '-') || take(text, '+')); };
  take_sign();
  if (!take(text, 'P')) return kMalformed;
  bool any = false;
  bool fraction = false;
  const auto components = [&](std::string_view units) {
    std::size_t next = 0;
    bool found = false;
    while (!text.empty() && text.front() != 'T') {
      if (fraction) return false;  // only the last component may have one
      take_sign();
      std::size_t n = 0;
      while (n < text.size() && is_digit(text[n])) ++n;
      if (n == 0) return false;
      text.remove_prefix(n);
      if (take(text, '.') || take(text, ',')) {
        fraction = true;
        n = 0;
        while (n < text.size() && is_digit(text[n])) ++n;
        if (n == 0) return false;
        text.remove_prefix(n);
      }
      if (text.empty()) return false;
      const auto unit = units.find(text.front(), next);
      if (unit == std::string_view::npos) return false;
      next = unit + 1;
      text.remove_prefix(1);
      found = true;
    }
    any = any || found;
    return true;
  };
  if (text.ends_with('W')) {
    return components("W") && any && text.empty() ? Reason{} : kMalformed;
  }
  if (!components("YMD")) return kMalformed;
  if (take(text, 'T')) {
    if (fraction || text.empty() || !components("HMS") || !text.empty()) return kMalformed;
  }
  return any ? Reason{} : kMalformed;
}

std::optional<Interval> duration_of(std::string_view text) {
  if (!check_duration(text, false).empty()) return {};
  std::int64_t months = 0, days = 0, micros = 0;
  bool in_time = false;
  for (take(text, 'P'); !text.empty();) {
    if (take(text, 'T')) in_time = true;
    const std::size_t end = text.find_first_not_of("0123456789.,");
    std::string_view digits = text.substr(0, end);
    const char unit = text[end];
    text.remove_prefix(end + 1);
    // More is none of DuckDB's, and could not be multiplied here.
    if (std::min(digits.find_first_of(".,"), digits.size()) > 9) return {};
    std::int64_t number = 0;
    for (; !digits.empty() && is_digit(digits.front()); digits.remove_prefix(1)) {
      number = number * 10 + (digits.front() - '0');
    }
    if (!in_time && (unit == 'Y' || unit == 'M')) {
      if (!digits.empty()) return {};
      months += unit == 'Y' ? number * 12 : number;
      continue;
    }
    const std::int64_t unit_seconds = unit == 'W'   ? 7 * 86400
                                      : unit == 'D' ? 86400
                                      : unit == 'H' ? 3600
                                      : unit == 'M' ? 60
                                                    : 1;
    if (in_time) {
      micros += number * unit_seconds * kSecond;
    } else {
      days += number * (unit_seconds / 86400);
    }
    std::int64_t part = unit_seconds * kSecond;
    for (std::size_t i = 1; i < digits.size() && part > 0; ++i) {
      micros += part / 10 * (digits[i] - '0');
      part /= 10;
    }
  }
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (months > kMost || days > kMost) return {};
  return Interval{static_cast<std::int32_t>(months), static_cast<std::int32_t>(days), micros};
}

std::string_view description_of(Format format) {
  switch (format) {
    case Format::kNone: return "a string";
    case Format::kEmail: return "a valid email address such as name@example.com";
    case Format::kUri: return "a valid URI with its scheme such as https://example.com";
    case Format::kDate: return "a valid date (YYYY-MM-DD)";
    case Format::kTime: return "a valid time (HH:MM:SS)";
    case Format::kDateTime: return "a valid date-time such as 2024-01-31T13:45:00Z";
    case Format::kDuration: return "a valid ISO 8601 duration such as P3DT12H";
    case Format::kTimestamp: return "a valid timestamp (seconds since 1970-01-01T00:00:00Z)";
  }
  return "a string";
}

}  // namespace mxcp::types
