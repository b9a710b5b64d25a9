#include "base/text_map.h"

#include <algorithm>

#include "base/text.h"

namespace mxcp {
namespace {

TextMap::Position position_of(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const auto begin = before.rfind('\n') + 1;  // npos + 1 == 0
  return {static_cast<int>(lines) + 1, static_cast<int>(utf8_length(before.substr(begin))) + 1};
}

// At most the end of the line.
std::size_t offset_of(std::string_view text, TextMap::Position position) {
  std::size_t offset = 0;
  for (int line = 1; line < position.line; ++line) {
    const auto end = text.find('\n', offset);
    if (end == std::string_view::npos) return text.size();
    offset = end + 1;
  }
  const auto is_continuation = [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
  };
  for (int column = 1; column < position.column; ++column) {
    if (offset >= text.size() || text[offset] == '\n') break;
    do ++offset;
    while (offset < text.size() && is_continuation(text[offset]));
  }
  return offset;
}

}  // namespace

TextMap::Position TextMap::at(std::string_view text, Position inside) const {
  if (keeps_lines()) return {first_line_ + inside.line - 1, indent_ + inside.column};
  return known() ? at_offset(text, offset_of(text, inside)) : Position();
}

TextMap::Position TextMap::at_offset(std::string_view text, std::size_t offset) const {
  offset = std::min(offset, text.size());
  if (keeps_lines()) return at(text, position_of(text, offset));
  if (!known()) return {};
  const auto next =
      std::upper_bound(runs_->begin(), runs_->end(), offset,
                       [](std::size_t wanted, const Run& run) { return wanted < run.offset; });
  const Run& run = *std::prev(next);
  const auto inside = text.substr(run.offset, offset - run.offset);
  return {run.begin.line, run.begin.column + static_cast<int>(utf8_length(inside))};
}

}  // namespace mxcp
