#include "quality/validate.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/text.h"
#include "engine/engine_fixture.h"
#include "support/temp_project.h"

using namespace mxcp;

namespace {

// A project whose database was filled with `setup`.
class Checked {
 public:
  Checked(std::initializer_list<std::pair<std::string, std::string>> files,
          std::string_view setup = "")
      : files_(files), project_(files_.load()) {
    engine::testing::set_search_path();
    engine::DatabaseOptions options;
    options.path = files_.root() / "data" / "db-default.duckdb";
    auto opened = engine::Database::open(std::move(options));
    REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? "" : opened.error().text()));
    database_ = *std::move(opened);
    if (setup.empty()) return;
    auto lease = database_->lease(engine::testing::soon());
    REQUIRE(lease.ok());
    const auto done = lease->execute(setup, {});
    REQUIRE_MESSAGE(done.ok(), (done.ok() ? "" : done.error().text()));
  }

  std::vector<quality::FileReport> reports(const fs::path& only = {}) {
    quality::ValidateEnvironment environment;
    environment.threads = threads;
    environment.database = [this]() -> Result<std::shared_ptr<engine::Database>> {
      ++opened;
      return database_;
    };
    environment.check_python = [](const project::Endpoint& endpoint) -> std::vector<Error> {
      return {{Code::kPython, "checked " + endpoint.name, {"python/z.py", 9, 1}},
              {Code::kPython, "checked again", {"python/z.py", 2, 1}}};
    };
    return quality::validate(*project_, environment, only);
  }

  // One line per problem of the only file: "error tools/t.yml:3:7: ...".
  std::string lines() {
    std::vector<std::string> out;
    for (const auto& report : reports()) {
      for (const Error& error : report.errors) {
        out.push_back("error[" + std::string(describe(error.code).name) + "] " + error.text());
      }
      for (const Error& warning : report.warnings) out.push_back("warning " + warning.text());
    }
    return join(out, "\n");
  }

  void add(const std::string& path, const std::string& text) {
    files_.write(path, text);
    project_ = files_.load();
  }

  const fs::path& root() const { return files_.root(); }
  int opened = 0;
  std::size_t threads = 1;

 private:
  test::TempProject files_;
  std::shared_ptr<const project::Project> project_;
  std::shared_ptr<engine::Database> database_;
};

std::string check(const std::string& yaml, std::string_view setup = "") {
  return Checked({{"tools/t.yml", yaml}}, setup).lines();
}

constexpr std::string_view kUsers = "CREATE TABLE users (id INTEGER, name VARCHAR, score DOUBLE)";

}  // namespace

TEST_CASE("a valid endpoint has no problems") {
  CHECK(check("tool:\n"
              "  name: t\n"
              "  parameters: [{name: id, type: integer}]\n"
              "  return: {type: array, items: {type: object, properties: {name: {type: string}}}}\n"
              "  source: {code: SELECT name FROM users WHERE id = $id}\n",
              kUsers) == "");
}

TEST_CASE("mistakes in SQL are placed in the YAML block or in the SQL file") {
  CHECK(check("tool:\n"
              "  name: t\n"
              "  source:\n"
              "    code: |\n"
              "      SELECT id,\n"
              "             nam\n"
              "      FROM users\n",
              kUsers)
            .find("error[sql] tools/t.yml:6:14: ") == 0);
  Checked in_file({{"tools/t.yml", "tool: {name: t, source: {file: ../sql/t.sql}}\n"},
                   {"sql/t.sql", "SELECT id\nFROM users\nWHERE nam = 'x'\n"}},
                  kUsers);
  CHECK(in_file.lines().find("error[sql] sql/t.sql:3:7: ") == 0);
  CHECK(check("tool: {name: t, source: {code: SELEC 1}}\n").find("error[sql] tools/t.yml:1:32: ") ==
        0);
}

