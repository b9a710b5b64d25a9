// A statement of somebody who is not the author of the project, a model for instance: it may read
// the database and nothing else, and its result is bounded.
//
// DuckDB's own parser tells that it is one SELECT (json_serialize_sql; DESCRIBE, SHOW and SUMMARIZE
// are selects, too), and names what it reads: tables and views that exist, and table functions of a
// short list; so neither a file nor another database is within reach (read_csv, FROM 'file',
// ATTACH, COPY, LOAD). It runs in a read-only transaction, which the engine enforces.
#pragma once

#include <cstddef>
#include <string>

#include "engine/database.h"

namespace mxcp::engine {

struct FreeQueryLimits {
  std::size_t max_rows = 1000;
  std::size_t max_bytes = 1 << 20;  // of JSON
};

struct FreeQueryRows {
  std::string json;  // [{"id":1,...},...]
  std::size_t rows = 0;
  bool cut = false;  // there were more
};

// Errors: kSql (a mistake, or more than reading, with what is allowed as hint), kNotFound (a table
// that does not exist), and those of Lease::execute.
Result<FreeQueryRows> run_free_query(Lease& lease, const std::string& sql,
                                     const FreeQueryLimits& limits,
                                     const ExecuteOptions& options = {});

}  // namespace mxcp::engine
