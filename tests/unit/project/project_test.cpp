#include "project/project.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/rules.h"
#include "base/text.h"
#include "support/temp_project.h"

using namespace mxcp;
using namespace mxcp::project;

namespace {

std::string tool(const std::string& name, const std::string& more = "") {
  return "tool:\n  name: " + name + "\n  source: {code: SELECT 1}\n" + more;
}

std::string resource(const std::string& uri, const std::string& parameter) {
  return "resource:\n  uri: " + uri + "\n  parameters: [{name: " + parameter +
         ", type: string}]\n  source: {code: SELECT 1}\n";
}

std::string ids(const Project& project) {
  std::string out;
  for (const auto& endpoint : project.endpoints()) {
    out += std::string(name_of(endpoint->kind)) + "/" + endpoint->id() + " ";
  }
  return out;
}

std::string paths(const Project& project) {
  std::string out;
  for (const EndpointFile& file : project.files()) out += file.display_path + " ";
  return out;
}

std::string errors_of(const Project& project, const std::string& path) {
  for (const EndpointFile& file : project.files()) {
    if (file.display_path == path) return test::texts_of(file.errors);
  }
  return "no such file";
}

}  // namespace

TEST_CASE("the root is found from a subfolder") {
  test::TempProject project;
  project.write("tools/a/b/x.yml", tool("x"));
  const auto loaded = Project::load({.start = project.root() / "tools/a/b"});
  REQUIRE(loaded.ok());
  CHECK((*loaded)->root() == project.root());
  CHECK(ids(**loaded) == "tool/x ");
  const auto outside = Project::load({.start = project.home()});
  REQUIRE(!outside.ok());
  CHECK(outside.error().code == Code::kNotFound);
  CHECK(outside.error().text() == "no mxcp-site.yml in '" + project.home().string() +
                                      "' or a folder above it (change to a project folder, or "
                                      "create one with 'mxcp init')");
}

TEST_CASE("all configuration problems at once") {
  test::TempProject project;
  project.write("mxcp-site.yml", "mxcp: 1\nproject: shop\nprofile: default\nfoo: 1\n");
  CHECK(project.load_error() ==
        "mxcp-site.yml:4:1: unknown key 'foo' in mxcp-site.yml (the keys here are 'mxcp', "
        "'project', 'profile', 'secrets', 'plugin', 'dbt', 'extensions', 'paths', 'sql_tools', "
        "'profiles', 'server', 'limits' and 'tasks')");
  project.write_user_config("transport: x\n");
  const std::string file = (project.home() / ".mxcp/config.yml").string();
  const auto loaded = Project::load({.start = project.root()});
  REQUIRE(!loaded.ok());
  CHECK(loaded.error().code == Code::kConfig);
  CHECK(loaded.error().message.starts_with(
      "2 problems in the configuration:\n  mxcp-site.yml:4:1: "));
  CHECK(loaded.error().message.ends_with("\n  " + file +
                                         ":1:12: 'transport' must be a mapping of keys to values, "
                                         "found the string 'x' (write 'provider: ...' under it)"));
  project.write("mxcp-site.yml", "mxcp: 1\nproject: [\n");
  CHECK(project.load_error() == "mxcp-site.yml:2:10: this '[' is never closed (add ']')");
}

TEST_CASE("the profile: flag, then environment, then file") {
  test::TempProject project;
  CHECK(project.load()->profile_name() == "default");
  CHECK(project.load()->profile().database == project.root() / "data/db-default.duckdb");
  project.set("MXCP_PROFILE", "staging");
  CHECK(project.load()->profile().database == project.root() / "data/db-staging.duckdb");
  CHECK(project.load("prod")->profile_name() == "prod");
  CHECK(project.load("prod")->warnings().empty());
  // With profiles in the site file, another name may be a slip.
  project.write("mxcp-site.yml",
                "project: shop\nprofile: default\nprofiles: {prod: {duckdb: {readonly: true}}}\n");
  CHECK(test::texts_of(project.load("prdo")->warnings()) ==
        "mxcp-site.yml: mxcp-site.yml has no profile 'prdo': defaults are used (did you mean "
        "'prod'?)\n");
  CHECK(project.load("prod")->warnings().empty());
  CHECK(project.load("default")->warnings().empty());
  CHECK(project.load("prod")->profile().readonly);
  CHECK(!project.load("default")->profile().readonly);
}

