// What yaml-cpp says about a mistake is terse and often points behind it. The rules below look at
// the lines around the place and name the usual causes.
#include <algorithm>
#include <cctype>
#include <cstddef>
#include <optional>
#include <utility>

#include "base/text.h"
#include "base/yaml_text.h"

namespace mxcp::yaml {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

class Explainer {
 public:
  Explainer(const Text& text, const SyntaxProblem& problem)
      : text_(text),
        problem_(problem),
        line_(std::min(problem.line, text.line_count() - 1)),
        column_(problem.column),
        content_(text.line(line_)) {}

  Error explain() const {
    if (auto error = tab_indentation()) return *std::move(error);
    const std::string& said = problem_.message;
    const auto says = [&](std::string_view part) { return said.find(part) != kNone; };
    if (says("illegal tab")) {
      return error("a tab stands where YAML allows only spaces", line_, column_,
                   "replace it by spaces");
    }
    if (says("unknown token")) return unknown_token();
    if (says("illegal map value")) return map_value();
    if (says("end of map flow") || says("end of sequence flow")) return open_flow();
    if (says("end of map not found") || says("end of sequence not found")) return end_of_block();
    if (says("illegal flow end")) {
      return error(std::string("there is no bracket that this '") + char_here() + "' closes", line_,
                   column_, "remove it, or put text that contains brackets in quotes");
    }
    if (says("illegal block entry")) {
      return error("a list item cannot begin on the line of its key", line_, column_,
                   "put '- ...' on a line of its own, or text that begins with '-' in quotes");
    }
    if (says("illegal map key")) {
      return error("'? ' cannot stand here", line_, column_,
                   "put text that begins with '?' in quotes");
    }
    if (says("referenced anchor is not defined") || says("alias") || says("anchor")) {
      return anchor_or_alias();
    }
    if (says("unexpected character in block scalar") || says("cannot set zero indentation")) {
      return error("after '|' or '>' only a number from 1 to 9, '+' or '-' may stand", line_,
                   column_, "begin the text on the next line, indented");
    }
    if (says("unknown escape character")) {
      return error("'" + std::string(content_.substr(column_ > 1 ? column_ - 2 : 0, 2)) +
                       "' is no escape that double quotes know",
                   line_, column_ > 1 ? column_ - 2 : 0,
                   "write '\\\\' for a backslash, or use single quotes");
    }
    if (says("illegal EOF in scalar")) return unclosed_quote();
    if (says("illegal document indicator")) {
      return error(
          "'---' or '...' at the start of a line ends the document, but a quoted text is "
          "still open",
          line_, 0, "close the quote before, or indent the line");
    }
    if (says("deep") || said.empty()) return error("values are nested too deeply", line_, column_);
    return error("YAML syntax: " + said, line_, column_);
  }

 private:
  Error error(std::string message, std::size_t line, std::size_t column,
              std::string hint = {}) const {
    return {Code::kConfig, std::move(message), text_.place(line, column), std::move(hint)};
  }

  char char_at(std::size_t line, std::size_t column) const {
    const std::string_view content = text_.line(line);
    return column < content.size() ? content[column] : '\0';
  }
  char char_here() const { return char_at(line_, column_); }

  // The nearest line above that is not blank; nothing at the top.
  std::optional<std::size_t> line_above(std::size_t line) const {
    while (line-- > 0) {
      if (!is_blank(text_.line(line))) return line;
    }
    return {};
  }

  static std::string quoted(std::string_view value) {
    const std::string_view body = trim(value);
    const char mark = body.find('"') == kNone ? '"' : '\'';
    return mark + shorten(body, 60) + mark;
  }

  std::optional<Error> tab_indentation() const {
    // At the place, or on the lines between it and the last thing that was understood.
    const std::size_t first =
        problem_.has_scalar ? std::min(text_.line_of(problem_.last_scalar), line_) : 0;
    for (std::size_t line = first; line <= line_; ++line) {
      const std::string_view content = text_.line(line);
      const auto tab = content.find('\t');
      if (is_blank(content) || tab == kNone || tab >= indentation(content)) continue;
      return error("a tab is used to indent; YAML allows only spaces", line, tab,
                   "replace it by spaces");
    }
    return {};
  }

  Error unknown_token() const {
    const char first = char_here();
    if (first == '@' || first == '`' || first == '%') {
      return error(std::string("a value cannot begin with '") + first + "'", line_, column_,
                   "write " + quoted(content_.substr(column_)));
    }
    return error(std::string("unexpected '") + first + "'", line_, column_,
                 "put the text in quotes");
  }

