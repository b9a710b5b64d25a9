#include "base/yaml_scalar.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"

namespace mxcp::yaml {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

using Run = TextMap::Run;

TextMap::Position position(const Text& text, std::size_t line, std::size_t column) {
  return {static_cast<int>(line) + 1, text.display_column(line, column)};
}

// Quoted and plain text, in step with what was read of it.
class FlowWalk {
 public:
  FlowWalk(const Text& text, std::size_t begin, ScalarStyle style, std::string_view value)
      : text_(text), file_(text.all()), style_(style), value_(value), at_(begin) {
    if (style != ScalarStyle::kPlain) ++at_;
  }

  // Nothing when it was read in another way.
  std::optional<std::vector<Run>> runs() {
    begin_run();
    while (done_ < value_.size()) {
      if (at_ >= file_.size() || !step()) return {};
    }
    return std::move(runs_);
  }

 private:
  bool step() {
    const char c = file_[at_];
    if (c == ' ' || c == '\t' || c == '\n') return blanks();
    if (c == '\\' && style_ == ScalarStyle::kDoubleQuoted) return escape();
    if (c == '\'' && style_ == ScalarStyle::kSingleQuoted) return take(2, 1);
    if (c != value_[done_]) return false;
    ++at_, ++done_;
    return true;
  }

  // `written` bytes of the file stand for `read` of the text.
  bool take(std::size_t written, std::size_t read) {
    begin_run();
    at_ += written;
    done_ += read;
    begin_run();
    return true;
  }

  // Blanks within a line stay. Those around a line's end go; one end becomes a space, more become
  // one less.
  bool blanks() {
    const auto end = std::min(file_.find_first_not_of(" \t", at_), file_.size());
    if (end == file_.size() || file_[end] != '\n') {
      if (value_.compare(done_, end - at_, file_, at_, end - at_) != 0) return false;
      done_ += end - at_;
      at_ = end;
      return true;
    }
    at_ = end;
    const std::size_t ends = skip_line_ends();
    done_ += ends == 1 ? 1 : ends - 1;
    begin_run();
    return true;
  }

  // Goes to the next text, over blanks and empty lines.
  std::size_t skip_line_ends() {
    const auto next = std::min(file_.find_first_not_of(" \t\n", at_), file_.size());
    const auto ends = std::count(file_.begin() + static_cast<std::ptrdiff_t>(at_),
                                 file_.begin() + static_cast<std::ptrdiff_t>(next), '\n');
    at_ = next;
    return static_cast<std::size_t>(ends);
  }

  bool escape() {
    if (at_ + 1 >= file_.size()) return false;
    const char kind = file_[at_ + 1];
    switch (kind) {
      case '\n': {
        ++at_;
        done_ += skip_line_ends() - 1;  // its own is not there, empty lines behind it are
        begin_run();
        return true;
      }
      case 'x': return take(4, utf8_size(2));
      case 'u': return take(6, utf8_size(4));
      case 'U': return take(10, utf8_size(8));
      case 'N':
      case '_': return take(2, 2);
      case 'L':
      case 'P': return take(2, 3);
      default: return take(2, 1);
    }
  }

  // Of the character whose code is written in `digits` hexadecimal digits.
  std::size_t utf8_size(std::size_t digits) const {
    std::uint32_t code = 0;
    for (const char c : file_.substr(at_ + 2, digits)) {
      const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
      code = code << 4 | static_cast<std::uint32_t>(digit);
    }
    if (code < 0x80) return 1;
    if (code < 0x800) return 2;
    return code < 0x10000 ? 3 : 4;
  }

  void begin_run() {
    const Run run{done_, position(text_, text_.line_of(at_), text_.column_of(at_))};
    if (!runs_.empty() && runs_.back().offset == done_) {
      runs_.back() = run;
    } else {
      runs_.push_back(run);
    }
  }

  const Text& text_;
  std::string_view file_;
  ScalarStyle style_;
  std::string_view value_;
  std::size_t at_;        // in the file
  std::size_t done_ = 0;  // in the value
  std::vector<Run> runs_;
};

// How many blanks a block's lines lost. However that was found or given, the first line that is
// not blank shows it.
std::size_t block_indent(const Text& text, std::size_t first_line, std::string_view value) {
  for (std::size_t line = first_line; !value.empty(); ++line) {
    const std::string_view content = value.substr(0, value.find('\n'));
    const auto kept = content.find_first_not_of(' ');
    if (kept != kNone) {
      const auto in_file = text.line(line).find_first_not_of(' ');
      return in_file != kNone && in_file >= kept ? in_file - kept : 0;
    }
    value.remove_prefix(std::min(content.size() + 1, value.size()));
  }
  return 0;
}

// One run for each line. The end of a line between two lines of text is a space, or nothing when
// empty lines follow; beside a line that is indented further it stays.
std::optional<std::vector<Run>> folded_runs(const Text& text, std::size_t first,
                                            std::string_view value) {
  const std::size_t indent = block_indent(text, first, value);
  std::vector<Run> runs;
  std::size_t done = 0, empty = 0;
  bool was_blank = false;
  for (std::size_t line = first; done + empty < value.size(); ++line) {
    if (line >= text.line_count()) return {};
    std::string_view content = text.line(line);
    const auto blanks = std::min(content.find_first_not_of(' '), content.size());
    content.remove_prefix(std::min(blanks, indent));
    if (content.empty()) {
      ++empty;
      continue;
    }
    const bool is_blank = content.front() == ' ' || content.front() == '\t';
    const bool folded = !was_blank && !is_blank;
    if (!runs.empty() && (!folded || empty == 0)) ++done;
    done += empty;
    if (value.substr(std::min(done, value.size()), content.size()) != content) return {};
    const auto column = text.line(line).size() - content.size();
    runs.push_back({done, position(text, line, column)});
    done += content.size();
    empty = 0;
    was_blank = is_blank;
    if (value.substr(done).find_first_not_of('\n') == kNone) break;
  }
  if (runs.empty()) return {};
  // Empty lines before the text.
  if (runs.front().offset > 0) runs.insert(runs.begin(), {0, position(text, first, 0)});
  return runs;
}

}  // namespace

TextMap locate_scalar(const Text& text, std::size_t begin, ScalarStyle style,
                      std::string_view value) {
  if (value.empty()) return {};
  if (style == ScalarStyle::kLiteral || style == ScalarStyle::kFolded) {
    const std::size_t line = text.line_of(begin) + 1;
    if (style == ScalarStyle::kLiteral) {
      return {static_cast<int>(line) + 1, static_cast<int>(block_indent(text, line, value))};
    }
    auto runs = folded_runs(text, line, value);
    return runs ? TextMap(*std::move(runs)) : TextMap();
  }
  // Most stand on one line as they are.
  const std::size_t quote = style == ScalarStyle::kPlain ? 0 : 1;
  const std::size_t first = begin + quote;
  const std::size_t end = first + value.size();
  const bool closed =
      quote == 0 || (end < text.all().size() && text.all()[end] == text.all()[begin]);
  if (closed && text.all().compare(first, value.size(), value) == 0) {
    const std::size_t line = text.line_of(first);
    return {static_cast<int>(line) + 1, text.display_column(line, text.column_of(first)) - 1};
  }
  auto runs = FlowWalk(text, begin, style, value).runs();
  return runs ? TextMap(*std::move(runs)) : TextMap();
}

}  // namespace mxcp::yaml
