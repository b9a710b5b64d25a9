// DuckDB's C API, as far as we use it: our own declarations, against DuckDB 1.4.
//
// The functions come out of the wheel's library at run time (library.cpp), so they are a table of
// pointers, not prototypes. Two lists say what there is: a library without one of the required ones
// is refused with the name of the function; an optional one may be nullptr. Names are DuckDB's
// without "duckdb_". script/check-duckdb-header compiles this file beside the official headers of
// the oldest and the newest supported version and compares every signature, structure and constant.
//
// Ownership is DuckDB's: what create_*, *_type and fetch_chunk return must be destroyed with the
// matching destroy_* function, a `char*` (not `const char*`) with free. handle.h has RAII types.
#pragma once

#include <cstdint>
#include <string_view>

namespace mxcp::engine {

namespace c {

// Opaque handles. Each is a pointer to something only DuckDB knows.
using Database = struct DatabaseHandle*;
using Connection = struct ConnectionHandle*;
using Config = struct ConfigHandle*;
using PreparedStatement = struct PreparedStatementHandle*;
using ExtractedStatements = struct ExtractedStatementsHandle*;
using PendingResult = struct PendingResultHandle*;
using DataChunk = struct DataChunkHandle*;
using Vector = struct VectorHandle*;
using LogicalType = struct LogicalTypeHandle*;
using Value = struct ValueHandle*;
using ClientContext = struct ClientContextHandle*;
using ScalarFunction = struct ScalarFunctionHandle*;
using ScalarFunctionSet = struct ScalarFunctionSetHandle*;
using BindInfo = struct BindInfoHandle*;
using FunctionInfo = struct FunctionInfoHandle*;
using ArrowOptions = struct ArrowOptionsHandle*;
using ErrorData = struct ErrorDataHandle*;
// Arrow's C data interface: arrow.h.
struct ArrowSchema;
struct ArrowArray;

using Index = std::uint64_t;

// The enums are open: a newer DuckDB may answer with a constant that is not listed here.
enum State : int { kSuccess = 0, kError = 1 };

enum Type : int {
  kTypeInvalid = 0,
  kTypeBoolean = 1,
  kTypeTinyInt = 2,
  kTypeSmallInt = 3,
  kTypeInteger = 4,
  kTypeBigInt = 5,
  kTypeUTinyInt = 6,
  kTypeUSmallInt = 7,
  kTypeUInteger = 8,
  kTypeUBigInt = 9,
  kTypeFloat = 10,
  kTypeDouble = 11,
  kTypeTimestamp = 12,
  kTypeDate = 13,
  kTypeTime = 14,
  kTypeInterval = 15,
  kTypeHugeInt = 16,
  kTypeVarchar = 17,
  kTypeBlob = 18,
  kTypeDecimal = 19,
  kTypeTimestampS = 20,
  kTypeTimestampMs = 21,
  kTypeTimestampNs = 22,
  kTypeEnum = 23,
  kTypeList = 24,
  kTypeStruct = 25,
  kTypeMap = 26,
  kTypeUuid = 27,
  kTypeUnion = 28,
  kTypeBit = 29,
  kTypeTimeTz = 30,
  kTypeTimestampTz = 31,
  kTypeUHugeInt = 32,
  kTypeArray = 33,
  kTypeAny = 34,
  kTypeBigNum = 35,
  kTypeSqlNull = 36,
  kTypeStringLiteral = 37,
  kTypeIntegerLiteral = 38,
  kTypeTimeNs = 39,
  // Since 1.5.
  kTypeGeometry = 40,
  kTypeVariant = 41,
  kTypeTimestampTzNs = 42,
};

enum PendingState : int {
  kPendingReady = 0,
  kPendingNotReady = 1,
  kPendingError = 2,
  kPendingNoTasks = 3,
};

enum ResultType : int {
  kResultInvalid = 0,
  kResultChangedRows = 1,
  kResultNothing = 2,
  kResultRows = 3,
};

enum StatementType : int {
  kStatementInvalid = 0,
  kStatementSelect = 1,
  kStatementInsert = 2,
  kStatementUpdate = 3,
  kStatementExplain = 4,
  kStatementDelete = 5,
  kStatementPrepare = 6,
  kStatementCreate = 7,
  kStatementExecute = 8,
  kStatementAlter = 9,
  kStatementTransaction = 10,
  kStatementCopy = 11,
  kStatementAnalyze = 12,
  kStatementVariableSet = 13,
  kStatementCreateFunction = 14,
  kStatementDrop = 15,
  kStatementExport = 16,
  kStatementPragma = 17,
  kStatementVacuum = 18,
  kStatementCall = 19,
  kStatementSet = 20,
  kStatementLoad = 21,
  kStatementRelation = 22,
  kStatementExtension = 23,
  kStatementLogicalPlan = 24,
  kStatementAttach = 25,
  kStatementDetach = 26,
  kStatementMulti = 27,
};

// Only those that are told apart; the others are just an SQL error.
enum ErrorType : int {
  kErrorInvalid = 0,
  kErrorTransaction = 10,
  kErrorCatalog = 13,
  kErrorParser = 14,
  kErrorBinder = 24,
  kErrorIo = 28,
  kErrorInterrupt = 29,
  kErrorFatal = 30,
  kErrorInternal = 31,
  kErrorOutOfMemory = 33,
};

struct Date {
  std::int32_t days;
};
struct Time {
  std::int64_t micros;
};
struct TimeTz {
  std::uint64_t bits;
};
struct Timestamp {
  std::int64_t micros;
};
struct Interval {
  std::int32_t months;
  std::int32_t days;
  std::int64_t micros;
};
struct HugeInt {
  std::uint64_t lower;
  std::int64_t upper;
};
struct UHugeInt {
  std::uint64_t lower;
  std::uint64_t upper;
};
struct Decimal {
  std::uint8_t width;
  std::uint8_t scale;
  HugeInt value;
};
struct Progress {
  double percentage;
  std::uint64_t rows_processed;
  std::uint64_t total_rows_to_process;
};
struct ListEntry {
  std::uint64_t offset;
  std::uint64_t length;
};
// Text of up to 12 bytes lies in the structure itself.
struct String {
  std::uint32_t length;
  char prefix[4];
  const char* pointer;

