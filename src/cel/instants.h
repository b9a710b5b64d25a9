// Timestamps and durations of CEL. Private to cel/.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cel/datum.h"

namespace mxcp::cel {

// Within the years 1 to 9999.
std::optional<Moment> make_moment(std::int64_t seconds, std::int64_t nanos);
// RFC 3339: "2024-01-31T12:00:00Z", also with a fraction and an offset.
std::optional<Moment> parse_moment(std::string_view text);
std::string to_text(const Moment& moment);

// "1h30m", "-1.5s", "250ms".
std::optional<Span> parse_span(std::string_view text);
// "5400s", "-1.5s".
std::string to_text(const Span& span);

std::optional<Moment> add(const Moment& moment, const Span& span, bool subtract);
std::optional<Span> difference(const Moment& later, const Moment& earlier);

// "UTC", "+02:00", "-09:30", "02:00": seconds east.
std::optional<std::int32_t> parse_zone(std::string_view zone);

struct Calendar {
  std::int64_t year = 0, month = 0, day = 0;  // month and day from 1
  std::int64_t hour = 0, minute = 0, second = 0, milli = 0;
  std::int64_t day_of_week = 0;  // 0 is Sunday
  std::int64_t day_of_year = 0;  // from 0
};
Calendar calendar_of(const Moment& moment, std::int32_t offset);

}  // namespace mxcp::cel
