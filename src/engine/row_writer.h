// RowWriter: rows straight from vectors into JSON text.
//
// Made once per result: how each column is written is decided here, not per cell.
#pragma once

#include <string>
#include <vector>

#include "engine/result_set.h"
#include "engine/vector_reader.h"

namespace mxcp::engine {

class CellWriter {
 public:
  explicit CellWriter(const VectorView& view);

  // The same column of another chunk.
  void rebind(const VectorView& view);
  void write(std::size_t row, std::string& out) const {
    if (view_.is_null(row)) {
      out += "null";
    } else {
      write_(*this, row, out);
    }
  }

 private:
  using Write = void (*)(const CellWriter& cell, std::size_t row, std::string& out);
  static Write choose(const ColumnType& type);
  friend struct CellFormats;

  VectorView view_;
  Write write_;
  std::vector<CellWriter> children_;
  std::vector<std::string> keys_;  // kStruct: {"name":  and  ,"name":
};

class RowWriter {
 public:
  RowWriter(const Api& api, const std::vector<Column>& columns);

  void bind(void* chunk);
  std::size_t rows() const { return rows_; }
  // {"id":1,"name":"x"}
  void write_row(std::size_t row, std::string& out) const;
  void write_cell(std::size_t column, std::size_t row, std::string& out) const {
    cells_[column].write(row, out);
  }

 private:
  const Api& api_;
  const std::vector<Column>& columns_;
  std::vector<CellWriter> cells_;
  std::vector<std::string> keys_;
  std::size_t rows_ = 0;
};

}  // namespace mxcp::engine
