#include "engine/sql_text.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "base/ascii.h"
#include "base/text.h"

namespace mxcp::engine {
namespace {

bool is_word_start(char c) {
  return is_alpha(c) || c == '_' || is_beyond_ascii(c);
}
bool is_word(char c) {
  return is_word_start(c) || is_digit(c);
}
bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

std::string upper_case(std::string_view word) {
  std::string upper(word);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return upper;
}

template <std::size_t N>
bool is_one_of(const std::string& word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// EXPLAIN ANALYZE runs what it explains.
bool is_writing(std::string_view word) {
  static constexpr std::array<std::string_view, 28> kWords = {
      "INSERT",  "UPDATE",  "DELETE",  "MERGE",   "TRUNCATE", "CREATE",     "ALTER",
      "DROP",    "COPY",    "EXPORT",  "IMPORT",  "ATTACH",   "DETACH",     "CALL",
      "EXECUTE", "VACUUM",  "INSTALL", "LOAD",    "SET",      "USE",        "CHECKPOINT",
      "PRAGMA",  "NEXTVAL", "SETVAL",  "SETSEED", "ANALYZE",  "WRITE_BLOB", "WRITE_TEXT"};
  return word.size() <= 10 && is_one_of(upper_case(word), kWords);
}

bool is_setseed(std::string_view name) {
  return name.size() == 7 && upper_case(name) == "SETSEED";
}

// DuckDB makes no difference between $x and $X.
bool contains(const std::vector<std::string>& names, std::string_view name) {
  const std::string lower = to_lower(name);
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& known) { return to_lower(known) == lower; });
}

class Scanner {
 public:
  explicit Scanner(std::string_view sql, TextNames* names = nullptr) : sql_(sql), names_(names) {}

  std::vector<SqlPiece> run() {
    while (at_ < sql_.size()) step();
    finish();
    return std::move(pieces_);
  }

 private:
  char peek(std::size_t ahead) const {
    return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0';
  }

  void step() {
    const char c = sql_[at_];
    if (is_space(c)) {
      ++at_;
    } else if (c == ';') {
      finish();
      ++at_;
    } else if (c == '-' && peek(1) == '-') {
      at_ = std::min(sql_.find('\n', at_), sql_.size());
    } else if (c == '/' && peek(1) == '*') {
      skip_comment();
    } else {
      const std::size_t begin = at_;
      token(c);
      if (!open_) piece_.begin = begin;
      open_ = true;
      piece_.end = at_;
    }
  }

  void token(char c) {
    if (c == '(' && !last_name_.empty()) names_->called.insert(last_name_);
    last_name_.clear();
    if (c == '\'' || c == '"') {
      const std::size_t begin = at_;
      skip_quoted(c, false);
      if (c == '"') {
        const std::string name = unquoted(sql_.substr(begin, at_ - begin));
        piece_.sets_seed = piece_.sets_seed || is_setseed(name);
        note_name(name);
      }
    } else if ((c == 'e' || c == 'E') && peek(1) == '\'') {
      ++at_;
      skip_quoted('\'', true);
    } else if (c == '$') {
      dollar();
    } else if (c == '?') {
      piece_.places.push_back({"", at_, at_ + 1, false});
      ++at_;
      other_seen_ = true;
    } else if (is_word_start(c)) {
      const std::size_t begin = at_;
      while (at_ < sql_.size() && (is_word(sql_[at_]) || sql_[at_] == '$')) ++at_;
      const std::string_view word = sql_.substr(begin, at_ - begin);
      if (piece_.words.size() < 5 && !other_seen_) add_word(word);
      piece_.may_write = piece_.may_write || is_writing(word);
      piece_.sets_seed = piece_.sets_seed || is_setseed(word);
      note_name(word);
    } else if (is_digit(c)) {
      while (at_ < sql_.size() && is_word(sql_[at_])) ++at_;
      other_seen_ = true;
    } else {
      ++at_;
      other_seen_ = true;
    }
  }

  void note_name(std::string_view name) {
    if (names_ == nullptr) return;
    last_name_ = to_lower(name);
    names_->all.insert(last_name_);
  }

