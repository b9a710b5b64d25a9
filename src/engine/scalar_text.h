// DuckDB's scalars as text, appended to a string: digits, ISO 8601, hexadecimal. DATE and TIME are
// in base/calendar.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/calendar.h"
#include "engine/duckdb_api.h"

namespace mxcp::engine {

void append_int(std::string& out, std::int64_t value);
void append_uint(std::string& out, std::uint64_t value);
void append_int128(std::string& out, __int128 value);
void append_uint128(std::string& out, unsigned __int128 value);
// The shortest text that reads back the same, "null" when it is not finite.
void append_float(std::string& out, float value);
void append_double(std::string& out, double value);
// The unscaled integer 1234 with scale 2: "12.34".
void append_decimal(std::string& out, __int128 unscaled, unsigned scale);
// DuckDB's arbitrary-precision integer.
void append_bignum(std::string& out, std::string_view blob);
// 12345678-1234-1234-1234-123456789abc
void append_uuid(std::string& out, c::HugeInt value);
// The zeros and ones of a BIT.
void append_bits(std::string& out, std::string_view blob);

// 13:45:00[.fffffffff], nine digits only where six are not enough
void append_time_ns(std::string& out, std::int64_t nanos);
// 13:45:00+02:00
void append_time_tz(std::string& out, std::int64_t micros, std::int32_t offset);
// 2024-01-31T13:45:00[.ffffff][+00:00]
void append_timestamp(std::string& out, std::int64_t micros, bool utc);
void append_timestamp_ns(std::string& out, std::int64_t nanos, bool utc);
// P1Y2M3DT4H5M6.7S; every part carries its own sign; PT0S when all are zero.
void append_interval(std::string& out, c::Interval interval);

// The parts of a TIME WITH TIME ZONE.
std::int64_t time_tz_micros(c::TimeTz value);
std::int32_t time_tz_offset(c::TimeTz value);  // seconds east of UTC

}  // namespace mxcp::engine
