#include "quality/template_names.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/ascii.h"
#include "base/error.h"

namespace mxcp::quality {
namespace {

constexpr std::array<std::string_view, 12> kWords = {
    "and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "recursive", "ignore"};
constexpr std::array<std::string_view, 14> kGlobals = {
    "True",   "False",     "None", "range", "dict",   "lipsum",  "cycler",
    "joiner", "namespace", "loop", "self",  "caller", "varargs", "kwargs"};

// Of Jinja 3.0 and 3.1, which alone has the filter `items`.
constexpr std::array<std::string_view, 54> kFilters = {
    "abs",    "attr",       "batch",       "capitalize", "center",   "count",
    "d",      "default",    "dictsort",    "e",          "escape",   "filesizeformat",
    "first",  "float",      "forceescape", "format",     "groupby",  "indent",
    "int",    "items",      "join",        "last",       "length",   "list",
    "lower",  "map",        "max",         "min",        "pprint",   "random",
    "reject", "rejectattr", "replace",     "reverse",    "round",    "safe",
    "select", "selectattr", "slice",       "sort",       "string",   "striptags",
    "sum",    "title",      "tojson",      "trim",       "truncate", "unique",
    "upper",  "urlencode",  "urlize",      "wordcount",  "wordwrap", "xmlattr"};
constexpr std::array<std::string_view, 33> kTests = {
    "boolean", "callable", "defined",  "divisibleby", "eq",       "equalto",     "escaped",
    "even",    "false",    "filter",   "float",       "ge",       "greaterthan", "gt",
    "in",      "integer",  "iterable", "le",          "lessthan", "lower",       "lt",
    "mapping", "ne",       "none",     "number",      "odd",      "sameas",      "sequence",
    "string",  "test",     "true",     "undefined",   "upper"};

template <std::size_t N>
bool is_one_of(std::string_view name, const std::array<std::string_view, N>& list) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

bool starts_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Statements that end with {% end... %}; `set` does when it has no "=".
constexpr std::array<std::string_view, 10> kBlocks = {
    "if", "for", "block", "macro", "call", "filter", "with", "autoescape", "set", "raw"};
constexpr std::array<std::string_view, 7> kSingle = {"elif",   "else", "extends", "include",
                                                     "import", "from", "print"};
// Those that take another template, of which a prompt has none.
constexpr std::array<std::string_view, 4> kLoading = {"extends", "include", "import", "from"};
// Those that mean nothing without an expression.
constexpr std::array<std::string_view, 5> kNeedMore = {"if", "elif", "for", "set", "include"};

// A name, or an operator of one character ("==" is one token); strings and numbers have no text.
struct Token {
  std::string text;
  std::size_t offset = 0;  // in the template

  bool operator==(std::string_view other) const { return text == other; }
};
using Tokens = std::vector<Token>;

// `start`: where `code` stands in the template.
Tokens tokenize(std::string_view code, std::size_t start) {
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
      tokens.push_back({std::string(code.substr(begin, i - begin)), start + begin});
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
      tokens.push_back({std::string(code.substr(i, 2)), start + i});
      i += 2;
    } else {
      tokens.push_back({std::string(1, c), start + i});
      ++i;
    }
  }
  return tokens;
}

bool is_name(const Token& token) {
  return !token.text.empty() && starts_name(token.text.front());
}

// Statements behind whose end the names that they bind are gone. What is set in other blocks counts
// as set around them.
constexpr std::array<std::string_view, 4> kScopes = {"with", "for", "macro", "call"};

class Analysis {
 public:
  // {{ ... }}
  void expression(const Tokens& tokens, std::size_t begin, std::size_t end) {
    use(tokens, begin, end, scope_);
  }

  // {% ... %}
  void statement(const Tokens& tokens) {
    if (tokens.empty()) return;
    const std::string& word = tokens.front().text;
    const std::size_t end = tokens.size();
    if (word.starts_with("end")) {
      const Scope& open = scopes_[scope_];
      if (!open.word.empty() && word.substr(3) == open.word) scope_ = open.parent;
      return;
    }
    const std::size_t outside = scope_;
    if (word == "macro" && end > 1) bind(tokens, 1, 2);
    if (is_one_of(word, kScopes)) {
      scopes_.push_back({scope_, word, {}});
      scope_ = scopes_.size() - 1;
    }
    if (word == "set") {
      const std::size_t equals = find(tokens, "=", 1);
      // {% set a.b = 1 %} changes a namespace; what stands before the dot is bound elsewhere.
      bind(tokens, 1, std::min(equals, find(tokens, "|", 1)));
      expression(tokens, std::min(equals + 1, end), end);
    } else if (word == "for") {
      const std::size_t in = find(tokens, "in", 1);
      bind(tokens, 1, in);
      expression(tokens, std::min(in + 1, end), end);
    } else if (word == "with") {
      bind_with(tokens, outside);
    } else if (word == "macro" || word == "call") {
      // Names of the macro and of its arguments; defaults are seldom more than literals.
      bind(tokens, 1, end);
      if (word == "call") {
        const std::size_t close = tokens.size() > 1 && tokens[1] == "(" ? find(tokens, ")", 1) : 0;
        use(tokens, close + 1, end, outside);
      }
    } else if (word == "import" || word == "from") {
      bind(tokens, find(tokens, word == "from" ? "import" : "as", 1), end);
    } else if (word == "if" || word == "elif" || word == "print" || word == "include" ||
               word == "extends") {
      expression(tokens, 1, end);
    } else if (word == "filter") {
      expression(tokens, std::min<std::size_t>(2, end), end);
    }
  }