  // "a ""b""" -> a "b"
  static std::string unquoted(std::string_view text) {
    std::string out;
    for (std::size_t i = 1; i + 1 < text.size(); ++i) {
      out += text[i];
      if (text[i] == '"') ++i;
    }
    return out;
  }

  void add_word(std::string_view word) { piece_.words.push_back(upper_case(word)); }

  void skip_quoted(char quote, bool escapes) {
    other_seen_ = true;
    for (++at_; at_ < sql_.size(); ++at_) {
      if (escapes && sql_[at_] == '\\') {
        ++at_;
      } else if (sql_[at_] == quote) {
        if (peek(1) != quote) break;
        ++at_;
      }
    }
    at_ = std::min(at_ + 1, sql_.size());
  }

  void skip_comment() {
    int depth = 0;
    do {
      if (sql_[at_] == '/' && peek(1) == '*') {
        ++depth;
        at_ += 2;
      } else if (sql_[at_] == '*' && peek(1) == '/') {
        --depth;
        at_ += 2;
      } else {
        ++at_;
      }
    } while (depth > 0 && at_ < sql_.size());
    at_ = std::min(at_, sql_.size());
  }

  // $name, or a dollar-quoted string: $$text$$, $tag$text$tag$.
  void dollar() {
    other_seen_ = true;
    std::size_t end = at_ + 1;
    const bool positional = is_digit(peek(1));
    while (end < sql_.size() && (positional ? is_digit(sql_[end]) : is_word(sql_[end]))) ++end;
    const std::string_view name = sql_.substr(at_ + 1, end - at_ - 1);
    const bool tag = name.empty() || is_word_start(name.front());
    if (tag && end < sql_.size() && sql_[end] == '$') {
      const std::string_view delimiter = sql_.substr(at_, end + 1 - at_);
      const std::size_t close = sql_.find(delimiter, end + 1);
      at_ = close == std::string_view::npos ? sql_.size() : close + delimiter.size();
      return;
    }
    at_ = end;
    auto& names = piece_.parameters;
    if (name.empty()) return;
    const bool again = contains(names, name);
    piece_.places.push_back({std::string(name), end - name.size() - 1, end, again});
    if (!again) names.emplace_back(name);
  }

  void finish() {
    if (open_) pieces_.push_back(std::move(piece_));
    piece_ = {};
    open_ = other_seen_ = false;
  }

  std::string_view sql_;
  TextNames* names_;
  std::string last_name_;  // the token before this one, if it is a name
  std::size_t at_ = 0;
  SqlPiece piece_;
  bool open_ = false;
  bool other_seen_ = false;  // words behind the first other token are no leading keywords
  std::vector<SqlPiece> pieces_;
};

}  // namespace

std::vector<SqlPiece> split_sql(std::string_view sql) {
  return Scanner(sql).run();
}

TextNames names_in(std::string_view sql) {
  TextNames names;
  Scanner(sql, &names).run();
  return names;
}

std::ptrdiff_t RunText::source_position(std::size_t position) const {
  auto at = static_cast<std::ptrdiff_t>(position) - shift;
  for (const Insertion& insertion : insertions) {
    if (insertion.at >= position) break;
    at -= static_cast<std::ptrdiff_t>(std::min(insertion.size, position - insertion.at));
  }
  return at;
}

namespace {

// Copies a statement, with texts inserted between its bytes.
class Inserter {
 public:
  Inserter(std::string_view sql, const SqlPiece& piece)
      : sql_(sql), end_(piece.end), copied_(piece.begin) {
    out_.shift = -static_cast<std::ptrdiff_t>(piece.begin);
  }
  void insert(std::size_t before, std::string_view text) {
    copy_to(before);
    out_.insertions.push_back({out_.text.size(), text.size()});
    out_.text += text;
  }
  RunText finish() {
    copy_to(end_);
    return std::move(out_);
  }

 private:
  void copy_to(std::size_t end) {
    out_.text += sql_.substr(copied_, end - copied_);
    copied_ = end;
  }

