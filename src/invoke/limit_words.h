// What people and models are told about limits.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "invoke/call.h"

namespace mxcp::invoke {

// "limits.timeout of this tool", "limits.timeout in mxcp-site.yml", "the built-in limits.max_bytes"
template <class T>
std::string limit_name(std::string_view key, const project::Limit<T>& limit,
                       std::string_view kind) {
  if (limit.own) return fmt::format("limits.{} of this {}", key, kind);
  if (limit.place.known()) return fmt::format("limits.{} in {}", key, limit.place.file);
  return fmt::format("the built-in limits.{}", key);
}

// The call's time is up.
Error timed_out(const Call& call);
LimitMet timeout_met(const project::Limits& limits);

// The result cannot be cut. `what`: "it", "its first row"; a size of 0 is unknown.
Error too_large(const project::Endpoint& endpoint, std::string_view what, std::uint64_t size);
LimitMet max_bytes_met(const project::Limits& limits);

// The list was cut: which limit, and the words beside the result.
LimitMet cut_met(const project::Limits& limits, const engine::RowsRead& read);
std::string cut_notice(const project::Endpoint& endpoint, const engine::RowsRead& read);

// The result found no memory.
Error out_of_memory();

}  // namespace mxcp::invoke
