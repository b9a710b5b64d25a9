// What can be seen in SQL text without DuckDB: where its statements begin, their first words, and
// the named parameters. DuckDB does all real parsing; this knows only its tokens (quotes, dollar
// quotes, comments), for the few questions that its C API does not answer.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mxcp::engine {

struct SqlPiece {
  std::size_t begin = 0;  // the first token
  std::size_t end = 0;    // behind the last token, before the semicolon
  std::vector<std::string> words;  // the first keywords, upper case, up to five
  std::vector<std::string> parameters;  // $name, in order of appearance, each once
};

// One entry per statement; empty ones (";;", only comments) are left out.
std::vector<SqlPiece> split_sql(std::string_view sql);

// CREATE [OR REPLACE] TEMP|TEMPORARY ...
bool creates_temporary(const SqlPiece& piece);

// The text between quotes, quotes inside it doubled: 'it''s', "a ""b""".
std::string quote_sql(std::string_view text, char quote);

// The line and column (in characters) of a byte offset, from 1.
struct LineColumn {
  int line = 1;
  int column = 1;
};
LineColumn line_column(std::string_view text, std::size_t offset);

}  // namespace mxcp::engine