  std::string_view sql_;
  std::size_t end_;
  std::size_t copied_;
  RunText out_;
};

}  // namespace

bool SqlPiece::repeats_parameter() const {
  return std::any_of(places.begin(), places.end(), [](const Place& place) { return place.again; });
}

std::vector<SqlPiece::Place> parameter_places(std::string_view sql) {
  std::vector<SqlPiece::Place> places;
  for (SqlPiece& piece : split_sql(sql)) {
    std::move(piece.places.begin(), piece.places.end(), std::back_inserter(places));
  }
  return places;
}

std::vector<std::string> parameter_names(const std::vector<SqlPiece>& pieces) {
  std::vector<std::string> names;
  for (const SqlPiece& piece : pieces) {
    for (const std::string& name : piece.parameters) {
      if (!contains(names, name)) names.push_back(name);
    }
  }
  return names;
}

RunText as_it_stands(std::string_view sql, const SqlPiece& piece) {
  return Inserter(sql, piece).finish();
}

namespace {

// Nobody else's names have these.
constexpr std::string_view kSuffix = "__mxcp_place";
constexpr std::string_view kPrefix = "mxcp_number__";

}  // namespace

RunText with_distinct_parameters(std::string_view sql, const SqlPiece& piece) {
  Inserter out(sql, piece);
  int count = 0;
  for (const SqlPiece::Place& place : piece.places) {
    if (!place.name.empty() && is_digit(place.name[0])) out.insert(place.begin + 1, kPrefix);
    if (place.again) out.insert(place.end, std::string(kSuffix) + std::to_string(++count));
  }
  return out.finish();
}

std::string plain_parameter_name(std::string_view name) {
  if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
  return std::string(name.substr(0, name.find(kSuffix)));
}

std::string with_plain_parameters(std::string_view text) {
  std::string out;
  while (true) {
    const std::size_t suffix = text.find(kSuffix), prefix = text.find(kPrefix);
    const std::size_t at = std::min(suffix, prefix);
    out += text.substr(0, at);
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + (at == suffix ? kSuffix : kPrefix).size());
    if (at == prefix) continue;
    while (!text.empty() && is_digit(text[0])) text.remove_prefix(1);
  }
}

RunText with_typed_parameters(std::string_view sql, const SqlPiece& piece,
                              const std::vector<std::pair<std::string, std::string>>& types) {
  Inserter out(sql, piece);
  for (const SqlPiece::Place& place : piece.places) {
    const auto type = std::find_if(types.begin(), types.end(), [&](const auto& entry) {
      return to_lower(entry.first) == to_lower(place.name);
    });
    if (type == types.end()) continue;
    out.insert(place.begin, "(");
    out.insert(place.end, "::" + type->second + ")");
  }
  return out.finish();
}

bool only_reads(std::string_view sql) {
  static constexpr std::array<std::string_view, 11> kQueries = {
      "SELECT",   "FROM", "WITH",    "VALUES", "TABLE",  "SHOW",
      "DESCRIBE", "DESC", "EXPLAIN", "PIVOT",  "UNPIVOT"};
  const std::vector<SqlPiece> pieces = split_sql(sql);
  return !pieces.empty() && std::all_of(pieces.begin(), pieces.end(), [&](const SqlPiece& piece) {
    return !piece.may_write && !piece.words.empty() && is_one_of(piece.words[0], kQueries);
  });
}

bool creates_temporary(const SqlPiece& piece) {
  const auto& words = piece.words;
  if (words.empty() || words[0] != "CREATE") return false;
  const std::size_t i = words.size() > 2 && words[1] == "OR" && words[2] == "REPLACE" ? 3 : 1;
  return words.size() > i && (words[i] == "TEMP" || words[i] == "TEMPORARY");
}

std::string quote_sql(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    out += c;
    if (c == quote) out += c;
  }
  return out += quote;
}

LineColumn line_column(std::string_view text, std::size_t offset) {
  LineColumn place;
  for (const char c : text.substr(0, offset)) {
    if (c == '\n') {
      ++place.line;
      place.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {
      ++place.column;
    }
  }
  return place;
}

}  // namespace mxcp::engine
