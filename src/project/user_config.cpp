#include "project/user_config.h"

#include <algorithm>

#include "base/text.h"
#include "base/yaml.h"
#include "project/config_file.h"
#include "project/fields.h"
#include "project/references.h"

namespace mxcp::project {
namespace {

const Keys kUserKeys = {"mxcp",      "projects", "vault",  "onepassword",
                        "transport", "models",   "logging"};
const Advice kUserAdvice = {
    {"project", "did you mean 'projects'?"},
    {"secrets", "write it under 'projects:', the project, 'profiles:' and the profile"},
    {"profiles", "write it under 'projects:' and the name of the project"},
    {"auth", "write it under 'projects:', the project, 'profiles:' and the profile"},
};
const Keys kProjectKeys = {"profiles"};
const Advice kProjectAdvice = {
    {"secrets", "write it under 'profiles:' and the name of the profile"},
    {"auth", "write it under 'profiles:' and the name of the profile"},
};
const Keys kProfileKeys = {"secrets", "plugin", "auth", "telemetry"};
const Advice kProfileAdvice = {{"plugins", "did you mean 'plugin'?"}};
const Keys kSecretKeys = {"name", "type", "parameters"};
const Advice kSecretAdvice = {{"key", "write it under 'parameters:'"},
                              {"params", "did you mean 'parameters'?"},
                              {"value", "write it under 'parameters:', with a name"}};
const Keys kPluginKeys = {"config"};
const Keys kAuthKeys = {"mode",   "provider", "github",  "atlassian",     "salesforce", "keycloak",
                        "google", "oidc",     "clients", "authorization", "persistence"};
const Keys kTelemetryKeys = {"enabled",
                             "endpoint",
                             "headers",
                             "service_name",
                             "service_version",
                             "environment",
                             "resource_attributes",
                             "tracing",
                             "metrics"};
const Keys kVaultKeys = {"enabled", "address", "token_env"};
const Keys kOnePasswordKeys = {"enabled", "token_env"};
const Keys kTransportKeys = {"provider", "http"};
const Advice kTransportAdvice = {{"port", "write it under 'http:'"},
                                 {"host", "write it under 'http:'"}};
const Keys kTransports = {"streamable-http", "sse", "stdio"};
const Keys kHttpKeys = {"port",      "host",          "scheme",   "base_url", "trust_proxy",
                        "stateless", "allowed_hosts", "tls_cert", "tls_key",  "metrics"};
const Advice kHttpAdvice = {{"allowed_host", "did you mean 'allowed_hosts'?"},
                            {"tls", "write 'tls_cert' and 'tls_key'"},
                            {"cert", "did you mean 'tls_cert'?"},
                            {"key", "did you mean 'tls_key'?"}};
const Keys kSchemes = {"http", "https"};
const Keys kModelsKeys = {"default", "models"};
const Keys kModelKeys = {"type", "api_key", "base_url", "timeout", "max_retries"};
const Keys kModelTypes = {"claude", "openai"};
const Keys kLoggingKeys = {"enabled", "path", "level", "max_bytes", "backup_count"};
const Keys kLevels = {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"};

std::vector<std::string> names_of(const YamlNode& mapping) {
  std::vector<std::string> names;
  for (const auto& member : mapping.members) names.push_back(member.key);
  return names;
}

// "tools.example", "*.example", "10.0.0.1", "[::1]" or "*"; no scheme, port or path.
bool is_host_pattern(std::string_view text) {
  if (text == "*") return true;
  if (text.starts_with("*.")) text.remove_prefix(2);
  if (text.starts_with('[') && text.ends_with(']')) {
    text = text.substr(1, text.size() - 2);
    return !text.empty() && text.find_first_not_of("0123456789abcdefABCDEF:.") == text.npos;
  }
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '-' || c == '_' || c >= 0x80;
  });
}

// "https://tools.example.com:8443/team/mcp".
bool is_base_url(std::string_view text) {
  const auto scheme = text.find("://");
  const std::string name = to_lower(text.substr(0, scheme));
  if (scheme == text.npos || (name != "http" && name != "https")) return false;
  text.remove_prefix(scheme + 3);
  if (text.find_first_of("?#@ \t*") != text.npos) return false;
  std::string_view host = text.substr(0, text.find('/'));
  const auto colon = host.find(':', host.starts_with('[') ? host.find(']') : 0);
  if (colon != host.npos) {
    const std::string_view port = host.substr(colon + 1);
    const bool digits = port.find_first_not_of("0123456789") == port.npos;
    if (port.empty() || port.size() > 5 || !digits) return false;
    host = host.substr(0, colon);
  }
  return is_host_pattern(host);
}

class UserReader {
 public:
  UserReader(const fs::path& file, const std::string& project, const std::string& profile,
             const SecretStores& stores, UserConfigResult& result)
      : problems_(file.string()),
        project_(project),
        profile_(profile),
        stores_(stores),
        result_(result),
        user_(result.config) {
    user_.file = file;
  }

