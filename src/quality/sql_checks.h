// The checks of one SQL endpoint against the real database: it prepares, its placeholders are its
// declared parameters, and its columns can fit the declared return.
#pragma once

#include <vector>

#include "base/error.h"
#include "engine/database.h"
#include "project/endpoint.h"

namespace mxcp::quality {

struct SqlProblems {
  std::vector<Error> errors;
  std::vector<Error> warnings;
};

// Nothing is run. A table that does not exist is kNotFound, everything else that is wrong with the
// SQL itself is kSql. `root` shortens the name of the database file in messages.
SqlProblems check_sql(const project::Endpoint& endpoint, engine::Database& database,
                      const fs::path& root);

// The columns of a result against the declared return; each message names a column. Types that
// DuckDB could not tell (a bare placeholder) are passed over.
SqlProblems check_columns(const std::vector<engine::Column>& columns, const types::Type& declared,
                          const Place& place);

// The part that is wrong with DuckDB's text about it ("Table with name x does not exist!"): the
// table's name, or "" when the error is of another kind.
std::string missing_table(std::string_view duckdb_message);

}  // namespace mxcp::quality
