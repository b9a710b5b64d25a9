// The proleptic Gregorian calendar, and dates, times and spans of time as text of ISO 8601, which
// is appended.
#pragma once

#include <cstdint>
#include <string>

namespace mxcp {

struct CivilDate {
  std::int64_t year;  // 0 is the one before 1
  int month;          // from 1
  int day;            // from 1
};
// Days count from 1970-01-01.
CivilDate civil_date(std::int64_t days);
std::int64_t days_of(CivilDate date);

struct FloorSplit {
  std::int64_t whole;
  std::int64_t rest;  // never negative
};
constexpr FloorSplit floor_split(std::int64_t value, std::int64_t unit) {
  FloorSplit split{value / unit, value % unit};
  if (split.rest < 0) {
    --split.whole;
    split.rest += unit;
  }
  return split;
}

// So many decimal digits, zeros in front.
void append_padded(std::string& out, std::uint64_t value, int digits);
// 2024-01-31; a year before 0 is -YYYY.
void append_date(std::string& out, std::int64_t days);
// 13:45:00
void append_clock(std::string& out, std::int64_t seconds);
// 13:45:00[.ffffff]
void append_time(std::string& out, std::int64_t micros);
// +02:00[:ss], of seconds east of UTC
void append_zone(std::string& out, std::int32_t offset);
// P1Y2M3DT4H5M6.7S; every part carries its own sign; PT0S when all are zero.
void append_interval(std::string& out, std::int64_t months, std::int64_t days, std::int64_t micros);

}  // namespace mxcp
