#include "invoke/limit_words.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"

namespace mxcp::invoke {
namespace {

using project::bytes_text;
using project::Endpoint;
using project::to_text;

// Names of parameters that say where a part of a result begins, and how long it is. The second
// alone lead to no other part.
constexpr std::array<std::string_view, 14> kPositions = {
    "after", "before",    "cursor", "endingbefore", "nextcursor", "nexttoken",     "offset",
    "page",  "pageindex", "pageno", "pagenumber",   "pagetoken",  "startingafter", "skip",
};
constexpr std::array<std::string_view, 6> kSizes = {
    "limit", "maxresults", "pagelimit", "pagesize", "perpage", "top",
};

// page_size, page-size and pageSize are one name.
std::string plain(std::string_view name) {
  std::string out = to_lower(name);
  std::erase_if(out, [](char c) { return c == '_' || c == '-'; });
  return out;
}

template <std::size_t n>
bool is_one_of(std::string_view name, const std::array<std::string_view, n>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string quoted(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 < names.size() ? ", " : " and ";
    out += '\'' + names[i] + '\'';
  }
  return out;
}

std::string how_to_get_the_rest(const Endpoint& endpoint) {
  if (endpoint.free_sql) return "Use LIMIT and OFFSET, or aggregate, to get the rest.";
  std::vector<std::string> paging;
  bool has_position = false;
  for (const auto& parameter : endpoint.parameters.entries()) {
    const std::string name = plain(parameter.name);
    const bool is_position = is_one_of(name, kPositions);
    has_position = has_position || is_position;
    if (is_position || is_one_of(name, kSizes)) paging.push_back(parameter.name);
  }
  if (has_position) return "Use " + quoted(paging) + " to get the rest.";
  if (!endpoint.parameters.empty()) {
    return "To get the rest, ask for less at a time: with arguments that fewer rows match.";
  }
  return fmt::format("This {} has no parameters to ask for the rest.", name_of(endpoint.kind));
}

std::string limit_value(const project::Limits& limits, engine::Cut cut) {
  if (cut == engine::Cut::kRows)
    return std::to_string(limits.max_rows ? limits.max_rows->value : 0);
  return bytes_text(limits.max_bytes ? limits.max_bytes->value : 0);
}

}  // namespace

Error timed_out(const Call& call) {
  const auto& limit = call.endpoint->limits.timeout;
  if (!limit) return call.cancel->error();
  std::string waited;
  switch (call.stage.now.load(std::memory_order_relaxed)) {
    case Stage::kThread: waited = " while it waited for others to end"; break;
    case Stage::kConnection: waited = " while it waited for a database connection"; break;
    case Stage::kCode: break;
  }
  return {Code::kTimeout,
          fmt::format("the call was stopped after {}{} ({})", to_text(limit->value), waited,
                      limit_name("timeout", *limit, name_of(call.endpoint->kind))),
          limit->place,
          waited.empty() ? "ask for less at a time; or raise the limit"
                         : "the server is busy; try again later"};
}

LimitMet timeout_met(const project::Limits& limits) {
  return {"timeout", limits.timeout ? to_text(limits.timeout->value) : "", 0, 0};
}

Error too_large(const Endpoint& endpoint, std::string_view what, std::uint64_t size) {
  const auto& limit = endpoint.limits.max_bytes;
  if (!limit) return {Code::kInternal, "a result without a limit is too large"};
  std::string has = size == 0 ? "has more than" : fmt::format("has {} bytes, more than", size);
  return {Code::kInvalidOutput,
          fmt::format("the result is too large: {} {} {} ({})", what, has, bytes_text(limit->value),
                      limit_name("max_bytes", *limit, name_of(endpoint.kind))),
          limit->place, "only lists can be cut; ask for less, return less, or raise the limit"};
}

LimitMet max_bytes_met(const project::Limits& limits) {
  return {"max_bytes", limit_value(limits, engine::Cut::kBytes), 0, 0};
}

LimitMet cut_met(const project::Limits& limits, const engine::RowsRead& read) {
  return {read.cut == engine::Cut::kRows ? "max_rows" : "max_bytes", limit_value(limits, read.cut),
          read.rows, 0};
}

std::string cut_notice(const Endpoint& endpoint, const engine::RowsRead& read) {
  const project::Limits& limits = endpoint.limits;
  const std::string_view kind = name_of(endpoint.kind);
  const bool by_rows = read.cut == engine::Cut::kRows;
  const std::string name = by_rows ? limit_name("max_rows", *limits.max_rows, kind)
                                   : bytes_text(limits.max_bytes->value) + ", " +
                                         limit_name("max_bytes", *limits.max_bytes, kind);
  return fmt::format("The result was cut after {} ({}): there is more. {}",
                     plural(read.rows, "row"), name, how_to_get_the_rest(endpoint));
}

Error out_of_memory() {
  return {Code::kOverloaded,
          "there is not enough memory for the result",
          {},
          "ask for less, or set limits.max_rows or max_bytes"};
}

}  // namespace mxcp::invoke
