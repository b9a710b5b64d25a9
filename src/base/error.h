// Errors are values.
//
// Every operation that can fail returns a Result<T> (or a Status when there is nothing to return).
// Nothing in mxcpp throws; what libraries throw is converted where it enters. A Result has no
// throwing accessor: ask ok() first, or use MXCP_TRY, which returns the error to the caller:
//
//     Result<int> port_of(const Value& v);
//
//     Result<Server> open(const Value& v) {
//       MXCP_TRY(int port, port_of(v));        // declares `port`, or returns the error
//       MXCP_TRY(check(port));                 // for a Status
//       return Server(port);
//     }
#pragma once

#include <algorithm>
#include <cassert>
#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace mxcp {

// What kind of failure it is. One table (describe()) gives each its name, exit status, JSON-RPC
// code and HTTP status.
enum class Code {
  kUsage,          // a wrong command line
  kConfig,         // a problem in a site, user or endpoint file
  kNotFound,       // no such project, endpoint, file, cursor ...
  kInvalidArgs,    // arguments of a call do not fit the declared parameters
  kInvalidOutput,  // the result of a call does not fit the declared return type
  kSql,            // DuckDB refused a statement
  kDatabase,       // the database cannot be opened: locked, corrupt, unreachable
  kPython,         // user code raised
  kPolicyDenied,
  kTimeout,
  kCancelled,
  kOverloaded,   // a bounded queue is full
  kUnavailable,  // starting, reloading or shutting down
  kProtocol,     // a malformed protocol message
  kIo,
  kInternal,
};

struct CodeInfo {
  std::string_view name;  // stable, e.g. "invalid_arguments"
  int exit_status;
  int json_rpc;
  int http;
};
const CodeInfo& describe(Code code);

// Where in a user's file. Lines and columns count from 1; 0 means unknown.
struct Place {
  std::string file;
  int line = 0;
  int column = 0;

  bool known() const { return !file.empty(); }
  // "tools/a.yml:3:7", "tools/a.yml" when the line is unknown, "" when the file is.
  std::string text() const;
  friend bool operator==(const Place&, const Place&) = default;
  // By file, then as one reads.
  // NOLINTNEXTLINE(modernize-use-nullptr): what the compiler makes of it
  friend auto operator<=>(const Place&, const Place&) = default;
};

struct Error {
  Code code = Code::kInternal;
  std::string message;  // one sentence or a few lines: what is wrong and what was expected
  Place place = {};
  std::string hint = {};    // what to do, e.g. "did you mean 'string'?"
  std::string detail = {};  // for the log only, e.g. a Python traceback
  // Which rule of `mxcp validate` is broken, one of base/rules.h; "" where there is none.
  std::string_view rule = {};

  // "file:line:col: message (hint)", the form a person reads.
  std::string text() const;

  Error at(Place where) && {
    if (!place.known()) place = std::move(where);
    return std::move(*this);
  }
  Error with_hint(std::string text) && {
    hint = std::move(text);
    return std::move(*this);
  }
  // A rule that is named already stays.
  Error as(std::string_view broken) && {
    if (rule.empty()) rule = broken;
    return std::move(*this);
  }
  // Puts "<context>: " before the message.
  Error in(std::string_view context) &&;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // Only when ok().
  T& operator*() & { return *std::get_if<0>(&state_); }
  const T& operator*() const& { return *std::get_if<0>(&state_); }
  T&& operator*() && { return std::move(*std::get_if<0>(&state_)); }
  T* operator->() { return std::get_if<0>(&state_); }
  const T* operator->() const { return std::get_if<0>(&state_); }

  // Only when !ok().
  const Error& error() const& { return *std::get_if<1>(&state_); }
  Error& error() & { return *std::get_if<1>(&state_); }
  Error error() && { return std::move(*std::get_if<1>(&state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const& { return *error_; }
  Error& error() & { return *error_; }
  Error error() && { return std::move(*error_); }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

// The distance-based suggestion every "unknown name" error carries: "did you mean 'x'?", or "".
// Candidates further than a third of the word away are not offered, nor those with nothing in
// common.
template <class Names>
std::string suggest(std::string_view word, const Names& candidates);

#define MXCP_CONCAT_(a, b) a##b
#define MXCP_CONCAT(a, b) MXCP_CONCAT_(a, b)
#define MXCP_TRY_STATUS_(expr)                                    \
  do {                                                            \
    auto mxcp_status = (expr);                                    \
    if (!mxcp_status.ok()) return std::move(mxcp_status).error(); \
  } while (false)
#define MXCP_TRY_VALUE_(decl, expr)                                \
  auto MXCP_CONCAT(mxcp_result_, __LINE__) = (expr);               \
  if (!MXCP_CONCAT(mxcp_result_, __LINE__).ok())                   \
    return std::move(MXCP_CONCAT(mxcp_result_, __LINE__)).error(); \
  decl = *std::move(MXCP_CONCAT(mxcp_result_, __LINE__))
#define MXCP_TRY_PICK_(a, b, name, ...) name
#define MXCP_TRY(...) MXCP_TRY_PICK_(__VA_ARGS__, MXCP_TRY_VALUE_, MXCP_TRY_STATUS_, )(__VA_ARGS__)

// --- implementation ---------------------------------------------------------------------------

// Number of single-character edits (Damerau) between two words, ignoring ASCII case.
std::size_t edit_distance(std::string_view a, std::string_view b);

template <class Names>
std::string suggest(std::string_view word, const Names& candidates) {
  std::string best;
  std::size_t best_distance = word.size() / 3 + 2;
  for (const auto& candidate : candidates) {
    const std::string_view name = candidate;
    const auto d = edit_distance(word, name);
    if (d < best_distance && d < std::max(word.size(), name.size())) {
      best_distance = d;
      best = name;
    }
  }
  return best.empty() ? best : "did you mean '" + best + "'?";
}

}  // namespace mxcp
