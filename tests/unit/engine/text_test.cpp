#include <doctest/doctest.h>

#include <limits>

#include "engine/scalar_text.h"
#include "engine/sql_error.h"
#include "engine/sql_text.h"

namespace mxcp::engine {
namespace {

std::vector<std::string> pieces_of(std::string_view sql) {
  std::vector<std::string> out;
  for (const SqlPiece& piece : split_sql(sql)) {
    out.emplace_back(sql.substr(piece.begin, piece.end - piece.begin));
  }
  return out;
}

using Texts = std::vector<std::string>;

TEST_CASE("a source is cut at its semicolons, not at those in quotes and comments") {
  CHECK(pieces_of("") == Texts{});
  CHECK(pieces_of(" ;; -- x\n /* ; */ ;") == Texts{});
  CHECK(pieces_of("SELECT 1; SELECT 2 ;") == Texts{"SELECT 1", "SELECT 2"});
  CHECK(pieces_of("SELECT ';', 'it''s;' ; X") == Texts{"SELECT ';', 'it''s;'", "X"});
  CHECK(pieces_of("SELECT \"a;\"\"b\"; X") == Texts{"SELECT \"a;\"\"b\"", "X"});
  CHECK(pieces_of("SELECT e'\\';'; X") == Texts{"SELECT e'\\';'", "X"});
  CHECK(pieces_of("SELECT $$a;'b$$; X") == Texts{"SELECT $$a;'b$$", "X"});
  CHECK(pieces_of("SELECT $t$a;$$;$t$; X") == Texts{"SELECT $t$a;$$;$t$", "X"});
  CHECK(pieces_of("SELECT 1 -- ;\n, 2; X") == Texts{"SELECT 1 -- ;\n, 2", "X"});
  CHECK(pieces_of("/* a /* ; */ ; */ SELECT 1; X") == Texts{"SELECT 1", "X"});
  CHECK(pieces_of("SELECT 1 /* unfinished ;") == Texts{"SELECT 1"});
  CHECK(pieces_of("SELECT 'unfinished ;") == Texts{"SELECT 'unfinished ;"});
  CHECK(pieces_of("SELECT $$unfinished ;") == Texts{"SELECT $$unfinished ;"});
  CHECK(pieces_of("SELECT 1 - -2; X") == Texts{"SELECT 1 - -2", "X"});
}

TEST_CASE("parameters and first words are seen") {
  const auto one = [](std::string_view sql) { return split_sql(sql).at(0); };
  CHECK(one("SELECT $a, $b_1, '$c', \"$d\", $$ $e $$, $a, x$f -- $g").parameters ==
        Texts{"a", "b_1"});
  CHECK(one("SELECT $a, $b, $a, $a").repeats_parameter());
  CHECK(!one("SELECT $a, $b, '$a'").repeats_parameter());
  CHECK(one("SELECT $a, $b, $a, $a").places.size() == 4);
  CHECK(one("SELECT $1, $\u00e4").parameters == Texts{"1", "\u00e4"});
  CHECK(one("create or Replace temp TABLE x (a)").words ==
        Texts{"CREATE", "OR", "REPLACE", "TEMP", "TABLE"});
  CHECK(one("SELECT 1 FROM t").words == Texts{"SELECT"});
  CHECK(creates_temporary(one("CREATE TEMP TABLE x (a INTEGER)")));
  CHECK(creates_temporary(one("-- c\ncreate or replace temporary macro f(a) as a")));
  CHECK(!creates_temporary(one("CREATE TABLE temp (a INTEGER)")));
  CHECK(!creates_temporary(one("SELECT 'CREATE TEMP'")));
}

// "name@offset", separated by spaces.
std::string found(std::string_view sql) {
  std::string out;
  for (const auto& place : parameter_places(sql)) {
    if (!out.empty()) out += ' ';
    out += place.name + "@" + std::to_string(place.begin);
  }
  return out;
}

TEST_CASE("parameters are found with their offsets") {
  CHECK(found("SELECT $a, $b_2 WHERE x=$a") == "a@7 b_2@11 a@24");
  CHECK(found("SELECT $1, ?") == "1@7 @11");
  CHECK(found("SELECT ?; SELECT $a") == "@7 a@17");
  CHECK(found("$größe") == "größe@0");
  CHECK(found("SELECT 1") == "");
  CHECK(found("") == "");
}

TEST_CASE("what only looks like a parameter is passed over") {
  CHECK(found("'$a' $b") == "b@5");
  CHECK(found("'it''s $a' $b") == "b@11");
  CHECK(found("\"$a\"\"$c\" $b") == "b@9");
  CHECK(found("-- $a\n$b") == "b@6");
  CHECK(found("/* $a /* $c */ $d */ $b") == "b@21");
  CHECK(found("$$ $a $$ $b") == "b@9");
  CHECK(found("$tag$ $a $$ $tag$ $b") == "b@18");
  CHECK(found("col$a $b") == "b@6");
  CHECK(found("E'\\'$a' $b") == "b@8");
  CHECK(found("'\\' $b") == "b@4");
  CHECK(found("'$a") == "");
  CHECK(found("/* $a") == "");
  CHECK(found("$ 1") == "");
}

TEST_CASE("repeated parameters become distinct, and places find back") {
  const std::string sql = "SELECT 1; SELECT $a, $a, f($a), z";
  const SqlPiece piece = split_sql(sql).at(1);
  const RunText run = with_distinct_parameters(sql, piece);
  CHECK(run.text == "SELECT $a, $a__mxcp_place1, f($a__mxcp_place2), z");
  const auto back = [&](std::string_view token) {
    return sql.substr(static_cast<std::size_t>(run.source_position(run.text.find(token))), 1);
  };
  CHECK(back("$a") == "$");
  CHECK(back("f(") == "f");
  CHECK(back("z") == "z");
  // Inside of what was added: the end of the name.
  CHECK(run.source_position(run.text.find("__mxcp_place1") + 1) ==
        static_cast<std::ptrdiff_t>(sql.find(", f(")));
  CHECK(with_plain_parameters(run.text) == sql.substr(piece.begin));
}

TEST_CASE("repeated parameters are found whatever their case, and by position") {
  const auto distinct = [](std::string_view sql) {
    return with_distinct_parameters(sql, split_sql(sql).at(0)).text;
  };
  CHECK(distinct("SELECT $X, $x") == "SELECT $X, $x__mxcp_place1");
  CHECK(split_sql("SELECT $X, $x").at(0).parameters == Texts{"X"});
  const std::string positional = distinct("SELECT $1, $2, $1::VARCHAR");
  CHECK(positional ==
        "SELECT $mxcp_number__1, $mxcp_number__2, $mxcp_number__1__mxcp_place1::VARCHAR");
  CHECK(with_plain_parameters(positional) == "SELECT $1, $2, $1::VARCHAR");
  CHECK(plain_parameter_name("mxcp_number__1__mxcp_place1") == "1");
  CHECK(plain_parameter_name("x__mxcp_place12") == "x");
  CHECK(plain_parameter_name("work__place") == "work__place");
  CHECK(with_plain_parameters("work__place, number__1") == "work__place, number__1");
  CHECK(split_sql("SELECT $1a").at(0).parameters == Texts{"1"});
}

TEST_CASE("a call of setseed is seen") {
  const auto sets = [](std::string_view sql) { return split_sql(sql).at(0).sets_seed; };
  CHECK(sets("SELECT SetSeed(0.5)"));
  CHECK(sets("SELECT \"setseed\"(0.5)"));
  CHECK(!sets("SELECT 'setseed(0.5)', setseeds, \"setseed \" -- setseed(1)"));
}

TEST_CASE("parameters get a type") {
  const std::string sql = "SELECT $a, $b, INTERVAL $a DAY";
  const RunText run =
      with_typed_parameters(sql, split_sql(sql).at(0), {{"a", "INTEGER"}, {"c", "DATE"}});
  CHECK(run.text == "SELECT ($a::INTEGER), $b, INTERVAL ($a::INTEGER) DAY");
  CHECK(run.source_position(run.text.find("$b")) == 11);
  CHECK(run.source_position(run.text.find("DAY")) == 27);
}

TEST_CASE("lines and columns count characters") {
  const auto at = [](std::string_view text, std::size_t offset) {
    const LineColumn place = line_column(text, offset);
    return std::to_string(place.line) + ':' + std::to_string(place.column);
  };
  CHECK(at("abc", 0) == "1:1");
  CHECK(at("abc", 3) == "1:4");
  CHECK(at("a\nb", 2) == "2:1");
  CHECK(at("\u00e4\u6f22x", 5) == "1:3");
  CHECK(at("\r\n\tx", 3) == "2:2");
  CHECK(quote_sql("it's", '\'') == "'it''s'");
}

TEST_CASE("DuckDB's errors are read in both forms") {
  {
    const Error error = sql_error(
        "Binder Error: {\"exception_type\":\"Binder\",\"exception_message\":\"no "
        "\\\"x\\\"\\nhint\","
        "\"position\":\"9\"}",
        "SELECT\n 1, x");
    CHECK(error.code == Code::kSql);
    CHECK(error.message == "Binder Error: no \"x\"\nhint");
    CHECK(error.place.line == 2);
    CHECK(error.place.column == 3);
  }
  {
    const Error error = sql_error(
        "Catalog Error: Table with name x does not exist!\nDid you mean \"y\"?\n\nLINE 1: SELECT "
        "x\n "
        "              ^",
        "SELECT x");
    CHECK(error.message == "Catalog Error: Table with name x does not exist!\nDid you mean \"y\"?");
    CHECK(error.place.line == 0);
  }
  CHECK(
      parse_duckdb_error("{\"exception_type\":\"INTERNAL\",\"exception_message\":\"bad\\n\\nStack "
                         "Trace:\\n\\nx\"}")
          .text() == "INTERNAL Error: bad");
  CHECK(parse_duckdb_error("something else: odd").text() == "something else: odd");
  CHECK(parse_duckdb_error(nullptr).text() == "DuckDB gave no reason");
  // A position behind the end is no place.
  CHECK(sql_error("{\"exception_type\":\"Parser\",\"exception_message\":\"m\",\"position\":\"99\"}",
                  "x")
            .place.line == 0);
}

template <class... A, class... V>
std::string made(void (*append)(std::string&, A...), V... values) {
  std::string out;
  append(out, static_cast<A>(values)...);
  return out;
}

TEST_CASE("numbers as text at their limits") {
  constexpr auto kMin = std::numeric_limits<std::int64_t>::min();
  CHECK(made(append_int, kMin) == "-9223372036854775808");
  const __int128 min128 = static_cast<__int128>(static_cast<unsigned __int128>(1) << 127);
  CHECK(made(append_int128, min128) == "-170141183460469231731687303715884105728");
  CHECK(made(append_uint128, ~static_cast<unsigned __int128>(0)) ==
        "340282366920938463463374607431768211455");
  CHECK(made(append_uint128, 0) == "0");
  CHECK(made(append_decimal, 0, 3u) == "0.000");
  CHECK(made(append_decimal, -5, 1u) == "-0.5");
  CHECK(made(append_decimal, -12345, 2u) == "-123.45");
  CHECK(made(append_double, -0.0) == "-0.0");
  CHECK(made(append_double, 5e-324) == "5e-324");
  CHECK(made(append_float, 16777216.0f) == "16777216.0");
}

TEST_CASE("intervals and dates far away") {
  const auto interval = [](c::Interval value) {
    std::string out;
    append_interval(out, value);
    return out;
  };
  CHECK(interval({-14, 3, -61'000'001}) == "P-1Y-2M3DT-1M-1.000001S");
  CHECK(interval({0, 0, 3'600'000'000}) == "PT1H");
  CHECK(interval({0, 0, std::numeric_limits<std::int64_t>::min()}) == "PT-2562047788H-54.775808S");
  CHECK(made(append_date, -719528) == "0000-01-01");
  CHECK(made(append_date, -719529) == "-0001-12-31");
  CHECK(made(append_date, 2932897) == "10000-01-01");
  CHECK(made(append_date, 11016) == "2000-02-29");
}

}  // namespace
}  // namespace mxcp::engine