  std::string_view view() const { return {length <= 12 ? prefix : pointer, length}; }
};
static_assert(sizeof(String) == 16);

struct Result {
  Index deprecated_column_count;
  Index deprecated_row_count;
  Index deprecated_rows_changed;
  void* deprecated_columns;
  char* deprecated_error_message;
  void* internal_data;
};

using DeleteCallback = void (*)(void* data);
using CopyCallback = void* (*)(void* data);
using ScalarBind = void (*)(BindInfo info);
using ScalarExecute = void (*)(FunctionInfo info, DataChunk input, Vector output);

}  // namespace c

// X(return type, name, parameters)
// clang-format off
#define MXCP_DUCKDB_REQUIRED(X)                                                                    \
  X(const char*, library_version, ())                                                              \
  X(c::State, create_config, (c::Config*))                                                         \
  X(c::State, set_config, (c::Config, const char* name, const char* option))                       \
  X(void, destroy_config, (c::Config*))                                                            \
  X(c::State, open_ext, (const char* path, c::Database*, c::Config, char** error))                 \
  X(void, close, (c::Database*))                                                                   \
  X(c::State, connect, (c::Database, c::Connection*))                                              \
  X(void, disconnect, (c::Connection*))                                                            \
  X(void, interrupt, (c::Connection))                                                              \
  X(c::Progress, query_progress, (c::Connection))                                                  \
  X(void, free, (void*))                                                                           \
  X(c::State, query, (c::Connection, const char* sql, c::Result*))                                 \
  X(void, destroy_result, (c::Result*))                                                            \
  X(const char*, result_error, (c::Result*))                                                       \
  X(c::ErrorType, result_error_type, (c::Result*))                                                 \
  X(c::Index, column_count, (c::Result*))                                                          \
  X(const char*, column_name, (c::Result*, c::Index column))                                       \
  X(c::LogicalType, column_logical_type, (c::Result*, c::Index column))                            \
  X(c::ResultType, result_return_type, (c::Result))                                                \
  X(c::DataChunk, fetch_chunk, (c::Result))                                                        \
  X(c::Index, extract_statements, (c::Connection, const char* sql, c::ExtractedStatements*))       \
  X(c::State, prepare_extracted_statement,                                                         \
    (c::Connection, c::ExtractedStatements, c::Index index, c::PreparedStatement*))                \
  X(const char*, extract_statements_error, (c::ExtractedStatements))                               \
  X(void, destroy_extracted, (c::ExtractedStatements*))                                            \
  X(void, destroy_prepare, (c::PreparedStatement*))                                                \
  X(const char*, prepare_error, (c::PreparedStatement))                                            \
  X(c::Index, nparams, (c::PreparedStatement))                                                     \
  X(const char*, parameter_name, (c::PreparedStatement, c::Index index))                           \
  X(c::LogicalType, param_logical_type, (c::PreparedStatement, c::Index index))                    \
  X(c::State, clear_bindings, (c::PreparedStatement))                                              \
  X(c::StatementType, prepared_statement_type, (c::PreparedStatement))                             \
  X(c::Index, prepared_statement_column_count, (c::PreparedStatement))                             \
  X(const char*, prepared_statement_column_name, (c::PreparedStatement, c::Index column))          \
  X(c::LogicalType, prepared_statement_column_logical_type, (c::PreparedStatement, c::Index))      \
  X(c::State, bind_value, (c::PreparedStatement, c::Index index, c::Value))                        \
  X(c::State, bind_boolean, (c::PreparedStatement, c::Index index, bool))                          \
  X(c::State, bind_int32, (c::PreparedStatement, c::Index index, std::int32_t))                    \
  X(c::State, bind_int64, (c::PreparedStatement, c::Index index, std::int64_t))                    \
  X(c::State, bind_double, (c::PreparedStatement, c::Index index, double))                         \
  X(c::State, bind_varchar_length,                                                                 \
    (c::PreparedStatement, c::Index index, const char*, c::Index length))                          \
  X(c::State, bind_null, (c::PreparedStatement, c::Index index))                                   \
  X(c::State, pending_prepared, (c::PreparedStatement, c::PendingResult*))                         \
  X(c::PendingState, pending_execute_task, (c::PendingResult))                                     \
  X(bool, pending_execution_is_finished, (c::PendingState))                                        \
  X(c::State, execute_pending, (c::PendingResult, c::Result*))                                     \
  X(const char*, pending_error, (c::PendingResult))                                                \
  X(void, destroy_pending, (c::PendingResult*))                                                    \
  X(c::LogicalType, create_logical_type, (c::Type))                                                \
  X(c::LogicalType, create_list_type, (c::LogicalType))                                            \
  X(c::LogicalType, create_map_type, (c::LogicalType key, c::LogicalType value))                   \
  X(c::LogicalType, create_struct_type,                                                            \
    (c::LogicalType* types, const char** names, c::Index count))                                   \
  X(c::LogicalType, create_decimal_type, (std::uint8_t width, std::uint8_t scale))                 \
  X(void, destroy_logical_type, (c::LogicalType*))                                                 \
  X(c::Type, get_type_id, (c::LogicalType))                                                        \
  X(char*, logical_type_get_alias, (c::LogicalType))                                               \
  X(std::uint8_t, decimal_width, (c::LogicalType))                                                 \
  X(std::uint8_t, decimal_scale, (c::LogicalType))                                                 \
  X(c::Type, decimal_internal_type, (c::LogicalType))                                              \
  X(c::Type, enum_internal_type, (c::LogicalType))                                                 \
  X(std::uint32_t, enum_dictionary_size, (c::LogicalType))                                         \
  X(char*, enum_dictionary_value, (c::LogicalType, c::Index index))                                \
  X(c::LogicalType, list_type_child_type, (c::LogicalType))                                        \
  X(c::LogicalType, array_type_child_type, (c::LogicalType))                                       \
  X(c::Index, array_type_array_size, (c::LogicalType))                                             \
  X(c::LogicalType, map_type_key_type, (c::LogicalType))                                           \
  X(c::LogicalType, map_type_value_type, (c::LogicalType))                                         \
  X(c::Index, struct_type_child_count, (c::LogicalType))                                           \
  X(char*, struct_type_child_name, (c::LogicalType, c::Index index))                               \
  X(c::LogicalType, struct_type_child_type, (c::LogicalType, c::Index index))                      \
  X(c::Index, union_type_member_count, (c::LogicalType))                                           \
  X(char*, union_type_member_name, (c::LogicalType, c::Index index))                               \
  X(c::LogicalType, union_type_member_type, (c::LogicalType, c::Index index))                      \
  X(c::Value, create_bool, (bool))                                                                 \
  X(c::Value, create_int32, (std::int32_t))                                                        \
  X(c::Value, create_int64, (std::int64_t))                                                        \
  X(c::Value, create_double, (double))                                                             \
  X(c::Value, create_hugeint, (c::HugeInt))                                                        \
  X(c::Value, create_uhugeint, (c::UHugeInt))                                                      \
  X(c::Value, create_decimal, (c::Decimal))                                                        \
  X(c::Value, create_varchar_length, (const char*, c::Index length))                               \
  X(c::Value, create_date, (c::Date))                                                              \
  X(c::Value, create_time, (c::Time))                                                              \
  X(c::TimeTz, create_time_tz, (std::int64_t micros, std::int32_t offset))                         \
  X(c::Value, create_time_tz_value, (c::TimeTz))                                                   \
  X(c::Value, create_timestamp, (c::Timestamp))                                                    \
  X(c::Value, create_timestamp_tz, (c::Timestamp))                                                 \
  X(c::Value, create_blob, (const std::uint8_t*, c::Index length))                                 \
  X(c::Value, create_list_value, (c::LogicalType element, c::Value*, c::Index count))              \
  X(c::Value, create_struct_value, (c::LogicalType, c::Value*))                                    \
  X(c::Value, create_map_value, (c::LogicalType, c::Value* keys, c::Value* values, c::Index count)) \
  X(c::Value, create_interval, (c::Interval))                                                      \
  X(c::Value, create_uuid, (c::UHugeInt))                                                          \
  X(c::Value, get_struct_child, (c::Value, c::Index index))                                        \
  X(c::Value, create_null_value, ())                                                               \
  X(void, destroy_value, (c::Value*))                                                              \
  X(c::Index, data_chunk_get_size, (c::DataChunk))                                                 \
  X(c::Vector, data_chunk_get_vector, (c::DataChunk, c::Index column))                             \
  X(void, destroy_data_chunk, (c::DataChunk*))                                                     \
  X(void*, vector_get_data, (c::Vector))                                                           \
  X(std::uint64_t*, vector_get_validity, (c::Vector))                                              \
  X(c::Vector, list_vector_get_child, (c::Vector))                                                 \
  X(c::Index, list_vector_get_size, (c::Vector))                                                   \
  X(c::State, list_vector_set_size, (c::Vector, c::Index size))                                    \
  X(c::State, list_vector_reserve, (c::Vector, c::Index capacity))                                 \
  X(c::Vector, struct_vector_get_child, (c::Vector, c::Index index))                               \
  X(c::Vector, array_vector_get_child, (c::Vector))                                                \
  X(void, vector_assign_string_element_len,                                                        \
    (c::Vector, c::Index index, const char*, c::Index length))                                     \
  X(void, vector_ensure_validity_writable, (c::Vector))                                            \
  X(void, validity_set_row_invalid, (std::uint64_t * validity, c::Index row))                      \
  X(c::ScalarFunction, create_scalar_function, ())                                                 \
  X(void, destroy_scalar_function, (c::ScalarFunction*))                                           \
  X(void, scalar_function_set_name, (c::ScalarFunction, const char*))                              \
  X(void, scalar_function_add_parameter, (c::ScalarFunction, c::LogicalType))                      \
  X(void, scalar_function_set_return_type, (c::ScalarFunction, c::LogicalType))                    \
  X(void, scalar_function_set_special_handling, (c::ScalarFunction))                               \
  X(void, scalar_function_set_extra_info, (c::ScalarFunction, void*, c::DeleteCallback))           \
  X(void, scalar_function_set_bind, (c::ScalarFunction, c::ScalarBind))                            \
  X(void, scalar_function_set_function, (c::ScalarFunction, c::ScalarExecute))                     \
  X(c::State, register_scalar_function, (c::Connection, c::ScalarFunction))                        \
  X(c::ScalarFunctionSet, create_scalar_function_set, (const char*))                               \
  X(void, destroy_scalar_function_set, (c::ScalarFunctionSet*))                                    \
  X(c::State, add_scalar_function_to_set, (c::ScalarFunctionSet, c::ScalarFunction))               \
  X(c::State, register_scalar_function_set, (c::Connection, c::ScalarFunctionSet))                 \
  X(void*, scalar_function_bind_get_extra_info, (c::BindInfo))                                     \
  X(void, scalar_function_get_client_context, (c::BindInfo, c::ClientContext*))                    \
  X(void, scalar_function_bind_set_error, (c::BindInfo, const char*))                              \
  X(void, scalar_function_set_bind_data, (c::BindInfo, void*, c::DeleteCallback))                  \
  X(void, scalar_function_set_bind_data_copy, (c::BindInfo, c::CopyCallback))                      \
  X(void*, scalar_function_get_bind_data, (c::FunctionInfo))                                       \
  X(void*, scalar_function_get_extra_info, (c::FunctionInfo))                                      \
  X(void, scalar_function_set_error, (c::FunctionInfo, const char*))                               \
  X(void, connection_get_client_context, (c::Connection, c::ClientContext*))                       \
  X(c::Index, client_context_get_connection_id, (c::ClientContext))                                \
  X(void, destroy_client_context, (c::ClientContext*))

// pending_prepared_streaming is announced for removal by DuckDB: without it large results are
// materialised. The others are for results in Arrow's format, which are an error without them.
#define MXCP_DUCKDB_OPTIONAL(X)                                                                    \
  X(c::State, pending_prepared_streaming, (c::PreparedStatement, c::PendingResult*))               \
  X(c::ArrowOptions, result_get_arrow_options, (c::Result*))                                       \
  X(void, destroy_arrow_options, (c::ArrowOptions*))                                               \
  X(c::ErrorData, to_arrow_schema,                                                                 \
    (c::ArrowOptions, c::LogicalType * types, const char** names, c::Index count,                  \
     c::ArrowSchema*))                                                                             \
  X(c::ErrorData, data_chunk_to_arrow, (c::ArrowOptions, c::DataChunk, c::ArrowArray*))            \
  X(const char*, error_data_message, (c::ErrorData))                                               \
  X(bool, error_data_has_error, (c::ErrorData))                                                    \
  X(void, destroy_error_data, (c::ErrorData*))
// clang-format on

struct Api {
#define MXCP_DUCKDB_MEMBER(result, name, parameters) result(*name) parameters = nullptr;
  MXCP_DUCKDB_REQUIRED(MXCP_DUCKDB_MEMBER)
  MXCP_DUCKDB_OPTIONAL(MXCP_DUCKDB_MEMBER)
#undef MXCP_DUCKDB_MEMBER
};

}  // namespace mxcp::engine
