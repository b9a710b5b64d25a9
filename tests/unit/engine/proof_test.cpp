#include "engine/engine_fixture.h"

namespace mxcp::engine {
namespace {

using testing::Fixture;
using types::Format;
using types::Kind;
using types::TypeSpec;

TypeSpec of(Kind kind, Format format = Format::kNone) {
  TypeSpec spec;
  spec.kind = kind;
  spec.format = format;
  return spec;
}
TypeSpec list_of(TypeSpec items) {
  TypeSpec spec = of(Kind::kArray);
  spec.items = std::make_shared<TypeSpec>(std::move(items));
  return spec;
}
TypeSpec object_of(std::vector<std::pair<std::string, TypeSpec>> properties,
                   std::vector<std::string> required = {}, bool additional = true) {
  TypeSpec spec = of(Kind::kObject);
  spec.properties = std::move(properties);
  spec.required = std::move(required);
  spec.additional_properties = additional;
  return spec;
}

struct Prover : Fixture {
  bool proves(const std::string& select, const TypeSpec& spec) {
    Lease own = lease();
    auto rows = own.execute("SELECT " + select, {});
    REQUIRE(rows.ok());
    auto type = types::Type::compile(spec);
    REQUIRE(type.ok());
    return engine::proves(rows->columns(), *type);
  }
};

TEST_CASE("a single column proves the scalar it fits") {
  Prover p;
  for (const char* integer : {"1", "1::TINYINT", "1::UBIGINT", "1::HUGEINT", "5::DECIMAL(9,0)"}) {
    CAPTURE(integer);
    CHECK(p.proves(integer, of(Kind::kInteger)));
    CHECK(p.proves(integer, of(Kind::kNumber)));
    CHECK(!p.proves(integer, of(Kind::kString)));
    CHECK(!p.proves(integer, of(Kind::kBoolean)));
  }
  for (const char* number : {"1.5", "1::DOUBLE", "1::FLOAT"}) {
    CHECK(p.proves(number, of(Kind::kNumber)));
    CHECK(!p.proves(number, of(Kind::kInteger)));
  }
  CHECK(p.proves("true", of(Kind::kBoolean)));
  for (const char* text : {"'x'", "uuid()", "'a'::ENUM('a')", "DATE '2024-01-01'", "now()",
                           "TIME '10:00:00'", "INTERVAL 1 DAY", "'{}'::JSON", "'x'::BLOB"}) {
    CAPTURE(text);
    CHECK(p.proves(text, of(Kind::kString)));
    CHECK(!p.proves(text, of(Kind::kString, Format::kEmail)));
    CHECK(!p.proves(text, of(Kind::kNumber)));
  }
  // It may lie beyond the year 9999, or be infinite.
  CHECK(!p.proves("DATE '2024-01-01'", of(Kind::kString, Format::kDate)));
  CHECK(!p.proves("'2024-01-01'", of(Kind::kString, Format::kDate)));
  CHECK(!p.proves("now()", of(Kind::kString, Format::kDate)));
  CHECK(p.proves("now()", of(Kind::kString, Format::kDateTime)));
  CHECK(p.proves("TIMESTAMP '2024-01-01'", of(Kind::kString, Format::kDateTime)));
  CHECK(p.proves("TIME '10:00:00'", of(Kind::kString, Format::kTime)));
  CHECK(p.proves("INTERVAL 1 DAY", of(Kind::kString, Format::kDuration)));
  CHECK(!p.proves("1, 2", of(Kind::kInteger)));
  CHECK(p.proves("union_value(a := 1)::UNION(a INTEGER, b BIGINT)", of(Kind::kInteger)));
  CHECK(!p.proves("union_value(a := 1)::UNION(a INTEGER, b VARCHAR)", of(Kind::kInteger)));
}

TEST_CASE("a rule about the value is never proven") {
  Prover p;
  TypeSpec spec = of(Kind::kInteger);
  spec.minimum = Value(0);
  CHECK(!p.proves("1", spec));
  spec = of(Kind::kString);
  spec.min_length = 1;
  CHECK(!p.proves("'x'", spec));
  spec = of(Kind::kString);
  spec.enum_values = std::vector<Value>{"x"};
  CHECK(!p.proves("'x'", spec));
  spec = list_of(object_of({}));
  spec.min_items = 1;
  CHECK(!p.proves("1 AS a", spec));
  spec = of(Kind::kString);
  spec.description = "text";
  spec.sensitive = true;
  CHECK(p.proves("'x'", spec));
}

TEST_CASE("rows prove objects and lists of them") {
  Prover p;
  const std::string row = "1 AS id, 'x' AS name";
  CHECK(p.proves(row, of(Kind::kObject)));
  CHECK(p.proves(row, of(Kind::kArray)));
  CHECK(p.proves(row, list_of(of(Kind::kObject))));
  CHECK(!p.proves(row, list_of(of(Kind::kString))));
  const TypeSpec object =
      object_of({{"id", of(Kind::kInteger)}, {"name", of(Kind::kString)}}, {"id"});
  CHECK(p.proves(row, object));
  CHECK(p.proves(row, list_of(object)));
  CHECK(p.proves("1 AS id", object));
  CHECK(!p.proves("'x' AS name", object));
  CHECK(!p.proves("'1' AS id", object));
  CHECK(p.proves(row + ", 2 AS more", object));
  const TypeSpec closed =
      object_of({{"id", of(Kind::kInteger)}, {"name", of(Kind::kString)}}, {}, false);
  CHECK(p.proves(row, closed));
  CHECK(!p.proves(row + ", 2 AS more", closed));
  CHECK(!p.proves(row, object_of({}, {"undeclared"})));
  CHECK(p.proves(row + ", 1 AS undeclared", object_of({}, {"undeclared"})));
}

TEST_CASE("nested types prove nested declarations") {
  Prover p;
  const auto one = [](TypeSpec spec) { return object_of({{"v", std::move(spec)}}); };
  CHECK(p.proves("[1, 2] AS v", one(of(Kind::kArray))));
  CHECK(p.proves("[1, 2] AS v", one(list_of(of(Kind::kInteger)))));
  CHECK(p.proves("[1, 2]::INTEGER[2] AS v", one(list_of(of(Kind::kNumber)))));
  CHECK(!p.proves("['x'] AS v", one(list_of(of(Kind::kInteger)))));
  const TypeSpec inner = object_of({{"a", list_of(object_of({{"b", of(Kind::kString)}}, {"b"}))}});
  CHECK(p.proves("{'a': [{'b': 'x'}]} AS v", one(inner)));
  CHECK(!p.proves("{'a': [{'c': 'x'}]} AS v", one(inner)));
  CHECK(!p.proves("{'a': [{'b': 1}]} AS v", one(inner)));
  CHECK(p.proves("MAP {'k': 1} AS v", one(of(Kind::kObject))));
  CHECK(!p.proves("MAP {'k': 1} AS v", one(object_of({{"k", of(Kind::kInteger)}}))));
  CHECK(!p.proves("row(1, 2) AS v", one(of(Kind::kObject))));
  CHECK(!p.proves("'x' AS v", one(of(Kind::kObject))));
}

TEST_CASE("what is proven is what the validators accept") {
  // The two ways out of the engine must agree: everything proven also passes the check.
  Prover p;
  const std::vector<std::pair<std::string, TypeSpec>> cases = {
      {"170141183460469231731687303715884105727::HUGEINT", of(Kind::kInteger)},
      {"'12345678901234567890123456.5'::DECIMAL(30,2)", of(Kind::kNumber)},
      {"'nan'::DOUBLE", of(Kind::kNumber)},
      {"NULL::INTEGER", of(Kind::kString)},
      {"'\\xFF'::BLOB", of(Kind::kString)},
      {"'infinity'::DATE", of(Kind::kString)},
      {"TIMESTAMPTZ '2024-01-01 00:00:00+02'", of(Kind::kString, Format::kDateTime)},
      {"'2024-01-01 00:00:00.123456789'::TIMESTAMP_NS", of(Kind::kString, Format::kDateTime)},
      {"'infinity'::TIMESTAMP", of(Kind::kString, Format::kDateTime)},
      {"'-infinity'::TIMESTAMPTZ", of(Kind::kString, Format::kDateTime)},
      {"'10:00:00.5'::TIME", of(Kind::kString, Format::kTime)},
      {"'10:00:00+02:00'::TIMETZ", of(Kind::kString, Format::kTime)},
      {"INTERVAL '-1 day 01:00:00.25'", of(Kind::kString, Format::kDuration)},
      {"INTERVAL '14 months'", of(Kind::kString, Format::kDuration)},
      {"DATE '2024-02-29'", of(Kind::kString)},
      {"uuid()", of(Kind::kString)},
      {"'0101'::BIT", of(Kind::kString)},
      {"1::DECIMAL(5,0)", of(Kind::kInteger)},
  };
  for (const auto& [select, spec] : cases) {
    CAPTURE(select);
    auto type = types::Type::compile(spec);
    REQUIRE(type.ok());
    Lease lease = p.lease();
    auto rows = lease.execute("SELECT " + select + " AS v", {});
    REQUIRE(rows.ok());
    const bool proven = engine::proves(rows->columns(), *type);
    auto list = rows_to_values(*rows);
    const Result<Value> value =
        list.ok() ? Result<Value>(Value(std::move(list->values))) : Result<Value>(list.error());
    REQUIRE(value.ok());
    const auto violations = type->check(*(*value->as_array())[0].find("v"));
    const bool null = (*value->as_array())[0].find("v")->is_null();
    CHECK((proven || null));
    CHECK(types::to_text(violations) == "");
  }
}

}  // namespace
}  // namespace mxcp::engine
