#include "cli/table.h"

#include <locale.h>
#include <wchar.h>

#include <algorithm>
#include <numeric>

#include "base/json.h"
#include "base/text.h"

namespace mxcp::cli {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kNarrowest = 6;

struct CodePoint {
  char32_t value = 0xFFFD;
  std::size_t bytes = 1;
};

// The first code point; a byte that is not valid UTF-8 counts as one replacement character.
CodePoint decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t bytes = byte(0) < 0x80 ? 1 : byte(0) < 0xE0 ? 2 : byte(0) < 0xF0 ? 3 : 4;
  if (bytes > text.size() || !is_valid_utf8(text.substr(0, bytes))) return {};
  if (bytes == 1) return {byte(0), 1};
  char32_t value = byte(0) & (0xFFU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) value = value << 6 | (byte(i) & 0x3FU);
  return {value, bytes};
}

// The C library knows the widths of Unicode, but only in a UTF-8 locale; the user's may be another.
locale_t utf8_locale() {
  static const locale_t made = [] {
    for (const char* name : {"C.UTF-8", "C.utf8", "en_US.UTF-8", "UTF-8"}) {
      if (const locale_t found = ::newlocale(LC_CTYPE_MASK, name, nullptr)) return found;
    }
    return locale_t{};
  }();
  return made;
}

std::size_t width_of(char32_t c) {
  if (c < 0x7F) return c >= 0x20 ? 1 : 0;
  const locale_t utf8 = utf8_locale();
  if (utf8 == locale_t{}) return c >= 0x1100 ? 2 : 1;
  const locale_t before = ::uselocale(utf8);
  const int width = ::wcwidth(static_cast<wchar_t>(c));
  ::uselocale(before);
  return width < 0 ? 1 : static_cast<std::size_t>(width);
}

std::string pad(const std::string& text, std::size_t width, bool right) {
  const std::size_t used = display_width(text);
  const std::string space(width > used ? width - used : 0, ' ');
  return right ? space + text : text + space;
}

// Makes the columns fit: the widest one gives way, again and again. Columns that do not fit even
// at their narrowest are dropped from the end; the number that stays is returned.
std::size_t shrink(std::vector<std::size_t>& widths, std::size_t available) {
  std::size_t shown = widths.size();
  const auto total = [&] {
    return std::accumulate(widths.begin(), widths.begin() + static_cast<std::ptrdiff_t>(shown),
                           std::size_t{0}) +
           kGap * (shown - 1);
  };
  const auto least = [&] {
    std::size_t sum = kGap * (shown - 1);
    for (std::size_t i = 0; i < shown; ++i) sum += std::min(widths[i], kNarrowest);
    return sum;
  };
  while (shown > 1 && least() > available) --shown;
  while (total() > available) {
    const auto widest =
        std::max_element(widths.begin(), widths.begin() + static_cast<std::ptrdiff_t>(shown));
    if (*widest <= kNarrowest && shown == 1) break;
    --*widest;
  }
  return shown;
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const CodePoint c = decode(text);
    width += width_of(c.value);
    text.remove_prefix(c.bytes);
  }
  return width;
}

std::string fit(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  if (width == 0) return "";
  std::string out;
  std::size_t used = 0;
  while (!text.empty()) {
    const CodePoint c = decode(text);
    const std::size_t wide = width_of(c.value);
    if (used + wide > width - 1) break;
    out += text.substr(0, c.bytes);
    used += wide;
    text.remove_prefix(c.bytes);
  }
  return out + "…";
}

std::string printable(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  while (!text.empty()) {
    const CodePoint c = decode(text);
    if (c.value == '\n') {
      out += "\\n";
    } else if (c.value == '\r') {
      out += "\\r";
    } else if (c.value == '\t') {
      out += "\\t";
    } else if (c.value < 0x20 || (c.value >= 0x7F && c.value < 0xA0)) {
      out += "\\x";
      out += kHex[c.value >> 4 & 15];
      out += kHex[c.value & 15];
    } else if (c.value == 0xFFFD) {
      out += "\xEF\xBF\xBD";
    } else {
      out += text.substr(0, c.bytes);
    }
    text.remove_prefix(c.bytes);
  }
  return out;
}

std::string layout(const Table& table, const TableOptions& options) {
  const std::size_t columns = table.header.size();
  if (columns == 0) return "";
  const std::size_t rows = std::min(table.rows.size(), options.max_rows);

  std::vector<std::vector<std::string>> cells;
  cells.emplace_back();
  for (const auto& name : table.header) {
    cells.back().push_back(fit(printable(name), options.max_column));
  }
  for (std::size_t r = 0; r < rows; ++r) {
    cells.emplace_back();
    for (std::size_t c = 0; c < columns; ++c) {
      const bool present = c < table.rows[r].size();
      cells.back().push_back(present ? fit(printable(table.rows[r][c]), options.max_column)
                                     : std::string());
    }
  }
  std::vector<std::size_t> widths(columns, 1);
  for (const auto& row : cells) {
    for (std::size_t c = 0; c < columns; ++c)
      widths[c] = std::max(widths[c], display_width(row[c]));
  }
  const std::size_t shown = options.width == 0 ? columns : shrink(widths, options.width);

  std::string out;
  const auto add_line = [&](auto&& cell) {
    std::string line;
    for (std::size_t c = 0; c < shown; ++c) {
      if (c > 0) line += std::string(kGap, ' ');
      line += cell(c);
    }
    out += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  };
  for (std::size_t r = 0; r < cells.size(); ++r) {
    add_line([&](std::size_t c) {
      const bool right = c < table.right.size() && table.right[c];
      return pad(fit(cells[r][c], widths[c]), widths[c], right);
    });
    if (r == 0) add_line([&](std::size_t c) { return std::string(widths[c], '-'); });
  }
  const std::size_t total = std::max(table.total_rows, table.rows.size());
  if (total > rows) out += "… and " + std::to_string(total - rows) + " more\n";
  if (shown < columns) {
    std::vector<std::string> hidden;
    for (std::size_t c = shown; c < columns; ++c) hidden.push_back(printable(table.header[c]));
    out += "(no room for " + plural(hidden.size(), "column") + ": " + join(hidden, ", ") + ")\n";
  }
  return out;
}

std::string cell_text(const Value& value) {
  if (value.is_null()) return "NULL";
  if (value.is_array() || value.is_object()) return to_json(value);
  return to_plain_text(value);
}

Table table_of(const Array& rows, const std::vector<std::string>& columns) {
  Table table;
  table.header = columns;
  table.right.assign(columns.size(), !rows.empty());
  for (const Value& row : rows) {
    std::vector<std::string> cells;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const Value* value = row.find(columns[c]);
      cells.push_back(value == nullptr ? "" : cell_text(*value));
      if (value != nullptr && !value->is_number() && !value->is_null()) table.right[c] = false;
    }
    table.rows.push_back(std::move(cells));
  }
  return table;
}

}  // namespace mxcp::cli
