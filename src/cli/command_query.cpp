#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/context.h"
#include "cli/inputs.h"
#include "cli/interruptible.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "engine/library.h"
#include "engine/row_writer.h"
#include "net/stdio.h"

namespace mxcp::cli {
namespace {

constexpr std::size_t kShownRows = 100;
constexpr std::chrono::seconds kWait{30};
struct Query {
  std::string sql;
  std::string file;  // where it was read from, or ""
  types::Arguments arguments;
};

Result<Query> query_from(const CommandLine& line) {
  const auto sql = line.value("SQL");
  const auto file = line.value("file");
  if (sql.has_value() == file.has_value()) {
    return Error{Code::kUsage, sql ? "give either SQL or --file, not both"
                                   : "give the SQL to run, or --file with a file that holds it"};
  }
  Query query;
  if (sql) {
    query.sql = *sql;
  } else {
    query.file = *file;
    auto text = read_file(expand_home(*file));
    if (!text.ok()) return Error{Code::kUsage, "--file: " + text.error().text()};
    query.sql = *std::move(text);
  }
  MXCP_TRY(Object params, parse_params(line.values("param")));
  for (auto& [name, value] : params) query.arguments.emplace_back(name, std::move(value));
  return query;
}

struct Answer {
  std::string json;  // with --json-output
  Table table;       // otherwise
};

// A number and a nested value as their JSON, with all their digits; text bare.
Result<std::string> cell_from_json(std::string json) {
  if (json == "null") return cell_text(nullptr);
  if (json.front() != '"') return json;
  MXCP_TRY(const Value text, parse_json(json));
  return cell_text(text);
}

bool is_number(engine::TypeId id) {
  return (id >= engine::TypeId::kTinyInt && id <= engine::TypeId::kDecimal);
}

// Only the rows that are shown are kept; the rest is counted as it comes.
Result<Table> read_table(engine::ResultSet& rows) {
  MXCP_TRY(const engine::Api* api, engine::Library::load({}));
  Table table;
  for (const auto& column : rows.columns()) {
    table.header.push_back(column.name);
    table.right.push_back(is_number(column.type.id));
  }
  engine::RowWriter writer(*api, rows.columns());
  while (true) {
    MXCP_TRY(void* const chunk, rows.next_chunk());
    if (chunk == nullptr) return table;
    writer.bind(chunk);
    table.total_rows += writer.rows();
    for (std::size_t r = 0; r < writer.rows() && table.rows.size() < kShownRows; ++r) {
      std::vector<std::string> cells;
      for (std::size_t c = 0; c < table.header.size(); ++c) {
        std::string json;
        writer.write_cell(c, r, json);
        MXCP_TRY(std::string cell, cell_from_json(std::move(json)));
        cells.push_back(std::move(cell));
      }
      table.rows.push_back(std::move(cells));
    }
  }
}

Result<Answer> execute(runtime::Runtime& runtime, const Query& query, CancelToken& cancel,
                       Progress& progress, const Output& output) {
  MXCP_TRY(const std::shared_ptr<engine::Database> database, runtime.database());
  MXCP_TRY(engine::Lease lease, database->lease(Clock::system().now() + kWait, &cancel));
  Caller caller;
  caller.transport = "cli";
  engine::ExecuteOptions options;
  options.cancel = &cancel;
  options.caller = &caller;
  if (output.err.is_terminal()) {
    options.progress = [&](double percent) { progress.set_percent(percent); };
  }
  MXCP_TRY(engine::ResultSet rows, lease.execute(query.sql, query.arguments, options));
  Answer answer;
  if (output.json) {
    MXCP_TRY(rows_to_json(rows, answer.json));
  } else {
    MXCP_TRY(answer.table, read_table(rows));
  }
  return answer;
}

int print(const Answer& answer, Output& output) {
  if (output.json) return output.succeed(RawJson{answer.json});
  output.out.write(layout(answer.table, {.width = output.out.width(), .max_rows = kShownRows}));
  if (answer.table.total_rows == 0) output.out.line("(no rows)");
  return 0;
}

int run(Context& context) {
  Output& output = context.output;
  const auto query = query_from(context.line);
  if (!query.ok()) return context.fail(query.error());
  // The envelope is alone on stdout, whatever plugins print.
  if (output.json) output.redirect_answer(net::seize_stdio().out);
  const auto project = context.load_project();
  if (!project.ok()) return output.fail(project.error());

  // Only plugins are of use here: they may have SQL functions.
  const bool plugins = !(*project)->site().plugins.empty();
  Parts& parts =
      make_parts(*project, context.runtime_options(), plugins ? WithPython::kYes : WithPython::kNo);
  if (plugins) {
    const Status started = parts.runtime().start(runtime::LoadScope::kPlugins, {});
    // SQL without their functions runs all the same.
    if (!started.ok()) log::warning("query", "{}", started.error().text());
  }
  parts.loop().install_signal_handlers();
  CancelToken cancel;
  Result<Answer> answer = Error{Code::kCancelled, "cancelled"};
  {
    Progress progress(output.err, "running the query");
    run_cancellable(parts, cancel,
                    [&] { answer = execute(parts.runtime(), *query, cancel, progress, output); });
  }
  int status = 0;
  if (answer.ok()) {
    status = print(*answer, output);
  } else if (parts.loop().signal() != 0) {
    status = output.cancelled();
  } else {
    Error error = std::move(answer).error();
    if (error.place.line > 0 && !error.place.known()) {
      error.place.file = query->file.empty() ? "SQL" : query->file;
    }
    status = output.fail(error);
  }
  stop(parts);
  return status;
}

}  // namespace

const Command& query_command() {
  static const Command command{
      .name = "query",
      .summary = "Run SQL on the project's database",
      .details =
          "Several statements may be given; the rows of the last one are shown. Each "
          "statement is bound only to the parameters it uses.",
      .positionals = {{.name = "SQL",
                       .help = "The statements, unless --file has them",
                       .required = false}},
      .options = {{.name = "file",
                   .value = "PATH",
                   .help = "Take the statements from a file (UTF-8)",
                   .is_file = true},
                  param_option(),
                  readonly_option(),
                  profile_option(),
                  json_option(),
                  debug_option()},
      .examples = {{"A look at a table", "mxcp query 'SELECT * FROM users LIMIT 10'"},
                   {"With a parameter; its value is text, so cast it where that matters",
                    "mxcp query 'SELECT * FROM users WHERE id = $id::INTEGER' --param id=7"},
                   {"Create and fill the tables", "mxcp query --file load.sql"}},
      .run = run,
  };
  return command;
}

}  // namespace mxcp::cli
