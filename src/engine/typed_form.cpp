#include "engine/typed_form.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "engine/arguments.h"
#include "engine/column_type.h"

namespace mxcp::engine {
namespace {

// A statement that so many combinations of types were refused for is not worth another try.
constexpr std::size_t kMostRefused = 16;

bool is_open(const PreparedSql::Parameter& parameter) {
  return parameter.type == TypeId::kOther;
}

// The type that binding.cpp gives the value: 'b', 'i', 'l', 'd', or 0.
char type_letter(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kBool: return 'b';
    case Value::Kind::kDouble: return 'd';
    case Value::Kind::kInt: {
      const std::int64_t number = *value.as_int();
      return number >= std::numeric_limits<std::int32_t>::min() &&
                     number <= std::numeric_limits<std::int32_t>::max()
                 ? 'i'
                 : 'l';
    }
    default: return 0;
  }
}

const char* type_name(char letter) {
  switch (letter) {
    case 'b': return "BOOLEAN";
    case 'i': return "INTEGER";
    case 'l': return "BIGINT";
    default: return "DOUBLE";
  }
}

bool same_columns(const Api& api, c::PreparedStatement prepared,
                  const std::vector<Column>& columns) {
  if (api.prepared_statement_column_count(prepared) != columns.size()) return false;
  for (c::Index i = 0; i < columns.size(); ++i) {
    const char* const name = api.prepared_statement_column_name(prepared, i);
    const bool same_name = name != nullptr && columns[i].name == name;
    api.free(const_cast<char*>(name));
    const TypeHandle type(api, api.prepared_statement_column_logical_type(prepared, i));
    if (!same_name || read_type(api, type.get()).name != columns[i].type.name) return false;
  }
  return true;
}

}  // namespace

TypedForm::TypedForm(Connection& connection, std::string_view sql, PreparedSql& open,
                     const types::Arguments& arguments, std::size_t capacity)
    : connection_(connection), open_(open) {
  if (open.columns.empty()) return;
  for (const auto& parameter : open.parameters) {
    if (!is_open(parameter)) continue;
    const Value* const value = find_argument(arguments, parameter.name);
    const char letter = value == nullptr ? 0 : type_letter(*value);
    if (letter == 0) return;
    types_ += letter;
  }
  const auto& refused = open.refused_types;
  if (refused.size() >= kMostRefused) return;
  if (std::find(refused.begin(), refused.end(), types_) != refused.end()) return;
  key_.reserve(sql.size() + 1 + types_.size());
  key_.append(sql).append(1, '\0').append(types_);  // no SQL has a NUL
  form_ = connection.find_cached(key_);
  if (form_ == nullptr) form_ = make(sql, arguments, capacity);
}

PreparedSql* TypedForm::make(std::string_view sql, const types::Arguments& arguments,
                             std::size_t capacity) {
  const std::vector<SqlPiece> pieces = split_sql(sql);
  std::vector<std::pair<std::string, std::string>> types;
  for (const auto& parameter : open_.parameters) {
    if (!is_open(parameter)) continue;
    types.emplace_back(parameter.name,
                       type_name(type_letter(*find_argument(arguments, parameter.name))));
  }
  if (pieces.size() == 1) {
    auto made =
        connection_.prepare_instead(sql, with_typed_parameters(sql, pieces[0], types), pieces[0]);
    if (made.ok() && !(*made)->uses_identity && !(*made)->uses_function &&
        std::none_of((*made)->parameters.begin(), (*made)->parameters.end(), is_open) &&
        same_columns(connection_.api(), (*made)->handle.get(), open_.columns)) {
      // Two places, so that it does not push out the statement it was made of.
      return &connection_.cache(key_, *std::move(made), std::max<std::size_t>(capacity, 2));
    }
  }
  open_.refused_types.push_back(types_);
  return nullptr;
}

void TypedForm::refuse() const {
  connection_.forget(key_);
  open_.refused_types.push_back(types_);
}

void TypedForm::note_columns(PreparedSql& prepared, const std::vector<Column>& columns) {
  // A statement that runs in another form already stays in it.
  const bool plain = prepared.run.insertions.empty() && prepared.run.shift == 0;
  if (prepared.type != c::kStatementSelect || !plain || prepared.distinct ||
      prepared.uses_identity || prepared.uses_function) {
    return;
  }
  if (std::any_of(prepared.parameters.begin(), prepared.parameters.end(), is_open)) {
    prepared.columns = columns;
  }
}

}  // namespace mxcp::engine