  void read() {
    read_document();
    result_.errors = problems_.take_errors();
    result_.warnings = problems_.take_warnings();
  }

 private:
  void read_document() {
    const auto text = read_file(user_.file);
    if (!text.ok()) return problems_.error(problems_.start(), text.error().message);
    auto parsed = parse_yaml(*text, user_.file.string());
    if (!parsed.ok()) return problems_.add(std::move(parsed).error());
    YamlNode& document = *parsed;
    if (document.kind == YamlNode::Kind::kNull) {
      return problems_.warning(problems_.start(), "the file is empty");
    }
    resolve(document);
    Fields top(problems_, document, "the user configuration", problems_.place(document), kUserKeys,
               kUserAdvice);
    top.lenient();
    if (!top.is_mapping()) return;
    check_config_version(problems_, top);
    read_projects(top);
    read_token_service(top, "vault", kVaultKeys);
    read_token_service(top, "onepassword", kOnePasswordKeys);
    read_transport(top);
    read_models(top);
    read_logging(top);
    user_.raw = *document.to_value().as_object();
  }

  // The stores' own settings first; they cannot be in a store.
  StoreSettings store_settings(YamlNode& document, std::string_view section,
                               const char* token_env) {
    StoreSettings settings{false, "", token_env};
    for (auto& member : document.members) {
      if (member.key != section) continue;
      resolve_tree(problems_, member.value, {});
      const auto text = [&](std::string_view key) -> std::string {
        const YamlNode* value = member.value.find(key);
        return value != nullptr && value->kind == YamlNode::Kind::kScalar ? value->scalar : "";
      };
      settings.enabled = to_lower(text("enabled")) == "true";
      settings.address = text("address");
      if (const std::string name = text("token_env"); !name.empty()) settings.token_env = name;
    }
    return settings;
  }

  void resolve(YamlNode& document) {
    auto vault = store_settings(document, "vault", "VAULT_TOKEN");
    auto onepassword = store_settings(document, "onepassword", "OP_SERVICE_ACCOUNT_TOKEN");
    SecretReader secrets(stores_, std::move(vault), std::move(onepassword));
    for (auto& member : document.members) {
      if (member.key == "vault" || member.key == "onepassword") continue;
      if (member.key != "projects") {
        resolve_tree(problems_, member.value, {}, &secrets);
        continue;
      }
      for (auto& project : member.value.members) {
        if (project.key != project_) continue;
        for (auto& key : project.value.members) {
          if (key.key != "profiles") continue;
          for (auto& profile : key.value.members) {
            if (profile.key == profile_) resolve_tree(problems_, profile.value, {}, &secrets);
          }
        }
      }
    }
  }

