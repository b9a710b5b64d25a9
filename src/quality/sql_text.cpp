#include "quality/sql_text.h"

namespace mxcp::quality {
namespace {

bool starts_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool continues_name(char c) {
  return starts_name(c) || is_digit(c);
}

class Scanner {
 public:
  explicit Scanner(std::string_view sql) : sql_(sql) {}

  std::vector<Placeholder> scan() {
    while (at_ < sql_.size()) {
      const char c = sql_[at_];
      if (c == '\'') {
        skip_quoted('\'', at_ > 0 && (sql_[at_ - 1] == 'e' || sql_[at_ - 1] == 'E') &&
                              (at_ < 2 || !continues_name(sql_[at_ - 2])));
      } else if (c == '"') {
        skip_quoted('"', false);
      } else if (sql_.substr(at_, 2) == "--") {
        skip_past("\n", 2);
      } else if (sql_.substr(at_, 2) == "/*") {
        skip_block_comment();
      } else if (c == '$') {
        dollar();
      } else if (c == '?') {
        found_.push_back({"", at_++});
      } else if (continues_name(c)) {
        // A name may contain `$` after its first character.
        while (at_ < sql_.size() && (continues_name(sql_[at_]) || sql_[at_] == '$')) ++at_;
      } else {
        ++at_;
      }
    }
    return std::move(found_);
  }

 private:
  void skip_past(std::string_view end, std::size_t from) {
    const std::size_t found = sql_.find(end, at_ + from);
    at_ = found == std::string_view::npos ? sql_.size() : found + end.size();
  }

  void skip_quoted(char quote, bool backslashes) {
    for (++at_; at_ < sql_.size(); ++at_) {
      if (backslashes && sql_[at_] == '\\') {
        ++at_;
      } else if (sql_[at_] == quote) {
        ++at_;
        // A doubled quote stands for itself.
        if (at_ >= sql_.size() || sql_[at_] != quote) return;
      }
    }
  }

  void skip_block_comment() {
    int depth = 0;
    while (at_ < sql_.size()) {
      if (sql_.substr(at_, 2) == "/*") {
        ++depth;
        at_ += 2;
      } else if (sql_.substr(at_, 2) == "*/") {
        at_ += 2;
        if (--depth == 0) return;
      } else {
        ++at_;
      }
    }
  }

  // $name, $1, or a dollar-quoted string: $$...$$, $tag$...$tag$.
  void dollar() {
    const std::size_t begin = at_++;
    while (at_ < sql_.size() && continues_name(sql_[at_])) ++at_;
    const std::string_view name = sql_.substr(begin + 1, at_ - begin - 1);
    const bool quote =
        at_ < sql_.size() && sql_[at_] == '$' && (name.empty() || starts_name(name[0]));
    if (quote) {
      const std::string tag(sql_.substr(begin, at_ + 1 - begin));
      at_ = begin;
      skip_past(tag, tag.size());
    } else if (!name.empty()) {
      found_.push_back({std::string(name), begin});
    }
  }

  std::string_view sql_;
  std::size_t at_ = 0;
  std::vector<Placeholder> found_;
};

}  // namespace

std::vector<Placeholder> placeholders(std::string_view sql) {
  return Scanner(sql).scan();
}

}  // namespace mxcp::quality
