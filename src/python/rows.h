// Rows of a ResultSet -> list of dicts, straight from DuckDB's vectors. For the types see cells.h.
#pragma once

#include "python/py_ref.h"

#include <vector>

#include "engine/result_set.h"
#include "python/cells.h"

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
  // Only the rows from `first` on, at most `limit`; says how many, 0 when a Python exception is
  // set.
  std::size_t add(const engine::Api& api, void* chunk, std::size_t first, std::size_t limit);
  std::size_t size() const { return static_cast<std::size_t>(PyList_GET_SIZE(list_.get())); }
  // The rows since the last take().
  PyRef take();

 private:
  const std::vector<engine::Column>& columns_;
  std::vector<PyRef> names_;
  std::vector<CellReader> cells_;
  PyRef list_;
  PyRef row_;  // what every row begins as: the names, without values
  bool ok_ = true;
};

}  // namespace mxcp::python