TEST_CASE("a missing table is told apart from wrong SQL") {
  const std::string yaml = "tool: {name: t, source: {code: SELECT * FROM usrs}}\n";
  CHECK(check(yaml, kUsers) ==
        "error[not_found] tools/t.yml:1:46: table 'usrs' does not exist in "
        "data/db-default.duckdb; the statement itself parses (did you mean 'users'?)");
  CHECK(check(yaml) ==
        "error[not_found] tools/t.yml:1:46: table 'usrs' does not exist in "
        "data/db-default.duckdb; the statement itself parses (create it first, e.g. with "
        "'mxcp query --file setup.sql')");
}

TEST_CASE("placeholders and parameters must be the same, and each difference is placed") {
  CHECK(check("tool:\n"
              "  name: t\n"
              "  parameters:\n"
              "    - {name: user_id, type: integer}\n"
              "    - {name: unused, type: integer}\n"
              "  source:\n"
              "    code: |\n"
              "      -- $comment\n"
              "      SELECT '$text' AS a, $usr_id AS b,\n"
              "             $limit AS c, $limit AS d\n") ==
        "error[sql] tools/t.yml:4:7: parameter 'user_id' is declared, but not used in the SQL "
        "(did you mean '$usr_id'?)\n"
        "error[sql] tools/t.yml:5:7: parameter 'unused' is declared, but not used in the SQL "
        "(use $unused in the SQL, or remove the parameter)\n"
        "error[sql] tools/t.yml:9:28: the SQL uses $usr_id, which is not a declared parameter "
        "(did you mean 'user_id'?)\n"
        "error[sql] tools/t.yml:10:14: the SQL uses $limit, which is not a declared parameter "
        "(declare it under 'parameters:')");
}

TEST_CASE("positional placeholders are refused") {
  CHECK(check("tool:\n"
              "  name: t\n"
              "  parameters: [{name: a, type: integer}]\n"
              "  source: {code: 'SELECT ? AS x'}\n")
            .find("error[sql] tools/t.yml:4:26: positional placeholder '?': arguments are bound by "
                  "name (write $ and the parameter's name, e.g. $a)") != std::string::npos);
}

TEST_CASE("several statements: their placeholders count together, the last one's columns") {
  CHECK(check("tool:\n"
              "  name: t\n"
              "  parameters: [{name: a, type: string}, {name: b, type: integer}]\n"
              "  return: {type: object, properties: {id: {type: integer}}, required: [id]}\n"
              "  source:\n"
              "    code: |\n"
              "      INSERT INTO users VALUES ($b, $a, 0);\n"
              "      SELECT id FROM users LIMIT 1;\n",
              kUsers) == "");
}

TEST_CASE("columns are compared with the declared return") {
  CHECK(check("tool:\n"
              "  name: t\n"
              "  return:\n"
              "    type: object\n"
              "    properties:\n"
              "      id: {type: string}\n"
              "      score: {type: integer}\n"
              "      nme: {type: string}\n"
              "  source: {code: SELECT * FROM users LIMIT 1}\n",
              kUsers) ==
        "error[invalid_output] tools/t.yml:6:11: column 'id' is INTEGER, but 'string' is declared "
        "in 'return' (change the declaration, or cast the column in the SQL)\n"
        "warning tools/t.yml:7:14: column 'score' is DOUBLE, but 'integer' is declared: a fraction "
        "will be refused (cast it in the SQL, or declare 'number')\n"
        "warning tools/t.yml:8:12: 'return' declares the property 'nme', but the SQL has no such "
        "column (did you mean 'name'?)");
}

TEST_CASE("columns that depend on a placeholder are not judged") {
  CHECK(check("tool:\n"
              "  name: t\n"
              "  parameters: [{name: x, type: string}]\n"
              "  return: {type: object, properties: {x: {type: string}, id: {type: integer}}}\n"
              "  source: {code: 'SELECT $x AS x, 1 AS id'}\n") == "");
}

TEST_CASE("Python is checked, and problems are sorted by place") {
  Checked project(
      {{"tools/t.yml", "tool: {name: t, language: python, source: {code: 'def t(): pass'}}\n"}});
  CHECK(project.lines() ==
        "error[python] python/z.py:2:1: checked again\nerror[python] python/z.py:9:1: checked t");
  CHECK(project.opened == 0);
}