  void read_projects(Fields& top) {
    const YamlNode* projects = top.mapping("projects", "write the name of a project under it");
    if (!projects) return;
    for (const auto& project : projects->members) {
      if (project.value.kind == YamlNode::Kind::kNull) continue;
      Fields fields(problems_, project.value, "project '" + shorten(project.key, 60) + "'",
                    problems_.place(project), kProjectKeys, kProjectAdvice);
      const YamlNode* profiles = fields.mapping("profiles", "write the name of a profile under it");
      if (!profiles) continue;
      for (const auto& profile : profiles->members) {
        read_profile(profile, project.key == project_ && profile.key == profile_);
      }
      if (project.key == project_ && !profiles->members.empty())
        warn_without_profile(fields, *profiles);
    }
    if (!projects->members.empty() && !projects->find_member(project_)) {
      const auto names = names_of(*projects);
      std::string hint = suggest(project_, names);
      if (hint.empty()) hint = "the file has " + join(names, ", ");
      problems_.warning(top.key_place("projects"),
                        "the project '" + project_ +
                            "' of mxcp-site.yml is not in this file, so it has no secrets here",
                        std::move(hint));
    }
  }

  void warn_without_profile(const Fields& project, const YamlNode& profiles) {
    if (profiles.find_member(profile_)) return;
    problems_.warning(project.key_place("profiles"),
                      "the project '" + project_ + "' has no profile '" + profile_ +
                          "' in this file, so it has no secrets here",
                      "the file has " + join(names_of(profiles), ", "));
  }

  void read_profile(const YamlNode::Member& member, bool active) {
    if (member.value.kind == YamlNode::Kind::kNull) return;
    Fields fields(problems_, member.value, "profile '" + shorten(member.key, 60) + "'",
                  problems_.place(member), kProfileKeys, kProfileAdvice);
    std::vector<Secret> secrets;
    if (const YamlNode* list = fields.list("secrets", "begin each secret with '- name: '")) {
      for (const YamlNode& item : list->items) read_secret(item, secrets);
    }
    std::map<std::string, Object> plugin_config;
    if (const YamlNode* node = fields.mapping("plugin")) {
      Fields plugin(problems_, *node, "'plugin'", fields.key_place("plugin"), kPluginKeys);
      if (const YamlNode* configs = plugin.mapping("config")) {
        for (const auto& config : configs->members) {
          plugin_config[config.key] = read_plugin_config(config);
        }
      }
    }
    Object auth = read_section(fields, "auth", kAuthKeys);
    Object telemetry = read_section(fields, "telemetry", kTelemetryKeys);
    if (!active) return;
    user_.secrets = std::move(secrets);
    user_.plugin_config = std::move(plugin_config);
    user_.auth = std::move(auth);
    user_.telemetry = std::move(telemetry);
  }

  void read_secret(const YamlNode& node, std::vector<Secret>& secrets) {
    Secret secret;
    const Place place = problems_.place(node);
    if (node.kind != YamlNode::Kind::kMapping) {
      // Without Fields, whose message would show the value.
      problems_.error(place, "a secret must be a mapping with 'name', 'type' and 'parameters'",
                      "write '- name: ...' and the other keys under it");
      return;
    }
    Fields fields(problems_, node, "a secret", place, kSecretKeys, kSecretAdvice);
    secret.name = fields.required_text("name");
    secret.type = fields.required_text("type",
                                       "for example 'type: custom', or a type that DuckDB "
                                       "knows");
    if (const YamlNode* parameters = fields.find("parameters")) {
      if (parameters->kind == YamlNode::Kind::kMapping) {
        secret.parameters = *parameters->to_value().as_object();
      } else {
        problems_.error(problems_.place(*parameters),
                        "'parameters' must be a mapping of names to values",
                        "write 'name: value' lines under it");
      }
    }
    const bool twice = std::any_of(secrets.begin(), secrets.end(),
                                   [&](const Secret& other) { return other.name == secret.name; });
    if (twice && !secret.name.empty()) {
      problems_.error(fields.place_of("name"),
                      "there are two secrets named '" + shorten(secret.name, 60) + "'");
    }
    secrets.push_back(std::move(secret));
  }

