// Rows of a ResultSet -> list of dicts, straight from DuckDB's vectors.
//
//   integers of every width  int          DECIMAL, FLOAT, DOUBLE  float
//   VARCHAR, ENUM, JSON      str          BLOB                    bytes
//   DATE, TIME               date, time   TIMESTAMP*              datetime, naive
//   TIMESTAMPTZ              datetime in UTC                      UUID  uuid.UUID
//   INTERVAL                 timedelta (a month is 30 days)       BIT   str
//   LIST, ARRAY, STRUCT, MAP list, dict   UNION                   its value
//
// A date that Python cannot hold (infinity, the year 0) is its text. NULL is None at any depth.
#pragma once

#include "python/py_ref.h"

#include <vector>

#include "engine/result_set.h"

namespace mxcp::engine {
struct Api;
}

namespace mxcp::python {

// Turns the rows of a result into dicts, chunk by chunk. With the GIL held.
class RowReader {
 public:
  // The columns are borrowed from the ResultSet.
  explicit RowReader(const std::vector<engine::Column>& columns);
  // False when a Python exception is set.
  bool add(const engine::Api& api, void* chunk);
  PyRef take() { return std::move(list_); }

 private:
  const std::vector<engine::Column>& columns_;
  std::vector<PyRef> names_;
  PyRef list_;
};

}  // namespace mxcp::python
