#include "python/rows.h"

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
  if (!ok_) return false;
  const engine::ChunkView view(api, chunk);
  const std::size_t columns = cells_.size();
  for (std::size_t i = 0; i < columns; ++i) cells_[i].bind(view.column(i, columns_[i].type));
  for (std::size_t row = 0; row < view.rows(); ++row) {
    // A copy has its keys and its size already: nothing grows.
    const PyRef dict = PyRef::steal(PyDict_Copy(row_.get()));
    if (!dict) return false;
    for (std::size_t i = 0; i < columns; ++i) {
      const PyRef value = PyRef::steal(cells_[i].read(row));
      if (!value || PyDict_SetItem(dict.get(), names_[i].get(), value.get()) != 0) return false;
    }
    if (PyList_Append(list_.get(), dict.get()) != 0) return false;
  }
  return true;
}

PyRef RowReader::take() {
  PyRef list = std::move(list_);
  list_ = PyRef::steal(PyList_New(0));
  ok_ = ok_ && list_;
  return list;
}

}  // namespace mxcp::python