TEST_CASE("read-only by flag, environment or file") {
  test::TempProject project;
  CHECK(!project.load()->profile().readonly);
  CHECK(project.load("", true)->profile().readonly);
  project.set("MXCP_READONLY", "no");
  CHECK(!project.load()->profile().readonly);
  project.set("MXCP_READONLY", "Yes");
  CHECK(project.load()->profile().readonly);
  project.unset("MXCP_READONLY");
  project.write("mxcp-site.yml",
                "project: shop\nprofile: d\nprofiles: {d: {duckdb: {readonly: true}}}\n");
  CHECK(project.load()->profile().readonly);
}

TEST_CASE("the environment decides over the database path and auditing") {
  test::TempProject project;
  project.write("mxcp-site.yml",
                "project: shop\nprofile: d\nprofiles: {d: {duckdb: {path: x.duckdb}, audit: "
                "{enabled: true}}}\n");
  CHECK(project.load()->profile().database == project.root() / "x.duckdb");
  CHECK(project.load()->profile().database_place.text() == "mxcp-site.yml:3:31");
  CHECK(project.load()->profile().audit_enabled);
  project.set("MXCP_DUCKDB_PATH", "/var/lib/../y.duckdb");
  project.set("MXCP_AUDIT_ENABLED", "0");
  CHECK(project.load()->profile().database == "/var/y.duckdb");
  CHECK(!project.load()->profile().database_place.known());
  CHECK(!project.load()->profile().audit_enabled);
  project.set("MXCP_AUDIT_ENABLED", "maybe");
  CHECK(project.load_error() == "MXCP_AUDIT_ENABLED must be true or false, found 'maybe'");
  project.set("MXCP_AUDIT_ENABLED", "TRUE");
  CHECK(project.load()->profile().audit_enabled);
  project.set("MXCP_DUCKDB_PATH", ":memory:");
  CHECK(project.load_error() ==
        "MXCP_DUCKDB_PATH: ':memory:' is no database for a project: its content would be lost at "
        "every start and reload (give a file)");
}

TEST_CASE("endpoint files: endings, depth, order") {
  test::TempProject project;
  project.write("tools/b.yml", tool("b"))
      .write("tools/a.yaml", tool("a"))
      .write("tools/deep/er/c.yml", tool("c"))
      .write("tools/notes.txt", tool("no"))
      .write("tools/d.yml.bak", tool("no"))
      .write("tools/.hidden.yml", tool("no"))
      .write("tools/.git/e.yml", tool("no"))
      .write("resources/r.yml", resource("r://{x}", "x"))
      .write("prompts/p.yml", "prompt: {name: a, messages: [{prompt: hi}]}\n");
  const auto loaded = project.load();
  CHECK(ids(*loaded) == "tool/a tool/b tool/c resource/r://{x} prompt/a ");
  CHECK(paths(*loaded) ==
        "prompts/p.yml resources/r.yml tools/a.yaml tools/b.yml tools/deep/er/c.yml ");
  CHECK(loaded->warnings().empty());
  CHECK(loaded->find(EndpointKind::kTool, "c")->display_file == "tools/deep/er/c.yml");
  CHECK(loaded->find(EndpointKind::kPrompt, "a") != nullptr);
  CHECK(loaded->find(EndpointKind::kResource, "r://{x}") != nullptr);
  CHECK(loaded->find(EndpointKind::kResource, "a") == nullptr);
}

TEST_CASE("links: loops end, a folder reached twice counts once") {
  test::TempProject project;
  project.write("tools/real/a.yml", tool("a")).write("elsewhere/b.yml", tool("b"));
  fs::create_directory_symlink(project.root() / "tools", project.root() / "tools/real/loop");
  fs::create_directory_symlink("real", project.root() / "tools/alias");
  fs::create_directory_symlink(project.root() / "elsewhere", project.root() / "tools/linked");
  fs::create_symlink(project.root() / "nowhere.yml", project.root() / "tools/dangling.yml");
  const auto loaded = project.load();
  CHECK(ids(*loaded) == "tool/a tool/b ");
  CHECK(paths(*loaded) == "tools/linked/b.yml tools/real/a.yml ");
}

