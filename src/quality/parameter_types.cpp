#include "quality/parameter_types.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/rules.h"
#include "base/text.h"
#include "engine/sql_text.h"
#include "quality/sql_types.h"

namespace mxcp::quality {
namespace {

// What DuckDB inferred for a parameter, "INTEGER" in "WHERE id = $ids"; "" when it left that open,
// as it does wherever several types would do.
std::string inferred_type(const std::vector<engine::StatementInfo>& statements,
                          const std::string& name) {
  for (const auto& statement : statements) {
    for (const auto& parameter : statement.parameters) {
      if (to_lower(parameter.name) == to_lower(name) && !parameter.type.empty()) {
        return parameter.type;
      }
    }
  }
  return "";
}

bool is_number_type_name(const std::string& type) {
  static const std::set<std::string> kNames = {"TINYINT", "SMALLINT", "INTEGER",   "BIGINT",
                                               "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER",
                                               "UBIGINT", "UHUGEINT", "FLOAT",     "DOUBLE"};
  return kNames.count(type) != 0 || type.starts_with("DECIMAL(");
}

// "string (format: date)"
std::string declared_name(const types::TypeSpec& declared) {
  std::string name(types::name_of(declared.kind));
  if (declared.format != types::Format::kNone) {
    name += " (format: " + std::string(types::name_of(declared.format)) + ")";
  }
  return name;
}

// What the SQL does with a parameter must be possible with values of its declared type. DuckDB is
// asked: it plans the statement for them. A text fits almost everywhere, since DuckDB casts it.
class ParameterTypes {
 public:
  ParameterTypes(const project::Endpoint& endpoint, engine::Lease& lease, SqlProblems& problems)
      : endpoint_(endpoint), lease_(lease), problems_(problems) {}

  // `statements` are planned for `usual`.
  void check(const std::vector<engine::StatementInfo>& statements, const types::Arguments& usual) {
    const std::optional<Error> refusal = refusal_of(statements);
    bool blamed = false;
    for (const auto& entry : endpoint_.parameters.entries()) {
      const types::TypeSpec& spec = entry.type.spec();
      const Examples examples = examples_of(spec);
      const std::string inferred = inferred_type(statements, entry.name);
      if (!has_cast(examples, inferred)) {
        report(entry.name, spec, inferred, {}, true);
        blamed = true;
      } else if (check_alone(entry.name, spec, examples, inferred, refusal)) {
        blamed = true;
      } else if (is_number_type_name(inferred) && spec.kind == types::Kind::kString &&
                 examples.usual.front().is_string() && casts_text(entry.name)) {
        warn_of_text(entry.name, spec, inferred);
      }
    }
    if (refusal && !blamed && fits_nulls()) check_together(*refusal, statements, usual);
  }

 private:
  static std::optional<Error> refusal_of(const std::vector<engine::StatementInfo>& statements) {
    for (const auto& statement : statements) {
      if (statement.refused && statement.refused->code == Code::kSql) return statement.refused;
    }
    return {};
  }
  std::optional<Error> refusal_of(const types::Arguments& arguments) {
    const auto statements = lease_.prepare(endpoint_.source.text, arguments);
    return statements.ok() ? refusal_of(*statements) : std::nullopt;
  }

  // Whether a number is made of a text other than by TRY_CAST: as the statement without that is
  // planned.
  bool casts_text(const std::string& name) {
    const std::string& sql = endpoint_.source.text;
    std::string without;
    std::size_t done = 0;
    for (const auto& placeholder : engine::parameter_places(sql)) {
      if (to_lower(placeholder.name) != to_lower(name) ||
          !is_tried(std::string_view(sql).substr(0, placeholder.begin))) {
        continue;
      }
      without += sql.substr(done, placeholder.begin - done) + "NULL";
      done = placeholder.end;
    }
    if (done == 0) return true;
    without += sql.substr(done);
    const auto statements = lease_.prepare(without);
    return !statements.ok() || is_number_type_name(inferred_type(*statements, name));
  }

  // "... TRY_CAST("
  static bool is_tried(std::string_view before) {
    before = trim(before);
    if (!before.ends_with('(')) return false;
    before.remove_suffix(1);
    return to_lower(trim(before)).ends_with("try_cast");
  }

  // A statement that is refused whatever the types are says nothing about them.
  bool fits_nulls() {
    if (!fits_nulls_) {
      types::Arguments nulls;
      for (const auto& entry : endpoint_.parameters.entries())
        nulls.emplace_back(entry.name, Value());
      fits_nulls_ = !refusal_of(nulls);
    }
    return *fits_nulls_;
  }

