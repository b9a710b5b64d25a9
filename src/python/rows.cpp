#include "python/rows.h"

#include <algorithm>

namespace mxcp::python {

RowReader::RowReader(const std::vector<engine::Column>& columns)
    : columns_(columns), list_(PyRef::steal(PyList_New(0))), row_(PyRef::steal(PyDict_New())) {
  ok_ = list_ && row_;
  cells_.reserve(columns.size());
  for (const auto& column : columns) {
    PyObject* name = to_str(column.name).release();
    if (name != nullptr) PyUnicode_InternInPlace(&name);
    names_.push_back(PyRef::steal(name));
    ok_ = ok_ && name != nullptr && PyDict_SetItem(row_.get(), name, Py_None) == 0;
    cells_.emplace_back(column.type);
    ok_ = ok_ && cells_.back().ok();
  }
}

bool RowReader::add(const engine::Api& api, void* chunk) {
  const std::size_t rows = engine::ChunkView(api, chunk).rows();
  return rows == 0 || add(api, chunk, 0, rows) > 0;
}

std::size_t RowReader::add(const engine::Api& api, void* chunk, std::size_t first,
                           std::size_t limit) {
  if (!ok_) return 0;
  const engine::ChunkView view(api, chunk);
  const std::size_t count = std::min(limit, view.rows() - first);
  const std::size_t columns = cells_.size();
  for (std::size_t i = 0; i < columns; ++i) cells_[i].bind(view.column(i, columns_[i].type));
  for (std::size_t row = first; row < first + count; ++row) {
    // A copy has its keys and its size already: nothing grows.
    const PyRef dict = PyRef::steal(PyDict_Copy(row_.get()));
    if (!dict) return 0;
    for (std::size_t i = 0; i < columns; ++i) {
      const PyRef value = PyRef::steal(cells_[i].read(row));
      if (!value || PyDict_SetItem(dict.get(), names_[i].get(), value.get()) != 0) return 0;
    }
    if (PyList_Append(list_.get(), dict.get()) != 0) return 0;
  }
  return count;
}

PyRef RowReader::take() {
  PyRef list = std::move(list_);
  list_ = PyRef::steal(PyList_New(0));
  ok_ = ok_ && list_;
  return list;
}

}  // namespace mxcp::python
