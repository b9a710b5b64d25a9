// Where a text that was read out of a file stands there, byte by byte.
//
// A YAML scalar is not the file's text: a block loses its indentation, quotes have escapes, and
// folded text has other lines. What is wrong at a byte of the SQL or Python in it is shown at its
// place in the file all the same.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace mxcp {

class TextMap {
 public:
  // From 1, columns in characters; line 0 is unknown.
  struct Position {
    int line = 0;
    int column = 0;
    friend bool operator==(const Position&, const Position&) = default;
  };
  // Text that stands on one line of the file as it is, up to the next run.
  struct Run {
    std::size_t offset = 0;  // of its first byte in the text
    Position begin;
  };

  // Nothing is known.
  TextMap() = default;
  // Lines as in the file: line L, column C is line `first_line + L - 1`, column `indent + C` there.
  TextMap(int first_line, int indent) : first_line_(first_line), indent_(indent) {}
  // By offset, the first of them 0.
  explicit TextMap(std::vector<Run> runs)
      : runs_(std::make_shared<const std::vector<Run>>(std::move(runs))) {}

  bool known() const { return first_line_ > 0 || runs_ != nullptr; }
  // Whether first_line() and indent() say it all.
  bool keeps_lines() const { return first_line_ > 0; }
  int first_line() const { return first_line_; }
  int indent() const { return indent_; }

  // `text`: the one that this is the map of.
  Position at(std::string_view text, Position inside) const;
  Position at_offset(std::string_view text, std::size_t offset) const;

 private:
  int first_line_ = 0;
  int indent_ = 0;
  std::shared_ptr<const std::vector<Run>> runs_;  // shared with the copies that aliases make
};

}  // namespace mxcp