  // "name:foo" -> the column of the colon.
  static std::optional<std::size_t> colon_without_space(std::string_view content) {
    std::size_t at = indentation(content);
    while (content.substr(at, 2) == "- ") at += 2;
    const std::size_t begin = at;
    while (at < content.size() && (std::isalnum(static_cast<unsigned char>(content[at])) != 0 ||
                                   content[at] == '_' || content[at] == '-')) {
      ++at;
    }
    if (at == begin || at + 1 >= content.size() || content[at] != ':' || content[at + 1] == ' ' ||
        content[at + 1] == '/') {
      return {};
    }
    return at;
  }

  // The column of the first ": " (or ":" at the end) outside quotes; nothing when there is none.
  static std::optional<std::size_t> key_colon(std::string_view content) {
    char quote = '\0';
    for (std::size_t i = 0; i < content.size(); ++i) {
      if (quote != '\0') {
        if (content[i] == quote) quote = '\0';
      } else if ((content[i] == '"' || content[i] == '\'') && (i == 0 || content[i - 1] == ' ')) {
        quote = content[i];
      } else if (content[i] == ':' && (i + 1 == content.size() || content[i + 1] == ' ')) {
        return i;
      }
    }
    return {};
  }

  Error missing_space(std::size_t line, std::size_t colon) const {
    const std::string_view content = text_.line(line);
    const std::string_view key = trim(content.substr(0, colon));
    return error(
        "a space is missing after the colon in '" + shorten(trim(content), 60) + "'", line, colon,
        "write '" + shorten(std::string(key) + ": " + std::string(content.substr(colon + 1)), 60) +
            "'");
  }

  Error map_value() const {
    const auto first_colon = key_colon(content_);
    if (first_colon && *first_colon < column_) {
      const std::string_view value = content_.substr(*first_colon + 1);
      return error("a value that contains ': ' must be in quotes", line_, column_,
                   "write " + quoted(value));
    }
    if (const auto above = line_above(line_)) {
      const std::string_view before = text_.line(*above);
      if (const auto colon = colon_without_space(before)) return missing_space(*above, *colon);
      const auto colon = key_colon(before);
      if (colon && indentation(content_) > indentation(before)) {
        const std::string_view key = trim(before.substr(0, *colon));
        return error(
            "this line is indented under '" + shorten(key, 40) + "', which already has a value",
            line_, indentation(content_),
            "align it with '" + shorten(key, 40) + "', or remove that value");
      }
      if (!colon) {
        return error("'" + shorten(trim(before), 60) + "' is not followed by a colon", *above,
                     indentation(before), "write 'key: value'");
      }
    }
    return error("a ':' cannot stand here", line_, column_,
                 "put text that contains ': ' in quotes");
  }

  Error open_flow() const {
    if (!problem_.in_flow) {
      return error("a bracket is never closed", line_, column_, "add ']' or '}'");
    }
    const std::size_t open_line = text_.line_of(problem_.flow_start);
    const std::size_t open_column = text_.column_of(problem_.flow_start);
    const bool list = text_.all()[problem_.flow_start] == '[';
    const char closing = list ? ']' : '}';
    if (problem_.line == open_line && problem_.column > open_column &&
        content_.find(closing, column_) != kNone) {
      return error("a comma is missing before this", line_, column_,
                   "separate the entries by ', ', or put text with ':' or brackets in quotes");
    }
    return error(std::string("this '") + (list ? '[' : '{') + "' is never closed", open_line,
                 open_column, std::string("add '") + closing + "'");
  }

  // A token that the surrounding block cannot hold.
  Error end_of_block() const {
    const std::size_t at = text_.offset_of(line_, column_);
    if (problem_.quoted_end != 0 && problem_.quoted_end <= at &&
        trim(std::string_view(text_.all()).substr(problem_.quoted_end, at - problem_.quoted_end))
            .empty() &&
        text_.line_of(problem_.quoted_end - 1) == line_) {
      return after_quote();
    }
    const std::size_t indent = indentation(content_);
    if (column_ > indent) {
      const std::string_view before = trim(content_.substr(0, column_));
      if (!before.empty() && (before.back() == ']' || before.back() == '}')) {
        return error(std::string("unexpected text after '") + before.back() + "'", line_, column_,
                     "put the whole value in quotes");
      }
      return error(std::string("unexpected '") + char_here() + "'", line_, column_,
                   "put the whole value in quotes");
    }
    return indentation_mismatch(indent);
  }

