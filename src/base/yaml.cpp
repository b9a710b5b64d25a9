#include "base/yaml.h"

#include <charconv>
#include <limits>
#include <optional>

#include "base/ascii.h"
#include "base/json.h"
#include "base/text.h"

namespace mxcp {
namespace {

std::string_view skip_digits(std::string_view text) {
  std::size_t n = 0;
  while (n < text.size() && is_digit(text[n])) ++n;
  return text.substr(n);
}

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?   and integers
bool is_decimal_number(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  const std::string_view after_integer = skip_digits(text);
  const bool integer_digits = after_integer.size() < text.size();
  text = after_integer;
  bool fraction_digits = false;
  if (!text.empty() && text[0] == '.') {
    const std::string_view after_fraction = skip_digits(text.substr(1));
    fraction_digits = after_fraction.size() + 1 < text.size();
    text = after_fraction;
  }
  if (!integer_digits && !fraction_digits) return false;
  if (!text.empty() && (text[0] == 'e' || text[0] == 'E')) {
    text.remove_prefix(1);
    if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
    const std::string_view rest = skip_digits(text);
    if (rest.size() == text.size()) return false;
    text = rest;
  }
  return text.empty();
}

// YAML's spelling of a number in JSON's grammar: +1 -> 1, 007 -> 7, .5 -> 0.5, 1. -> 1.0.
std::string to_json_number(std::string_view text) {
  std::string out;
  if (text[0] == '-') out += '-';
  if (text[0] == '-' || text[0] == '+') text.remove_prefix(1);
  while (text.size() > 1 && text[0] == '0' && is_digit(text[1])) text.remove_prefix(1);
  if (text[0] == '.') out += '0';
  const auto dot = text.find('.');
  if (dot == std::string_view::npos) return out += text;
  out += text.substr(0, dot + 1);
  if (dot + 1 == text.size() || !is_digit(text[dot + 1])) out += '0';
  return out += text.substr(dot + 1);
}

// 0x1F and 0o17.
std::optional<Value> based_integer(std::string_view text) {
  if (text.size() < 3 || text[0] != '0' || (text[1] != 'x' && text[1] != 'o')) return {};
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + 2, end, number, text[1] == 'x' ? 16 : 8);
  if (stop != end || error != std::errc{}) return {};
  return Value(number);
}

Value resolve_plain(const std::string& text) {
  if (text.empty()) return Value(text);
  switch (text[0]) {
    case 't':
    case 'T':
      if (text == "true" || text == "True" || text == "TRUE") return true;
      return text;
    case 'f':
    case 'F':
      if (text == "false" || text == "False" || text == "FALSE") return false;
      return text;
    case 'n':
    case 'N':
    case '~':
      if (text == "null" || text == "Null" || text == "NULL" || text == "~") return nullptr;
      return text;
    case '+':
    case '-':
    case '.': break;
    default:
      if (!is_digit(text[0])) return text;
  }
  if (is_decimal_number(text)) {
    std::int64_t i = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, i);
    if (stop == end && error == std::errc{}) return i;
    const auto number = parse_json(to_json_number(text));
    return number.ok() ? *number : Value(text);
  }
  if (auto number = based_integer(text)) return *std::move(number);
  const std::string_view unsigned_text =
      std::string_view(text).substr(text[0] == '+' || text[0] == '-' ? 1 : 0);
  if (unsigned_text == ".inf" || unsigned_text == ".Inf" || unsigned_text == ".INF") {
    const double infinity = std::numeric_limits<double>::infinity();
    return text[0] == '-' ? -infinity : infinity;
  }
  if (text == ".nan" || text == ".NaN" || text == ".NAN") {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return text;
}

}  // namespace

const YamlNode::Member* YamlNode::find_member(std::string_view key) const {
  for (const Member& member : members) {
    if (member.key == key) return &member;
  }
  return nullptr;
}

const YamlNode* YamlNode::find(std::string_view key) const {
  const Member* member = find_member(key);
  return member ? &member->value : nullptr;
}

Value YamlNode::to_value() const {
  switch (kind) {
    case Kind::kNull: return nullptr;
    case Kind::kScalar: return plain ? resolve_plain(scalar) : Value(scalar);
    case Kind::kSequence: {
      Array out;
      out.reserve(items.size());
      for (const YamlNode& item : items) out.push_back(item.to_value());
      return out;
    }
    case Kind::kMapping: {
      Object out;
      out.reserve(members.size());
      for (const Member& member : members) out.add(member.key, member.value.to_value());
      return out;
    }
  }
  return nullptr;
}

std::string YamlNode::describe() const {
  switch (kind) {
    case Kind::kNull: return "nothing";
    case Kind::kSequence: return items.empty() ? "an empty list" : "a list";
    case Kind::kMapping: return members.empty() ? "an empty mapping" : "a mapping";
    case Kind::kScalar: break;
  }
  const Value value = to_value();
  if (value.is_null()) return "nothing";
  if (const bool* b = value.as_bool()) return *b ? "true" : "false";
  if (value.is_number()) return "the number " + shorten(scalar, 40);
  if (scalar.empty()) return "an empty string";
  if (scalar.find('\n') != std::string::npos) return "a text of several lines";
  return "the string '" + shorten(scalar, 40) + "'";
}

}  // namespace mxcp
