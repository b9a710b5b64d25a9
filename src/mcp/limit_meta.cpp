// What answers say about limits as data, beside the words: `_meta` of a result, `data` of an error.
#include <utility>

#include "base/json.h"
#include "mcp/core.h"

namespace mxcp::mcp {
namespace {

constexpr std::string_view kTruncated = "mxcp/truncated";
constexpr std::string_view kLimit = "mxcp/limit";

Object as_json(const invoke::LimitMet& limit, bool failed) {
  Object out;
  if (!failed) out.add("rows", limit.rows);
  out.add("limit", limit.limit);
  out.add("value", limit.value);
  if (limit.retry_after > 0) out.add("retryAfterSeconds", limit.retry_after);
  return out;
}

}  // namespace

std::pair<std::string_view, Value> limit_meta(const invoke::Outcome& outcome) {
  const bool failed = outcome.error.has_value();
  return {failed ? kLimit : kTruncated, as_json(*outcome.limit, failed)};
}

void add_limit_meta(ObjectText& result, const invoke::Outcome& outcome) {
  if (!outcome.limit) return;
  const auto [key, value] = limit_meta(outcome);
  result.meta(key, to_json(value));
}

RpcError call_failed(const invoke::Outcome& outcome) {
  RpcError error = to_rpc(*outcome.error);
  if (outcome.limit) {
    auto [key, value] = limit_meta(outcome);
    error.data = Object{{std::string(key), std::move(value)}};
  }
  return error;
}

}  // namespace mxcp::mcp
