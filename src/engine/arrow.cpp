#include "engine/arrow.h"

#include <string>
#include <vector>

#include "engine/handle.h"
#include "engine/result_set.h"
#include "engine/result_state.h"

namespace mxcp::engine {
namespace {

Status available(const Api& api) {
  if (api.result_get_arrow_options != nullptr && api.to_arrow_schema != nullptr &&
      api.data_chunk_to_arrow != nullptr && api.destroy_arrow_options != nullptr &&
      api.error_data_message != nullptr && api.error_data_has_error != nullptr &&
      api.destroy_error_data != nullptr) {
    return {};
  }
  return Error{Code::kDatabase,
               std::string("DuckDB ") + api.library_version() + " has no results in Arrow's format",
               {},
               "install another version of the duckdb package, 1.4 or newer"};
}

Status checked(const Api& api, c::ErrorData data) {
  const ErrorDataHandle error(api, data);
  if (!error || !api.error_data_has_error(error.get())) return {};
  const char* const message = api.error_data_message(error.get());
  return Error{Code::kSql, message == nullptr ? "the rows cannot be given to Arrow" : message};
}

}  // namespace

Status ResultSet::arrow_schema(c::ArrowSchema* out) {
  ResultState& state = *state_;
  const Api& api = state.api();
  MXCP_TRY(available(api));
  std::vector<TypeHandle> owners;
  std::vector<c::LogicalType> types;
  std::vector<const char*> names;
  for (std::size_t i = 0; i < state.columns.size(); ++i) {
    owners.emplace_back(api, api.column_logical_type(state.result.get(), i));
    types.push_back(owners.back().get());
    names.push_back(state.columns[i].name.c_str());
  }
  const ArrowOptionsHandle options(api, api.result_get_arrow_options(state.result.get()));
  return checked(api,
                 api.to_arrow_schema(options.get(), types.data(), names.data(), types.size(), out));
}

Result<bool> ResultSet::next_arrow(c::ArrowArray* out) {
  ResultState& state = *state_;
  const Api& api = state.api();
  MXCP_TRY(available(api));
  const ArrowOptionsHandle options(api, api.result_get_arrow_options(state.result.get()));
  MXCP_TRY(void* const chunk, next_chunk());
  if (chunk == nullptr) return false;
  MXCP_TRY(
      checked(api, api.data_chunk_to_arrow(options.get(), static_cast<c::DataChunk>(chunk), out)));
  return true;
}

}  // namespace mxcp::engine
