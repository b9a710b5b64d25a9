#include "engine/scalar_text.h"

#include <charconv>
#include <cmath>
#include <vector>

namespace mxcp::engine {
namespace {

constexpr std::int64_t kMicrosPerSecond = 1'000'000;
constexpr std::int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;
constexpr std::int64_t kNanosPerDay = kMicrosPerDay * 1000;

struct Split {
  std::int64_t whole;
  std::int64_t rest;  // never negative
};
Split floor_split(std::int64_t value, std::int64_t unit) {
  Split split{value / unit, value % unit};
  if (split.rest < 0) {
    --split.whole;
    split.rest += unit;
  }
  return split;
}

// `digits` decimal digits, zeros in front.
void append_padded(std::string& out, std::uint64_t value, int digits) {
  char buffer[20];
  for (int i = digits; i-- > 0; value /= 10) buffer[i] = static_cast<char>('0' + value % 10);
  out.append(buffer, static_cast<std::size_t>(digits));
}

void append_clock(std::string& out, std::int64_t seconds) {
  const auto s = static_cast<std::uint64_t>(seconds);
  append_padded(out, s / 3600, 2);
  out += ':';
  append_padded(out, s / 60 % 60, 2);
  out += ':';
  append_padded(out, s % 60, 2);
}

template <class T>
void append_real(std::string& out, T value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  char buffer[32];
  char* const end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  const std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  out += text;
  // As in base/json: it stays recognisable, 1.0 and not 1.
  if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
}

void append_part(std::string& out, std::int64_t value, char unit) {
  if (value == 0) return;
  append_int(out, value);
  out += unit;
}

}  // namespace

void append_int(std::string& out, std::int64_t value) {
  char buffer[24];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

void append_uint(std::string& out, std::uint64_t value) {
  char buffer[24];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

void append_uint128(std::string& out, unsigned __int128 value) {
  if (value >> 64 == 0) return append_uint(out, static_cast<std::uint64_t>(value));
  char buffer[40];
  char* begin = buffer + sizeof buffer;
  for (; value != 0; value /= 10) *--begin = static_cast<char>('0' + static_cast<int>(value % 10));
  out.append(begin, buffer + sizeof buffer);
}

void append_int128(std::string& out, __int128 value) {
  auto magnitude = static_cast<unsigned __int128>(value);
  if (value < 0) {
    out += '-';
    magnitude = -magnitude;
  }
  append_uint128(out, magnitude);
}

void append_float(std::string& out, float value) {
  append_real(out, value);
}
void append_double(std::string& out, double value) {
  append_real(out, value);
}

void append_decimal(std::string& out, __int128 unscaled, unsigned scale) {
  const std::size_t start = out.size();
  append_int128(out, unscaled);
  if (scale == 0) return;
  const std::size_t first = start + (unscaled < 0 ? 1 : 0);
  const std::size_t digits = out.size() - first;
  if (digits <= scale) out.insert(first, scale + 1 - digits, '0');
  out.insert(out.size() - scale, 1, '.');
}

void append_bignum(std::string& out, std::string_view blob) {
  // Three bytes of header, whose first bit is set for a number that is not negative; then the bytes
  // of the absolute value, the most significant first. All bytes are inverted when it is negative.
  if (blob.size() < 4) {
    out += '0';
    return;
  }
  const bool negative = (static_cast<unsigned char>(blob[0]) & 0x80) == 0;
  const unsigned flip = negative ? 0xFF : 0;
  // Groups of nine decimal digits, the least significant first.
  constexpr std::uint64_t kGroup = 1'000'000'000;
  std::vector<std::uint32_t> groups{0};
  for (const char byte : blob.substr(3)) {
    std::uint64_t carry = static_cast<unsigned char>(byte) ^ flip;
    for (std::uint32_t& group : groups) {
      carry += std::uint64_t{group} << 8;
      group = static_cast<std::uint32_t>(carry % kGroup);
      carry /= kGroup;
    }
    if (carry != 0) groups.push_back(static_cast<std::uint32_t>(carry));
  }
  if (negative) out += '-';
  append_uint(out, groups.back());
  for (std::size_t i = groups.size() - 1; i-- > 0;) append_padded(out, groups[i], 9);
}

void append_uuid(std::string& out, c::HugeInt value) {
  static constexpr char kHex[] = "0123456789abcdef";
  // Stored with the first bit inverted, so that it sorts as text does.
  const std::uint64_t halves[] = {static_cast<std::uint64_t>(value.upper) ^ (1ULL << 63),
                                  value.lower};
  for (int i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) out += '-';
    out += kHex[halves[i / 16] >> (60 - i % 16 * 4) & 15];
  }
}

void append_bits(std::string& out, std::string_view blob) {
  if (blob.empty()) return;
  // The first byte tells how many bits of the second are padding.
  std::size_t skip = static_cast<unsigned char>(blob[0]);
  for (const char byte : blob.substr(1)) {
    for (int bit = 7; bit >= 0; --bit) {
      if (skip > 0) {
        --skip;
      } else {
        out += static_cast<char>('0' + (static_cast<unsigned char>(byte) >> bit & 1));
      }
    }
  }
}

void append_date(std::string& out, std::int32_t days) {
  // Civil from days, after Howard Hinnant (public domain): years begin in March.
  const std::int64_t z = static_cast<std::int64_t>(days) + 719468;
  const auto [era, doe] = floor_split(z, 146097);
  const std::int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const std::int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const std::int64_t mp = (5 * doy + 2) / 153;
  const std::int64_t day = doy - (153 * mp + 2) / 5 + 1;
  const std::int64_t month = mp < 10 ? mp + 3 : mp - 9;
  std::int64_t year = yoe + era * 400 + (month <= 2 ? 1 : 0);
  if (year < 0) {
    out += '-';
    year = -year;
  }
  if (year > 9999) {
    append_int(out, year);
  } else {
    append_padded(out, static_cast<std::uint64_t>(year), 4);
  }
  out += '-';
  append_padded(out, static_cast<std::uint64_t>(month), 2);
  out += '-';
  append_padded(out, static_cast<std::uint64_t>(day), 2);
}

void append_time(std::string& out, std::int64_t micros) {
  const auto [seconds, fraction] = floor_split(micros, kMicrosPerSecond);
  append_clock(out, seconds);
  if (fraction == 0) return;
  out += '.';
  append_padded(out, static_cast<std::uint64_t>(fraction), 6);
}

void append_time_ns(std::string& out, std::int64_t nanos) {
  if (nanos % 1000 == 0) return append_time(out, nanos / 1000);
  const auto [seconds, fraction] = floor_split(nanos, 1'000'000'000);
  append_clock(out, seconds);
  out += '.';
  append_padded(out, static_cast<std::uint64_t>(fraction), 9);
}

void append_time_tz(std::string& out, std::int64_t micros, std::int32_t offset) {
  append_time(out, micros);
  out += offset < 0 ? '-' : '+';
  const auto seconds = static_cast<std::uint64_t>(offset < 0 ? -offset : offset);
  append_padded(out, seconds / 3600, 2);
  out += ':';
  append_padded(out, seconds / 60 % 60, 2);
  if (seconds % 60 == 0) return;
  out += ':';
  append_padded(out, seconds % 60, 2);
}

void append_timestamp(std::string& out, std::int64_t micros, bool utc) {
  const auto [days, rest] = floor_split(micros, kMicrosPerDay);
  append_date(out, static_cast<std::int32_t>(days));
  out += 'T';
  append_time(out, rest);
  if (utc) out += "+00:00";
}

void append_timestamp_ns(std::string& out, std::int64_t nanos, bool utc) {
  const auto [days, rest] = floor_split(nanos, kNanosPerDay);
  append_date(out, static_cast<std::int32_t>(days));
  out += 'T';
  append_time_ns(out, rest);
  if (utc) out += "+00:00";
}

void append_interval(std::string& out, c::Interval interval) {
  const std::size_t start = out.size();
  out += 'P';
  append_part(out, interval.months / 12, 'Y');
  append_part(out, interval.months % 12, 'M');
  append_part(out, interval.days, 'D');
  if (interval.micros != 0) {
    out += 'T';
    const std::int64_t seconds = interval.micros / kMicrosPerSecond;
    std::int64_t fraction = interval.micros % kMicrosPerSecond;
    append_part(out, seconds / 3600, 'H');
    append_part(out, seconds / 60 % 60, 'M');
    if (seconds % 60 != 0 || fraction != 0) {
      if (interval.micros < 0) out += '-';
      append_uint(out, static_cast<std::uint64_t>(seconds < 0 ? -(seconds % 60) : seconds % 60));
      if (fraction != 0) {
        out += '.';
        append_padded(out, static_cast<std::uint64_t>(fraction < 0 ? -fraction : fraction), 6);
        while (out.back() == '0') out.pop_back();
      }
      out += 'S';
    }
  }
  if (out.size() == start + 1) out += "T0S";
}

std::int64_t time_tz_micros(c::TimeTz value) {
  return static_cast<std::int64_t>(value.bits >> 24);
}

std::int32_t time_tz_offset(c::TimeTz value) {
  // Stored as the distance to the largest offset, +15:59:59, so that it sorts.
  constexpr std::int32_t kMaxOffset = 16 * 3600 - 1;
  return kMaxOffset - static_cast<std::int32_t>(value.bits & 0xFFFFFF);
}

}  // namespace mxcp::engine
