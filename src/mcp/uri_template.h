// URI templates of RFC 6570, level 1: `users://{id}/orders/{order}`.
//
// A placeholder stands for one or more characters other than '/'; its value is percent-decoded.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mxcp::mcp {

class UriTemplate {
 public:
  explicit UriTemplate(std::string_view text);

  // Whether the text has a placeholder at all.
  static bool is_template(std::string_view text) {
    return text.find('{') != std::string_view::npos;
  }

  using Values = std::vector<std::pair<std::string, std::string>>;
  // The placeholders' values in their order, or nullopt when the URI does not fit, has an escape
  // that is none, or hides bytes that are not UTF-8.
  std::optional<Values> match(std::string_view uri) const;

  // Characters outside placeholders: of two templates that fit, the one with more says more.
  std::size_t literal_size() const { return literal_size_; }

 private:
  struct Part {
    bool placeholder = false;
    std::string text;  // the literal, or the placeholder's name
  };
  using Segment = std::vector<Part>;  // between two slashes

  static bool match_segment(const Segment& segment, std::string_view text, Values& values);

  std::vector<Segment> segments_;
  std::size_t literal_size_ = 0;
};

// "a%20b" -> "a b"; nullopt for a broken escape or invalid UTF-8.
std::optional<std::string> percent_decode(std::string_view text);

}  // namespace mxcp::mcp