TEST_CASE("prompts may use only declared parameters") {
  Checked project({{"prompts/p.yml",
                    "prompt:\n"
                    "  name: p\n"
                    "  parameters: [{name: topic, type: string}]\n"
                    "  messages:\n"
                    "    - prompt: about {{ topic }}\n"
                    "    - prompt: and {{ topc | upper }}\n"}});
  CHECK(
      project.lines() ==
      "error[config] prompts/p.yml:6:22: message 2 uses 'topc', which is not a declared parameter "
      "(did you mean 'topic'?)");
}

TEST_CASE("a name is known up to the end of its block only") {
  Checked project({{"prompts/p.yml",
                    "prompt:\n"
                    "  name: p\n"
                    "  parameters: [{name: a, type: string}]\n"
                    "  messages:\n"
                    "    - prompt: '{% with z = a %}{{ z }}{% endwith %}{{ z }}'\n"}});
  CHECK(project.lines() ==
        "error[config] prompts/p.yml:5:55: message 1 uses 'z' outside of the 'with' that sets it "
        "(it is known only up to '{% endwith %}')");
}

TEST_CASE("Jinja itself has the last word about templates") {
  const test::TempProject files{{"prompts/p.yml",
                                 "prompt:\n"
                                 "  name: p\n"
                                 "  messages:\n"
                                 "    - prompt: \"{{ 'a' | newer }} {{ 'a' | never }}\"\n"
                                 "    - prompt: |\n"
                                 "        Hello\n"
                                 "        {{ 1 2 }}\n"
                                 "    - prompt: only text\n"}};
  const auto project = files.load();
  std::vector<std::string> asked;
  quality::ValidateEnvironment environment;
  environment.jinja_has = [](const std::string& what, const std::string& name) {
    return what == "filter" && name == "newer";
  };
  environment.check_template =
      [&](const std::string& text) -> std::optional<quality::TemplateProblem> {
    asked.push_back(text);
    return quality::TemplateProblem{"refused", "", text.find("{{")};
  };
  const auto reports = quality::validate(*project, environment);
  REQUIRE(reports.size() == 1);
  CHECK(test::texts_of(reports[0].errors) ==
        "prompts/p.yml:4:43: message 1: Jinja has no filter 'never'\n"
        "prompts/p.yml:7:9: message 2: refused\n");
  CHECK(asked == std::vector<std::string>{"Hello\n{{ 1 2 }}\n"});
}

TEST_CASE("a mistake in the SQL of a completion has its place in it") {
  CHECK(Checked({{"resources/r.yml",
                  "resource:\n"
                  "  uri: r://{city}\n"
                  "  parameters:\n"
                  "    - name: city\n"
                  "      type: string\n"
                  "      completion: >-\n"
                  "        SELECT name\n"
                  "        FROM users WHERE nme LIKE $value\n"
                  "  source: {code: SELECT $city}\n"}},
                kUsers)
            .lines()
            .find("error[sql] resources/r.yml:8:26: ") == 0);
}

TEST_CASE("a completion that writes is refused") {
  const auto lines = [](const std::string& sql) {
    return Checked({{"prompts/p.yml",
                     "prompt:\n"
                     "  name: p\n"
                     "  parameters:\n"
                     "    - name: a\n"
                     "      type: string\n"
                     "      completion: |\n"
                     "        " +
                         sql +
                         "\n"
                         "  messages: [{prompt: '{{ a }}'}]\n"}},
                   kUsers)
        .lines();
  };
  const std::string refused =
      ": the completion has a statement that is no query (write a SELECT: it runs while somebody "
      "types)";
  CHECK(lines("SELECT name FROM users WHERE name LIKE $value || '%'") == "");
  CHECK(lines("DELETE FROM users") == "error[config] prompts/p.yml:7:9" + refused);
  CHECK(lines("INSERT INTO users (name) VALUES ($value) RETURNING name") ==
        "error[config] prompts/p.yml:7:9" + refused);
  CHECK(lines("SELECT 1; DROP TABLE users") == "error[config] prompts/p.yml:7:19" + refused);
}

