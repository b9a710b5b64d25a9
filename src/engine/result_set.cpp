#include "engine/result_set.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <unordered_set>

#include "engine/column_type.h"
#include "engine/result_state.h"
#include "engine/row_writer.h"
#include "engine/sql_error.h"

namespace mxcp::engine {
namespace {

constexpr std::chrono::milliseconds kProgressEvery{100};

// Text of this size will be much longer, as far as anybody knows.
constexpr std::size_t kLarge = 1 << 20;
constexpr std::size_t kRoomForLarge = 64 << 20;

// Large text is given its room at once: growing by doubling would copy it again and again into
// memory that is new each time. What is not written to is not taken from anybody.
void make_room(std::string& out, std::uint64_t max_bytes) {
  if (out.size() < kLarge || out.capacity() - out.size() >= kLarge) return;
  std::uint64_t room = std::max<std::uint64_t>(kRoomForLarge, 2 * out.size());
  if (max_bytes < room) room = std::max<std::uint64_t>(max_bytes, out.size()) + kLarge;
  out.reserve(room);
}

std::string_view statement_name(c::StatementType type) {
  switch (static_cast<int>(type)) {
    case c::kStatementSelect: return "SELECT";
    case c::kStatementInsert: return "INSERT";
    case c::kStatementUpdate: return "UPDATE";
    case c::kStatementDelete: return "DELETE";
    case c::kStatementCreate:
    case c::kStatementCreateFunction: return "CREATE";
    case c::kStatementAlter: return "ALTER";
    case c::kStatementDrop: return "DROP";
    case c::kStatementCopy: return "COPY";
    case c::kStatementVacuum: return "VACUUM";
    case c::kStatementCall: return "CALL";
    case c::kStatementPragma: return "PRAGMA";
    default: return "";
  }
}

// DuckDB calls every prepared statement an EXECUTE, and does not know who made the database
// read-only.
void explain_read_only(Error& failure, c::StatementType type, const std::string& readonly_by) {
  constexpr std::string_view kExecute = "statement of type \"EXECUTE\"";
  if (readonly_by.empty() || failure.message.find("read-only mode") == std::string::npos) return;
  const std::size_t at = failure.message.find(kExecute);
  if (const auto name = statement_name(type); at != std::string::npos && !name.empty()) {
    failure.message.replace(at, kExecute.size(), "statement of type \"" + std::string(name) + "\"");
  }
  if (failure.hint.empty()) failure.hint = "the database is read-only because of " + readonly_by;
}

}  // namespace

void ResultState::begin() {
  connection.set_active(this);
  running.emplace(connection);
  registration.emplace(cancel, [this] { connection.interrupt(); });
}

void ResultState::finish() {
  // First nobody can call us any more, then nothing can be interrupted any more.
  registration.reset();
  running.reset();
}

void ResultState::abandon() {
  if (abandoned) return;
  finish();
  pending.reset();
  result.reset();
  connection.end_active(this);
  abandoned = true;
}

Error ResultState::error(const char* text, c::ErrorType type) {
  finish();
  if (cancel != nullptr && cancel->cancelled()) return cancel->error();
  if (type == c::kErrorInterrupt) {
    return {Code::kUnavailable, "the query was interrupted because the database is being closed"};
  }
  Error failure = sql_error(text, sql, run);
  if (distinct) failure.message = with_plain_parameters(failure.message);
  if (is_database_failure(failure)) connection.set_suspect();
  explain_read_only(failure, statement, connection.instance().readonly_by());
  return failure;
}

void ResultState::between_tasks() {
  pace.step();
  if (!progress) return;
  const Instant now = Clock::system().now();
  if (next_progress == Instant()) next_progress = now + kProgressEvery;
  if (now < next_progress) return;
  next_progress = now + kProgressEvery;
  const double percent = api().query_progress(connection.get()).percentage;
  if (percent <= last_progress || percent >= 100) return;
  last_progress = percent;
  progress(percent);
}

void make_names_unique(std::vector<Column>& columns) {
  std::unordered_set<std::string_view> taken;
  bool duplicates = false;
  for (const Column& column : columns) duplicates = !taken.insert(column.name).second || duplicates;
  if (!duplicates) return;
  std::unordered_set<std::string> all;
  for (const Column& column : columns) all.insert(column.name);
  std::unordered_set<std::string> used;
  for (Column& column : columns) {
    if (used.insert(column.name).second) continue;
    std::string name;
    for (int i = 1; name.empty() || all.contains(name); ++i) {
      name = column.name + '_' + std::to_string(i);
    }
    all.insert(name);
    used.insert(name);
    column.name = std::move(name);
  }
}

void ResultState::read_columns() {
  const c::Index count = api().column_count(result.get());
  columns.reserve(count);
  for (c::Index i = 0; i < count; ++i) {
    const TypeHandle type(api(), api().column_logical_type(result.get(), i));
    columns.push_back({api().column_name(result.get(), i), read_type(api(), type.get())});
    if (distinct) columns.back().name = with_plain_parameters(columns.back().name);
    readable = readable && is_readable(columns.back().type);
  }
  make_names_unique(columns);
}

ResultSet::ResultSet(std::unique_ptr<ResultState> state) : state_(std::move(state)) {}
ResultSet::ResultSet(ResultSet&&) noexcept = default;
ResultSet& ResultSet::operator=(ResultSet&&) noexcept = default;
ResultSet::~ResultSet() = default;

const std::vector<Column>& ResultSet::columns() const {
  return state_->columns;
}
const Api& ResultSet::api() const {
  return state_->api();
}

Result<void*> ResultSet::next_chunk() {
  ResultState& state = *state_;
  state.chunk.reset();
  if (state.done) return nullptr;
  if (state.abandoned) {
    return Error{Code::kInternal, "the rows were not read before the next statement was run"};
  }
  *state.chunk.out() = state.api().fetch_chunk(*state.result.get());
  state.between_tasks();
  if (state.chunk) return static_cast<void*>(state.chunk.get());
  state.done = true;
  // A result that is produced while it is read can fail on the way; it ends then like at the end.
  if (const char* text = state.api().result_error(state.result.get());
      text != nullptr && *text != 0) {
    return state.error(text, state.api().result_error_type(state.result.get()));
  }
  state.finish();
  return nullptr;
}

Result<RowsRead> rows_to_json(ResultSet& rows, std::string& out, const RowLimits& limits) {
  RowsRead read;
  RowWriter writer(rows.api(), rows.columns());
  const std::size_t begin = out.size();
  const std::uint64_t room = limits.max_bytes - std::min<std::uint64_t>(limits.max_bytes, 1);
  out += '[';
  while (read.cut == Cut::kNone) {
    MXCP_TRY(void* chunk, rows.next_chunk());
    if (chunk == nullptr) break;
    writer.bind(chunk);
    make_room(out, limits.max_bytes);
    for (std::size_t row = 0; row < writer.rows(); ++row) {
      if (read.rows == limits.max_rows) {
        read.cut = Cut::kRows;
        break;
      }
      const std::size_t before = out.size();
      if (read.rows > 0) out += ',';
      writer.write_row(row, out);
      if (out.size() - begin > room) {
        out.resize(before);
        read.cut = Cut::kBytes;
        break;
      }
      ++read.rows;
    }
  }
  out += ']';
  return read;
}

Status rows_to_json(ResultSet& rows, std::string& out) {
  const auto read = rows_to_json(rows, out, RowLimits{});
  return read.ok() ? Status() : Status(read.error());
}

Result<std::size_t> single_row_to_json(ResultSet& rows, std::string& out, bool scalar) {
  RowWriter writer(rows.api(), rows.columns());
  std::size_t count = 0;
  while (true) {
    MXCP_TRY(void* chunk, rows.next_chunk());
    if (chunk == nullptr) break;
    writer.bind(chunk);
    if (count == 0 && writer.rows() > 0) {
      if (scalar) {
        writer.write_cell(0, 0, out);
      } else {
        writer.write_row(0, out);
      }
    }
    count += writer.rows();
  }
  return count;
}

}  // namespace mxcp::engine
