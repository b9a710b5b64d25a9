// Tables for people: columns as wide as their content, within the terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"

namespace mxcp::cli {

// Columns of a terminal that the text takes: combining marks none, East Asian wide characters and
// emoji two.
std::size_t display_width(std::string_view utf8);
// At most `width` columns; the last one is "…" when something was cut.
std::string fit(std::string_view utf8, std::size_t width);
// On one line, with control characters made visible (\n, \t, \x1b): a value must not steer the
// terminal.
std::string printable(std::string_view utf8);

struct TableOptions {
  std::size_t width = 0;  // of the terminal; 0: no limit
  std::size_t max_rows = 100;
  std::size_t max_column = 50;
};

struct Table {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
  std::vector<bool> right;     // per column: aligned to the right (numbers)
  std::size_t total_rows = 0;  // when rows holds only the first ones; 0: rows.size()
};

// Ends with a newline. Too many rows: "… and N more"; columns that cannot be made narrow enough
// are left out, and a line says which.
std::string layout(const Table& table, const TableOptions& options);

// Rows of objects; a column whose values are all numbers is aligned to the right.
Table table_of(const Array& rows, const std::vector<std::string>& columns);
// A value in a cell: text bare, null as NULL, nested values as compact JSON.
std::string cell_text(const Value& value);

}  // namespace mxcp::cli
