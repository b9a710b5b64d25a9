// The words of CEL. Private to cel/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "cel/program.h"

namespace mxcp::cel {

struct Token {
  enum class Kind { kEnd, kName, kInt, kUint, kDouble, kString, kBytes, kSign };
  Kind kind = Kind::kEnd;
  std::size_t offset = 0;
  std::string_view spelling;  // as it stands in the text
  std::string text;           // kString, kBytes: without quotes, escapes resolved
  std::uint64_t integer = 0;  // kInt (without its sign), kUint
  double number = 0;          // kDouble

  bool is_sign(std::string_view sign) const { return kind == Kind::kSign && spelling == sign; }
  bool is_word(std::string_view word) const { return kind == Kind::kName && spelling == word; }
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}
  std::variant<Token, Problem> next();

 private:
  using Read = std::variant<Token, Problem>;
  void skip_blanks();
  char at(std::size_t offset) const { return offset < text_.size() ? text_[offset] : '\0'; }
  Read number();
  Read quoted(std::size_t prefix);
  Read sign();
  // Appends the character behind the backslash at `at_`; nothing, or what is wrong with it.
  std::optional<Problem> escape(bool bytes, std::string& out);
  Token token(Token::Kind kind, std::size_t begin) const;

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace mxcp::cel
