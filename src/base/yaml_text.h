// The text of one YAML file, split into lines; private to the YAML reader.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace mxcp::yaml {

// UTF-8 without byte order mark, lines ended by LF. Lines and columns inside this class count from
// 0 and in bytes; place() gives what people count.
class Text {
 public:
  // Decodes and checks. Errors: kConfig with place (encoding, control characters).
  static Result<Text> decode(std::string_view bytes, const std::string& file);

  const std::string& all() const { return all_; }
  std::size_t line_count() const { return starts_.size(); }
  // Without its line end; "" past the end.
  std::string_view line(std::size_t number) const;
  std::size_t line_of(std::size_t offset) const;
  std::size_t column_of(std::size_t offset) const { return offset - starts_[line_of(offset)]; }
  std::size_t offset_of(std::size_t line, std::size_t column) const;
  // The offset of the character with this number, from 0.
  std::size_t offset_of_character(std::size_t number) const;
  // The column from 1, in characters.
  int display_column(std::size_t line, std::size_t column) const;
  Place place(std::size_t line, std::size_t column) const;
  Place place(std::size_t offset) const { return place(line_of(offset), column_of(offset)); }

 private:
  std::string file_;
  std::string all_;
  std::vector<std::size_t> starts_;
  std::vector<std::size_t> first_characters_;  // the number of each line's first; empty when ASCII
  bool ascii_ = true;
};

// The number of blanks at the front; a tab counts as one.
inline std::size_t indentation(std::string_view line) {
  const auto n = line.find_first_not_of(" \t");
  return n == std::string_view::npos ? line.size() : n;
}
// Nothing, or only a comment.
inline bool is_blank(std::string_view line) {
  const auto n = line.find_first_not_of(" \t");
  return n == std::string_view::npos || line[n] == '#';
}

// What libyaml said, and where the reader stood. Places are offsets.
struct SyntaxProblem {
  std::string message;
  std::size_t offset = 0;
  // What libyaml was at ("while scanning a quoted scalar"), and where that began.
  std::string context;
  std::size_t context_offset = 0;
  // The last key or value that was read completely: its first character and, of a quoted one, the
  // offset behind its closing quote (else 0).
  bool has_scalar = false;
  std::size_t last_scalar = 0;
  std::size_t quoted_end = 0;
  // The innermost [ or { that is open.
  std::optional<std::size_t> open_bracket;

  void read_scalar(std::size_t begin, std::size_t end_of_quoted) {
    has_scalar = true;
    last_scalar = begin;
    quoted_end = end_of_quoted;
  }
};

// The error as its author needs to hear it: what is wrong, where it really began, what to write.
Error explain(const Text& text, const SyntaxProblem& problem);
// Likewise, of the alias at this offset whose anchor does not exist.
Error explain_alias(const Text& text, std::size_t offset);

}  // namespace mxcp::yaml
