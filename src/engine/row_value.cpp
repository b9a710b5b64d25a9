// rows_to_value: vectors as Value trees. What JSON writes as text becomes a string; dates, times,
// numbers and bytes keep their kind.
#include <charconv>

#include "base/json.h"
#include "engine/result_set.h"
#include "engine/scalar_text.h"
#include "engine/vector_reader.h"

namespace mxcp::engine {
namespace {

// A column of the current chunk with the views of its children.
struct Cells {
  explicit Cells(const VectorView& given) : view(given) {
    children.reserve(view.type().children.size());
    for (std::size_t i = 0; i < view.type().children.size(); ++i)
      children.emplace_back(view.child(i));
  }
  VectorView view;
  std::vector<Cells> children;
};

std::string text_of(const VectorView& view, std::size_t row) {
  std::string text;
  view.append_text(row, text);
  return text;
}

Value number_of(const VectorView& view, std::size_t row) {
  std::string digits = text_of(view, row);
  std::int64_t i = 0;
  const char* const end = digits.data() + digits.size();
  if (const auto read = std::from_chars(digits.data(), end, i);
      read.ec == std::errc{} && read.ptr == end) {
    return i;
  }
  return ExactNumber{std::move(digits)};
}

// The double that is written like the float: 0.1f is 0.1, not 0.10000000149011612.
double widen(float value) {
  std::string text;
  append_float(text, value);
  double out = value;
  if (text != "null") std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

Value value_of(const Cells& cells, std::size_t row);

Value map_of(const Cells& cells, std::size_t row) {
  const c::ListEntry entry = cells.view.get_list(row);
  Object object;
  object.reserve(entry.length);
  for (std::uint64_t i = entry.offset; i < entry.offset + entry.length; ++i) {
    object.add(to_plain_text(value_of(cells.children[0], i)), value_of(cells.children[1], i));
  }
  return object;
}

Value list_of(const Cells& cells, std::size_t row) {
  const c::ListEntry entry = cells.view.get_list(row);
  Array array;
  array.reserve(entry.length);
  for (std::uint64_t i = entry.offset; i < entry.offset + entry.length; ++i) {
    array.push_back(value_of(cells.children[0], i));
  }
  return array;
}

Value struct_of(const Cells& cells, std::size_t row) {
  const ColumnType& type = cells.view.type();
  if (is_unnamed(type)) {
    Array array;
    for (const Cells& child : cells.children) array.push_back(value_of(child, row));
    return array;
  }
  Object object;
  object.reserve(type.names.size());
  for (std::size_t i = 0; i < type.names.size(); ++i) {
    object.add(type.names[i], value_of(cells.children[i], row));
  }
  return object;
}

Value value_of(const Cells& cells, std::size_t row) {
  const VectorView& view = cells.view;
  if (view.is_null(row)) return nullptr;
  switch (view.id()) {
    case TypeId::kBoolean: return view.get_bool(row);
    case TypeId::kTinyInt:
    case TypeId::kSmallInt:
    case TypeId::kInteger:
    case TypeId::kBigInt:
    case TypeId::kUTinyInt:
    case TypeId::kUSmallInt:
    case TypeId::kUInteger: return view.get_int(row);
    case TypeId::kUBigInt: return view.get_uint(row);
    case TypeId::kHugeInt:
    case TypeId::kUHugeInt:
    case TypeId::kBigNum:
    case TypeId::kDecimal: return number_of(view, row);
    case TypeId::kFloat: return widen(view.at<float>(row));
    case TypeId::kDouble: return view.get_double(row);
    case TypeId::kVarchar:
    case TypeId::kEnum: return view.get_string(row);
    case TypeId::kBlob: return Bytes{std::string(view.get_string(row))};
    case TypeId::kDate:
      return view.is_finite(row) ? Value(view.get_date(row)) : Value(text_of(view, row));
    case TypeId::kTime:
    case TypeId::kTimeTz: return view.get_time(row);
    case TypeId::kTimestamp:
    case TypeId::kTimestampS:
    case TypeId::kTimestampMs:
    case TypeId::kTimestampTz:
      return view.is_finite(row) ? Value(view.get_timestamp(row)) : Value(text_of(view, row));
    case TypeId::kTimeNs:
    case TypeId::kTimestampNs:
    case TypeId::kTimestampTzNs: {
      // A Time or Timestamp has microseconds: finer ones stay text, so that nothing is lost.
      const bool finer = view.at<std::int64_t>(row) % 1000 != 0;
      if (view.id() == TypeId::kTimeNs) {
        return finer ? Value(text_of(view, row)) : Value(view.get_time(row));
      }
      return finer || !view.is_finite(row) ? Value(text_of(view, row))
                                           : Value(view.get_timestamp(row));
    }
    case TypeId::kList:
    case TypeId::kArray: return list_of(cells, row);
    case TypeId::kStruct: return struct_of(cells, row);
    case TypeId::kMap: return map_of(cells, row);
    case TypeId::kUnion: {
      const std::size_t tag = view.get_union_tag(row);
      return tag < cells.children.size() ? value_of(cells.children[tag], row) : Value();
    }
    case TypeId::kBit:
    case TypeId::kUuid:
    case TypeId::kInterval: return text_of(view, row);
    case TypeId::kSqlNull:
    case TypeId::kOther: return nullptr;
  }
  return nullptr;
}

}  // namespace

Result<Value> rows_to_value(ResultSet& rows) {
  const std::vector<Column>& columns = rows.columns();
  Array out;
  while (true) {
    MXCP_TRY(void* chunk, rows.next_chunk());
    if (chunk == nullptr) return Value(std::move(out));
    const ChunkView view(rows.api(), chunk);
    std::vector<Cells> cells;
    cells.reserve(columns.size());
    for (std::size_t i = 0; i < columns.size(); ++i) {
      cells.emplace_back(view.column(i, columns[i].type));
    }
    out.reserve(out.size() + view.rows());
    for (std::size_t row = 0; row < view.rows(); ++row) {
      Object object;
      object.reserve(columns.size());
      for (std::size_t i = 0; i < columns.size(); ++i) {
        object.add(columns[i].name, value_of(cells[i], row));
      }
      out.emplace_back(std::move(object));
    }
  }
}

}  // namespace mxcp::engine
