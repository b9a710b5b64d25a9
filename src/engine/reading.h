// Whether statements only read, as far as DuckDB's catalogue can tell. Fails closed.
//
// The words of the text say that it is a query (only_reads in sql_text.h). A query can still change
// something through a function that it calls. So every name that stands before a parenthesis is
// looked up: functions with side effects, table functions that are not known to read, and functions
// that are not DuckDB's own say no; macros, and views among all names, are looked through.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "engine/database.h"

namespace mxcp::engine {

class Reading {
 public:
  // Reads the catalogue, once for many statements.
  static Result<Reading> load(Lease& lease);

  bool only_reads(std::string_view sql) const;

 private:
  std::set<std::string> refused_;                   // functions; lower case, as everything here
  std::multimap<std::string, std::string> macros_;  // what they are defined as
  std::multimap<std::string, std::string> views_;   // the statements that made them
};

}  // namespace mxcp::engine
