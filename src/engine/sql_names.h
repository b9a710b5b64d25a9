// What a statement names, read off DuckDB's own syntax tree (json_serialize_sql): the tables and
// views that are not common table expressions of its own where they stand, and its functions.
//
// A common table expression is known where SQL makes it so: to those after it in the same WITH, to
// the query that the WITH belongs to with everything inside, and, when it is recursive, to its own
// recursive part. Where the dialect is in doubt a name counts as a table's, which has to exist.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/value.h"

namespace mxcp::engine {

struct SqlNames {
  // As written: name, schema.name, database.schema.name. Longer ones name nothing that exists.
  std::set<std::vector<std::string>> tables;
  // Lower case, without schema.
  std::set<std::string> table_functions;
  std::set<std::string> functions;
};

// Adds what `statement` names, an entry of "statements" of json_serialize_sql. False when the tree
// has a reference that this version does not know how to read.
bool collect_names(const Value& statement, SqlNames& names);

}  // namespace mxcp::engine
