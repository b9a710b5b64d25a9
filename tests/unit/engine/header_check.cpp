// Compiled, not run, by script/check-duckdb-header, once beside the duckdb.h of each version:
// every function, structure and constant that engine/duckdb_api.h declares must be DuckDB's own.
#include <duckdb.h>

#include <cstddef>
#include <type_traits>

#include "engine/duckdb_api.h"

namespace {

using mxcp::engine::Api;
namespace ours = mxcp::engine::c;

// The official type -> ours. Whatever is not listed (integers, char*, callbacks of such) is itself.
template <class T>
struct Map {
  using Type = T;
};
template <class T>
using Mapped = typename Map<T>::Type;

template <class T>
struct Map<const T> {
  using Type = const Mapped<T>;
};
template <class R, class... A>
struct Map<R(A...)> {
  using Type = Mapped<R>(Mapped<A>...);
};

#define MXCP_MAP(official, own) \
  template <>                   \
  struct Map<official> {        \
    using Type = ours::own;     \
  };
MXCP_MAP(duckdb_database, Database)
MXCP_MAP(duckdb_connection, Connection)
MXCP_MAP(duckdb_config, Config)
MXCP_MAP(duckdb_prepared_statement, PreparedStatement)
MXCP_MAP(duckdb_extracted_statements, ExtractedStatements)
MXCP_MAP(duckdb_pending_result, PendingResult)
MXCP_MAP(duckdb_data_chunk, DataChunk)
MXCP_MAP(duckdb_vector, Vector)
MXCP_MAP(duckdb_logical_type, LogicalType)
MXCP_MAP(duckdb_value, Value)
MXCP_MAP(duckdb_client_context, ClientContext)
MXCP_MAP(duckdb_scalar_function, ScalarFunction)
MXCP_MAP(duckdb_scalar_function_set, ScalarFunctionSet)
MXCP_MAP(duckdb_bind_info, BindInfo)
MXCP_MAP(duckdb_function_info, FunctionInfo)
MXCP_MAP(duckdb_arrow_options, ArrowOptions)
MXCP_MAP(duckdb_error_data, ErrorData)
MXCP_MAP(::ArrowSchema, ArrowSchema)
MXCP_MAP(::ArrowArray, ArrowArray)
MXCP_MAP(duckdb_state, State)
MXCP_MAP(duckdb_type, Type)
MXCP_MAP(duckdb_pending_state, PendingState)
MXCP_MAP(duckdb_result_type, ResultType)
MXCP_MAP(duckdb_statement_type, StatementType)
MXCP_MAP(duckdb_error_type, ErrorType)
MXCP_MAP(duckdb_date, Date)
MXCP_MAP(duckdb_time, Time)
MXCP_MAP(duckdb_time_tz, TimeTz)
MXCP_MAP(duckdb_timestamp, Timestamp)
MXCP_MAP(duckdb_interval, Interval)
MXCP_MAP(duckdb_hugeint, HugeInt)
MXCP_MAP(duckdb_uhugeint, UHugeInt)
MXCP_MAP(duckdb_decimal, Decimal)
MXCP_MAP(duckdb_query_progress_type, Progress)
MXCP_MAP(duckdb_list_entry, ListEntry)
MXCP_MAP(duckdb_string_t, String)
MXCP_MAP(duckdb_result, Result)
#undef MXCP_MAP

// A pointer to something that is no handle; handles are pointers too, and matched above.
template <class T>
struct Map<T*> {
  using Type = Mapped<T>*;
};

#define MXCP_CHECK_FUNCTION(result, name, parameters)                       \
  static_assert(std::is_same_v<Mapped<decltype(::duckdb_##name)>,           \
                               std::remove_pointer_t<decltype(Api::name)>>, \
                "duckdb_" #name " is declared differently");
MXCP_DUCKDB_REQUIRED(MXCP_CHECK_FUNCTION)
MXCP_DUCKDB_OPTIONAL(MXCP_CHECK_FUNCTION)
#undef MXCP_CHECK_FUNCTION

#define MXCP_CHECK_SIZE(official, own)                         \
  static_assert(sizeof(official) == sizeof(ours::own) &&       \
                    alignof(official) == alignof(ours::own) && \
                    std::is_trivially_copyable_v<ours::own>,   \
                #own " has another size");
#define MXCP_CHECK_FIELD(official, field, own, own_field)                      \
  static_assert(offsetof(official, field) == offsetof(ours::own, own_field) && \
                    sizeof(official::field) == sizeof(ours::own::own_field),   \
                #own "::" #own_field " lies elsewhere");
MXCP_CHECK_SIZE(duckdb_date, Date)
MXCP_CHECK_FIELD(duckdb_date, days, Date, days)
MXCP_CHECK_SIZE(duckdb_time, Time)
MXCP_CHECK_FIELD(duckdb_time, micros, Time, micros)
MXCP_CHECK_SIZE(duckdb_time_tz, TimeTz)
MXCP_CHECK_FIELD(duckdb_time_tz, bits, TimeTz, bits)
MXCP_CHECK_SIZE(duckdb_timestamp, Timestamp)
MXCP_CHECK_FIELD(duckdb_timestamp, micros, Timestamp, micros)
MXCP_CHECK_SIZE(duckdb_interval, Interval)
MXCP_CHECK_FIELD(duckdb_interval, months, Interval, months)
MXCP_CHECK_FIELD(duckdb_interval, days, Interval, days)
MXCP_CHECK_FIELD(duckdb_interval, micros, Interval, micros)
MXCP_CHECK_SIZE(duckdb_hugeint, HugeInt)
MXCP_CHECK_FIELD(duckdb_hugeint, lower, HugeInt, lower)
MXCP_CHECK_FIELD(duckdb_hugeint, upper, HugeInt, upper)
MXCP_CHECK_SIZE(duckdb_uhugeint, UHugeInt)
MXCP_CHECK_FIELD(duckdb_uhugeint, lower, UHugeInt, lower)
MXCP_CHECK_FIELD(duckdb_uhugeint, upper, UHugeInt, upper)
MXCP_CHECK_SIZE(duckdb_decimal, Decimal)
MXCP_CHECK_FIELD(duckdb_decimal, width, Decimal, width)
MXCP_CHECK_FIELD(duckdb_decimal, scale, Decimal, scale)
MXCP_CHECK_FIELD(duckdb_decimal, value, Decimal, value)
MXCP_CHECK_SIZE(duckdb_query_progress_type, Progress)
MXCP_CHECK_FIELD(duckdb_query_progress_type, percentage, Progress, percentage)
MXCP_CHECK_SIZE(duckdb_list_entry, ListEntry)
MXCP_CHECK_FIELD(duckdb_list_entry, offset, ListEntry, offset)
MXCP_CHECK_FIELD(duckdb_list_entry, length, ListEntry, length)
MXCP_CHECK_SIZE(duckdb_string_t, String)
MXCP_CHECK_FIELD(duckdb_string_t, value.pointer.length, String, length)
MXCP_CHECK_FIELD(duckdb_string_t, value.pointer.prefix, String, prefix)
MXCP_CHECK_FIELD(duckdb_string_t, value.pointer.ptr, String, pointer)
static_assert(sizeof(duckdb_string_t::value.inlined.inlined) == 12);
MXCP_CHECK_SIZE(duckdb_result, Result)
MXCP_CHECK_FIELD(duckdb_result, internal_data, Result, internal_data)

#define MXCP_CHECK_CONSTANT(official, own) \
  static_assert(static_cast<int>(official) == static_cast<int>(ours::own));
MXCP_CHECK_CONSTANT(DuckDBSuccess, kSuccess)
MXCP_CHECK_CONSTANT(DuckDBError, kError)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_INVALID, kTypeInvalid)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_BOOLEAN, kTypeBoolean)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_TINYINT, kTypeTinyInt)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_SMALLINT, kTypeSmallInt)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_INTEGER, kTypeInteger)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_BIGINT, kTypeBigInt)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_UTINYINT, kTypeUTinyInt)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_USMALLINT, kTypeUSmallInt)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_UINTEGER, kTypeUInteger)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_UBIGINT, kTypeUBigInt)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_FLOAT, kTypeFloat)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_DOUBLE, kTypeDouble)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_TIMESTAMP, kTypeTimestamp)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_DATE, kTypeDate)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_TIME, kTypeTime)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_INTERVAL, kTypeInterval)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_HUGEINT, kTypeHugeInt)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_VARCHAR, kTypeVarchar)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_BLOB, kTypeBlob)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_DECIMAL, kTypeDecimal)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_TIMESTAMP_S, kTypeTimestampS)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_TIMESTAMP_MS, kTypeTimestampMs)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_TIMESTAMP_NS, kTypeTimestampNs)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_ENUM, kTypeEnum)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_LIST, kTypeList)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_STRUCT, kTypeStruct)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_MAP, kTypeMap)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_UUID, kTypeUuid)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_UNION, kTypeUnion)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_BIT, kTypeBit)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_TIME_TZ, kTypeTimeTz)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_TIMESTAMP_TZ, kTypeTimestampTz)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_UHUGEINT, kTypeUHugeInt)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_ARRAY, kTypeArray)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_ANY, kTypeAny)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_BIGNUM, kTypeBigNum)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_SQLNULL, kTypeSqlNull)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_STRING_LITERAL, kTypeStringLiteral)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_INTEGER_LITERAL, kTypeIntegerLiteral)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_TIME_NS, kTypeTimeNs)
#ifdef DUCKDB_API_VERSION_MAJOR  // 1.5 and newer
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_GEOMETRY, kTypeGeometry)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_VARIANT, kTypeVariant)
MXCP_CHECK_CONSTANT(DUCKDB_TYPE_TIMESTAMP_TZ_NS, kTypeTimestampTzNs)
#endif
MXCP_CHECK_CONSTANT(DUCKDB_PENDING_RESULT_READY, kPendingReady)
MXCP_CHECK_CONSTANT(DUCKDB_PENDING_RESULT_NOT_READY, kPendingNotReady)
MXCP_CHECK_CONSTANT(DUCKDB_PENDING_ERROR, kPendingError)
MXCP_CHECK_CONSTANT(DUCKDB_PENDING_NO_TASKS_AVAILABLE, kPendingNoTasks)
MXCP_CHECK_CONSTANT(DUCKDB_RESULT_TYPE_INVALID, kResultInvalid)
MXCP_CHECK_CONSTANT(DUCKDB_RESULT_TYPE_CHANGED_ROWS, kResultChangedRows)
MXCP_CHECK_CONSTANT(DUCKDB_RESULT_TYPE_NOTHING, kResultNothing)
MXCP_CHECK_CONSTANT(DUCKDB_RESULT_TYPE_QUERY_RESULT, kResultRows)
MXCP_CHECK_CONSTANT(DUCKDB_STATEMENT_TYPE_INVALID, kStatementInvalid)
MXCP_CHECK_CONSTANT(DUCKDB_STATEMENT_TYPE_SELECT, kStatementSelect)
MXCP_CHECK_CONSTANT(DUCKDB_STATEMENT_TYPE_INSERT, kStatementInsert)
MXCP_CHECK_CONSTANT(DUCKDB_STATEMENT_TYPE_UPDATE, kStatementUpdate)
MXCP_CHECK_CONSTANT(DUCKDB_STATEMENT_TYPE_EXPLAIN, kStatementExplain)
MXCP_CHECK_CONSTANT(DUCKDB_STATEMENT_TYPE_DELETE, kStatementDelete)
MXCP_CHECK_CONSTANT(DUCKDB_STATEMENT_TYPE_PREPARE, kStatementPrepare)
MXCP_CHECK_CONSTANT(DUCKDB_STATEMENT_TYPE_CREATE, kStatementCreate)
MXCP_CHECK_CONSTANT(DUCKDB_STATEMENT_TYPE_EXECUTE, kStatementExecute)
MXCP_CHECK_CONSTANT(DUCKDB_STATEMENT_TYPE_ALTER, kStatementAlter)
MXCP_CHECK_CONSTANT(DUCKDB_STATEMENT_TYPE_TRANSACTION, kStatementTransaction)
MXCP_CHECK_CONSTANT(DUCKDB_STATEMENT_TYPE_COPY, kStatementCopy)
MXCP_CHECK_CONSTANT(DUCKDB_STATEMENT_TYPE_ANALYZE, kStatementAnalyze)
MXCP_CHECK_CONSTANT(DUCKDB_STATEMENT_TYPE_VARIABLE_SET, kStatementVariableSet)
MXCP_CHECK_CONSTANT(DUCKDB_STATEMENT_TYPE_CREATE_FUNC, kStatementCreateFunction)
MXCP_CHECK_CONSTANT(DUCKDB_STATEMENT_TYPE_DROP, kStatementDrop)
MXCP_CHECK_CONSTANT(DUCKDB_STATEMENT_TYPE_EXPORT, kStatementExport)
MXCP_CHECK_CONSTANT(DUCKDB_STATEMENT_TYPE_PRAGMA, kStatementPragma)
MXCP_CHECK_CONSTANT(DUCKDB_STATEMENT_TYPE_VACUUM, kStatementVacuum)
MXCP_CHECK_CONSTANT(DUCKDB_STATEMENT_TYPE_CALL, kStatementCall)
MXCP_CHECK_CONSTANT(DUCKDB_STATEMENT_TYPE_SET, kStatementSet)
MXCP_CHECK_CONSTANT(DUCKDB_STATEMENT_TYPE_LOAD, kStatementLoad)
MXCP_CHECK_CONSTANT(DUCKDB_STATEMENT_TYPE_RELATION, kStatementRelation)
MXCP_CHECK_CONSTANT(DUCKDB_STATEMENT_TYPE_EXTENSION, kStatementExtension)
MXCP_CHECK_CONSTANT(DUCKDB_STATEMENT_TYPE_LOGICAL_PLAN, kStatementLogicalPlan)
MXCP_CHECK_CONSTANT(DUCKDB_STATEMENT_TYPE_ATTACH, kStatementAttach)
MXCP_CHECK_CONSTANT(DUCKDB_STATEMENT_TYPE_DETACH, kStatementDetach)
MXCP_CHECK_CONSTANT(DUCKDB_STATEMENT_TYPE_MULTI, kStatementMulti)
MXCP_CHECK_CONSTANT(DUCKDB_ERROR_INVALID, kErrorInvalid)
MXCP_CHECK_CONSTANT(DUCKDB_ERROR_TRANSACTION, kErrorTransaction)
MXCP_CHECK_CONSTANT(DUCKDB_ERROR_CATALOG, kErrorCatalog)
MXCP_CHECK_CONSTANT(DUCKDB_ERROR_PARSER, kErrorParser)
MXCP_CHECK_CONSTANT(DUCKDB_ERROR_BINDER, kErrorBinder)
MXCP_CHECK_CONSTANT(DUCKDB_ERROR_IO, kErrorIo)
MXCP_CHECK_CONSTANT(DUCKDB_ERROR_INTERRUPT, kErrorInterrupt)
MXCP_CHECK_CONSTANT(DUCKDB_ERROR_FATAL, kErrorFatal)
MXCP_CHECK_CONSTANT(DUCKDB_ERROR_INTERNAL, kErrorInternal)
MXCP_CHECK_CONSTANT(DUCKDB_ERROR_OUT_OF_MEMORY, kErrorOutOfMemory)

}  // namespace
