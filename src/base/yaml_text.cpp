#include "base/yaml_text.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <optional>

#include "base/text.h"

namespace mxcp::yaml {
namespace {

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6), put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12), put(0x80 | (code >> 6 & 0x3F)), put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18), put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F)), put(0x80 | (code & 0x3F));
  }
}

// Nothing when a surrogate stands alone or half a unit is left over.
std::optional<std::string> from_utf16(std::string_view bytes, bool big_endian) {
  if (bytes.size() % 2 != 0) return {};
  const auto unit = [&](std::size_t i) -> std::uint32_t {
    const auto high = static_cast<std::uint8_t>(bytes[i + (big_endian ? 0 : 1)]);
    const auto low = static_cast<std::uint8_t>(bytes[i + (big_endian ? 1 : 0)]);
    return static_cast<std::uint32_t>(high) << 8 | low;
  };
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    std::uint32_t code = unit(i);
    if (code >= 0xD800 && code < 0xE000) {
      if (code >= 0xDC00 || i + 2 >= bytes.size()) return {};
      const std::uint32_t low = unit(i += 2);
      if (low < 0xDC00 || low >= 0xE000) return {};
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    append_utf8(out, code);
  }
  return out;
}

// LF for CRLF and for a lone CR.
void unify_line_ends(std::string& text) {
  std::size_t to = 0;
  for (std::size_t from = 0; from < text.size(); ++from) {
    if (text[from] != '\r') {
      text[to++] = text[from];
    } else {
      text[to++] = '\n';
      if (from + 1 < text.size() && text[from + 1] == '\n') ++from;
    }
  }
  text.resize(to);
}

// Spaces for the tabs of lines that hold nothing else: libyaml refuses them, YAML does not.
void blank_out_empty_lines(std::string& text) {
  for (auto tab = text.find('\t'); tab != std::string::npos; tab = text.find('\t', tab + 1)) {
    const auto before = text.find_last_not_of(" \t", tab);
    const auto begin = before == std::string::npos ? 0 : before + 1;
    const auto end = std::min(text.find_first_not_of(" \t", tab), text.size());
    const bool whole_line =
        (begin == 0 || text[begin - 1] == '\n') && (end == text.size() || text[end] == '\n');
    if (whole_line)
      std::fill(text.begin() + static_cast<std::ptrdiff_t>(begin),
                text.begin() + static_cast<std::ptrdiff_t>(end), ' ');
    tab = end - 1;  // each run of blanks is looked at once
  }
}

}  // namespace

Result<Text> Text::decode(std::string_view bytes, const std::string& file) {
  Text text;
  text.file_ = file;
  if (bytes.substr(0, 3) == "\xEF\xBB\xBF") {
    text.all_ = bytes.substr(3);
  } else if (bytes.substr(0, 2) == "\xFF\xFE" || bytes.substr(0, 2) == "\xFE\xFF") {
    auto decoded = from_utf16(bytes.substr(2), bytes[0] == '\xFE');
    if (!decoded) return Error{Code::kConfig, "the file is not valid UTF-16", {file}};
    text.all_ = *std::move(decoded);
  } else {
    text.all_ = bytes;
  }

  const auto is_special = [](char c) {
    return static_cast<unsigned char>(c) >= 0x80 ||
           (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7F;
  };
  const bool plain = std::none_of(text.all_.begin(), text.all_.end(), is_special);
  if (!plain && text.all_.find('\r') != std::string::npos) unify_line_ends(text.all_);
  blank_out_empty_lines(text.all_);

  text.starts_.push_back(0);
  for (auto at = text.all_.find('\n'); at != std::string::npos; at = text.all_.find('\n', at + 1)) {
    text.starts_.push_back(at + 1);
  }
  if (plain) return text;

  for (std::size_t number = 0; number < text.starts_.size(); ++number) {
    const std::string_view line = text.line(number);
    for (std::size_t column = 0; column < line.size(); ++column) {
      const auto byte = static_cast<unsigned char>(line[column]);
      if (byte >= 0x80) text.ascii_ = false;
      if ((byte >= 0x20 && byte != 0x7F) || byte == '\t') continue;
      char name[8];
      std::snprintf(name, sizeof name, "U+%04X", byte);
      Error error{Code::kConfig,
                  std::string("the control character ") + name + " is not allowed in YAML",
                  text.place(number, column)};
      error.hint = byte == 0 ? "save the file as UTF-8"
                             : "remove it, or write it as an escape in "
                               "a double-quoted text";
      return error;
    }
    if (!text.ascii_ && !is_valid_utf8(line)) {
      std::size_t column = 0;
      while (column < line.size()) {
        std::size_t next = column + 1;
        while (next < line.size() && (static_cast<unsigned char>(line[next]) & 0xC0) == 0x80)
          ++next;
        if (!is_valid_utf8(line.substr(column, next - column))) break;
        column = next;
      }
      return Error{Code::kConfig, "the file is not valid UTF-8", text.place(number, column),
                   "save it with the encoding UTF-8"};
    }
  }
  if (!text.ascii_) {
    std::size_t characters = 0;
    for (std::size_t number = 0; number < text.starts_.size(); ++number) {
      text.first_characters_.push_back(characters);
      characters += utf8_length(text.line(number)) + 1;
    }
  }
  return text;
}

std::string_view Text::line(std::size_t number) const {
  if (number >= starts_.size()) return {};
  const std::size_t begin = starts_[number];
  const std::size_t end = number + 1 < starts_.size() ? starts_[number + 1] - 1 : all_.size();
  return std::string_view(all_).substr(begin, end - begin);
}

std::size_t Text::line_of(std::size_t offset) const {
  const auto after = std::upper_bound(starts_.begin(), starts_.end(), offset);
  return static_cast<std::size_t>(after - starts_.begin()) - 1;
}

std::size_t Text::offset_of(std::size_t line, std::size_t column) const {
  if (line >= starts_.size()) return all_.size();
  return std::min(starts_[line] + column, all_.size());
}

std::size_t Text::offset_of_character(std::size_t number) const {
  if (ascii_) return std::min(number, all_.size());
  const auto after = std::upper_bound(first_characters_.begin(), first_characters_.end(), number);
  const auto line = static_cast<std::size_t>(after - first_characters_.begin()) - 1;
  std::size_t offset = starts_[line];
  for (std::size_t rest = number - first_characters_[line]; rest > 0 && offset < all_.size();) {
    ++offset;
    while (offset < all_.size() && (static_cast<unsigned char>(all_[offset]) & 0xC0) == 0x80) {
      ++offset;
    }
    --rest;
  }
  return offset;
}

int Text::display_column(std::size_t line_number, std::size_t column) const {
  if (ascii_) return static_cast<int>(column) + 1;
  return static_cast<int>(utf8_length(line(line_number).substr(0, column))) + 1;
}

Place Text::place(std::size_t line_number, std::size_t column) const {
  return {file_, static_cast<int>(line_number) + 1, display_column(line_number, column)};
}

}  // namespace mxcp::yaml