  // The places whose type DuckDB knows from the text cast what they get.
  bool has_cast(const Examples& examples, const std::string& inferred) {
    if (inferred.empty() || examples.usual.empty()) return true;
    return std::any_of(examples.usual.begin(), examples.usual.end(), [&](const Value& value) {
      return value.is_string() || lease_.has_cast(value, inferred);
    });
  }

  // With null for all others, which fits everything: so that the one that does not fit is named.
  bool check_alone(const std::string& name, const types::TypeSpec& spec, const Examples& examples,
                   const std::string& inferred, const std::optional<Error>& refusal) {
    if (examples.open ? !is_partly_known(spec) : !refusal) return false;
    std::optional<Error> first;
    std::size_t refused = 0;
    for (const Value& value : examples.usual) {
      std::optional<Error> why = refusal_of(types::Arguments{{name, value}});
      if (!why) continue;
      if (refused++ == 0) first = std::move(why);
    }
    if (refused == 0 || !fits_nulls()) return false;
    report(name, spec, inferred, first->message,
           !examples.open && refused == examples.usual.size());
    return true;
  }

  // Several together, as in $day > $number: each that fits when it is null.
  void check_together(const Error& refusal, const std::vector<engine::StatementInfo>& statements,
                      const types::Arguments& usual) {
    for (std::size_t i = 0; i < usual.size(); ++i) {
      types::Arguments without = usual;
      without[i].second = nullptr;
      if (refusal_of(without)) continue;
      const std::string& name = usual[i].first;
      report(name, endpoint_.parameters.find(name)->type.spec(), inferred_type(statements, name),
             refusal.message, true);
      return;
    }
  }

  static bool is_partly_known(const types::TypeSpec& spec) {
    return !spec.properties.empty() || (spec.items && is_partly_known(*spec.items));
  }

  void warn_of_text(const std::string& name, const types::TypeSpec& spec,
                    const std::string& inferred) {
    add(problems_.warnings, name,
        "parameter '" + name + "' is declared as " + declared_name(spec) + ", but the SQL uses $" +
            name + " as " + inferred + ": text that is no number fails when the tool is called",
        "declare an integer or a number");
  }

  // `why`: what DuckDB says of it, if it is not the cast.
  void report(const std::string& name, const types::TypeSpec& spec, const std::string& inferred,
              std::string_view why, bool always) {
    std::string message = "parameter '" + name + "' is declared as " + declared_name(spec) +
                          ", but the SQL uses $" + name +
                          (inferred.empty() ? " as something else" : " as " + inferred);
    if (!why.empty()) message += " (" + std::string(why.substr(0, why.find('\n'))) + ")";
    if (!always) message += ": some values fail when the tool is called";
    const bool list = spec.kind == types::Kind::kArray && !inferred.empty();
    add(always ? problems_.errors : problems_.warnings, name, std::move(message),
        list ? "search in a list with list_contains($" + name + ", ...)"
             : "change the declared type, or cast in the SQL");
  }

  void add(std::vector<Error>& out, const std::string& name, std::string message,
           std::string hint) {
    const project::Source& source = endpoint_.source;
    const auto found = engine::parameter_places(source.text);
    const auto at = std::find_if(found.begin(), found.end(), [&](const auto& placeholder) {
      return to_lower(placeholder.name) == to_lower(name);
    });
    out.push_back(Error{Code::kSql, std::move(message),
                        at == found.end() ? source.place : source.at_offset(at->begin),
                        std::move(hint)}
                      .as(rules::kSqlParameterType));
  }

  const project::Endpoint& endpoint_;
  engine::Lease& lease_;
  SqlProblems& problems_;
  std::optional<bool> fits_nulls_;
};

}  // namespace

types::Arguments usual_arguments(const types::ParameterSet& parameters) {
  types::Arguments out;
  for (const auto& entry : parameters.entries()) {
    Examples examples = examples_of(entry.type.spec());
    const bool known =
        parameters.own_schema() == nullptr && !examples.open && !examples.usual.empty();
    out.emplace_back(entry.name, known ? std::move(examples.usual.front()) : Value());
  }
  return out;
}

void check_parameter_types(const project::Endpoint& endpoint, engine::Lease& lease,
                           const std::vector<engine::StatementInfo>& statements,
                           const types::Arguments& usual, SqlProblems& problems) {
  ParameterTypes(endpoint, lease, problems).check(statements, usual);
}

}  // namespace mxcp::quality