  Object read_plugin_config(const YamlNode::Member& config) {
    Object out;
    if (config.value.kind == YamlNode::Kind::kNull) return out;
    if (config.value.kind != YamlNode::Kind::kMapping) {
      problems_.error(problems_.place(config.value), "the plugin configuration '" +
                                                         shorten(config.key, 60) +
                                                         "' must be a mapping of names to strings");
      return out;
    }
    for (const auto& member : config.value.members) {
      if (is_text(member.value)) {
        out.add(member.key, member.value.scalar);
        continue;
      }
      const bool scalar = member.value.kind == YamlNode::Kind::kScalar;
      problems_.error(problems_.place(member.value),
                      "'" + shorten(member.key, 60) + "' must be a string, found " +
                          (!scalar                               ? member.value.describe()
                           : member.value.to_value().is_number() ? "a number"
                                                                 : "true or false"),
                      scalar ? "put it in quotes" : "");
    }
    return out;
  }

  Object read_section(Fields& parent, std::string_view key, const Keys& keys) {
    const YamlNode* node = parent.mapping(key);
    if (!node) return {};
    Fields check(problems_, *node, "'" + std::string(key) + "'", parent.key_place(key), keys);
    return *node->to_value().as_object();
  }

  void read_token_service(Fields& top, std::string_view key, const Keys& keys) {
    const YamlNode* node = top.mapping(key);
    if (!node) return;
    Fields fields(problems_, *node, "'" + std::string(key) + "'", top.key_place(key), keys);
    fields.lenient();
    fields.boolean("enabled");
    fields.text("address");
    fields.text("token_env");
  }

  void read_transport(Fields& top) {
    const YamlNode* node = top.mapping("transport", "write 'provider: ...' under it");
    if (!node) return;
    Fields fields(problems_, *node, "'transport'", top.key_place("transport"), kTransportKeys,
                  kTransportAdvice);
    fields.lenient();
    if (const auto choice = fields.choice("provider", kTransports)) {
      user_.transport = kTransports[*choice];
    }
    const YamlNode* http_node = fields.mapping("http");
    if (!http_node) return;
    Fields http(problems_, *http_node, "'http'", fields.key_place("http"), kHttpKeys, kHttpAdvice);
    http.lenient();
    user_.http.port = static_cast<int>(http.integer("port", 1, 65535).value_or(user_.http.port));
    user_.http.host = http.text("host").value_or(user_.http.host);
    if (const auto scheme = http.choice("scheme", kSchemes)) user_.http.scheme = kSchemes[*scheme];
    user_.http.base_url = http.text("base_url").value_or("");
    if (!user_.http.base_url.empty() && !is_base_url(user_.http.base_url)) {
      problems_.error(http.place_of("base_url"),
                      "'" + shorten(user_.http.base_url, 100) + "' is no address of a server",
                      "write it as clients do, with its scheme: https://tools.example.com, or with "
                      "the whole path of the endpoint: https://example.com/tools/mcp");
    }
    user_.http.trust_proxy = http.boolean("trust_proxy").value_or(false);
    user_.http.stateless = http.boolean("stateless").value_or(false);
    user_.http.metrics = http.boolean("metrics");
    if (auto hosts = http.texts("allowed_hosts", true)) {
      user_.http.allowed_hosts = *std::move(hosts);
    }
    for (const std::string& host : user_.http.allowed_hosts) {
      if (!is_host_pattern(host)) {
        problems_.error(http.place_of("allowed_hosts"),
                        "'" + shorten(host, 60) + "' in 'allowed_hosts' is no name of a host",
                        "write 'tools.example.com', '*.example.com', or '*' for every host; "
                        "without scheme, port and path");
      }
    }
    for (const char* key : {"tls_cert", "tls_key"}) {
      if (http.text(key) == "") {
        problems_.error(http.place_of(key), "'" + std::string(key) + "' is empty",
                        "name a file (PEM), or leave out both");
      }
    }
    user_.http.tls_cert = beside(http.text("tls_cert"));
    user_.http.tls_key = beside(http.text("tls_key"));
    if (user_.http.tls_cert.empty() != user_.http.tls_key.empty()) {
      const bool has_cert = user_.http.tls_key.empty();
      problems_.error(http.key_place(has_cert ? "tls_cert" : "tls_key"),
                      has_cert ? "'tls_cert' needs 'tls_key'" : "'tls_key' needs 'tls_cert'",
                      "name both files: the certificate and its private key");
    }
  }

