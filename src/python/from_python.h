// Python object -> Value: results of calls, parameters of db.execute, messages to the client.
//
//   None bool int float str       themselves; NaN stays a double (the JSON writer makes it null)
//   dict, Mapping, sqlite3.Row    object; keys that are no str become text, as json.dumps has it
//   list tuple range, iterables   list (namedtuples too, as json.dumps); generators are run
//   set frozenset                 list, sorted where its elements can be, so that it is repeatable
//   date time datetime bytes      their own kinds
//   Decimal                       a number with its digits; among parameters it stays a DECIMAL
//   timedelta UUID                ISO 8601 duration, text; among parameters an Interval, a Uuid
//   Path Enum                     text, the value
//   dataclass attrs pydantic      object
//   numpy pandas polars pyarrow   scalars .item(), arrays and columns lists, frames lists of rows
//
// Anything else is an error that names the type and where it stands ("users[3].manager: ..."). So
// are cycles and nesting beyond kMaxDepth. Never crashes and never overflows the stack.
#pragma once

#include "python/py_ref.h"

#include <limits>

#include "base/cancel.h"
#include "base/error.h"
#include "base/value.h"
#include "invoke/call.h"

namespace mxcp::python {

inline constexpr int kMaxDepth = 200;
// An iterator that gives more is taken for endless.
inline constexpr std::size_t kMaxIterated = 5'000'000;
inline constexpr std::size_t kAllItems = std::numeric_limits<std::size_t>::max();

enum class Purpose { kResult, kParameter };

// With the GIL held; no Python exception is left set. Runs user code (generators, properties), so
// what it raises is an Error, too. `cancel` stops a long iteration; may be null. Of `object`, when
// it is a list or an iterable, no more than `max_items` are taken; a frame gives all its rows.
Result<Value> from_python(PyObject* object, Purpose purpose, const CancelToken* cancel = nullptr,
                          std::size_t max_items = kAllItems);

// How many items of the call's result are worth taking: enough to see that it must be cut.
std::size_t wanted_items(const invoke::Call& call);

}  // namespace mxcp::python
