// CellReader: values of DuckDB's vectors as Python objects. With the GIL held.
//
//   integers of every width  int          FLOAT, DOUBLE           float
//   DECIMAL                  float, or decimal.Decimal where that is asked for
//   VARCHAR, ENUM, JSON      str          BLOB                    bytes
//   DATE, TIME               date, time   TIMESTAMP*              datetime, naive
//   TIMESTAMPTZ              datetime in UTC                      UUID  uuid.UUID
//   INTERVAL                 timedelta (a month is 30 days)       BIT   str
//   LIST, ARRAY              list         STRUCT, MAP             dict; row(1, 2) is a tuple
//   UNION                    its value
//
// A date that Python cannot hold (infinity, the year 0) is its text; so is the time 24:00:00. NULL
// is None at any depth.
#pragma once

#include "python/py_ref.h"

#include <cstddef>
#include <optional>
#include <vector>

#include "engine/vector_reader.h"

namespace mxcp::python {

enum class Decimals { kFloat, kDecimal };

// Made once per column; bound to the vector of each chunk.
class CellReader {
 public:
  // `type` must outlive it. Check ok(): a Python exception is set when it is false.
  explicit CellReader(const engine::ColumnType& type, Decimals decimals = Decimals::kFloat);
  bool ok() const { return ok_; }

  void bind(const engine::VectorView& view);
  // A new reference, or nullptr and a Python exception.
  PyObject* read(std::size_t row) const {
    if (view_->is_null(row)) return Py_NewRef(Py_None);
    return read_(*this, row);
  }

 private:
  struct Readers;  // the functions that `read_` can be
  using Read = PyObject* (*)(const CellReader& cell, std::size_t row);

  const engine::ColumnType* type_;
  Read read_;
  bool ok_ = true;
  std::optional<engine::VectorView> view_;
  std::vector<CellReader> children_;
  std::vector<PyRef> names_;  // kStruct: the keys; kEnum: the labels
  PyRef class_;               // kUuid, kDecimal: what is called with the text
};

}  // namespace mxcp::python
