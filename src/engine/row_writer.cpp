#include "engine/row_writer.h"

#include <cstring>
#include <type_traits>

#include "base/json.h"
#include "engine/scalar_text.h"

namespace mxcp::engine {
namespace {

// True when `text` can stand between quotes as it is: printable ASCII without quote and backslash.
bool is_plain(std::string_view text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHighs = 0x8080808080808080;
  const auto has_zero = [](std::uint64_t x) { return (x - kOnes) & ~x & kHighs; };
  const auto bad = [&](std::uint64_t x) {
    return (x & kHighs) | ((x - kOnes * 0x20) & ~x & kHighs) | has_zero(x ^ kOnes * '"') |
           has_zero(x ^ kOnes * '\\');
  };
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    if (bad(word) != 0) return false;
  }
  if (left == 0) return true;
  std::uint64_t word = kOnes * ' ';
  std::memcpy(&word, at, left);
  return bad(word) == 0;
}

void append_quoted(std::string& out, std::string_view text) {
  if (!is_plain(text)) return append_json_string(out, text);
  out += '"';
  out += text;
  out += '"';
}

std::vector<std::string> object_keys(const std::vector<std::string_view>& names) {
  std::vector<std::string> keys;
  keys.reserve(names.size());
  for (const std::string_view name : names) {
    std::string key(1, keys.empty() ? '{' : ',');
    append_json_string(key, name);
    key += ':';
    keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace

struct CellFormats {
  using Cell = CellWriter;

  template <class T>
  static const T& data(const Cell& cell, std::size_t row) {
    return cell.view_.at<T>(row);
  }

  static void boolean(const Cell& cell, std::size_t row, std::string& out) {
    out += cell.view_.get_bool(row) ? "true" : "false";
  }
  template <class T>
  static void integer(const Cell& cell, std::size_t row, std::string& out) {
    if constexpr (sizeof(T) == 8 && !std::is_signed_v<T>) {
      append_uint(out, data<T>(cell, row));
    } else {
      append_int(out, data<T>(cell, row));
    }
  }
  static void real(const Cell& cell, std::size_t row, std::string& out) {
    append_double(out, data<double>(cell, row));
  }
  static void text(const Cell& cell, std::size_t row, std::string& out) {
    append_quoted(out, cell.view_.get_string(row));
  }
  // Numbers that need no quotes and no special case.
  static void bare(const Cell& cell, std::size_t row, std::string& out) {
    cell.view_.append_text(row, out);
  }
  // Text of digits, signs and letters: nothing to escape.
  static void quoted(const Cell& cell, std::size_t row, std::string& out) {
    out += '"';
    cell.view_.append_text(row, out);
    out += '"';
  }
  static void null(const Cell&, std::size_t, std::string& out) { out += "null"; }

  static void list(const Cell& cell, std::size_t row, std::string& out) {
    const c::ListEntry entry = cell.view_.get_list(row);
    out += '[';
    for (std::uint64_t i = 0; i < entry.length; ++i) {
      if (i > 0) out += ',';
      cell.children_[0].write(entry.offset + i, out);
    }
    out += ']';
  }
  static void object(const Cell& cell, std::size_t row, std::string& out) {
    for (std::size_t i = 0; i < cell.children_.size(); ++i) {
      out += cell.keys_[i];
      cell.children_[i].write(row, out);
    }
    out += '}';
  }
  static void tuple(const Cell& cell, std::size_t row, std::string& out) {
    out += '[';
    for (std::size_t i = 0; i < cell.children_.size(); ++i) {
      if (i > 0) out += ',';
      cell.children_[i].write(row, out);
    }
    out += ']';
  }
  static void map(const Cell& cell, std::size_t row, std::string& out) {
    const c::ListEntry entry = cell.view_.get_list(row);
    const Cell& keys = cell.children_[0];
    std::string key;
    out += '{';
    for (std::uint64_t i = 0; i < entry.length; ++i) {
      if (i > 0) out += ',';
      key.clear();
      keys.write(entry.offset + i, key);
      if (key.starts_with('"')) {
        out += key;
      } else {
        append_json_string(out, key);
      }
      out += ':';
      cell.children_[1].write(entry.offset + i, out);
    }
    out += '}';
  }
  static void member(const Cell& cell, std::size_t row, std::string& out) {
    const std::size_t tag = cell.view_.get_union_tag(row);
    if (tag < cell.children_.size()) {
      cell.children_[tag].write(row, out);
    } else {
      out += "null";
    }
  }
};

CellWriter::Write CellWriter::choose(const ColumnType& type) {
  using F = CellFormats;
  switch (type.id) {
    case TypeId::kBoolean: return F::boolean;
    case TypeId::kTinyInt: return F::integer<std::int8_t>;
    case TypeId::kSmallInt: return F::integer<std::int16_t>;
    case TypeId::kInteger: return F::integer<std::int32_t>;
    case TypeId::kBigInt: return F::integer<std::int64_t>;
    case TypeId::kUTinyInt: return F::integer<std::uint8_t>;
    case TypeId::kUSmallInt: return F::integer<std::uint16_t>;
    case TypeId::kUInteger: return F::integer<std::uint32_t>;
    case TypeId::kUBigInt: return F::integer<std::uint64_t>;
    case TypeId::kDouble: return F::real;
    case TypeId::kHugeInt:
    case TypeId::kUHugeInt:
    case TypeId::kBigNum:
    case TypeId::kFloat:
    case TypeId::kDecimal: return F::bare;
    case TypeId::kVarchar:
    case TypeId::kEnum: return F::text;
    case TypeId::kBlob:
    case TypeId::kBit:
    case TypeId::kUuid:
    case TypeId::kDate:
    case TypeId::kTime:
    case TypeId::kTimeNs:
    case TypeId::kTimeTz:
    case TypeId::kTimestamp:
    case TypeId::kTimestampS:
    case TypeId::kTimestampMs:
    case TypeId::kTimestampNs:
    case TypeId::kTimestampTz:
    case TypeId::kTimestampTzNs:
    case TypeId::kInterval: return F::quoted;
    case TypeId::kList:
    case TypeId::kArray: return F::list;
    case TypeId::kStruct: return is_unnamed(type) ? F::tuple : F::object;
    case TypeId::kMap: return F::map;
    case TypeId::kUnion: return F::member;
    case TypeId::kSqlNull:
    case TypeId::kOther: return F::null;
  }
  return F::null;
}

CellWriter::CellWriter(const VectorView& view) : view_(view), write_(choose(view.type())) {
  const ColumnType& type = view.type();
  children_.reserve(type.children.size());
  for (std::size_t i = 0; i < type.children.size(); ++i) {
    children_.emplace_back(view.child(i));
  }
  if (type.id == TypeId::kStruct) {
    keys_ = object_keys({type.names.begin(), type.names.end()});
  }
}

void CellWriter::rebind(const VectorView& view) {
  view_ = view;
  for (std::size_t i = 0; i < children_.size(); ++i) children_[i].rebind(view.child(i));
}

RowWriter::RowWriter(const Api& api, const std::vector<Column>& columns)
    : api_(api), columns_(columns) {
  std::vector<std::string_view> names;
  names.reserve(columns.size());
  for (const Column& column : columns) names.push_back(column.name);
  keys_ = object_keys(names);
}

void RowWriter::bind(void* chunk) {
  const ChunkView view(api_, chunk);
  rows_ = view.rows();
  const bool first = cells_.empty();
  if (first) cells_.reserve(columns_.size());
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const VectorView column = view.column(i, columns_[i].type);
    if (first) {
      cells_.emplace_back(column);
    } else {
      cells_[i].rebind(column);
    }
  }
}

void RowWriter::write_row(std::size_t row, std::string& out) const {
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    out += keys_[i];
    cells_[i].write(row, out);
  }
  out += '}';
}

}  // namespace mxcp::engine
