#include "project/site_config.h"

#include <doctest/doctest.h>

#include <limits>

#include "base/json.h"
#include "support/temp_project.h"

using namespace mxcp;
using namespace mxcp::project;

namespace {

SiteConfig site_of(test::TempProject& project, const std::string& yaml,
                   const std::string& profile = "") {
  project.write("mxcp-site.yml", yaml);
  auto result = load_site_config(project.root(), profile);
  CAPTURE(test::texts_of(result.errors));
  REQUIRE(result.errors.empty());
  return std::move(result.config);
}

std::string problems(test::TempProject& project, const std::string& yaml) {
  project.write("mxcp-site.yml", yaml);
  return test::texts_of(load_site_config(project.root()).errors);
}

const std::string kHead = "mxcp: 1\nproject: shop\nprofile: dev\n";

}  // namespace

TEST_CASE("the defaults of a site file") {
  test::TempProject project;
  const SiteConfig site = site_of(project, "project: shop\nprofile: dev\n");
  CHECK(site.project == "shop");
  CHECK(site.profile == "dev");
  CHECK(site.root == project.root());
  CHECK(site.paths.tools == project.root() / "tools");
  CHECK(site.paths.python == project.root() / "python");
  CHECK(site.paths.data == project.root() / "data");
  CHECK(!site.sql_tools.enabled);
  CHECK(to_json(site.dbt) ==
        R"({"enabled":true,"model_paths":["models"],"analysis_paths":["analyses"],)"
        R"("test_paths":["tests"],"seed_paths":["seeds"],"macro_paths":["macros"],)"
        R"("snapshot_paths":["snapshots"],"target_path":"target",)"
        R"("clean_targets":["target","dbt_packages"]})");
  // The same for every profile, listed or not.
  for (const char* name : {"dev", "other"}) {
    const Profile profile = site.profile_settings(name);
    CHECK(profile.database == project.root() / ("data/db-" + std::string(name) + ".duckdb"));
    CHECK(profile.drift == project.root() / ("drift/drift-" + std::string(name) + ".json"));
    CHECK(profile.audit == project.root() / ("audit/logs-" + std::string(name) + ".jsonl"));
    CHECK(!profile.readonly);
    CHECK(profile.threads == 0);
    CHECK(!profile.audit_enabled);
    CHECK(profile.audit_max_file_size == 52428800);
    CHECK(!profile.database_place.known());
  }
}

TEST_CASE("every key of a site file") {
  test::TempProject project;
  const SiteConfig site = site_of(project, R"(mxcp: 1
project: shop
profile: dev
secrets: one
plugin: {name: p, module: plug, config: c}
extensions:
  - httpfs
  - {name: h3, repo: community}
dbt: {enabled: false, model_paths: m, clean_targets: [x]}
sql_tools:
  enabled: true
  list_tables: {description: Tables}
paths: {tools: werkzeuge, data: /var/lib/shop}
profiles:
  dev:
    duckdb: {path: db/my.duckdb, readonly: true, threads: 2}
    drift: {path: d.json}
    audit: {enabled: true, path: logs/a.jsonl, max_file_size: 1000}
  prod: {duckdb: {path: /srv/prod.duckdb}}
  test:
)");
  CHECK(site.secrets == std::vector<std::string>{"one"});
  REQUIRE(site.plugins.size() == 1);
  CHECK(site.plugins[0].module == "plug");
  CHECK(site.plugins[0].config == "c");
  CHECK(site.plugins[0].place.text() == "mxcp-site.yml:5:9");
  REQUIRE(site.extensions.size() == 2);
  CHECK(site.extensions[0].name == "httpfs");
  CHECK(site.extensions[0].repo.empty());
  CHECK(site.extensions[1].repo == "community");
  CHECK(to_json(*site.dbt.find("enabled")) == "false");
  CHECK(to_json(*site.dbt.find("model_paths")) == R"(["m"])");
  CHECK(site.sql_tools.enabled);
  CHECK(site.sql_tools.descriptions.at("list_tables") == "Tables");
  CHECK(site.paths.tools == project.root() / "werkzeuge");
  CHECK(site.paths.data == "/var/lib/shop");
  const Profile dev = site.profile_settings("dev");
  CHECK(dev.database == project.root() / "db/my.duckdb");
  CHECK(dev.database_place.text() == "mxcp-site.yml:16:20");
  CHECK(dev.readonly);
  CHECK(dev.threads == 2);
  CHECK(dev.drift == project.root() / "d.json");
  CHECK(dev.audit_enabled);
  CHECK(dev.audit == project.root() / "logs/a.jsonl");
  CHECK(dev.audit_max_file_size == 1000);
  CHECK(site.profile_settings("prod").database == "/srv/prod.duckdb");
  CHECK(site.profile_settings("test").database == "/var/lib/shop/db-test.duckdb");
  CHECK(to_json(*site.raw.find("secrets")) == "[\"one\"]");
  CHECK(
      to_json(*site.raw.find("profiles")->find("dev")) ==
      R"({"duckdb":{"path":"db/my.duckdb","readonly":true,"threads":2},"drift":{"path":"d.json"},)"
      R"("audit":{"enabled":true,"path":"logs/a.jsonl","max_file_size":1000}})");
}

