// ResultSet: the rows of one statement, chunk by chunk, and the ways out of it.
//
// A ResultSet is consumed once, either as JSON text (rows_to_json: from the vectors straight into
// the text, no row in between), as Value trees (rows_to_values), or by a visitor that builds
// something else (python/ builds dicts through VectorReader, see vector_reader.h).
//
// JSON mapping (mxcp-features 4): integers of every width and DECIMAL with all their digits, DOUBLE
// shortest, NaN and infinity null, DATE/TIME/TIMESTAMP ISO 8601, INTERVAL as ISO 8601 duration,
// BLOB base64, UUID/ENUM/BIT text, LIST/ARRAY lists, STRUCT and MAP objects (MAP keys as text; a
// STRUCT without names, as row(1, 2) makes it, a list), UNION its value, NULL null at any depth,
// TIMESTAMPTZ in UTC, an infinite date or timestamp "infinity" or "-infinity". A JSON column is its
// text, as a string. GEOMETRY (and TIME_NS on 1.4) arrive as text and VARIANT as JSON, by a cast
// that execute() adds. Duplicate column names become id, id_1, id_2 ...
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "types/type.h"

namespace mxcp::engine {

namespace c {
struct ArrowSchema;  // arrow.h
struct ArrowArray;
}  // namespace c
struct Api;          // duckdb_api.h
struct ResultState;  // result_state.h

enum class TypeId : std::uint8_t {
  kBoolean,
  kTinyInt,
  kSmallInt,
  kInteger,
  kBigInt,
  kHugeInt,
  kUTinyInt,
  kUSmallInt,
  kUInteger,
  kUBigInt,
  kUHugeInt,
  kBigNum,
  kFloat,
  kDouble,
  kDecimal,
  kVarchar,
  kBlob,
  kBit,
  kUuid,
  kDate,
  kTime,
  kTimeNs,
  kTimeTz,
  kTimestamp,
  kTimestampS,
  kTimestampMs,
  kTimestampNs,
  kTimestampTz,
  kTimestampTzNs,
  kInterval,
  kEnum,
  kList,
  kArray,
  kStruct,
  kMap,
  kUnion,
  kSqlNull,
  kOther,
};
// Of any width and sign; DECIMALs are none.
bool is_integer(TypeId id);

// A column's type, as a tree.
struct ColumnType {
  TypeId id = TypeId::kOther;
  std::string name;                   // as DuckDB writes it: "DECIMAL(12,2)", "INTEGER[]"
  std::string alias;                  // "JSON", or ""
  std::uint8_t width = 0, scale = 0;  // kDecimal
  TypeId internal = TypeId::kOther;   // kDecimal, kEnum: the physical integer type
  std::uint64_t array_size = 0;       // kArray
  std::vector<std::string> names;     // kStruct, kUnion: members; kEnum: labels
  std::vector<ColumnType> children;   // kList/kArray: 1; kMap: key, value; kStruct/kUnion
};

// A STRUCT without member names, as row(1, 2) makes it.
bool is_unnamed(const ColumnType& type);

struct Column {
  std::string name;  // unique within the result
  ColumnType type;
};

// id, id, id_1 becomes id, id_2, id_1: a name that is there already is never taken away.
void make_names_unique(std::vector<Column>& columns);

class ResultSet {
 public:
  ResultSet(ResultSet&&) noexcept;
  ResultSet& operator=(ResultSet&&) noexcept;
  ~ResultSet();

  const std::vector<Column>& columns() const;
  // For VectorView and ChunkView.
  const Api& api() const;

  // The next chunk (up to 2048 rows), as a duckdb_data_chunk owned by this ResultSet until the next
  // call; nullptr at the end. Errors: kSql, kCancelled, kTimeout.
  Result<void*> next_chunk();

  // The same rows in Arrow's C data interface, as DuckDB maps its types; who receives a structure
  // releases it. Errors: kDatabase where DuckDB is too old for it, kSql for a type without a
  // mapping.
  Status arrow_schema(c::ArrowSchema* out);
  // False at the end; then `out` is not touched.
  Result<bool> next_arrow(c::ArrowArray* out);

 private:
  friend struct ResultState;
  explicit ResultSet(std::unique_ptr<ResultState> state);
  std::unique_ptr<ResultState> state_;
};

// Where reading ends; what lies beyond is never fetched, and mostly never computed.
struct RowLimits {
  static constexpr std::uint64_t kNone = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t max_rows = kNone;
  std::uint64_t max_bytes = kNone;  // of JSON
};
enum class Cut { kNone, kRows, kBytes };
struct RowsRead {
  std::uint64_t rows = 0;
  Cut cut = Cut::kNone;  // why there are more
};

// [{"id":1,...},...], always complete JSON: it is cut between rows.
Result<RowsRead> rows_to_json(ResultSet& rows, std::string& out, const RowLimits& limits);
Status rows_to_json(ResultSet& rows, std::string& out);
// The first row as an object, or the first value: for a proven `object` or scalar return. Gives the
// number of rows, which is for the caller to judge.
Result<std::size_t> single_row_to_json(ResultSet& rows, std::string& out, bool scalar);
// A list of row objects. Their JSON is only estimated (never too high), so that max_bytes is a
// bound for memory here, and who writes the JSON has to look again.
struct ValueRows {
  Array values;
  RowsRead read;
};
Result<ValueRows> rows_to_values(ResultSet& rows, const RowLimits& limits = {});
// Reads at most two rows and counts the others: for what should be a single one. `read.rows` is
// their number.
Result<ValueRows> single_row_to_values(ResultSet& rows);

// True when the columns alone prove that every row fits `declared` (an array of objects, an object,
// a scalar, or an array of free objects), so that the rows can be written without being checked.
bool proves(const std::vector<Column>& columns, const types::Type& declared);

}  // namespace mxcp::engine
