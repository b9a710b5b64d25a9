#include "quality/sql_checks.h"

#include <doctest/doctest.h>

using namespace mxcp;
using engine::TypeId;

namespace {

engine::Column column(std::string name, TypeId id, std::string type) {
  engine::Column column;
  column.name = std::move(name);
  column.type.id = id;
  column.type.name = std::move(type);
  return column;
}

types::TypeSpec spec(types::Kind kind) {
  types::TypeSpec out;
  out.kind = kind;
  return out;
}

types::Type compiled(types::TypeSpec spec) {
  auto type = types::Type::compile(std::move(spec));
  REQUIRE_MESSAGE(type.ok(), (type.ok() ? "" : type.error().text()));
  return *std::move(type);
}

types::TypeSpec row(std::vector<std::pair<std::string, types::TypeSpec>> properties) {
  types::TypeSpec out = spec(types::Kind::kObject);
  out.properties = std::move(properties);
  return out;
}

types::TypeSpec list_of(types::TypeSpec items) {
  types::TypeSpec out = spec(types::Kind::kArray);
  out.items = std::make_shared<types::TypeSpec>(std::move(items));
  return out;
}

const engine::Column kId = column("id", TypeId::kInteger, "INTEGER");
const engine::Column kName = column("name", TypeId::kVarchar, "VARCHAR");
const engine::Column kPrice = column("price", TypeId::kDouble, "DOUBLE");

// "errors/warnings"
std::string counts(const std::vector<engine::Column>& columns, types::TypeSpec declared) {
  const auto problems =
      quality::check_columns(columns, compiled(std::move(declared)), {"tools/a.yml", 3, 1});
  return std::to_string(problems.errors.size()) + "/" + std::to_string(problems.warnings.size());
}

}  // namespace

TEST_CASE("the name of a missing table is read from DuckDB's message") {
  using quality::missing_table;
  CHECK(missing_table("Catalog Error: Table with name users does not exist!\n"
                      "Did you mean \"user\"?") == "users");
  CHECK(missing_table("Catalog Error: Table with name \"s1.users\" does not exist because schema "
                      "\"s1\" does not exist.") == "s1.users");
  CHECK(missing_table("Catalog Error: Scalar Function with name foo does not exist!") == "");
  CHECK(missing_table("Catalog Error: Table with name users already exists!") == "");
}

TEST_CASE("columns that fit the declaration are no problem") {
  using types::Kind;
  CHECK(counts({kId, kName, kPrice}, list_of(row({{"id", spec(Kind::kInteger)},
                                                  {"name", spec(Kind::kString)},
                                                  {"price", spec(Kind::kNumber)}}))) == "0/0");
  CHECK(counts({kId}, row({{"id", spec(Kind::kNumber)}})) == "0/0");
  CHECK(counts({kId, kName}, spec(Kind::kObject)) == "0/0");
  CHECK(counts({kId, kName}, spec(Kind::kArray)) == "0/0");
  CHECK(counts({kName}, spec(Kind::kString)) == "0/0");
  CHECK(counts({column("d", TypeId::kDate, "DATE")}, spec(Kind::kString)) == "0/0");
  CHECK(counts({column("x", TypeId::kSqlNull, "NULL")}, spec(Kind::kBoolean)) == "0/0");
  CHECK(counts({column("l", TypeId::kList, "INTEGER[]")}, row({{"l", spec(Kind::kArray)}})) ==
        "0/0");
  CHECK(counts({}, spec(Kind::kString)) == "0/0");
}

TEST_CASE("columns that can never fit are errors, those that may not are warnings") {
  using types::Kind;
  CHECK(counts({kName}, row({{"name", spec(Kind::kInteger)}})) == "1/0");
  CHECK(counts({kId}, row({{"id", spec(Kind::kString)}})) == "1/0");
  CHECK(counts({kId}, row({{"id", spec(Kind::kBoolean)}})) == "1/0");
  CHECK(counts({kPrice}, row({{"price", spec(Kind::kInteger)}})) == "0/1");
  CHECK(counts({kId, kName}, spec(Kind::kString)) == "1/0");
  CHECK(counts({kId}, list_of(spec(Kind::kInteger))) == "1/0");
}

TEST_CASE("a declared property without a column") {
  using types::Kind;
  auto declared = row({{"id", spec(Kind::kInteger)}, {"nme", spec(Kind::kString)}});
  const auto optional =
      quality::check_columns({kId, kName}, compiled(declared), {"tools/a.yml", 3, 1});
  CHECK(optional.errors.empty());
  REQUIRE(optional.warnings.size() == 1);
  CHECK(optional.warnings[0].message ==
        "'return' declares the property 'nme', but the SQL has no such column");
  CHECK(optional.warnings[0].hint == "did you mean 'name'?");
  CHECK(optional.warnings[0].place.text() == "tools/a.yml:3:1");
  declared.required = {"nme"};
  CHECK(counts({kId, kName}, declared) == "1/0");
}

TEST_CASE("a column that additionalProperties: false forbids") {
  using types::Kind;
  auto declared = row({{"id", spec(Kind::kInteger)}});
  CHECK(counts({kId, kName}, declared) == "0/0");
  declared.additional_properties = false;
  CHECK(counts({kId, kName}, declared) == "1/0");
}