TEST_CASE("other folders, also one for several kinds") {
  test::TempProject project;
  project.write("mxcp-site.yml",
                "project: shop\nprofile: d\npaths: {tools: all, prompts: all, resources: none}\n");
  project.write("all/t.yml", tool("t"))
      .write("all/p.yml", "prompt: {name: p, messages: [{prompt: hi}]}\n")
      .write("tools/ignored.yml", tool("ignored"));
  const auto loaded = project.load();
  CHECK(ids(*loaded) == "tool/t prompt/p ");
  CHECK(test::texts_of(loaded->warnings()) == "mxcp-site.yml:3:46: there is no folder 'none'\n");
}

TEST_CASE("what is no endpoint of its folder is skipped with a warning") {
  test::TempProject project;
  project.write("tools/r.yml", resource("r://{x}", "x"))
      .write("tools/other.yml", "a: 1\n")
      .write("tools/off.yml", tool("off", "  enabled: false\n"))
      .write("tools/broken-off.yml", "tool: {name: x, enabled: false, foo: 1}\n");
  const auto loaded = project.load();
  CHECK(paths(*loaded) == "");
  CHECK(loaded->warnings().empty());
  std::vector<Error> why;
  for (const auto& skipped : loaded->skipped()) {
    if (skipped.why) why.push_back(*skipped.why);
  }
  CHECK(
      test::texts_of(why) ==
      "tools/other.yml:1:1: not an endpoint file (none of 'tool', 'resource' and 'prompt'): "
      "skipped (move it out of the folders for endpoints)\n"
      "tools/r.yml:1:1: this file holds a resource, but the folder is for tools: skipped (move it "
      "to 'resources')\n");
  CHECK(loaded->skipped().size() == 4);
  for (const Error& error : why) CHECK(error.rule == rules::kEndpointKind);
}

TEST_CASE("links that lead nowhere and pipes are skipped with a warning") {
  test::TempProject project;
  project.write("tools/a.yml", tool("a"));
  fs::create_symlink("nowhere.yml", project.root() / "tools" / "gone.yml");
  fs::create_symlink("nowhere.txt", project.root() / "tools" / "gone.txt");
  REQUIRE(::mkfifo((project.root() / "tools" / "pipe.yaml").c_str(), 0600) == 0);
  const auto loaded = project.load();
  CHECK(paths(*loaded) == "tools/a.yml ");
  std::vector<Error> why;
  for (const auto& skipped : loaded->skipped()) why.push_back(*skipped.why);
  CHECK(test::texts_of(why) ==
        "tools/gone.yml: this link leads to no file: skipped (mend or remove it)\n"
        "tools/pipe.yaml: this is no file that can be read: skipped\n");
}

TEST_CASE("resources whose URI is no template are no duplicates of each other") {
  test::TempProject project;
  project.write("resources/a.yml", "resource: {uri: 'http://h/{a-b}', source: {code: SELECT 1}}\n")
      .write("resources/b.yml", "resource: {uri: 'http://h/{?q}', source: {code: SELECT 1}}\n");
  const auto loaded = project.load();
  for (const auto& file : loaded->files()) {
    REQUIRE(file.errors.size() == 1);
    CHECK(file.errors.front().rule == rules::kUri);
  }
}

TEST_CASE("duplicates: every file says where the others are") {
  test::TempProject project;
  project.write("tools/a.yml", tool("same"))
      .write("tools/b.yml", tool("same"))
      .write("tools/c.yml", "tool: {name: same, foo: 1}\n")
      .write("tools/d.yml", tool("other"))
      .write("tools/off.yml", tool("other", "  enabled: false\n"))
      .write("prompts/p.yml", "prompt: {name: other, messages: [{prompt: hi}]}\n")
      .write("resources/r.yml", resource("users://{id}", "id"))
      .write("resources/s.yml", resource("users://{name}", "name"))
      .write("resources/t.yml", resource("users://{id}/x", "id"));
  const auto loaded = project.load();
  CHECK(ids(*loaded) == "tool/other resource/users://{id}/x prompt/other ");
  CHECK(errors_of(*loaded, "tools/a.yml") ==
        "tools/a.yml:2:9: the tool 'same' is also defined in tools/b.yml:2:9, tools/c.yml:1:14 "
        "(give each its own name)\n");
  CHECK(errors_of(*loaded, "tools/b.yml") ==
        "tools/b.yml:2:9: the tool 'same' is also defined in tools/a.yml:2:9, tools/c.yml:1:14 "
        "(give each its own name)\n");
  CHECK(split(errors_of(*loaded, "tools/c.yml"), '\n').size() == 4);
  CHECK(errors_of(*loaded, "resources/s.yml") ==
        "resources/s.yml:2:8: the resource 'users://{name}' is also defined in resources/r.yml:2:8 "
        "(give each its own URI)\n");
  CHECK(loaded->find(EndpointKind::kTool, "same") == nullptr);
}