TEST_CASE("the settings of the effective profile are in raw, also the defaults") {
  test::TempProject project;
  const SiteConfig site = site_of(project, "project: shop\nprofile: dev\n", "other");
  for (const char* name : {"dev", "other"}) {
    const Value* settings = site.raw.find("profiles")->find(name);
    REQUIRE(settings != nullptr);
    const std::string root = project.root().string(), profile = name;
    CHECK(to_json(*settings) ==
          R"({"duckdb":{"path":")" + root + "/data/db-" + profile +
              R"(.duckdb","readonly":false},"drift":{"path":")" + root + "/drift/drift-" + profile +
              R"(.json"},"audit":{"enabled":false,"path":")" + root + "/audit/logs-" + profile +
              R"(.jsonl","max_file_size":52428800}})");
  }
}

TEST_CASE("references in a site file: the top level and the effective profile") {
  test::TempProject project;
  project.set("MXCP_T_DIR", "stored");
  project.set("MXCP_T_ON", "yes");
  project.set("MXCP_T_N", "3");
  project.unset("MXCP_T_UNSET");
  project.write("word.txt", "  from a file\n");
  const std::string yaml = R"(mxcp: 1
project: "${MXCP_T_DIR}-${MXCP_T_N}"
profile: dev
secrets: ["file://word.txt"]
profiles:
  dev: {duckdb: {path: "${MXCP_T_DIR}/x.duckdb", readonly: "${MXCP_T_ON}", threads: "${MXCP_T_N}"}}
  other: {duckdb: {path: "${MXCP_T_UNSET}/x.duckdb", readonly: "${MXCP_T_UNSET}"}}
)";
  const SiteConfig site = site_of(project, yaml);
  CHECK(site.project == "stored-3");
  // Relative to the root, wherever the command was started.
  CHECK(site.secrets == std::vector<std::string>{"from a file"});
  CHECK(site.profile_settings("dev").database == project.root() / "stored/x.duckdb");
  CHECK(site.profile_settings("dev").readonly);
  CHECK(site.profile_settings("dev").threads == 3);
  CHECK(to_json(*site.raw.find("project")) == "\"stored-3\"");
  CHECK(test::texts_of(load_site_config(project.root(), "other").errors) ==
        "mxcp-site.yml:7:26: the environment variable 'MXCP_T_UNSET' is not set (set it before "
        "starting mxcp)\n"
        "mxcp-site.yml:7:64: the environment variable 'MXCP_T_UNSET' is not set (set it before "
        "starting mxcp)\n");
  project.set("MXCP_PROFILE", "other");
  CHECK(load_site_config(project.root()).errors.size() == 2);
  CHECK(load_site_config(project.root(), "dev").errors.empty());
}

