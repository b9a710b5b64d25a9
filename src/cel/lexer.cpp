#include "cel/lexer.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/ascii.h"
#include "base/text.h"

namespace mxcp::cel {
namespace {

bool is_octal(char c) {
  return c >= '0' && c <= '7';
}
int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool in_name(char c) {
  return begins_name(c) || is_digit(c);
}

void append_utf8(std::string& out, std::uint32_t point) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) return put(point);
  if (point < 0x800) {
    put(0xC0 | (point >> 6));
  } else {
    if (point < 0x10000) {
      put(0xE0 | (point >> 12));
    } else {
      put(0xF0 | (point >> 18));
      put(0x80 | ((point >> 12) & 0x3F));
    }
    put(0x80 | ((point >> 6) & 0x3F));
  }
  put(0x80 | (point & 0x3F));
}

// "r", "b" and "br" in any case, before a quote.
std::size_t quote_prefix(std::string_view rest) {
  std::size_t length = 0;
  if (length < rest.size() && (rest[length] == 'b' || rest[length] == 'B')) ++length;
  if (length < rest.size() && (rest[length] == 'r' || rest[length] == 'R')) ++length;
  const bool quote = length < rest.size() && (rest[length] == '"' || rest[length] == '\'');
  return quote ? length : std::string_view::npos;
}

}  // namespace

Token Lexer::token(Token::Kind kind, std::size_t begin) const {
  Token out;
  out.kind = kind;
  out.offset = begin;
  out.spelling = text_.substr(begin, at_ - begin);
  return out;
}

