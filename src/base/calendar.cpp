#include "base/calendar.h"

#include <charconv>

namespace mxcp {
namespace {

constexpr std::int64_t kMicrosPerSecond = 1'000'000;

void append_int(std::string& out, std::int64_t value) {
  char buffer[24];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

void append_part(std::string& out, std::int64_t value, char unit) {
  if (value == 0) return;
  append_int(out, value);
  out += unit;
}

}  // namespace

// Both after Howard Hinnant (public domain): years begin in March, eras have 400 years.
CivilDate civil_date(std::int64_t days) {
  const auto [era, of_era] = floor_split(days + 719468, 146097);
  const std::int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const std::int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
  const std::int64_t shifted = (5 * of_year + 2) / 153;
  const int day = static_cast<int>(of_year - (153 * shifted + 2) / 5 + 1);
  const int month = static_cast<int>(shifted < 10 ? shifted + 3 : shifted - 9);
  return {year + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

std::int64_t days_of(CivilDate date) {
  const auto [year, month, day] = date;
  const auto [era, of_era] = floor_split(month <= 2 ? year - 1 : year, 400);
  const std::int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void append_padded(std::string& out, std::uint64_t value, int digits) {
  char buffer[20];
  for (int i = digits; i-- > 0; value /= 10) buffer[i] = static_cast<char>('0' + value % 10);
  out.append(buffer, static_cast<std::size_t>(digits));
}

void append_date(std::string& out, std::int64_t days) {
  auto [year, month, day] = civil_date(days);
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

void append_clock(std::string& out, std::int64_t seconds) {
  const auto s = static_cast<std::uint64_t>(seconds);
  append_padded(out, s / 3600, 2);
  out += ':';
  append_padded(out, s / 60 % 60, 2);
  out += ':';
  append_padded(out, s % 60, 2);
}

void append_time(std::string& out, std::int64_t micros) {
  const auto [seconds, fraction] = floor_split(micros, kMicrosPerSecond);
  append_clock(out, seconds);
  if (fraction == 0) return;
  out += '.';
  append_padded(out, static_cast<std::uint64_t>(fraction), 6);
}

void append_zone(std::string& out, std::int32_t offset) {
  out += offset < 0 ? '-' : '+';
  const auto seconds = static_cast<std::uint64_t>(offset < 0 ? -offset : offset);
  append_padded(out, seconds / 3600, 2);
  out += ':';
  append_padded(out, seconds / 60 % 60, 2);
  if (seconds % 60 == 0) return;
  out += ':';
  append_padded(out, seconds % 60, 2);
}

void append_interval(std::string& out, std::int64_t months, std::int64_t days,
                     std::int64_t micros) {
  const std::size_t start = out.size();
  out += 'P';
  append_part(out, months / 12, 'Y');
  append_part(out, months % 12, 'M');
  append_part(out, days, 'D');
  if (micros != 0) {
    out += 'T';
    const std::int64_t seconds = micros / kMicrosPerSecond;
    const std::int64_t fraction = micros % kMicrosPerSecond;
    append_part(out, seconds / 3600, 'H');
    append_part(out, seconds / 60 % 60, 'M');
    if (seconds % 60 != 0 || fraction != 0) {
      if (micros < 0) out += '-';
      append_int(out, seconds < 0 ? -(seconds % 60) : seconds % 60);
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

}  // namespace mxcp
