// What libyaml says about a mistake is terse and often points behind it. The rules below look at
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
        line_(text.line_of(problem.offset)),
        column_(text.column_of(problem.offset)),
        content_(text.line(line_)) {}

  Error explain() const {
    if (auto error = tab_indentation()) return *std::move(error);
    if (says("tab character") || char_here() == '\t') {
      return error("a tab stands where YAML allows only spaces", line_, column_,
                   "replace it by spaces");
    }
    if (says("cannot start any token")) return unknown_token();
    if (says("mapping values are not allowed")) return map_value();
    if (says("expected ',' or")) return open_flow();
    if (says("expected node content")) return missing_node();
    if (says("expected ':'")) return missing_colon();
    if (says("expected key") || says("expected '-'") || says("expected <document start>")) {
      return end_of_block();
    }
    if (says("block sequence entries are not allowed")) {
      return error("a list item cannot begin on the line of its key", line_, column_,
                   "put '- ...' on a line of its own, or text that begins with '-' in quotes");
    }
    if (says("mapping keys are not allowed")) {
      return error("'? ' cannot stand here", line_, column_,
                   "put text that begins with '?' in quotes");
    }
    if (during("an alias") || during("an anchor")) return anchor_or_alias(false);
    if (during("a block scalar")) {
      return error("after '|' or '>' only a number from 1 to 9, '+' or '-' may stand", line_,
                   column_, "begin the text on the next line, indented");
    }
    if (during("a tag") || says("tag handle")) {
      return error("this YAML tag cannot be read", context_line(), context_column(),
                   "put text that begins with '!' in quotes");
    }
    if (during("a quoted scalar")) return quoted_text();
    if (says("control characters are not allowed")) {
      return error("YAML does not allow the character at this place", line_, column_,
                   "remove it, or write it as an escape in a double-quoted text");
    }
    return error("YAML syntax: " + problem_.message, line_, column_);
  }

  // `undefined`: whether the name can be read but no anchor has it.
  Error anchor_or_alias(bool undefined) const {
    const std::size_t column = undefined ? column_ : context_column();
    const char mark = char_at(line_, column);
    const std::string_view value = content_.substr(std::min(column, content_.size()));
    const std::string_view word = value.substr(0, value.find_first_of(" \t,]}"));
    if (undefined) {
      return error("'" + shorten(word, 40) + "' refers to an anchor '&" +
                       shorten(word.substr(1), 40) + "' that is not defined above",
                   line_, column, "if it is meant as text, write " + quoted(value));
    }
    return error(std::string("a value cannot begin with '") + mark + "'", line_, column,
                 "write " + quoted(value));
  }

 private:
  bool says(std::string_view part) const { return problem_.message.find(part) != kNone; }
  bool during(std::string_view part) const { return problem_.context.find(part) != kNone; }
  std::size_t context_line() const { return text_.line_of(problem_.context_offset); }
  std::size_t context_column() const { return text_.column_of(problem_.context_offset); }

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
    const std::size_t open_line = context_line();
    const std::size_t open_column = context_column();
    const char closing = text_.all()[problem_.context_offset] == '[' ? ']' : '}';
    if (line_ == open_line && column_ > open_column && content_.find(closing, column_) != kNone) {
      return error("a comma is missing before this", line_, column_,
                   "separate the entries by ', ', or put text with ':' or brackets in quotes");
    }
    return never_closed(problem_.context_offset);
  }

  Error never_closed(std::size_t bracket) const {
    const char opening = text_.all()[bracket];
    const char closing = opening == '[' ? ']' : '}';
    return error(std::string("this '") + opening + "' is never closed", text_.line_of(bracket),
                 text_.column_of(bracket), std::string("add '") + closing + "'");
  }

  // Between commas or brackets, or after a key.
  Error missing_node() const {
    const char found = char_here();
    if (found == ',' && during("flow")) {
      return error("a value is missing before this ','", line_, column_,
                   "remove the comma, or write the value");
    }
    if (found == '\0' && problem_.open_bracket) return never_closed(*problem_.open_bracket);
    if (found == '\0') return error("a value is missing here", line_, column_);
    return unexpected();
  }

  Error missing_colon() const {
    const std::size_t line = context_line();
    const std::string_view content = text_.line(line);
    if (auto error = less_than_text_block(line)) return *std::move(error);
    if (const auto colon = colon_without_space(content)) return missing_space(line, *colon);
    const std::string_view key = trim(content.substr(context_column()));
    const bool quote = key[0] == '"' || key[0] == '\'';
    return error("'" + shorten(key, 60) + "' is not followed by a colon", line, context_column(),
                 quote ? "write 'key: value'" : "write '" + shorten(key, 60) + ": value'");
  }

  Error unexpected() const {
    return error(std::string("unexpected '") + char_here() + "'", line_, column_,
                 "put the whole value in quotes");
  }

  // A token that the surrounding block cannot hold.
  Error end_of_block() const {
    const std::size_t at = problem_.offset;
    const char found = char_here();
    if (found == ']' || found == '}') {
      return error(std::string("there is no bracket that this '") + found + "' closes", line_,
                   column_, "remove it, or put text that contains brackets in quotes");
    }
    if (found == ':') return error("a key is missing before the colon", line_, column_);
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
      return unexpected();
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

  std::optional<Error> less_than_text_block(std::size_t line) const {
    if (!problem_.has_scalar) return {};
    const std::size_t indent = indentation(text_.line(line));
    const char first =
        problem_.last_scalar < text_.all().size() ? text_.all()[problem_.last_scalar] : '\0';
    const std::size_t header = text_.line_of(problem_.last_scalar);
    if ((first != '|' && first != '>') || header >= line ||
        indent <= indentation(text_.line(header))) {
      return {};
    }
    return error("this line is indented less than the first line of its text block", line, indent,
                 "give all lines of the block at least the indentation of the first");
  }

  Error indentation_mismatch(std::size_t indent) const {
    if (auto error = less_than_text_block(line_)) return *std::move(error);
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

  Error quoted_text() const {
    const char quote = text_.all()[problem_.context_offset];
    if (says("end of stream")) {
      return error(std::string("the text that begins with ") + quote + " here is never closed",
                   context_line(), context_column(), std::string("add ") + quote + " at its end");
    }
    if (says("document indicator")) {
      return error(
          "'---' or '...' at the start of a line ends the document, but a quoted text is "
          "still open",
          line_, 0, "close the quote before, or indent the line");
    }
    if (says("unknown escape")) {
      return error(
          "'" + std::string(content_.substr(column_, 2)) + "' is no escape that double quotes know",
          line_, column_, "write '\\\\' for a backslash, or use single quotes");
    }
    return error("this escape is no character: " + problem_.message, line_, column_,
                 "write \\x, \\u or \\U with 2, 4 or 8 hexadecimal digits, or use single quotes");
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

Error explain_alias(const Text& text, std::size_t offset) {
  SyntaxProblem problem;
  problem.offset = offset;
  return Explainer(text, problem).anchor_or_alias(true);
}

}  // namespace mxcp::yaml