void Lexer::skip_blanks() {
  while (at_ < text_.size()) {
    if (std::string_view(" \t\n\f\r").find(text_[at_]) != std::string_view::npos) {
      ++at_;
    } else if (text_.substr(at_).starts_with("//")) {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else {
      return;
    }
  }
}

Lexer::Read Lexer::next() {
  skip_blanks();
  if (at_ >= text_.size()) return token(Token::Kind::kEnd, at_);
  const char c = text_[at_];
  if (is_digit(c) || (c == '.' && is_digit(at(at_ + 1)))) return number();
  const std::size_t prefix = quote_prefix(text_.substr(at_));
  if (prefix != std::string_view::npos) return quoted(prefix);
  if (!begins_name(c)) return sign();
  const std::size_t begin = at_;
  while (in_name(at(at_))) ++at_;
  return token(Token::Kind::kName, begin);
}

Lexer::Read Lexer::number() {
  const std::size_t begin = at_;
  const bool hex = at(at_) == '0' && (at(at_ + 1) == 'x' || at(at_ + 1) == 'X');
  bool floating = false;
  if (hex) {
    at_ += 2;
    while (hex_value(at(at_)) >= 0) ++at_;
  } else {
    while (is_digit(at(at_))) ++at_;
    if (at(at_) == '.' && is_digit(at(at_ + 1))) {
      floating = true;
      ++at_;
      while (is_digit(at(at_))) ++at_;
    }
    if (at(at_) == 'e' || at(at_) == 'E') {
      const std::size_t sign = at(at_ + 1) == '+' || at(at_ + 1) == '-' ? 1 : 0;
      if (is_digit(at(at_ + 1 + sign))) {
        floating = true;
        at_ += 1 + sign;
        while (is_digit(at(at_))) ++at_;
      }
    }
  }
  const std::size_t end = at_;
  const bool is_unsigned = !floating && (at(at_) == 'u' || at(at_) == 'U');
  if (is_unsigned) ++at_;
  if (in_name(at(at_))) {
    while (in_name(at(at_))) ++at_;
    return Problem{begin, "'" + shorten(text_.substr(begin, at_ - begin), 40) + "' is no number"};
  }
  using Kind = Token::Kind;
  Token out = token(floating ? Kind::kDouble : is_unsigned ? Kind::kUint : Kind::kInt, begin);
  const char* const last = text_.data() + end;
  const char* const first = text_.data() + begin + (hex ? 2 : 0);
  const auto read = floating ? std::from_chars(first, last, out.number)
                             : std::from_chars(first, last, out.integer, hex ? 16 : 10);
  if (read.ec == std::errc::result_out_of_range) {
    return Problem{begin, "the number " + shorten(out.spelling, 40) + " is out of range"};
  }
  if (read.ec != std::errc() || read.ptr != last) {
    return Problem{begin, "'" + shorten(out.spelling, 40) + "' is no number"};
  }
  return out;
}

Lexer::Read Lexer::quoted(std::size_t prefix) {
  const std::size_t begin = at_;
  const std::string_view letters = text_.substr(begin, prefix);
  const bool bytes = letters.find_first_of("bB") != std::string_view::npos;
  const bool raw = letters.find_first_of("rR") != std::string_view::npos;
  at_ += prefix;
  const char quote = text_[at_];
  const bool triple = at(at_ + 1) == quote && at(at_ + 2) == quote;
  const std::string end(triple ? 3 : 1, quote);
  at_ += end.size();
  std::string out;
  while (!text_.substr(std::min(at_, text_.size())).starts_with(end)) {
    const bool line_end = at(at_) == '\n' || at(at_) == '\r';
    if (at_ >= text_.size() || (line_end && !triple)) {
      return Problem{begin, "the string that begins here has no end",
                     line_end ? "a string of several lines stands between three quotes" : ""};
    }
    if (at(at_) == '\\' && !raw) {
      if (auto wrong = escape(bytes, out)) return *std::move(wrong);
    } else {
      out += text_[at_++];
    }
  }
  at_ += end.size();
  Token made = token(bytes ? Token::Kind::kBytes : Token::Kind::kString, begin);
  if (!bytes && !is_valid_utf8(out)) return Problem{begin, "the string is no valid UTF-8"};
  made.text = std::move(out);
  return made;
}

std::optional<Problem> Lexer::escape(bool bytes, std::string& out) {
  constexpr std::string_view kNames = "abfnrtv", kValues = "\a\b\f\n\r\t\v";
  const std::size_t begin = at_;
  const char c = at(at_ + 1);
  const auto wrong = [&](std::string what, std::string hint = {}) {
    return Problem{begin, std::move(what), std::move(hint)};
  };
  if (const auto known = kNames.find(c); c != '\0' && known != std::string_view::npos) {
    out += kValues[known];
    at_ += 2;
    return {};
  }
  if (c != '\0' && std::string_view("\\?\"'`").find(c) != std::string_view::npos) {
    out += c;
    at_ += 2;
    return {};
  }
  std::uint32_t point = 0;
  if (is_octal(c)) {
    if (c > '3' || !is_octal(at(at_ + 2)) || !is_octal(at(at_ + 3))) {
      return wrong("an octal escape has three digits, \\000 to \\377");
    }
    for (int i = 1; i <= 3; ++i) point = point * 8 + static_cast<std::uint32_t>(at(at_ + i) - '0');
    at_ += 4;
  } else {
    const bool unicode = c == 'u' || c == 'U';
    const int digits = c == 'x' || c == 'X' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (digits == 0) {
      return wrong("a backslash stands before something that is no escape",
                   "write \\\\, or a raw string: r'...'");
    }
    if (unicode && bytes) return wrong("bytes have no \\u escapes", "write \\x and two digits");
    for (int i = 0; i < digits; ++i) {
      const int value = hex_value(at(at_ + 2 + static_cast<std::size_t>(i)));
      if (value < 0) return wrong("the escape needs " + std::to_string(digits) + " digits");
      point = point * 16 + static_cast<std::uint32_t>(value);
    }
    at_ += 2 + static_cast<std::size_t>(digits);
  }
  if (bytes) {
    out += static_cast<char>(point);
    return {};
  }
  if (point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) {
    return wrong("the escape is no Unicode character");
  }
  append_utf8(out, point);
  return {};
}

Lexer::Read Lexer::sign() {
  static constexpr std::array<std::string_view, 25> kSigns = {
      "==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "(", ")", "[", "]",
      "{",  "}",  ".",  ",",  ":",  "?",  "+", "-", "*", "/", "%", "",
  };
  const std::size_t begin = at_;
  for (const std::string_view sign : kSigns) {
    if (sign.empty() || !text_.substr(at_).starts_with(sign)) continue;
    at_ += sign.size();
    return token(Token::Kind::kSign, begin);
  }
  const char c = text_[at_];
  if (c == '=') return Problem{begin, "'=' is no operator", "write '=='"};
  if (c == '&') return Problem{begin, "'&' is no operator", "write '&&'"};
  if (c == '|') return Problem{begin, "'|' is no operator", "write '||'"};
  // The whole character, whatever it is.
  std::size_t end = begin + 1;
  while (end < text_.size() && (static_cast<unsigned char>(text_[end]) & 0xC0) == 0x80) ++end;
  const std::string_view character = text_.substr(begin, end - begin);
  const bool shown = is_valid_utf8(character) && static_cast<unsigned char>(c) >= 0x20;
  return Problem{begin, shown ? "'" + std::string(character) + "' means nothing in a condition"
                              : "a character here means nothing in a condition"};
}

}  // namespace mxcp::cel