  std::vector<TemplateName> free_names() const {
    std::vector<TemplateName> out;
    std::set<std::string> seen;
    for (const auto& [name, scope] : used_) {
      if (is_bound(name.text, scope) || is_one_of(name.text, kGlobals)) continue;
      if (seen.insert(name.text).second) {
        out.push_back({name.text, name.offset, bound_elsewhere(name.text)});
      }
    }
    return out;
  }

 private:
  struct Scope {
    std::size_t parent = 0;
    std::string word;  // that begins it; "" of the template itself
    std::set<std::string> bound;
  };
  struct Use {
    Token name;
    std::size_t scope = 0;
  };

  void use(const Tokens& tokens, std::size_t begin, std::size_t end, std::size_t scope) {
    int depth = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const Token& token = tokens[i];
      if (token == "(") ++depth;
      if (token == ")") --depth;
      if (!is_name(token) || is_one_of(token.text, kWords)) continue;
      const std::string_view before = i > begin ? std::string_view(tokens[i - 1].text) : "";
      const bool attribute_or_filter = i > begin && (before == "." || before == "|");
      const bool test =
          before == "is" || (before == "not" && i > begin + 1 && tokens[i - 2] == "is");
      const bool keyword = depth > 0 && i + 1 < end && tokens[i + 1] == "=";
      if (attribute_or_filter || test || keyword) continue;
      used_.push_back({token, scope});
    }
  }

  // The values are those of outside: {% with a = a %}.
  void bind_with(const Tokens& tokens, std::size_t outside) {
    std::size_t value = 1;
    for (std::size_t i = 1; i + 1 < tokens.size(); ++i) {
      if (!is_name(tokens[i]) || !(tokens[i + 1] == "=")) continue;
      if (i > 1 && !(tokens[i - 1] == ",")) continue;
      use(tokens, value, i, outside);
      scopes_[scope_].bound.insert(tokens[i].text);
      value = i + 2;
    }
    use(tokens, std::min(value, tokens.size()), tokens.size(), outside);
  }

  static std::size_t find(const Tokens& tokens, std::string_view wanted, std::size_t from) {
    return static_cast<std::size_t>(
        std::find(tokens.begin() + static_cast<std::ptrdiff_t>(std::min(from, tokens.size())),
                  tokens.end(), wanted) -
        tokens.begin());
  }

  void bind(const Tokens& tokens, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < std::min(end, tokens.size()); ++i) {
      if (is_name(tokens[i])) scopes_[scope_].bound.insert(tokens[i].text);
    }
  }

  bool is_bound(const std::string& name, std::size_t scope) const {
    while (scopes_[scope].bound.count(name) == 0) {
      if (scope == 0) return false;
      scope = scopes_[scope].parent;
    }
    return true;
  }

  std::string bound_elsewhere(const std::string& name) const {
    const auto found = std::find_if(scopes_.begin(), scopes_.end(), [&](const Scope& scope) {
      return scope.bound.count(name) != 0;
    });
    return found == scopes_.end() ? "" : found->word;
  }

  std::vector<Use> used_;
  std::vector<Scope> scopes_{1};
  std::size_t scope_ = 0;  // the innermost that is open
};

// Which statements are open, and what is wrong with the tags.
class Structure {
 public:
  void expression(const Tokens& tokens, std::size_t offset) {
    if (tokens.empty()) add("there is no expression between {{ and }}", "", offset);
    check_names(tokens);
  }

  void statement(const Tokens& tokens, std::size_t offset) {
    if (tokens.empty()) return add("there is no statement between {% and %}", "", offset);
    const std::string& word = tokens.front().text;
    if (word.starts_with("end") && is_one_of(word.substr(3), kBlocks)) return end(word, offset);
    if (!is_one_of(word, kBlocks) && !is_one_of(word, kSingle)) {
      std::vector<std::string_view> known(kBlocks.begin(), kBlocks.end());
      known.insert(known.end(), kSingle.begin(), kSingle.end());
      unknown_ = true;
      return add("Jinja has no statement '" + word + "'", suggest(word, known), offset);
    }
    check_names(tokens);
    if (is_one_of(word, kLoading)) {
      return add("'" + word + "' takes another template, and a prompt has only its own text",
                 "write the text here", offset);
    }
    if (is_one_of(word, kNeedMore) && tokens.size() == 1) {
      add("'" + word + "' has no expression", "", offset);
    }
    if (word == "elif" || word == "else") {
      const bool fits = !open_.empty() && (open_.back().name == "if" ||
                                           (word == "else" && open_.back().name == "for"));
      if (!fits) add("'" + word + "' stands outside of an 'if'", "", offset);
      return;
    }
    const bool has_value = std::find(tokens.begin(), tokens.end(), "=") != tokens.end();
    if (is_one_of(word, kBlocks) && !(word == "set" && has_value)) open_.push_back({word, offset});
  }