TEST_CASE("parameters that differ only in case of what is typed") {
  CHECK(Checked({{"prompts/p.yml",
                  "prompt:\n"
                  "  name: p\n"
                  "  parameters:\n"
                  "    - {name: Value, type: string}\n"
                  "    - {name: a, type: string, completion: SELECT $value}\n"
                  "  messages: [{prompt: '{{ a }} {{ Value }}'}]\n"}})
            .lines() ==
        "warning prompts/p.yml:4:7: completions cannot see the parameter 'Value': in their SQL "
        "$value is what was typed (give the parameter another name)");
}

TEST_CASE("code is checked beside other mistakes of its file") {
  // SQL, with a key that does not exist.
  CHECK(Checked({{"tools/t.yml",
                  "tool:\n  name: t\n  descripton: x\n"
                  "  parameters: [{name: x, type: integer}]\n"
                  "  source:\n    code: SELECT $y\n"}})
            .lines() ==
        "error[config] tools/t.yml:3:3: unknown key 'descripton' in the tool (did you mean "
        "'description'?)\n"
        "error[sql] tools/t.yml:4:16: parameter 'x' is declared, but not used in the SQL (did you "
        "mean '$y'?)\n"
        "error[sql] tools/t.yml:6:18: the SQL uses $y, which is not a declared parameter (declare "
        "it under 'parameters:')");
  // Of parameters whose declarations are wrong the names are known.
  CHECK(Checked({{"tools/t.yml",
                  "tool:\n  name: t\n"
                  "  parameters: [{name: x, type: integer, descripton: x}]\n"
                  "  source:\n    code: SELECT $x + $y\n"}})
            .lines() ==
        "error[config] tools/t.yml:3:41: unknown key 'descripton' in a parameter (did you mean "
        "'description'?)\n"
        "error[sql] tools/t.yml:5:23: the SQL uses $y, which is not a declared parameter (declare "
        "it under 'parameters:')");
  // Templates.
  CHECK(Checked({{"prompts/p.yml",
                  "prompt:\n  name: p\n  parameters: [{name: topic, type: string}]\n"
                  "  messages:\n"
                  "    - {role: sytem, prompt: 'Say {{ topc }}'}\n"}})
            .lines() ==
        "error[config] prompts/p.yml:5:14: 'role' must be one of 'user', 'assistant' or 'system', "
        "found the string 'sytem' (did you mean 'system'?)\n"
        "error[config] prompts/p.yml:5:37: message 1 uses 'topc', which is not a declared "
        "parameter (did you mean 'topic'?)");
  // Python.
  CHECK(Checked({{"tools/t.yml",
                  "tool: {name: t, tag: [], language: python, source: {code: 'def t(): pass'}}\n"}})
            .lines()
            .find("checked t") != std::string::npos);
}

TEST_CASE("code is not judged by what a mistake hides") {
  const auto lines = [](const std::string& yaml) {
    return Checked({{"tools/t.yml", "tool:\n  name: t\n" + yaml}}).lines();
  };
  const std::string sql = "  source: {code: 'SELECT $x + 1 AS v'}\n";
  for (const char* const parameters :
       {"  paramters: [{name: x, type: integer}]\n", "  wanted: [{name: x, type: integer}]\n",
        "  args: [{name: x, type: integer}]\n", "  parameters: [{nam: x, type: integer}]\n",
        "  parameters: [{name: x, typ: integer}]\n", "  parameters: {x: {type: integer}}\n",
        "  parameters: [{name: x, type: integre}]\n",
        "  parameters: [{name: x, type: integer}]\n  langauge: sql\n",
        "  parameters: [{name: x, type: integer}]\n  language: squeal\n"}) {
    CAPTURE(parameters);
    const std::string told = lines(parameters + sql);
    CHECK(told.starts_with("error[config]"));
    CHECK(told.find('\n') == std::string::npos);
  }
  // Beside a column's declared type that is none.
  CHECK(lines("  parameters: [{name: x, type: integer}]\n  return: {type: strng}\n" + sql)
            .find('\n') == std::string::npos);
}

