#include "mcp/uri_template.h"

#include "base/text.h"

namespace mxcp::mcp {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return {};
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return {};
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (!is_valid_utf8(out)) return {};
  return out;
}

UriTemplate::UriTemplate(std::string_view text) {
  for (const std::string& piece : split(text, '/')) {
    Segment& segment = segments_.emplace_back();
    std::string_view rest = piece;
    while (!rest.empty()) {
      const auto open = rest.find('{');
      const auto close = open == std::string_view::npos ? open : rest.find('}', open);
      const std::string_view literal =
          close == std::string_view::npos ? rest : rest.substr(0, open);
      if (!literal.empty()) segment.push_back({false, std::string(literal)});
      literal_size_ += literal.size();
      if (close == std::string_view::npos) break;
      segment.push_back({true, std::string(rest.substr(open + 1, close - open - 1))});
      rest.remove_prefix(close + 1);
    }
  }
}

std::optional<UriTemplate::Values> UriTemplate::match(std::string_view uri) const {
  // Braces are no URI characters: this is a template, not one of its instances.
  if (uri.find_first_of("{}") != std::string_view::npos) return {};
  Values values;
  std::string_view rest = uri;
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const auto slash = rest.find('/');
    const bool last = i + 1 == segments_.size();
    if (last != (slash == std::string_view::npos)) return {};
    if (!match_segment(segments_[i], rest.substr(0, slash), values)) return {};
    if (!last) rest.remove_prefix(slash + 1);
  }
  for (auto& [name, value] : values) {
    auto decoded = percent_decode(value);
    if (!decoded) return {};
    value = std::move(*decoded);
  }
  return values;
}

// Like a file name pattern: each placeholder takes as little as it can, and only the latest is ever
// extended, so the time is bounded by the product of both lengths.
bool UriTemplate::match_segment(const Segment& segment, std::string_view text, Values& values) {
  struct Span {
    std::size_t part, from, to;
  };
  std::vector<Span> spans;
  std::size_t part = 0, at = 0;
  while (part < segment.size() || at < text.size()) {
    if (part < segment.size() && segment[part].placeholder && at < text.size()) {
      spans.push_back({part, at, at + 1});
      ++part;
      ++at;
    } else if (part < segment.size() && !segment[part].placeholder &&
               text.substr(at).starts_with(segment[part].text)) {
      at += segment[part].text.size();
      ++part;
    } else {
      if (spans.empty() || spans.back().to >= text.size()) return false;
      at = ++spans.back().to;
      part = spans.back().part + 1;
    }
  }
  for (const Span& span : spans) {
    values.emplace_back(segment[span.part].text, text.substr(span.from, span.to - span.from));
  }
  return true;
}

}  // namespace mxcp::mcp