TEST_CASE("mistakes in a site file") {
  test::TempProject project;
  CHECK(problems(project, "") ==
        "mxcp-site.yml: the file is empty (it needs 'mxcp: 1', 'project: ...' and 'profile: "
        "...')\n");
  CHECK(problems(project, "- a\n") ==
        "mxcp-site.yml:1:1: mxcp-site.yml must be a mapping of keys to values, found a list (the "
        "keys are 'mxcp', 'project', 'profile', 'secrets', 'plugin', 'dbt', 'extensions', 'paths', "
        "'sql_tools', 'profiles', 'server', 'limits' and 'tasks')\n");
  CHECK(problems(project, "mxcp: 1\n") ==
        "mxcp-site.yml:1:1: 'project' is missing in mxcp-site.yml (the name of the project, e.g. "
        "'project: shop')\n"
        "mxcp-site.yml:1:1: 'profile' is missing in mxcp-site.yml (for example 'profile: "
        "default')\n");
  CHECK(problems(project, "mxcp: \"1\"\nproject: p\nprofile: d\n") ==
        "mxcp-site.yml:1:7: 'mxcp' must be the integer 1, found the string '1': this looks like a "
        "file of the format before the first release (write 'mxcp: 1' without quotes and check the "
        "keys against today's reference)\n");
  CHECK(problems(project, "mxcp: 2\nproject: p\nprofile: d\n") ==
        "mxcp-site.yml:1:7: 'mxcp' must be the integer 1, the version of the format, found the "
        "number 2\n");
  CHECK(problems(project, "mxcp: 1\nproject: [p]\nprofile: a/b\n") ==
        "mxcp-site.yml:2:10: 'project' must be a string, found a list\n"
        "mxcp-site.yml:3:10: the profile name 'a/b' cannot contain '/' (it becomes part of file "
        "names)\n");
  CHECK(problems(project, kHead + "plugins: []\nduckdb: {}\nprojects: {}\nfoo: 1\n") ==
        "mxcp-site.yml:4:1: unknown key 'plugins' in mxcp-site.yml (did you mean 'plugin'?)\n"
        "mxcp-site.yml:5:1: unknown key 'duckdb' in mxcp-site.yml (write it under 'profiles:' and "
        "the name of the profile)\n"
        "mxcp-site.yml:6:1: unknown key 'projects' in mxcp-site.yml ('projects' belongs in the "
        "user's config file (~/.mxcp/config.yml))\n"
        "mxcp-site.yml:7:1: unknown key 'foo' in mxcp-site.yml (the keys here are 'mxcp', "
        "'project', 'profile', 'secrets', 'plugin', 'dbt', 'extensions', 'paths', 'sql_tools', "
        "'profiles', 'server', 'limits' and 'tasks')\n");
  CHECK(problems(project, kHead + R"(profiles:
  dev:
    duckdb:
      redonly: true
      path: ":memory:"
      threads: many
    audit: {enabled: on, max_file_size: 0}
    drft: {}
)") == R"(mxcp-site.yml:7:7: unknown key 'redonly' in 'duckdb' (did you mean 'readonly'?)
mxcp-site.yml:8:13: ':memory:' is no database for a project: its content would be lost at every start and reload (give a file, or remove 'path' for data/db-dev.duckdb)
mxcp-site.yml:9:16: 'threads' must be a whole number, found the string 'many'
mxcp-site.yml:10:22: 'enabled' must be true or false, found the string 'on' (write true; yes, no, on and off are plain words in YAML 1.2)
mxcp-site.yml:10:41: 'max_file_size' must be at least 1, found the number 0
mxcp-site.yml:11:5: unknown key 'drft' in profile 'dev' (did you mean 'drift'?)
)");
  CHECK(problems(project, kHead + R"(extensions: [{name: x, repo: mine}, {repo: community}, 5]
plugin: [{name: p}, {name: q, module: m}, {name: q, module: m}]
sql_tools: true
paths: {tols: x, data: ""}
dbt: no
)") == R"(mxcp-site.yml:4:30: 'repo' must be 'community' or 'core_nightly', found the string 'mine'
mxcp-site.yml:4:37: 'name' is missing in an extension
mxcp-site.yml:4:56: an extension must be a mapping of keys to values, found the number 5 (the keys are 'name' and 'repo')
mxcp-site.yml:5:10: 'module' is missing in a plugin (the Python module in plugins/)
mxcp-site.yml:5:50: there are two plugins named 'q'
mxcp-site.yml:6:12: 'sql_tools' must be a mapping of keys to values, found true (write 'enabled: true' under it)
mxcp-site.yml:7:9: unknown key 'tols' in 'paths' (did you mean 'tools'?)
mxcp-site.yml:7:24: 'data' is empty (give a folder, or remove the key for the default)
mxcp-site.yml:8:6: 'dbt' must be a mapping of keys to values, found the string 'no' (write 'enabled: false' under it to switch it off)
)");
}

TEST_CASE("the tasks of a site file") {
  test::TempProject project;
  TaskLimits tasks = site_of(project, kHead).tasks;
  CHECK(tasks.ttl == std::chrono::hours(1));
  CHECK(tasks.max_running == 1000);
  tasks = site_of(project, kHead + R"(tasks:
  ttl: 2h
  poll_interval: 500ms
  max_running: 3
  max_kept: none
  max_bytes: 1MB
)")
              .tasks;
  CHECK(tasks.ttl == std::chrono::hours(2));
  CHECK(tasks.poll_interval == std::chrono::milliseconds(500));
  CHECK(tasks.max_running == 3);
  CHECK(tasks.max_kept == std::numeric_limits<std::size_t>::max());
  CHECK(tasks.max_per_user == 2000);
  CHECK(tasks.max_bytes == 1000000);
  CHECK(
      problems(project,
               kHead + "tasks: {ttl: soon, running: 3, max_kept: 0, max_bytes: 1 MBs}\n") ==
      R"(mxcp-site.yml:4:14: 'ttl' must be a time, such as 30s, 500ms, 10m, 2h or a number of seconds, found the string 'soon'
mxcp-site.yml:4:20: unknown key 'running' in 'tasks' (did you mean 'max_running'?)
mxcp-site.yml:4:42: 'max_kept' must be at least 1, found the number 0 ('none' switches it off)
mxcp-site.yml:4:56: 'max_bytes' must be a number of bytes, or text with a unit (KB, MB, GB, KiB, MiB, GiB), found the string '1 MBs' (for example 100000, 10MB or 64KiB; 'none' switches it off)
)");
}

TEST_CASE("references that cannot be resolved") {
  test::TempProject project;
  project.unset("MXCP_T_UNSET");
  const auto problem = [&](const std::string& value) {
    return problems(project, kHead + "secrets: ['" + value + "']\n");
  };
  CHECK(problem("${MXCP_T_UNSET}") ==
        "mxcp-site.yml:4:11: the environment variable 'MXCP_T_UNSET' is not set (set it before "
        "starting mxcp)\n");
  CHECK(problem("${MXCP_T_UNSET:-x}") ==
        "mxcp-site.yml:4:11: '${MXCP_T_UNSET:...}': there are no default values in references "
        "(write ${MXCP_T_UNSET} and set the variable)\n");
  CHECK(
      problem("vault://secret/x#key") ==
      "mxcp-site.yml:4:11: references to Vault (vault://) are not resolved here (they belong into "
      "the user configuration; use ${NAME} or file:// instead)\n");
  CHECK(
      problem("op://vault/item/field") ==
      "mxcp-site.yml:4:11: references to 1Password (op://) are not resolved here (they belong into "
      "the user configuration; use ${NAME} or file:// instead)\n");
  CHECK(problem("file:///no/such/file") ==
        "mxcp-site.yml:4:11: cannot read '/no/such/file': No such file or directory\n");
  CHECK(problem("file://tools").find("Is a directory") != std::string::npos);
  CHECK(problem("file://") ==
        "mxcp-site.yml:4:11: 'file://' names no file (write file:///absolute/path)\n");
  // What only looks like a reference is text.
  CHECK(problem("${}").empty());
  CHECK(problem("a${b c}$d ${").empty());
  CHECK(problem("http://x#y").empty());
  CHECK(problem("see vault://x").empty());
}

TEST_CASE("a folder under paths that does not exist is a warning") {
  test::TempProject project;
  project.write("mxcp-site.yml", kHead + "paths: {tools: wergzeuge, sql: nowhere}\n");
  const auto result = load_site_config(project.root());
  CHECK(result.errors.empty());
  CHECK(test::texts_of(result.warnings) == "mxcp-site.yml:4:16: there is no folder 'wergzeuge'\n");
}
