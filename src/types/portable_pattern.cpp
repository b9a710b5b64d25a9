#include <utility>

#include "types/node.h"

// RE2's syntax, ECMA-262's (with and without the u flag) and Python's overlap widely, but not in
// everything: what \w, \s and . mean, where a lone brace or bracket is a literal, which escapes
// exist. This rewrites the common part into characters that mean the same everywhere, and gives up
// on the rest.
namespace mxcp::types {
namespace {

struct ClassEscape {
  char letter;
  std::string_view members;
  bool negated;
};
constexpr ClassEscape kClassEscapes[] = {
    {'d', "0-9", false},           {'D', "0-9", true},
    {'w', "0-9A-Za-z_", false},    {'W', "0-9A-Za-z_", true},
    {'s', "\\t\\n\\f\\r ", false}, {'S', "\\t\\n\\f\\r ", true},
};

constexpr std::string_view kSyntax = "^$.*+?()[]{}|\\/";

// Copies one escape sequence at `pattern[i]` (a backslash) and moves `i` to its last character.
bool copy_escape(std::string_view pattern, std::size_t& i, bool in_class, std::string& out) {
  if (++i == pattern.size()) return false;
  const char c = pattern[i];
  for (const ClassEscape& escape : kClassEscapes) {
    if (escape.letter != c) continue;
    if (in_class) {
      if (escape.negated) return false;
      out += escape.members;
    } else {
      out += escape.negated ? "[^" : "[";
      out += escape.members;
      out += ']';
    }
    return true;
  }
  if (kSyntax.find(c) != std::string_view::npos || c == 'n' || c == 'r' || c == 't' || c == 'f' ||
      c == 'v' || (c == '-' && in_class)) {
    out += '\\';
    out += c;
    return true;
  }
  // Any other punctuation may be escaped in RE2 only; bare it means itself.
  if (static_cast<unsigned char>(c) < 0x80 && !(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') &&
      !(c >= 'A' && c <= 'Z')) {
    out += c;
    return true;
  }
  return false;
}

bool is_class_escape(std::string_view text) {
  return text.size() > 1 && text[0] == '\\' &&
         std::string_view("dDwWsS").find(text[1]) != std::string_view::npos;
}

// Copies a bracket expression that begins at `pattern[i]` and moves `i` to its closing bracket.
bool copy_class(std::string_view pattern, std::size_t& i, std::string& out) {
  out += '[';
  ++i;
  if (i < pattern.size() && pattern[i] == '^') {
    out += '^';
    ++i;
  }
  bool was_class = false;
  for (bool first = true; i < pattern.size(); ++i, first = false) {
    const char c = pattern[i];
    if (c == ']' && !first) {
      out += ']';
      return true;
    }
    // Beside \d a hyphen is a literal; beside what stands in its place it would make a range.
    const bool after_class = std::exchange(was_class, false);
    if (c == '\\') {
      was_class = is_class_escape(pattern.substr(i));
      if (!copy_escape(pattern, i, true, out)) return false;
    } else if (c == '-' && (after_class || is_class_escape(pattern.substr(i + 1)))) {
      out += "\\-";
    } else if (c == '[') {
      if (i + 1 < pattern.size() && pattern[i + 1] == ':') return false;  // [[:alpha:]]
      out += "\\[";
    } else if (c == ']') {
      out += "\\]";
    } else {
      out += c;
    }
  }
  return false;
}

// The length of {n}, {n,} or {n,m} at the front of `text`; 0 when the brace is a literal.
std::size_t repetition(std::string_view text) {
  std::size_t i = 1;
  const auto digits = [&] {
    const std::size_t from = i;
    while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
    return i > from;
  };
  if (!digits()) return 0;
  if (i < text.size() && text[i] == ',') {
    ++i;
    digits();
  }
  return i < text.size() && text[i] == '}' ? i + 1 : 0;
}

}  // namespace

std::optional<std::string> portable_pattern(std::string_view pattern) {
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    switch (c) {
      case '\\':
        if (!copy_escape(pattern, i, false, out)) return std::nullopt;
        break;
      case '[':
        if (!copy_class(pattern, i, out)) return std::nullopt;
        break;
      case '(':
        out += c;
        if (pattern.substr(i).starts_with("(?:")) {
          out += "?:";
          i += 2;
        } else if (pattern.substr(i).starts_with("(?")) {
          return std::nullopt;
        }
        break;
      case '{':
        if (const std::size_t length = repetition(pattern.substr(i)); length > 0) {
          out += pattern.substr(i, length);
          i += length - 1;
        } else {
          out += "\\{";
        }
        break;
      case '}':
      case ']':
        out += '\\';
        out += c;
        break;
      case '.': out += "[^\\n]"; break;
      case '^':
      case '$':
        // ^* is legal in RE2 only.
        if (i + 1 < pattern.size() &&
            std::string_view("*+?{").find(pattern[i + 1]) != std::string_view::npos) {
          return std::nullopt;
        }
        out += c;
        break;
      default: out += c;
    }
  }
  return out;
}

}  // namespace mxcp::types
