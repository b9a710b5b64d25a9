// VectorWriter: fills a vector of DuckDB's with the results of a ScalarFunction, row by row.
//
//     writer.set_text(row, "abc");
//     const std::size_t first = writer.begin_list(row, 2);     // LIST and MAP
//     writer.child(0).set<std::int64_t>(first, 1);
//
// Every row is set exactly once, in rising order. Which setter belongs to which type is said at
// each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/duckdb_api.h"
#include "engine/result_set.h"

namespace mxcp::engine {

class VectorWriter {
 public:
  // `vector` is a duckdb_vector. `type` must outlive the writer.
  VectorWriter(const Api& api, void* vector, const ColumnType& type);

  const ColumnType& type() const { return *type_; }
  TypeId id() const { return type_->id; }

  // A NULL of a STRUCT is a NULL in each of its members, too.
  void set_null(std::size_t row);
  // The stored value itself, where T is its physical type: bool (std::uint8_t), integers, double,
  // DECIMAL (the unscaled integer), DATE (std::int32_t), TIME and TIMESTAMPs (microseconds),
  // c::Interval, c::HugeInt (also UUID).
  template <class T>
  void set(std::size_t row, const T& value) {
    static_cast<T*>(data_)[row] = value;
  }
  // kVarchar (valid UTF-8), kBlob
  void set_text(std::size_t row, std::string_view text);
  // kList, kMap: makes room for `length` elements in child(0), and for kMap in child(1), and says
  // which row of these is the first.
  std::size_t begin_list(std::size_t row, std::size_t length);
  // kList: 0, the elements. kMap: 0 the keys, 1 the values. kStruct: the members, at the same row.
  VectorWriter& child(std::size_t index) { return children_[index]; }

 private:
  // After the vector has grown its memory is elsewhere.
  void rebind();

  const Api* api_;
  c::Vector vector_;
  const ColumnType* type_;
  void* data_ = nullptr;
  std::uint64_t* validity_ = nullptr;    // only asked for when there is a NULL
  std::size_t size_ = 0, capacity_ = 0;  // kList, kMap: of the elements
  std::vector<VectorWriter> children_;
};

}  // namespace mxcp::engine
