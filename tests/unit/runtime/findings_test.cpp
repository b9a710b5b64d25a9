#include "runtime/findings.h"

#include <doctest/doctest.h>

#include "support/temp_project.h"

using namespace mxcp;
using runtime::Findings;

namespace {

std::string tool(const std::string& name) {
  return "mxcp: 1\ntool: {name: " + name + ", source: {code: SELECT 1}}\n";
}

std::vector<std::string> texts(const std::vector<Error>& errors) {
  std::vector<std::string> out;
  for (const Error& error : errors) out.push_back(error.message);
  return out;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("whatever is wrong refuses a project, and once each") {
  const test::TempProject files{{"tools/a.yml", tool("a")}};
  const auto served = files.load();
  Findings findings;
  CHECK(findings.refusing(*served, false, {}).empty());
  findings.add({Code::kSql, "one"}, "tools/a.yml");
  findings.add({Code::kSql, "one"}, "tools/a.yml");
  findings.add({Code::kPython, "two"});
  CHECK(texts(findings.refusing(*served, false, {})) == Texts{"one", "two"});
}

TEST_CASE("where broken endpoints are left out, those in service are not exchanged for them") {
  const test::TempProject files{{"tools/a.yml", tool("a")}, {"tools/b.yml", tool("b")}};
  const auto all = files.load();
  Findings findings;
  findings.add({Code::kSql, "b is broken"}, "tools/b.yml");
  findings.add({Code::kPython, "nobody's"});
  CHECK(texts(findings.refusing(*all, true, {})) == Texts{"b is broken", "nobody's"});

  const auto served = findings.usable(all);
  REQUIRE(served->endpoints().size() == 1);
  CHECK(served->endpoints()[0]->name == "a");
  CHECK(served->find(project::EndpointKind::kTool, "b") == nullptr);
  CHECK(served->not_found(project::EndpointKind::kTool, "b").message == "b is broken");
  CHECK(all->endpoints().size() == 2);

  // They were there at the start, and still are.
  CHECK(findings.refusing(*served, true, findings.general()).empty());
  findings.add({Code::kSql, "a is broken, too"}, "tools/a.yml");
  findings.add({Code::kPython, "new"});
  CHECK(texts(findings.refusing(*served, true, {"nobody's"})) == Texts{"a is broken, too", "new"});
}