  void unclosed(std::string_view opening, std::string_view closing, std::size_t offset) {
    add("this '" + std::string(opening) + "' is never closed", "add '" + std::string(closing) + "'",
        offset);
  }

  std::vector<TemplateProblem> finish() {
    if (problems_.empty()) {
      for (const TemplateName& block : open_) {
        add("'" + block.name + "' is never ended", "add '{% end" + block.name + " %}'",
            block.offset);
      }
    }
    return std::move(problems_);
  }

 private:
  void add(std::string message, std::string hint, std::size_t offset) {
    problems_.push_back({std::move(message), std::move(hint), offset});
  }

  // Filters and tests that do not exist: Jinja refuses them before it renders anything.
  void check_names(const Tokens& tokens) {
    const bool is_filter_block = !tokens.empty() && tokens.front() == "filter";
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
      if (tokens[i] == "|" || (is_filter_block && i == 0)) {
        check_name(tokens, i + 1, "filter", kFilters);
      } else if (tokens[i] == "is" && i > 0 && !(tokens[i - 1] == ".")) {
        check_name(tokens, tokens[i + 1] == "not" ? i + 2 : i + 1, "test", kTests);
      }
    }
  }

  template <std::size_t N>
  void check_name(const Tokens& tokens, std::size_t at, const std::string& what,
                  const std::array<std::string_view, N>& known) {
    if (at >= tokens.size() || !is_name(tokens[at])) return;
    std::string name = tokens[at].text;
    for (std::size_t i = at + 1; i + 1 < tokens.size() && tokens[i] == "."; i += 2) {
      name += "." + tokens[i + 1].text;
    }
    if (is_one_of(name, known)) return;
    add("Jinja has no " + what + " '" + name + "'", suggest(name, known), tokens[at].offset);
    problems_.back().what = what;
    problems_.back().name = std::move(name);
  }

  void end(const std::string& word, std::size_t offset) {
    if (!open_.empty() && "end" + open_.back().name == word) return open_.pop_back();
    if (unknown_) return;  // it may end that one
    const std::string inner = open_.empty() ? "" : "end" + open_.back().name;
    add("'" + word + "' ends nothing that is open here",
        inner.empty() ? "" : "'" + inner + "' has to come first", offset);
  }

  std::vector<TemplateName> open_;
  bool unknown_ = false;  // a statement that Jinja does not have was seen
  std::vector<TemplateProblem> problems_;
};

// The code between the delimiters, without the signs that trim white space; `start` is where it
// begins.
std::string_view inside(std::string_view code, std::size_t& start) {
  const auto is_sign = [](char c) { return c == '-' || c == '+'; };
  if (!code.empty() && is_sign(code.front())) {
    code.remove_prefix(1);
    ++start;
  }
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

TemplateReading read_template(std::string_view text) {
  constexpr auto kNowhere = std::string_view::npos;
  Analysis analysis;
  Structure structure;
  bool raw = false, has_code = false;
  for (std::size_t i = 0; i + 1 < text.size();) {
    const std::string_view open = text.substr(i, 2);
    if (open == "{#" && !raw) {
      const std::size_t end = text.find("#}", i + 2);
      if (end == kNowhere) {
        structure.unclosed(open, "#}", i);
        break;
      }
      i = end + 2;
    } else if ((open == "{{" && !raw) || open == "{%") {
      has_code = true;
      const std::string_view close = open == "{{" ? "}}" : "%}";
      const std::size_t end = find_end(text, i + 2, close);
      if (end == kNowhere) {
        if (!raw) structure.unclosed(open, close, i);
        break;
      }
      std::size_t start = i + 2;
      const std::string_view code = inside(text.substr(start, end - start), start);
      const Tokens tokens = tokenize(code, start);
      const std::string word = tokens.empty() ? "" : tokens.front().text;
      if (open == "{%" && (word == "endraw" || (word == "raw" && !raw))) {
        structure.statement(tokens, i);
        raw = word == "raw";
        i = end + 2;
      } else if (raw) {
        i += 2;
      } else {
        if (open == "{%") {
          analysis.statement(tokens);
          structure.statement(tokens, i);
        } else {
          analysis.expression(tokens, 0, tokens.size());
          structure.expression(tokens, i);
        }
        i = end + 2;
      }
    } else {
      ++i;
    }
  }
  return {analysis.free_names(), structure.finish(), has_code};
}

}  // namespace mxcp::quality
