// JSON text <-> Value (RFC 8259).
//
// Reading uses Boost.JSON's push parser, so syntax, UTF-8 and depth are checked by a library;
// numbers keep all their digits (see ExactNumber). Of duplicate keys the last one counts.
//
// Writing follows the project's rules: integers and decimals with all their digits, doubles as the
// shortest text that reads back the same, NaN and infinity as null, dates and times as ISO 8601,
// bytes as base64, keys in their order. Invalid UTF-8 is written as U+FFFD: the output is always
// valid JSON.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/value.h"

namespace mxcp {

struct JsonLimits {
  std::size_t max_depth = 64;
};

// The error's place has line and column of the first wrong byte (no file).
Result<Value> parse_json(std::string_view text, const JsonLimits& limits = {});

// One line, no spaces.
std::string to_json(const Value& value);
void append_json(std::string& out, const Value& value);

// For people: two spaces per level. RawJson is re-indented.
std::string to_pretty_json(const Value& value);

// The pieces that writers straight from a result set use.
void append_json_string(std::string& out, std::string_view text);
void append_json_int(std::string& out, std::int64_t value);
void append_json_double(std::string& out, double value);
void append_base64(std::string& out, std::string_view bytes);
void append_uuid(std::string& out, Uuid uuid);  // 12345678-1234-1234-1234-123456789abc

// ISO 8601: 2024-01-31, 13:45:00[.ffffff][+02:00], 2024-01-31T13:45:00[.ffffff][+00:00].
std::string to_iso(Date date);
std::string to_iso(Time time);
std::string to_iso(Timestamp timestamp);
std::string to_iso(Interval interval);  // a duration: "P1DT2H3M4.5S"

// The text of a scalar as a person would write it: strings bare, everything else as in JSON.
std::string to_plain_text(const Value& value);

}  // namespace mxcp