TEST_CASE("not found: a suggestion, or what is wrong with the file") {
  test::TempProject project;
  const auto not_found = [&](const std::string& id, EndpointKind kind = EndpointKind::kTool) {
    return project.load()->not_found(kind, id);
  };
  CHECK(not_found("greet").text() ==
        "Endpoint 'greet' not found in tools (the project has no tools)");
  CHECK(not_found("greet").code == Code::kNotFound);
  project.write("tools/a.yml", tool("list_orders"));
  CHECK(not_found("list_order").text() ==
        "Endpoint 'list_order' not found in tools (did you mean 'list_orders'?)");
  CHECK(not_found("zzzzzz").text() ==
        "Endpoint 'zzzzzz' not found in tools ('mxcp list' shows what there is)");
  CHECK(not_found("list_orders", EndpointKind::kPrompt).text() ==
        "Endpoint 'list_orders' not found in prompts (there is a tool of that name)");
  project.write("tools/b.yml", "tool:\n  name: broken\n  source: {cod: SELECT 1}\n");
  CHECK(not_found("broken").text() ==
        "tools/b.yml:3:12: unknown key 'cod' in the source (did you mean 'code'?)");
  CHECK(not_found("broke").text() ==
        "Endpoint 'broke' not found in tools (did you mean 'broken'?)");
  project.write("tools/c.yml", "tool:\n  name: two\n  foo: 1\n");
  CHECK(not_found("two").code == Code::kConfig);
  CHECK(
      not_found("two").message.starts_with("the tool 'two' has 2 problems:\n  tools/c.yml:1:1: "));
  project.write("tools/d.yml", "tool:\n  name: unreadable\n  description: a: b\n");
  CHECK(not_found("unreadable").text() ==
        "tools/d.yml:3:17: a value that contains ': ' must be in quotes (write \"a: b\")");
  project.write("tools/e.yml", "- no endpoint\n");
  CHECK(not_found("zzzzzz").hint == "1 file could not be read: see 'mxcp validate'");
}

TEST_CASE("a bad source is told once and where it stands") {
  test::TempProject project;
  project.write("tools/a.yml", "tool:\n  name: a\n  source: {cod: SELECT 1}\n");
  CHECK(errors_of(*project.load(), "tools/a.yml") ==
        "tools/a.yml:3:12: unknown key 'cod' in the source (did you mean 'code'?)\n");
}

TEST_CASE("the tutorial's project loads without any complaint") {
  const fs::path tutorial =
      fs::path(__FILE__).parent_path().parent_path().parent_path().parent_path() /
      "examples/tutorial";
  REQUIRE(fs::exists(tutorial / "mxcp-site.yml"));
  test::TempProject environment;
  environment.set("MXCP_CONFIG", (tutorial / "config.yml").string());
  const auto loaded = Project::load({.start = tutorial});
  CAPTURE(loaded.ok() ? "" : loaded.error().text());
  REQUIRE(loaded.ok());
  CHECK(test::texts_of((*loaded)->warnings()) == "");
  CHECK((*loaded)->endpoints().size() >= 10);
  for (const EndpointFile& file : (*loaded)->files()) {
    CHECK(test::texts_of(file.errors) == "");
    CHECK(test::texts_of(file.warnings) == "");
  }
  CHECK((*loaded)->user().secret("api_credentials") != nullptr);
  const auto greet = (*loaded)->find(EndpointKind::kTool, "personalized_greeting");
  REQUIRE(greet != nullptr);
  CHECK(greet->language == Language::kPython);
  CHECK(greet->parameters.entries().size() == 2);
}

TEST_CASE("many files load in parallel to the same result") {
  test::TempProject project;
  for (int i = 0; i < 200; ++i) {
    const std::string name = "t" + std::to_string(1000 + i);
    project.write("tools/" + name + ".yml",
                  i % 50 == 7 ? "tool: {name: " + name + "}\n" : tool(name));
  }
  const auto first = project.load();
  CHECK(first->files().size() == 200);
  CHECK(first->endpoints().size() == 196);
  for (std::size_t i = 1; i < first->files().size(); ++i) {
    CHECK(first->files()[i - 1].display_path < first->files()[i].display_path);
  }
  CHECK(ids(*project.load()) == ids(*first));
}
