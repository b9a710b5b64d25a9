// TypedForm: a cached statement with the types of its arguments written into it.
//
// In `SELECT $a + 1` nothing tells DuckDB the type of $a, so it binds and plans the statement anew
// on every execution. `SELECT ($a::INTEGER) + 1` is planned once; where no table is read (DuckDB
// 2.0), or altogether (1.4), an execution takes a third of the time. The form means the same as
// binding a value of that type: for numbers and booleans, not for texts, which DuckDB treats like
// literals, nor for NULL. One form is kept for each combination of types that is used.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/connection.h"
#include "types/parameters.h"

namespace mxcp::engine {

class TypedForm {
 public:
  // Finds or makes the form of the cached statement `open` for these arguments. `capacity` is that
  // of the connection's cache.
  TypedForm(Connection& connection, std::string_view sql, PreparedSql& open,
            const types::Arguments& arguments, std::size_t capacity);

  // nullptr when there is none: all types are known already, or cannot be written down.
  PreparedSql* get() const { return form_; }
  // It did not run: `open` is executed as it is from now on.
  void refuse() const;

  // Remembers the columns of a first result: a form whose columns are others is not used.
  static void note_columns(PreparedSql& prepared, const std::vector<Column>& columns);

 private:
  PreparedSql* make(std::string_view sql, const types::Arguments& arguments, std::size_t capacity);

  Connection& connection_;
  PreparedSql& open_;
  std::string key_;    // in the connection's cache
  std::string types_;  // a letter for each parameter without a type
  PreparedSql* form_ = nullptr;
};

}  // namespace mxcp::engine
