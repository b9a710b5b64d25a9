// ScalarFunction: a SQL function that somebody else implements (python/: methods of plugins).
//
// It is called with a chunk of rows (up to 2048) at a time. NULL arguments are given to it like any
// other. DuckDB takes it for deterministic within a statement: constant arguments are computed
// once, filters with it are pushed down; the statement is prepared anew for every execution,
// because that computation belongs to one call only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/database.h"
#include "engine/duckdb_api.h"
#include "engine/result_set.h"
#include "engine/vector_reader.h"
#include "engine/vector_writer.h"

namespace mxcp::engine {

class Instance;

class ScalarFunction {
 public:
  virtual ~ScalarFunction() = default;

  virtual const std::string& name() const = 0;
  // Of kBoolean, kInteger, kBigInt, kHugeInt, kDouble, kDecimal, kVarchar, kBlob, kUuid, kDate,
  // kTime, kTimestamp, kTimestampTz, kInterval, kList, kMap, kStruct. They outlive the function's
  // chunks.
  virtual const std::vector<ColumnType>& parameters() const = 0;
  virtual const ColumnType& result() const = 0;

  // Computes one chunk: every row of `output` is set, or set to NULL. `call` is what the
  // statement's ExecuteOptions::call says. The error's text becomes the query's. From any thread,
  // several at once; DuckDB's own threads among them.
  virtual Status run(const ChunkView& input, VectorWriter& output,
                     const std::shared_ptr<const void>& call) = 0;
};

// All functions of one name, for every connection of the instance, as long as that is open. (1.4
// refuses a second registration of a name.)
Status register_scalar_functions(Instance& instance, c::Connection connection,
                                 const ScalarFunctions& forms);

}  // namespace mxcp::engine
