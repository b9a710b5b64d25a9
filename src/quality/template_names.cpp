#include "quality/template_names.h"

#include <algorithm>
#include <array>
#include <set>

namespace mxcp::quality {
namespace {

constexpr std::array<std::string_view, 12> kWords = {
    "and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "recursive", "ignore"};
constexpr std::array<std::string_view, 12> kGlobals = {"True",      "False",  "None",   "range",
                                                       "dict",      "lipsum", "cycler", "joiner",
                                                       "namespace", "loop",   "self",   "caller"};

template <std::size_t N>
bool is_one_of(std::string_view name, const std::array<std::string_view, N>& list) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

bool starts_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// A name, or an operator of one character ("==" is one token); strings and numbers are left out,
// represented by an empty token.
using Tokens = std::vector<std::string>;

Tokens tokenize(std::string_view code) {
  Tokens tokens;
  for (std::size_t i = 0; i < code.size();) {
    const char c = code[i];
    if (c == '\'' || c == '"') {
      for (++i; i < code.size() && code[i] != c; ++i) {
        if (code[i] == '\\') ++i;
      }
      ++i;
      tokens.emplace_back();
    } else if (starts_name(c)) {
      const std::size_t begin = i;
      while (i < code.size() && (starts_name(code[i]) || is_digit(code[i]))) ++i;
      tokens.emplace_back(code.substr(begin, i - begin));
    } else if (is_digit(c)) {
      while (i < code.size() &&
             (is_digit(code[i]) || starts_name(code[i]) ||
              (code[i] == '.' && i + 1 < code.size() && is_digit(code[i + 1])))) {
        ++i;
      }
      tokens.emplace_back();
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      ++i;
    } else if (code.substr(i, 2) == "==" || code.substr(i, 2) == "!=" ||
               code.substr(i, 2) == "<=" || code.substr(i, 2) == ">=") {
      tokens.emplace_back(code.substr(i, 2));
      i += 2;
    } else {
      tokens.emplace_back(1, c);
      ++i;
    }
  }
  return tokens;
}

bool is_name(const std::string& token) {
  return !token.empty() && starts_name(token.front());
}

class Analysis {
 public:
  // {{ ... }}
  void expression(const Tokens& tokens, std::size_t begin, std::size_t end) {
    int depth = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const std::string& token = tokens[i];
      if (token == "(") ++depth;
      if (token == ")") --depth;
      if (!is_name(token) || is_one_of(token, kWords)) continue;
      const std::string before = i > begin ? tokens[i - 1] : "";
      const bool attribute_or_filter = i > begin && (before == "." || before == "|");
      const bool test =
          before == "is" || (before == "not" && i > begin + 1 && tokens[i - 2] == "is");
      const bool keyword = depth > 0 && i + 1 < end && tokens[i + 1] == "=";
      if (attribute_or_filter || test || keyword) continue;
      used_.push_back(token);
    }
  }

  // {% ... %}
  void statement(const Tokens& tokens) {
    if (tokens.empty()) return;
    const std::string& word = tokens.front();
    const std::size_t end = tokens.size();
    if (word == "set") {
      const std::size_t equals = find(tokens, "=", 1);
      // {% set a.b = 1 %} changes a namespace; what stands before the dot is bound elsewhere.
      bind(tokens, 1, equals);
      expression(tokens, std::min(equals + 1, end), end);
    } else if (word == "for") {
      const std::size_t in = find(tokens, "in", 1);
      bind(tokens, 1, in);
      expression(tokens, std::min(in + 1, end), end);
    } else if (word == "with") {
      for (std::size_t i = 1; i + 1 < end; ++i) {
        if (is_name(tokens[i]) && tokens[i + 1] == "=" && (i == 1 || tokens[i - 1] == ",")) {
          bound_.insert(tokens[i]);
        }
      }
      expression(tokens, 1, end);
    } else if (word == "macro" || word == "call") {
      // Names of the macro and of its arguments; defaults are seldom more than literals.
      bind(tokens, 1, end);
      if (word == "call") {
        const std::size_t close = tokens.size() > 1 && tokens[1] == "(" ? find(tokens, ")", 1) : 0;
        expression(tokens, close + 1, end);
      }
    } else if (word == "import" || word == "from") {
      bind(tokens, find(tokens, word == "from" ? "import" : "as", 1), end);
    } else if (word == "if" || word == "elif" || word == "do" || word == "include" ||
               word == "extends") {
      expression(tokens, 1, end);
    } else if (word == "filter") {
      expression(tokens, std::min<std::size_t>(2, end), end);
    }
  }

  std::vector<std::string> free_names() const {
    std::vector<std::string> out;
    for (const std::string& name : used_) {
      if (bound_.count(name) != 0 || is_one_of(name, kGlobals)) continue;
      if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
    }
    return out;
  }

 private:
  static std::size_t find(const Tokens& tokens, std::string_view wanted, std::size_t from) {
    return static_cast<std::size_t>(
        std::find(tokens.begin() + static_cast<std::ptrdiff_t>(std::min(from, tokens.size())),
                  tokens.end(), wanted) -
        tokens.begin());
  }

  void bind(const Tokens& tokens, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < std::min(end, tokens.size()); ++i) {
      if (is_name(tokens[i])) bound_.insert(tokens[i]);
    }
  }

  std::vector<std::string> used_;
  std::set<std::string> bound_;
};

// The code between the delimiters, without the signs that trim white space.
std::string_view inside(std::string_view code) {
  const auto is_sign = [](char c) { return c == '-' || c == '+'; };
  if (!code.empty() && is_sign(code.front())) code.remove_prefix(1);
  if (!code.empty() && is_sign(code.back())) code.remove_suffix(1);
  return code;
}

// Where the delimiter stands outside of strings; npos when it does not.
std::size_t find_end(std::string_view text, std::size_t from, std::string_view delimiter) {
  for (std::size_t i = from; i < text.size(); ++i) {
    if (text.substr(i, 2) == delimiter) return i;
    if (text[i] == '\'' || text[i] == '"') {
      const char quote = text[i];
      for (++i; i < text.size() && text[i] != quote; ++i) {
        if (text[i] == '\\') ++i;
      }
    }
  }
  return std::string_view::npos;
}

}  // namespace

std::vector<std::string> free_names(std::string_view text) {
  Analysis analysis;
  bool raw = false;
  for (std::size_t i = 0; i + 1 < text.size();) {
    const std::string_view open = text.substr(i, 2);
    if (open == "{#" && !raw) {
      const std::size_t end = text.find("#}", i + 2);
      if (end == std::string_view::npos) break;
      i = end + 2;
    } else if ((open == "{{" && !raw) || open == "{%") {
      const std::size_t end = find_end(text, i + 2, open == "{{" ? "}}" : "%}");
      if (end == std::string_view::npos) break;
      const Tokens tokens = tokenize(inside(text.substr(i + 2, end - i - 2)));
      const std::string word = tokens.empty() ? "" : tokens.front();
      if (open == "{%" && (word == "raw" || word == "endraw")) {
        raw = word == "raw";
      } else if (!raw && open == "{%") {
        analysis.statement(tokens);
      } else if (!raw) {
        analysis.expression(tokens, 0, tokens.size());
      }
      i = raw && open == "{%" && word != "raw" ? i + 2 : end + 2;
    } else {
      ++i;
    }
  }
  return analysis.free_names();
}

}  // namespace mxcp::quality