TEST_CASE("a text that is only tried to be a number needs no warning") {
  const auto lines = [](const std::string& sql) {
    return Checked({{"tools/t.yml",
                     "tool:\n  name: t\n  parameters: [{name: s, type: string}]\n"
                     "  source:\n    code: |\n      " +
                         sql + "\n"}})
        .lines();
  };
  for (const char* const sql :
       {"SELECT try_cast($s AS INT) AS r", "SELECT coalesce(TRY_CAST( $s AS INTEGER), 0) AS r",
        "SELECT CASE WHEN $s = 'all' THEN 0 ELSE try_cast($s AS INT) END AS r",
        "SELECT * FROM (VALUES (1), (2)) t(id) WHERE id = try_cast($s AS INT)"}) {
    CAPTURE(sql);
    CHECK(lines(sql) == "");
  }
  for (const char* const sql :
       {"SELECT $s::INT AS r", "SELECT try_cast($s AS INT) + $s::INT AS r",
        "SELECT * FROM (VALUES (1), (2)) t(id) WHERE id = $s AND id = try_cast($s AS INT)"}) {
    CAPTURE(sql);
    CHECK(lines(sql).find("text that is no number fails") != std::string::npos);
  }
}

TEST_CASE("every file is reported, sorted, and one can be chosen") {
  Checked project({{"tools/b.yml", "tool: {name: b, source: {cod: SELECT 1}}\n"},
                   {"tools/a.yml", "tool: {name: a, source: {code: SELECT 1}}\n"},
                   {"tools/off.yml", "tool: {name: c, enabled: false, source: {code: SELEC}}\n"},
                   {"prompts/p.yml", "prompt: {name: p, messages: [{prompt: hi}]}\n"}});
  const auto all = project.reports();
  REQUIRE(all.size() == 3);
  CHECK(all[0].path == "prompts/p.yml");
  CHECK(all[1].path == "tools/a.yml");
  CHECK(all[1].ok());
  CHECK(all[2].path == "tools/b.yml");
  CHECK_FALSE(all[2].ok());
  CHECK(project.opened == 1);

  const auto one = project.reports(project.root() / "tools" / ".." / "tools" / "b.yml");
  REQUIRE(one.size() == 1);
  CHECK(one[0].path == "tools/b.yml");
  CHECK(project.reports(project.root() / "tools/nope.yml").empty());
}

TEST_CASE("a database that does not open fails every SQL endpoint, and is tried once") {
  const test::TempProject files{{"tools/a.yml", "tool: {name: a, source: {code: SELECT 1}}\n"},
                                {"tools/b.yml", "tool: {name: b, source: {code: SELECT 1}}\n"},
                                {"prompts/p.yml", "prompt: {name: p, messages: [{prompt: hi}]}\n"}};
  int tried = 0;
  quality::ValidateEnvironment environment;
  environment.database = [&]() -> Result<std::shared_ptr<engine::Database>> {
    ++tried;
    return Error{Code::kDatabase, "locked"};
  };
  const auto reports = quality::validate(*files.load(), environment);
  REQUIRE(reports.size() == 3);
  CHECK(reports[0].ok());
  CHECK(reports[1].errors.at(0).code == Code::kDatabase);
  CHECK(reports[2].errors.at(0).message == "locked");
  CHECK(tried == 1);
}

TEST_CASE("several threads find what one finds") {
  Checked checked({}, kUsers);
  for (int i = 0; i < 60; ++i) {
    const char* const word = i % 7 == 0 ? "SELEC" : "SELECT";
    checked.add(fmt::format("tools/t{}.yml", i),
                fmt::format("tool:\n  name: t{0}\n  source: {{code: {1} {0}}}\n", i, word));
  }
  const std::string alone = checked.lines();
  checked.threads = 4;
  CHECK(checked.lines() == alone);
  CHECK(checked.reports().size() == 60);
  CHECK(alone.find("tools/t49.yml") != std::string::npos);
  CHECK(alone.find("tools/t50.yml") == std::string::npos);
}
