// A statement of somebody who is not the author of the project, a model for instance: it may read
// the database and nothing else, and its result is bounded.
//
// DuckDB's own parser tells that it is one SELECT (json_serialize_sql; DESCRIBE, SHOW and SUMMARIZE
// are selects, too, and EXPLAIN is taken off), and what it names: tables and views that exist where
// it says, and table functions of a short list; so neither a file nor another database is within
// reach (read_csv, FROM 'file', ATTACH, COPY, LOAD). Macros are looked through: what is in them is
// held to the same rules. Then DuckDB plans the statement, and what the plan reads with is looked
// at once more. It runs in a read-only transaction, which the engine enforces.
//
// Views are the author's word: what they read may be read, files included.
#pragma once

#include <string>

#include "engine/database.h"

namespace mxcp::engine {

// Appends the rows as rows_to_json does. Errors: kSql (a mistake, or more than reading, with what
// is allowed as hint), kNotFound (a table that does not exist), and those of Lease::execute.
Result<RowsRead> run_free_query(Lease& lease, const std::string& sql, std::string& out,
                                const RowLimits& limits, const ExecuteOptions& options = {});

}  // namespace mxcp::engine
