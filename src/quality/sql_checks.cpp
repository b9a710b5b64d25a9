#include "quality/sql_checks.h"

#include <algorithm>
#include <set>

#include "base/clock.h"
#include "base/rules.h"
#include "base/text.h"
#include "engine/sql_text.h"
#include "quality/parameter_types.h"

namespace mxcp::quality {
namespace {

constexpr std::chrono::seconds kLeaseWait{30};

// What stands between double quotes after `marker`, or the bare word.
std::string name_after(std::string_view text, std::string_view marker) {
  const auto at = text.find(marker);
  if (at == std::string_view::npos) return "";
  text.remove_prefix(at + marker.size());
  if (!text.empty() && text.front() == '"') {
    text.remove_prefix(1);
    return std::string(text.substr(0, text.find('"')));
  }
  return std::string(text.substr(0, text.find_first_of(" \n!?")));
}

// DuckDB offers the nearest name of all, which may be one of its own system views.
bool is_system_name(const std::string& name) {
  for (const std::string_view prefix : {"pg_", "duckdb_", "sqlite_", "pragma_"}) {
    if (name.rfind(prefix, 0) == 0) return true;
  }
  return name.find("information_schema") != std::string::npos;
}

Place place_in(const project::Source& source, const Error& error) {
  return error.place.line > 0 ? source.at(error.place.line, error.place.column) : source.place;
}

// DuckDB's refusal as the author should see it.
Error in_source(Error error, const project::Source& source, const std::string& database_file) {
  if (error.code != Code::kSql) return std::move(error).at(source.place);
  const Place place = place_in(source, error);
  if (const std::string table = missing_table(error.message); !table.empty()) {
    std::string candidate = name_after(error.message + "\n" + error.hint, "Did you mean ");
    if (candidate.empty()) candidate = name_after(error.hint, "did you mean ");
    if (candidate.size() > 1 && candidate.front() == '\'') {
      candidate = candidate.substr(1, candidate.find('\'', 1) - 1);
    }
    const bool useful = !candidate.empty() && !is_system_name(candidate);
    return Error{Code::kNotFound,
                 "table '" + table + "' does not exist in " + database_file +
                     "; the statement itself parses",
                 place,
                 useful ? "did you mean '" + candidate + "'?"
                        : "create it first, e.g. with 'mxcp query --file setup.sql'"}
        .as(rules::kSqlMissingTable);
  }
  if (error.message.find("No files found that match the pattern") != std::string::npos) {
    return Error{
        Code::kNotFound,
        "no file matches " +
            std::string(trim(error.message.substr(error.message.find("the pattern") + 11))) +
            ", which the statement reads; the statement itself parses",
        place, "relative paths start at the project's root"}
        .as(rules::kSqlMissingFile);
  }
  error.place = place;
  const bool syntax = error.message.starts_with("Parser Error");
  return std::move(error).as(syntax ? rules::kSqlSyntax : rules::kSqlInvalid);
}

bool is_number_name(const std::string& name) {
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

enum class Fit { kFits, kPerhaps, kNever };

// Placeholders against declared parameters, both ways.
void check_placeholders(const project::Endpoint& endpoint,
                        const std::vector<engine::StatementInfo>& statements,
                        std::vector<Error>& errors) {
  const project::Source& source = endpoint.source;
  std::set<std::string> used;
  for (const auto& statement : statements) {
    for (const auto& parameter : statement.parameters) used.insert(to_lower(parameter.name));
  }
  std::vector<std::string> declared;
  for (const auto& entry : endpoint.parameters.entries()) declared.push_back(entry.name);
  // DuckDB makes no difference between $x and $X.
  const auto is_declared = [&](const std::string& name) {
    return std::any_of(declared.begin(), declared.end(),
                       [&](const std::string& known) { return to_lower(known) == to_lower(name); });
  };

  // In the order of the text, each name once. What DuckDB does not report (a `?` inside something
  // that only looks like SQL to the scanner) is left alone.
  std::set<std::string> reported;
  const auto found = engine::parameter_places(source.text);
  for (const auto& placeholder : found) {
    const bool positional = placeholder.name.empty() || is_number_name(placeholder.name);
    if (positional ? used.empty() : used.count(to_lower(placeholder.name)) == 0) continue;
    if (is_declared(placeholder.name)) continue;
    if (!reported.insert(placeholder.name).second) continue;
    const Place place = source.at_offset(placeholder.begin);
    if (positional) {
      const bool all_named = std::none_of(used.begin(), used.end(), is_number_name);
      if (all_named) continue;
      errors.push_back(Error{Code::kSql,
                             "positional placeholder '" +
                                 (placeholder.name.empty() ? "?" : "$" + placeholder.name) +
                                 "': arguments are bound by name",
                             place,
                             "write $ and the parameter's name, e.g. $" +
                                 (declared.empty() ? "name" : declared.front())}
                           .as(rules::kSqlPositional));
      continue;
    }
    std::string hint = suggest(placeholder.name, declared);
    if (hint.empty()) hint = "declare it under 'parameters:'";
    errors.push_back(Error{
        Code::kSql, "the SQL uses $" + placeholder.name + ", which is not a declared parameter",
        place, hint}
                         .as(rules::kSqlUndeclared));
  }
  // The rest of a schema of the author's own may be there for the schema.
  if (endpoint.parameters.own_schema() != nullptr) return;
  for (const auto& entry : endpoint.parameters.entries()) {
    if (used.count(to_lower(entry.name)) != 0) continue;
    Place place = entry.type.spec().place;
    if (!place.known()) place = endpoint.place;
    std::vector<std::string> undeclared;
    for (const auto& placeholder : found) {
      const auto& name = placeholder.name;
      if (!name.empty() && !is_number_name(name) && !is_declared(name)) {
        undeclared.push_back("$" + name);
      }
    }
    std::string hint = suggest("$" + entry.name, undeclared);
    if (hint.empty()) hint = "use $" + entry.name + " in the SQL, or remove the parameter";
    errors.push_back(Error{Code::kSql,
                           "parameter '" + entry.name + "' is declared, but not used in the SQL",
                           place, hint}
                         .as(rules::kSqlUnused));
  }
}

// A client may run a tool with readOnlyHint without asking.
void check_read_only_hint(const project::Endpoint& endpoint,
                          const std::vector<engine::StatementInfo>& statements,
                          std::vector<Error>& warnings) {
  if (!endpoint.annotations || !endpoint.annotations->read_only.value_or(false)) return;
  const auto writes = std::find_if(statements.begin(), statements.end(),
                                   [](const auto& info) { return !info.read_only; });
  if (writes == statements.end()) return;
  warnings.push_back(Error{Code::kConfig,
                           "readOnlyHint is true, but the SQL has a statement that is no query",
                           endpoint.source.at_offset(writes->offset),
                           "remove the hint: clients may run such a tool without asking"}
                         .as(rules::kReadOnlyHint));
}

// --- columns ------------------------------------------------------------------------------------

bool is_real_type(engine::TypeId id) {
  using engine::TypeId;
  return id == TypeId::kFloat || id == TypeId::kDouble || id == TypeId::kDecimal;
}

// Whether values of a column can fit a declared kind.
Fit fit(const engine::ColumnType& column, types::Kind declared) {
  using engine::TypeId;
  if (column.id == TypeId::kSqlNull || column.id == TypeId::kOther || column.id == TypeId::kUnion) {
    return Fit::kFits;  // nothing is known about it
  }
  const bool integer = engine::is_integer(column.id);
  const bool real = is_real_type(column.id);
  const bool list = column.id == TypeId::kList || column.id == TypeId::kArray;
  const bool object = column.id == TypeId::kStruct || column.id == TypeId::kMap;
  const bool boolean = column.id == TypeId::kBoolean;
  const auto when = [](bool fits) { return fits ? Fit::kFits : Fit::kNever; };
  switch (declared) {
    case types::Kind::kInteger:
      if (real) return Fit::kPerhaps;  // 3.0 is an integer, 3.5 is not
      return when(integer);
    case types::Kind::kNumber: return when(integer || real);
    case types::Kind::kBoolean: return when(boolean);
    case types::Kind::kArray: return when(list);
    case types::Kind::kObject: return when(object);
    case types::Kind::kString: return when(!integer && !real && !list && !object && !boolean);
  }
  return Fit::kFits;
}

void check_type(const engine::Column& column, const types::TypeSpec& declared, const Place& place,
                SqlProblems& problems) {
  const Fit answer = fit(column.type, declared.kind);
  if (answer == Fit::kFits) return;
  const std::string both = "column '" + column.name + "' is " + column.type.name + ", but '" +
                           std::string(types::name_of(declared.kind)) + "' is declared";
  const Place where = declared.place.known() ? declared.place : place;
  if (answer == Fit::kPerhaps) {
    problems.warnings.push_back({Code::kInvalidOutput, both + ": a fraction will be refused", where,
                                 "cast it in the SQL, or declare 'number'"});
  } else {
    problems.errors.push_back({Code::kInvalidOutput, both + " in 'return'", where,
                               "change the declaration, or cast the column in the SQL"});
  }
}

void check_row(const std::vector<engine::Column>& columns, const types::TypeSpec& row,
               const Place& place, SqlProblems& problems) {
  std::vector<std::string> names;
  for (const auto& column : columns) names.push_back(column.name);
  const auto has_column = [&](const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  std::vector<std::string> declared;
  for (const auto& [name, type] : row.properties) {
    declared.push_back(name);
    const auto column =
        std::find_if(columns.begin(), columns.end(), [&](const auto& c) { return c.name == name; });
    if (column != columns.end()) {
      check_type(*column, type, place, problems);
      continue;
    }
    const bool required =
        std::find(row.required.begin(), row.required.end(), name) != row.required.end();
    std::string hint = suggest(name, names);
    if (hint.empty()) hint = "the columns are: " + join(names, ", ");
    Error error{Code::kInvalidOutput,
                "'return' declares the property '" + name + "', but the SQL has no such column",
                type.place.known() ? type.place : place, hint};
    (required ? problems.errors : problems.warnings).push_back(std::move(error));
  }
  for (const std::string& name : row.required) {
    if (has_column(name) || std::find(declared.begin(), declared.end(), name) != declared.end()) {
      continue;
    }
    problems.errors.push_back({Code::kInvalidOutput,
                               "'return' requires '" + name + "', but the SQL has no such column",
                               row.place.known() ? row.place : place, suggest(name, names)});
  }
  if (!row.additional_properties) {
    for (const std::string& name : names) {
      if (std::find(declared.begin(), declared.end(), name) != declared.end()) continue;
      problems.errors.push_back({Code::kInvalidOutput,
                                 "the SQL returns column '" + name +
                                     "', which 'return' does not declare and "
                                     "additionalProperties: false forbids",
                                 row.place.known() ? row.place : place, suggest(name, declared)});
    }
  }
}

// While the type of a placeholder is open, DuckDB describes the whole result as one column of this
// name.
bool are_known(const std::vector<engine::Column>& columns) {
  return columns.size() != 1 || columns.front().name != "unknown" ||
         columns.front().type.id != engine::TypeId::kOther;
}

// A content block is made of one value, or links of rows.
SqlProblems check_content(const std::vector<engine::Column>& columns,
                          const project::ContentSettings& content) {
  SqlProblems problems;
  if (columns.empty()) return problems;
  const auto report = [&](std::string message, std::string hint) {
    problems.errors.push_back(
        {Code::kInvalidOutput,
         "'content' declares " + std::string(name_of(content.kind)) + ", but " + std::move(message),
         content.place, std::move(hint)});
  };
  if (content.kind == project::ContentKind::kResourceLink) {
    const bool has_uri = std::any_of(columns.begin(), columns.end(),
                                     [](const auto& column) { return column.name == "uri"; });
    if (columns.size() > 1 && !has_uri) {
      report("the SQL has no column 'uri'", "select the URIs AS uri");
    }
    return problems;
  }
  if (columns.size() != 1) {
    report("the SQL has " + plural(columns.size(), "column"), "select what is to be shown alone");
    return problems;
  }
  const engine::ColumnType& type = columns.front().type;
  const bool any_type = content.kind == project::ContentKind::kResource;
  const bool fits = type.id == engine::TypeId::kBlob || type.id == engine::TypeId::kVarchar ||
                    type.id == engine::TypeId::kSqlNull || type.id == engine::TypeId::kOther;
  if (!any_type && !fits) {
    report("the column '" + columns.front().name + "' is " + type.name,
           "select a BLOB, or text in base64");
  }
  return problems;
}

}  // namespace

std::string missing_table(std::string_view message) {
  constexpr std::string_view kMarker = "Table with name ";
  const auto at = message.find(kMarker);
  if (at == std::string_view::npos ||
      message.find("does not exist", at) == std::string_view::npos) {
    return "";
  }
  return name_after(message, kMarker);
}

SqlProblems check_columns(const std::vector<engine::Column>& columns, const types::Type& declared,
                          const Place& place) {
  SqlProblems problems;
  if (columns.empty()) return problems;
  const types::TypeSpec& spec = declared.spec();
  switch (spec.kind) {
    case types::Kind::kArray:
      if (!spec.items) break;
      if (spec.items->kind == types::Kind::kObject) {
        check_row(columns, *spec.items, place, problems);
      } else {
        problems.errors.push_back(
            {Code::kInvalidOutput,
             "SQL gives a list of objects, one for each row, but 'return' declares a list of " +
                 std::string(types::name_of(spec.items->kind)),
             spec.items->place.known() ? spec.items->place : place,
             "declare items of type object, or return one LIST column as an object's property"});
      }
      break;
    case types::Kind::kObject: check_row(columns, spec, place, problems); break;
    default:
      if (columns.size() != 1) {
        problems.errors.push_back({Code::kInvalidOutput,
                                   "'return' declares one " +
                                       std::string(types::name_of(spec.kind)) +
                                       ", but the SQL has " + plural(columns.size(), "column"),
                                   spec.place.known() ? spec.place : place,
                                   "select a single column, or declare an object"});
      } else {
        check_type(columns.front(), spec, place, problems);
      }
  }
  return problems;
}

SqlProblems check_sql(const project::Endpoint& endpoint, engine::Database& database,
                      const fs::path& root) {
  SqlProblems problems;
  const project::Source& source = endpoint.source;
  if (trim(source.text).empty()) {
    problems.errors.push_back(
        Error{Code::kSql, "the SQL is empty", source.place}.as(rules::kSqlEmpty));
    return problems;
  }
  auto lease = database.lease(Clock::system().now() + kLeaseWait);
  if (!lease.ok()) {
    problems.errors.push_back(std::move(lease).error());
    return problems;
  }
  const types::Arguments usual = usual_arguments(endpoint.parameters);
  auto statements = lease->prepare(source.text, usual);
  if (!statements.ok()) {
    problems.errors.push_back(in_source(std::move(statements).error(), source,
                                        display_path(database.options().path, root)));
    return problems;
  }
  if (statements->empty()) {
    problems.errors.push_back(
        Error{Code::kSql, "the SQL is empty: it holds no statement", source.place}.as(
            rules::kSqlEmpty));
    return problems;
  }
  check_placeholders(endpoint, *statements, problems.errors);
  // A schema of the author's own says more than a type of ours can.
  if (endpoint.parameters.own_schema() == nullptr) {
    check_parameter_types(endpoint, *lease, *statements, usual, problems);
  }
  check_read_only_hint(endpoint, *statements, problems.warnings);
  auto& result = statements->back().columns;
  if (std::any_of(usual.begin(), usual.end(), [](const auto& a) { return a.second.is_null(); })) {
    for (engine::Column& column : result) {
      // DuckDB 1.4 says INTEGER of what is NULL.
      if (column.type.id == engine::TypeId::kInteger) column.type = {};
    }
  }
  if ((endpoint.return_type || endpoint.content) && are_known(result)) {
    SqlProblems columns = endpoint.content
                              ? check_content(result, *endpoint.content)
                              : check_columns(result, *endpoint.return_type, endpoint.place);
    for (Error& error : columns.errors) {
      problems.errors.push_back(std::move(error).as(rules::kSqlColumns));
    }
    for (Error& warning : columns.warnings) {
      problems.warnings.push_back(std::move(warning).as(rules::kSqlColumns));
    }
  }
  return problems;
}

}  // namespace mxcp::quality
