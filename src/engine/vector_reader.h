// VectorView: the values of one column of one chunk, without copies and without allocations.
//
// Made once per column and chunk (a few pointer look-ups), then asked row by row. Copyable and
// small; it borrows the chunk (valid until the next ResultSet::next_chunk) and the ColumnType.
//
//     for (size_t i = 0; i < columns.size(); ++i)
//       views.push_back(ChunkView(api, chunk).column(i, columns[i].type));
//     if (!views[0].is_null(row)) make_int(views[0].get_int(row));
//
// Which getter belongs to which type is said at each; asking another one is undefined. A getter
// must not be called on a NULL row. A row of a child is only looked at when its parent is not NULL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/value.h"
#include "engine/duckdb_api.h"
#include "engine/result_set.h"

namespace mxcp::engine {

class VectorView {
 public:
  // `vector` is a duckdb_vector. `type` must outlive the view.
  VectorView(const Api& api, void* vector, const ColumnType& type);

  const ColumnType& type() const { return *type_; }
  TypeId id() const { return type_->id; }

  bool is_null(std::size_t row) const {
    return validity_ != nullptr && (validity_[row / 64] >> (row % 64) & 1) == 0;
  }

  // kBoolean
  bool get_bool(std::size_t row) const { return at<std::uint8_t>(row) != 0; }
  // kTinyInt .. kBigInt, kUTinyInt .. kUInteger
  std::int64_t get_int(std::size_t row) const;
  // kUBigInt
  std::uint64_t get_uint(std::size_t row) const { return at<std::uint64_t>(row); }
  // kHugeInt, and the unscaled integer of kDecimal
  __int128 get_hugeint(std::size_t row) const;
  // kUHugeInt
  unsigned __int128 get_uhugeint(std::size_t row) const;
  // kFloat, kDouble, kDecimal (the nearest double)
  double get_double(std::size_t row) const;
  // kVarchar (UTF-8), kBlob (bytes), kEnum (its label)
  std::string_view get_string(std::size_t row) const;
  // kDate. Infinite dates: see is_finite.
  Date get_date(std::size_t row) const { return {at<std::int32_t>(row)}; }
  // kTime, kTimeNs (cut to microseconds), kTimeTz
  Time get_time(std::size_t row) const;
  // kTimestamp, kTimestampS, kTimestampMs, kTimestampTz, kTimestampNs and kTimestampTzNs (cut to
  // microseconds)
  Timestamp get_timestamp(std::size_t row) const;
  // kDate and every timestamp: false for infinity and -infinity.
  bool is_finite(std::size_t row) const;
  // kInterval
  c::Interval get_interval(std::size_t row) const { return at<c::Interval>(row); }

  // The stored value itself, when T is its physical type.
  template <class T>
  const T& at(std::size_t row) const {
    return static_cast<const T*>(data_)[row];
  }

  // Appends the value as the text that JSON has for it, without quotes: for every type that is not
  // nested. kHugeInt, kDecimal, kBigNum digits; kUuid, kBit, kInterval, dates and times ISO 8601,
  // "infinity", "-infinity"; kBlob base64.
  void append_text(std::size_t row, std::string& out) const;

  // kList, kMap, kArray: the elements are rows [offset, offset + length) of child(0); for kMap of
  // child(0), the keys, and child(1), the values.
  c::ListEntry get_list(std::size_t row) const;
  // kUnion: which child holds the value.
  std::size_t get_union_tag(std::size_t row) const { return at<std::uint8_t>(row); }
  // kList, kArray: 0. kMap: 0 and 1. kStruct, kUnion: the members, at the same row as the parent.
  VectorView child(std::size_t index) const;

 private:
  const Api* api_;
  c::Vector vector_;
  const ColumnType* type_;
  const void* data_;
  const std::uint64_t* validity_;  // nullptr: no NULL
};

// One chunk of a ResultSet (what next_chunk returns).
class ChunkView {
 public:
  ChunkView(const Api& api, void* chunk)
      : api_(&api),
        chunk_(static_cast<c::DataChunk>(chunk)),
        rows_(static_cast<std::size_t>(api.data_chunk_get_size(chunk_))) {}

  std::size_t rows() const { return rows_; }
  VectorView column(std::size_t index, const ColumnType& type) const {
    return {*api_, api_->data_chunk_get_vector(chunk_, index), type};
  }

 private:
  const Api* api_;
  c::DataChunk chunk_;
  std::size_t rows_;
};

}  // namespace mxcp::engine
