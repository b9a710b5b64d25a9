// The formats of strings, as plain functions on text.
//
// Each returns "" when the text fits, else what is wrong with it in a few words. A reason quotes
// nothing of the text, which may be sensitive. kMalformed says no more than that.
//
// Calendar and clock: years 0001 to 9999, leap days as the Gregorian calendar has them, no 24:00
// and no leap second, at most six decimals of a second (further zeros are harmless).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/value.h"
#include "types/type_spec.h"

namespace mxcp::types {

using Reason = std::string_view;
inline constexpr Reason kMalformed = "malformed";
// The text is right but finer than a microsecond: too fine for a value of ours, not for a result.
inline constexpr Reason kTooFine = "a second has at most 6 decimals";

// YYYY-MM-DD.
Reason parse_date(std::string_view text, Date& out);
// HH:MM[:SS[.ffffff]][Z|+HH:MM|+HHMM|+HH].
Reason parse_time(std::string_view text, Time& out);
// A date, 'T' or a space, a time. A date alone means its midnight.
Reason parse_date_time(std::string_view text, Timestamp& out);
// Seconds since 1970-01-01T00:00:00Z in any notation of a number; also a date-time with a zone.
// The result is in UTC; what is finer than a microsecond is rounded.
Reason parse_timestamp(std::string_view text, Timestamp& out);
Reason timestamp_of(const Value& seconds, Timestamp& out);

// name@host.tld, without quoting; letters beyond ASCII are allowed in both parts.
Reason check_email(std::string_view text);
// scheme:rest as in RFC 3986, letters beyond ASCII allowed; after "//" a host must follow, except
// for file:.
Reason check_uri(std::string_view text);
// ISO 8601: P[nY][nM][nD][T[nH][nM][nS]] or PnW, a decimal fraction in the last component.
// `signs`: a sign before the P or a number is allowed too (a negative INTERVAL of SQL).
Reason check_duration(std::string_view text, bool signs);

// A duration without signs as an INTERVAL of SQL; nothing when the text is no such duration, or has
// a part of a month, or is too long.
std::optional<Interval> duration_of(std::string_view text);

// "a valid date (YYYY-MM-DD)", for "must be ...".
std::string_view description_of(Format format);

}  // namespace mxcp::types
