#include "engine/scalar_text.h"

#include <charconv>
#include <cmath>
#include <vector>

#include "base/json.h"

namespace mxcp::engine {
namespace {

constexpr std::int64_t kMicrosPerDay = 86'400'000'000;
constexpr std::int64_t kNanosPerDay = kMicrosPerDay * 1000;

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
  // Stored with the first bit inverted, so that it sorts as text does.
  mxcp::append_uuid(out, Uuid{static_cast<std::uint64_t>(value.upper) ^ (1ULL << 63), value.lower});
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

void append_time_ns(std::string& out, std::int64_t nanos) {
  if (nanos % 1000 == 0) return append_time(out, nanos / 1000);
  const auto [seconds, fraction] = floor_split(nanos, 1'000'000'000);
  append_clock(out, seconds);
  out += '.';
  append_padded(out, static_cast<std::uint64_t>(fraction), 9);
}

void append_time_tz(std::string& out, std::int64_t micros, std::int32_t offset) {
  append_time(out, micros);
  append_zone(out, offset);
}

void append_timestamp(std::string& out, std::int64_t micros, bool utc) {
  const auto [days, rest] = floor_split(micros, kMicrosPerDay);
  append_date(out, days);
  out += 'T';
  append_time(out, rest);
  if (utc) out += "+00:00";
}

void append_timestamp_ns(std::string& out, std::int64_t nanos, bool utc) {
  const auto [days, rest] = floor_split(nanos, kNanosPerDay);
  append_date(out, days);
  out += 'T';
  append_time_ns(out, rest);
  if (utc) out += "+00:00";
}

void append_interval(std::string& out, c::Interval interval) {
  mxcp::append_interval(out, interval.months, interval.days, interval.micros);
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
