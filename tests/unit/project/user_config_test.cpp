#include "project/user_config.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "base/json.h"
#include "support/temp_project.h"

using namespace mxcp;
using namespace mxcp::project;

namespace {

const std::string kSecrets = R"(mxcp: 1
projects:
  shop:
    profiles:
      default:
        secrets:
          - name: api
            type: custom
            parameters:
              key: "${MXCP_T_A}-${MXCP_T_B}!"
              nested: {list: [1, "${MXCP_T_A}"], flag: true}
)";

std::string problems(test::TempProject& project, const std::string& yaml) {
  project.write_user_config(yaml);
  std::string texts = test::texts_of(load_user_config("shop", "default").errors);
  // The file has an absolute path.
  const std::string file = (project.home() / ".mxcp/config.yml").string();
  for (auto at = texts.find(file); at != std::string::npos; at = texts.find(file)) {
    texts.replace(at, file.size(), "config.yml");
  }
  return texts;
}

}  // namespace

TEST_CASE("no user file is needed") {
  test::TempProject project;
  UserConfigResult result = load_user_config("shop", "default");
  CHECK(result.errors.empty());
  CHECK(result.warnings.empty());
  CHECK(result.config.file.empty());
  CHECK(result.config.transport == "streamable-http");
  CHECK(result.config.http.port == 8000);
  CHECK(result.config.logging.level == "WARNING");
  // Without a home folder there is no default place, and no relative one either.
  project.unset("HOME");
  CHECK(load_user_config("shop", "default").config.file.empty());
}

TEST_CASE("the file that MXCP_CONFIG names must exist") {
  test::TempProject project;
  project.set("MXCP_CONFIG", (project.root() / "absent.yml").string());
  CHECK(test::texts_of(load_user_config("shop", "default").errors) ==
        "the file '" + (project.root() / "absent.yml").string() +
            "' that MXCP_CONFIG names does not exist (correct or unset the environment variable "
            "MXCP_CONFIG)\n");
  project.write("mine.yml", "mxcp: 1\ntransport: {provider: stdio}\n");
  project.set("MXCP_CONFIG", (project.root() / "mine.yml").string());
  const UserConfigResult result = load_user_config("shop", "default");
  CHECK(result.errors.empty());
  CHECK(result.config.transport == "stdio");
  CHECK(result.config.file == project.root() / "mine.yml");
}