  Error after_quote() const {
    const std::size_t begin_line = text_.line_of(problem_.last_scalar);
    const char quote = text_.all()[problem_.last_scalar];
    if (begin_line != line_) {
      return error(std::string("the text that begins with ") + quote + " here ends only on line " +
                       std::to_string(line_ + 1),
                   begin_line, text_.column_of(problem_.last_scalar),
                   std::string("a closing ") + quote + " is probably missing on this line");
    }
    const char* const hint =
        quote == '\''
            ? "inside single quotes write '' for an apostrophe, or use double quotes"
            : "inside double quotes write \\\" for a quote, or put it all in single quotes";
    return error(std::string("unexpected text after the closing ") + quote, line_, column_, hint);
  }

  Error indentation_mismatch(std::size_t indent) const {
    if (problem_.has_scalar) {
      const char first =
          problem_.last_scalar < text_.all().size() ? text_.all()[problem_.last_scalar] : '\0';
      const std::size_t header = text_.line_of(problem_.last_scalar);
      if ((first == '|' || first == '>') && header < line_ &&
          indent > indentation(text_.line(header))) {
        return error("this line is indented less than the first line of its text block", line_,
                     indent, "give all lines of the block at least the indentation of the first");
      }
    }
    const bool item = is_item(content_);
    for (auto above = line_above(line_); above; above = line_above(*above)) {
      const std::string_view before = text_.line(*above);
      const std::size_t other = indentation(before);
      if (other > indent) continue;
      if (other < indent) break;
      if (item && !is_item(before)) {
        return error(
            "a list item cannot stand beside the key on line " + std::to_string(*above + 1), line_,
            indent, "indent it under the key it belongs to");
      }
      if (!item && is_item(before)) {
        return error(
            "a key cannot stand beside the list item on line " + std::to_string(*above + 1), line_,
            indent, "begin it with '- ', or align it with the key that it belongs to");
      }
      break;
    }
    return error("the indentation of this line (" + plural(indent, "space") +
                     ") fits none of the lines above",
                 line_, indent, "align it with the keys that it belongs to");
  }

  static bool is_item(std::string_view content) {
    const std::string_view body = trim(content);
    return body == "-" || body.substr(0, 2) == "- ";
  }

  Error anchor_or_alias() const {
    std::size_t column = column_;
    while (column > 0 && char_at(line_, column) != '*' && char_at(line_, column) != '&') --column;
    const char mark = char_at(line_, column);
    if (mark != '*' && mark != '&')
      return error("YAML syntax: " + problem_.message, line_, column_);
    const std::string_view value = content_.substr(column);
    const std::string_view word = value.substr(0, value.find_first_of(" \t,]}"));
    const bool name = word.size() > 1 && std::all_of(word.begin() + 1, word.end(), [](char c) {
                        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' ||
                               c == '-' || c == '.';
                      });
    if (name && problem_.message.find("not defined") != kNone) {
      return error("'" + shorten(word, 40) + "' refers to an anchor '&" +
                       shorten(word.substr(1), 40) + "' that is not defined above",
                   line_, column, "if it is meant as text, write " + quoted(value));
    }
    return error(std::string("a value cannot begin with '") + mark + "'", line_, column,
                 "write " + quoted(value));
  }

  // yaml-cpp reports the end of the file; the quote stands behind the last key or value it read.
  Error unclosed_quote() const {
    std::size_t at = 0;
    if (problem_.has_scalar) {
      at = problem_.quoted_end != 0 ? problem_.quoted_end : problem_.last_scalar + 1;
    }
    const std::string& all = text_.all();
    for (at = all.find_first_of("\"'", at); at != std::string::npos;
         at = all.find_first_of("\"'", at + 1)) {
      const char before = at == 0 ? ' ' : all[at - 1];
      if (before != ' ' && before != '\n' && before != '[' && before != '{' && before != ',') {
        continue;
      }
      return error(std::string("the text that begins with ") + all[at] + " here is never closed",
                   text_.line_of(at), text_.column_of(at),
                   std::string("add ") + all[at] + " at its end");
    }
    return error("a quoted text is never closed", line_, column_);
  }

  const Text& text_;
  const SyntaxProblem& problem_;
  const std::size_t line_;
  const std::size_t column_;
  const std::string_view content_;
};

}  // namespace

Error explain(const Text& text, const SyntaxProblem& problem) {
  return Explainer(text, problem).explain();
}

}  // namespace mxcp::yaml
