// Small text helpers that the standard library lacks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mxcp {

std::string_view trim(std::string_view text);
std::vector<std::string> split(std::string_view text, char separator);
// join({"a","b","c"}, ", ") == "a, b, c".
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string to_lower(std::string_view ascii);
std::string replace_all(std::string text, std::string_view from, std::string_view to);
bool is_valid_utf8(std::string_view text);
// Number of code points; a byte that is not valid UTF-8 counts as one.
std::size_t utf8_length(std::string_view text);
// At most `max` code points, the last one "…" when something was cut.
std::string shorten(std::string_view text, std::size_t max);
// "1 tool", "3 tools".
std::string plural(std::size_t n, std::string_view singular);

}  // namespace mxcp