TEST_CASE("secrets of the effective profile, with their references resolved") {
  test::TempProject project;
  project.set("MXCP_T_A", "one");
  project.set("MXCP_T_B", "2");
  project.unset("MXCP_T_UNSET");
  project.write_user_config(kSecrets + R"(      other:
        secrets:
          - {name: api, type: s3, parameters: {key: "${MXCP_T_UNSET}", v: "vault://a#b"}}
  elsewhere: {profiles: {default: {secrets: [{name: x, type: y, parameters: {k: "${MXCP_T_UNSET}"}}]}}}
)");
  const UserConfigResult result = load_user_config("shop", "default");
  CHECK(test::texts_of(result.errors) == "");
  CHECK(test::texts_of(result.warnings) == "");
  REQUIRE(result.config.secrets.size() == 1);
  const Secret* api = result.config.secret("api");
  REQUIRE(api != nullptr);
  CHECK(api->type == "custom");
  CHECK(to_json(api->parameters) == R"({"key":"one-2!","nested":{"list":[1,"one"],"flag":true}})");
  CHECK(result.config.secret("absent") == nullptr);
  const Value raw = result.config.raw;
  CHECK(
      to_json(*raw.find("projects")->find("shop")->find("profiles")->find("other")) ==
      R"({"secrets":[{"name":"api","type":"s3","parameters":{"key":"${MXCP_T_UNSET}","v":"vault://a#b"}}]})");
  CHECK(load_user_config("shop", "other").errors.size() == 2);
}

TEST_CASE("what comes out of a reference stays a string") {
  test::TempProject project;
  project.set("MXCP_T_A", "007");
  project.set("MXCP_T_B", "${MXCP_T_A}");
  project.write_user_config(
      "projects: {shop: {profiles: {default: {secrets: [{name: s, type: t, parameters: {a: "
      "\"${MXCP_T_A}\", b: \"${MXCP_T_B}\"}}]}}}}\n");
  const UserConfigResult result = load_user_config("shop", "default");
  REQUIRE(result.config.secrets.size() == 1);
  // Not a number, and not resolved a second time.
  CHECK(to_json(result.config.secrets[0].parameters) == R"({"a":"007","b":"${MXCP_T_A}"})");
}

TEST_CASE("file references in the user file") {
  test::TempProject project;
  project.write("word.txt", "\n  from a file \n");
  project.write("empty.txt", " \n");
  project.set("MXCP_T_DIR", project.root().string());
  const auto parameters = [&](const std::string& value) {
    project.write_user_config(
        "projects: {shop: {profiles: {default: {secrets: [{name: s, type: t, parameters: {a: '" +
        value + "'}}]}}}}\n");
    auto result = load_user_config("shop", "default");
    if (!result.errors.empty()) return result.errors[0].message;
    return to_json(result.config.secrets[0].parameters) +
           (result.warnings.empty() ? "" : " " + result.warnings[0].message);
  };
  CHECK(parameters("file://" + project.root().string() + "/word.txt") == R"({"a":"from a file"})");
  CHECK(parameters("file://${MXCP_T_DIR}/word.txt") == R"({"a":"from a file"})");
  CHECK(parameters("file://" + project.root().string() + "/absent.txt") ==
        "cannot read '" + project.root().string() + "/absent.txt': No such file or directory");
  CHECK(parameters("file://${MXCP_T_DIR}/empty.txt") ==
        "{\"a\":\"\"} the file of 'file://${MXCP_T_DIR}/empty.txt' is empty");
  // What never ends, and what waits for somebody who writes.
  CHECK(parameters("file:///dev/zero") ==
        "cannot read '/dev/zero': it is no regular file, but a device or a pipe");
  const std::string pipe = project.root().string() + "/pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(parameters("file://" + pipe) ==
        "cannot read '" + pipe + "': it is no regular file, but a device or a pipe");
  project.write("large.txt", std::string((1 << 20) + 1, 'x'));
  CHECK(parameters("file://${MXCP_T_DIR}/large.txt") ==
        "cannot read '" + project.root().string() +
            "/large.txt': it has 1048577 bytes, and at most 1048576 are read");
  // The content of a variable is not a reference itself.
  project.set("MXCP_T_DIR", "file:///etc/hostname");
  CHECK(parameters("${MXCP_T_DIR}") == R"({"a":"file:///etc/hostname"})");
}

TEST_CASE("resolve_references for one string") {
  test::TempProject project;
  project.set("MXCP_T_A", "x");
  const auto resolved = resolve_references("<${MXCP_T_A}|${MXCP_T_A}>", {"f.yml", 1, 2});
  REQUIRE(resolved.ok());
  CHECK(*resolved == "<x|x>");
  project.unset("MXCP_T_A");
  const auto failed = resolve_references("${MXCP_T_A}", {"f.yml", 1, 2});
  REQUIRE(!failed.ok());
  CHECK(failed.error().place.text() == "f.yml:1:2");
}

TEST_CASE("every key of a user file") {
  test::TempProject project;
  project.set("MXCP_T_PORT", "9001");
  project.write_user_config(R"(mxcp: 1
vault: {enabled: false, address: "http://x", token_env: T}
onepassword: {enabled: false, token_env: T}
transport:
  provider: sse
  http: {port: "${MXCP_T_PORT}", host: 0.0.0.0, scheme: https, base_url: "https://x", trust_proxy: true, stateless: true}
models:
  default: big
  models:
    big: {type: claude, api_key: "k", base_url: "http://m", timeout: 5, max_retries: 1}
logging: {enabled: false, path: /tmp/x.log, level: DEBUG, max_bytes: 10, backup_count: 0}
projects:
  shop:
    profiles:
      default:
        plugin: {config: {c: {a: x, b: "1"}, empty: }}
        auth: {provider: github, github: {client_id: x}}
        telemetry: {enabled: true}
      later:
  empty:
)");
  const UserConfigResult result = load_user_config("shop", "default");
  CHECK(test::texts_of(result.errors) == "");
  CHECK(test::texts_of(result.warnings) == "");
  const UserConfig& user = result.config;
  CHECK(user.transport == "sse");
  CHECK(user.http.port == 9001);
  CHECK(user.http.host == "0.0.0.0");
  CHECK(user.http.scheme == "https");
  CHECK(user.http.base_url == "https://x");
  CHECK(user.http.trust_proxy);
  CHECK(user.http.stateless);
  CHECK(!user.logging.enabled);
  CHECK(user.logging.path == "/tmp/x.log");
  CHECK(user.logging.level == "DEBUG");
  CHECK(user.logging.max_bytes == 10);
  CHECK(user.logging.backup_count == 0);
  CHECK(to_json(*user.models.find("default")) == "\"big\"");
  CHECK(to_json(user.plugin_config.at("c")) == R"({"a":"x","b":"1"})");
  CHECK(user.plugin_config.at("empty").empty());
  CHECK(to_json(*user.auth.find("provider")) == "\"github\"");
  CHECK(to_json(*user.telemetry.find("enabled")) == "true");
}

TEST_CASE("mistakes in a user file") {
  test::TempProject project;
  CHECK(
      problems(project, "mxcp: '1'\n") ==
      "config.yml:1:7: 'mxcp' must be the integer 1, found the string '1': this looks like a file "
      "of the format before the first release (write 'mxcp: 1' without quotes and check the keys "
      "against today's reference)\n");
  CHECK(
      problems(project, R"(transport:
  provider: carrier-pigeon
  port: 1
  http: {port: 70000, scheme: ftp, stateless: perhaps}
logging: {level: LOUD}
models: {models: {m: {type: cluade}}}
secrets: []
)") ==
      R"(config.yml:2:13: 'provider' must be one of 'streamable-http', 'sse' or 'stdio', found the string 'carrier-pigeon'
config.yml:3:3: unknown key 'port' in 'transport' (write it under 'http:')
config.yml:4:16: 'port' must be a number from 1 to 65535, found the number 70000
config.yml:4:31: 'scheme' must be 'http' or 'https', found the string 'ftp' (did you mean 'http'?)
config.yml:4:47: 'stateless' must be true or false, found the string 'perhaps'
config.yml:5:18: 'level' must be one of 'DEBUG', 'INFO', 'WARNING', 'ERROR' or 'CRITICAL', found the string 'LOUD'
config.yml:6:29: 'type' must be 'claude' or 'openai', found the string 'cluade' (did you mean 'claude'?)
config.yml:7:1: unknown key 'secrets' in the user configuration (write it under 'projects:', the project, 'profiles:' and the profile)
)");
  CHECK(
      problems(project, R"(projects:
  shop:
    secrets: []
    profiles:
      default:
        secrets:
          - {nmae: s, type: custom}
          - {name: t, type: env, key: K}
          - {name: t, type: x}
          - hunter2
          - {name: u, type: x, parameters: hunter2}
        plugin: {config: {c: {pin: 1234}, d: hunter2}}
        plugins: {}
)") ==
      R"(config.yml:3:5: unknown key 'secrets' in project 'shop' (write it under 'profiles:' and the name of the profile)
config.yml:7:14: unknown key 'nmae' in a secret (did you mean 'name'?)
config.yml:8:34: unknown key 'key' in a secret (write it under 'parameters:')
config.yml:9:20: there are two secrets named 't'
config.yml:10:13: a secret must be a mapping with 'name', 'type' and 'parameters' (write '- name: ...' and the other keys under it)
config.yml:11:44: 'parameters' must be a mapping of names to values (write 'name: value' lines under it)
config.yml:12:36: 'pin' must be a string, found a number (put it in quotes)
config.yml:12:46: the plugin configuration 'd' must be a mapping of names to strings
config.yml:13:9: unknown key 'plugins' in profile 'default' (did you mean 'plugin'?)
)");
}

TEST_CASE("a file for another project or profile is a warning that says so") {
  test::TempProject project;
  const std::string file = (project.home() / ".mxcp/config.yml").string();
  const auto warning = [&](const std::string& yaml) {
    project.write_user_config(yaml);
    const UserConfigResult result = load_user_config("shop", "default");
    CHECK(result.errors.empty());
    return test::texts_of(result.warnings);
  };
  CHECK(warning("projects: {shp: {profiles: {default: }}}\n") ==
        file +
            ":1:1: the project 'shop' of mxcp-site.yml is not in this file, so it has no secrets "
            "here (did you mean 'shp'?)\n");
  CHECK(warning("projects: {my-project: , other: }\n") ==
        file +
            ":1:1: the project 'shop' of mxcp-site.yml is not in this file, so it has no secrets "
            "here (the file has my-project, other)\n");
  CHECK(warning("projects: {shop: {profiles: {prod: }}}\n") ==
        file +
            ":1:19: the project 'shop' has no profile 'default' in this file, so it has no "
            "secrets here (the file has prod)\n");
  // Nothing to confuse.
  CHECK(warning("mxcp: 1\n") == "");
  CHECK(warning("projects: {}\n") == "");
  CHECK(warning("projects: {shop: }\n") == "");
  CHECK(warning("projects: {shop: {profiles: {default: }}}\n") == "");
}
