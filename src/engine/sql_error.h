// DuckDB's errors as ours: its text without noise, and the place inside the SQL.
//
// Our connections run with errors_as_json, because only there DuckDB tells the exact byte at which
// it stopped (its "LINE n:" picture cuts long lines and is wrong in sources of several statements).
// From that we build the usual text, "Catalog Error: Table with name x does not exist!".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/sql_text.h"

namespace mxcp::engine {

struct DuckError {
  std::string type;     // "Catalog", "Binder", "Parser" ... as DuckDB calls it, or ""
  std::string message;  // without type, picture and stack trace
  std::optional<std::size_t> position;  // byte in the source

  // "Catalog Error: Table with name x does not exist!"
  std::string text() const;
};

// Reads both forms, JSON and plain.
DuckError parse_duckdb_error(const char* text);

// kSql, with line and column inside `sql` where DuckDB gave a position. `run`: what was run
// instead.
Error sql_error(const char* text, std::string_view sql, const RunText& run = {});

// An internal or fatal error of DuckDB, after which it may answer nothing but errors.
bool is_database_failure(const Error& error);

}  // namespace mxcp::engine