  // The path of a file, relative to the folder of this one.
  std::string beside(const std::optional<std::string>& path) const {
    if (!path || path->empty()) return {};
    return (user_.file.parent_path() / expand_home(*path)).lexically_normal().string();
  }

  void read_models(Fields& top) {
    const YamlNode* node = top.mapping("models");
    if (!node) return;
    Fields fields(problems_, *node, "'models'", top.key_place("models"), kModelsKeys);
    fields.text("default");
    if (const YamlNode* models = fields.mapping("models", "write the name of a model under it")) {
      for (const auto& model : models->members) {
        Fields inner(problems_, model.value, "model '" + shorten(model.key, 60) + "'",
                     problems_.place(model), kModelKeys);
        inner.lenient();
        if (!inner.is_mapping()) continue;
        if (!inner.find("type")) {
          inner.missing("type", "a model is of type " + enumerate(kModelTypes, "or"));
        }
        inner.choice("type", kModelTypes);
        inner.text("base_url");
        inner.integer("timeout", 1);
        inner.integer("max_retries", 0);
      }
    }
    user_.models = *node->to_value().as_object();
  }

  void read_logging(Fields& top) {
    const YamlNode* node = top.mapping("logging");
    if (!node) return;
    Fields fields(problems_, *node, "'logging'", top.key_place("logging"), kLoggingKeys);
    fields.lenient();
    LoggingConfig& logging = user_.logging;
    logging.enabled = fields.boolean("enabled").value_or(logging.enabled);
    logging.path = fields.text("path").value_or("");
    if (const auto level = fields.choice("level", kLevels)) logging.level = kLevels[*level];
    logging.max_bytes = fields.integer("max_bytes", 1).value_or(logging.max_bytes);
    logging.backup_count =
        static_cast<int>(fields.integer("backup_count", 0, 1000).value_or(logging.backup_count));
  }

  Problems problems_;
  const std::string& project_;
  const std::string& profile_;
  const SecretStores& stores_;
  UserConfigResult& result_;
  UserConfig& user_;
};

}  // namespace

const Secret* UserConfig::secret(std::string_view name) const {
  for (const Secret& secret : secrets) {
    if (secret.name == name) return &secret;
  }
  return nullptr;
}

UserConfigResult load_user_config(const std::string& project, const std::string& profile,
                                  const SecretStores& stores) {
  UserConfigResult result;
  std::error_code ignored;
  fs::path file;
  if (const std::string named = environment("MXCP_CONFIG"); !named.empty()) {
    file = fs::absolute(expand_home(named), ignored);
    if (!fs::exists(file, ignored)) {
      result.errors.push_back(
          {Code::kConfig,
           "the file '" + file.string() + "' that MXCP_CONFIG names does not exist",
           {},
           "correct or unset the environment variable MXCP_CONFIG"});
      return result;
    }
  } else if (!environment("HOME").empty()) {
    file = expand_home("~/.mxcp/config.yml");
  }
  if (file.empty() || !fs::exists(file, ignored)) return result;
  UserReader(file, project, profile, stores, result).read();
  return result;
}

}  // namespace mxcp::project
