// Owners of DuckDB's handles, one type per handle.
#pragma once

#include <utility>

#include "engine/duckdb_api.h"

namespace mxcp::engine {

// Destroys the handle with the function that the member of Api points to.
template <class T, void (*Api::*kDestroy)(T*)>
class Handle {
 public:
  explicit Handle(const Api& api, T handle = T{}) : api_(&api), handle_(handle) {}
  Handle(Handle&& other) noexcept : api_(other.api_), handle_(std::exchange(other.handle_, T{})) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(api_, other.api_);
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Handle() { reset(); }

  T get() const { return handle_; }
  explicit operator bool() const { return handle_ != T{}; }
  // Where a function of DuckDB writes a new handle; the old one is destroyed.
  T* out() {
    reset();
    return &handle_;
  }
  void reset() {
    if (handle_ != T{}) (api_->*kDestroy)(&handle_);
    handle_ = T{};
  }

 private:
  const Api* api_;
  T handle_;
};

using ConfigHandle = Handle<c::Config, &Api::destroy_config>;
using StatementHandle = Handle<c::PreparedStatement, &Api::destroy_prepare>;
using ExtractedHandle = Handle<c::ExtractedStatements, &Api::destroy_extracted>;
using PendingHandle = Handle<c::PendingResult, &Api::destroy_pending>;
using ChunkHandle = Handle<c::DataChunk, &Api::destroy_data_chunk>;
using TypeHandle = Handle<c::LogicalType, &Api::destroy_logical_type>;
using ValueHandle = Handle<c::Value, &Api::destroy_value>;
using ContextHandle = Handle<c::ClientContext, &Api::destroy_client_context>;
using ArrowOptionsHandle = Handle<c::ArrowOptions, &Api::destroy_arrow_options>;
using ErrorDataHandle = Handle<c::ErrorData, &Api::destroy_error_data>;
using FunctionHandle = Handle<c::ScalarFunction, &Api::destroy_scalar_function>;
using FunctionSetHandle = Handle<c::ScalarFunctionSet, &Api::destroy_scalar_function_set>;

// A result, which is a structure and not a pointer.
class ResultHandle {
 public:
  explicit ResultHandle(const Api& api) : api_(&api) {}
  ResultHandle(const ResultHandle&) = delete;
  ResultHandle& operator=(const ResultHandle&) = delete;
  ~ResultHandle() { reset(); }

  c::Result* get() { return &result_; }
  c::Result* out() {
    reset();
    return &result_;
  }
  void reset() {
    api_->destroy_result(&result_);
    result_ = {};
  }

 private:
  const Api* api_;
  c::Result result_{};
};

}  // namespace mxcp::engine
