// rows_to_values: vectors as Value trees. What JSON writes as text becomes a string; dates, times,
// numbers and bytes keep their kind.
#include <algorithm>
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

// JSON escapes some characters and never shortens any.
std::uint64_t least_json_size(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kInt: {
      const std::int64_t i = *value.as_int();
      std::uint64_t left =
          i < 0 ? 0 - static_cast<std::uint64_t>(i) : static_cast<std::uint64_t>(i);
      std::uint64_t size = i < 0 ? 2 : 1;
      for (; left >= 10; left /= 10) ++size;
      return size;
    }
    case Value::Kind::kNull:
    case Value::Kind::kBool: return 4;
    case Value::Kind::kDouble: return 1;
    case Value::Kind::kInterval:
    case Value::Kind::kUuid: return 2;  // only parameters have these
    case Value::Kind::kNumber: return value.as_number()->text.size();
    case Value::Kind::kString: return value.as_string()->size() + 2;
    case Value::Kind::kDate:
    case Value::Kind::kTime:
    case Value::Kind::kTimestamp: return 10;
    case Value::Kind::kBytes: return value.as_bytes()->data.size() / 3 * 4 + 2;
    case Value::Kind::kRaw: return value.as_raw()->text.size();
    case Value::Kind::kArray: {
      std::uint64_t size = 1 + std::max<std::size_t>(value.as_array()->size(), 1);
      for (const Value& item : *value.as_array()) size += least_json_size(item);
      return size;
    }
    case Value::Kind::kObject: {
      std::uint64_t size = 1 + std::max<std::size_t>(value.as_object()->size(), 1);
      for (const auto& [key, member] : *value.as_object()) {
        size += key.size() + 3 + least_json_size(member);
      }
      return size;
    }
  }
  return 0;
}

// Calls next(make) for each row, where make() builds the row's object; false ends it.
template <class Next>
Status each_row(ResultSet& rows, Next next) {
  const std::vector<Column>& columns = rows.columns();
  while (true) {
    MXCP_TRY(void* chunk, rows.next_chunk());
    if (chunk == nullptr) return {};
    const ChunkView view(rows.api(), chunk);
    std::vector<Cells> cells;
    cells.reserve(columns.size());
    for (std::size_t i = 0; i < columns.size(); ++i) {
      cells.emplace_back(view.column(i, columns[i].type));
    }
    for (std::size_t row = 0; row < view.rows(); ++row) {
      const auto make = [&] {
        Object object;
        object.reserve(columns.size());
        for (std::size_t i = 0; i < columns.size(); ++i) {
          object.add(columns[i].name, value_of(cells[i], row));
        }
        return object;
      };
      if (!next(make)) return {};
    }
  }
}

}  // namespace

Result<ValueRows> rows_to_values(ResultSet& rows, const RowLimits& limits) {
  ValueRows out;
  std::uint64_t bytes = 2;  // the brackets
  MXCP_TRY(each_row(rows, [&](const auto& make) {
    if (out.values.size() == limits.max_rows) {
      out.read.cut = Cut::kRows;
      return false;
    }
    Value row = make();
    if (limits.max_bytes != RowLimits::kNone) {
      bytes += least_json_size(row) + (out.values.empty() ? 0 : 1);
      if (bytes > limits.max_bytes) {
        out.read.cut = Cut::kBytes;
        return false;
      }
    }
    out.values.push_back(std::move(row));
    return true;
  }));
  out.read.rows = out.values.size();
  return out;
}

Result<ValueRows> single_row_to_values(ResultSet& rows) {
  ValueRows out;
  MXCP_TRY(each_row(rows, [&](const auto& make) {
    if (out.values.size() < 2) out.values.emplace_back(make());
    ++out.read.rows;
    return true;
  }));
  return out;
}

}  // namespace mxcp::engine
