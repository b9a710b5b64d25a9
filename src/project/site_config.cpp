#include "project/site_config.h"
#include "project/endpoint_extras.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "base/text.h"
#include "base/yaml.h"
#include "project/config_file.h"
#include "project/fields.h"
#include "project/limits_reader.h"
#include "project/references.h"

namespace mxcp::project {
namespace {

const Keys kSiteKeys = {"mxcp",  "project",   "profile",  "secrets", "plugin", "dbt",  "extensions",
                        "paths", "sql_tools", "profiles", "server",  "limits", "tasks"};
const Advice kSiteAdvice = {
    {"plugins", "did you mean 'plugin'?"},
    {"timeout", "write it under 'limits:'"},
    {"max_rows", "write it under 'limits:'"},
    {"max_bytes", "write it under 'limits:'"},
    {"concurrency", "write it under 'limits:'"},
    {"rate", "write it under 'limits:'"},
    {"rate_limit", "write 'limits:' and under it for example 'server_rate: 100/s'"},
    {"duckdb", "write it under 'profiles:' and the name of the profile"},
    {"audit", "write it under 'profiles:' and the name of the profile"},
    {"drift", "write it under 'profiles:' and the name of the profile"},
    {"projects", "'projects' belongs in the user's config file (~/.mxcp/config.yml)"},
    {"transport", "'transport' belongs in the user's config file (~/.mxcp/config.yml)"},
    {"auth", "'auth' belongs in the user's config file (~/.mxcp/config.yml)"},
    {"models", "'models' belongs in the user's config file (~/.mxcp/config.yml)"},
    {"logging", "'logging' belongs in the user's config file (~/.mxcp/config.yml)"},
};
const Keys kPathKeys = {"tools",   "resources", "prompts", "evals", "python",
                        "plugins", "sql",       "drift",   "audit", "data"};
const Keys kProfileKeys = {"duckdb", "drift", "audit"};
const Advice kProfileAdvice = {
    {"limits", "'limits' belongs at the top of mxcp-site.yml"},
    {"secrets", "secrets belong in the user's config file (~/.mxcp/config.yml)"},
    {"auth", "'auth' belongs in the user's config file (~/.mxcp/config.yml)"},
};
const Keys kDuckdbKeys = {"path", "readonly", "threads"};
const Advice kDuckdbAdvice = {{"read_only", "did you mean 'readonly'?"},
                              {"database", "did you mean 'path'?"},
                              {"file", "did you mean 'path'?"}};
const Keys kDriftKeys = {"path"};
const Keys kAuditKeys = {"enabled", "path", "max_file_size"};
const Keys kPluginKeys = {"name", "module", "config"};
const Keys kExtensionKeys = {"name", "repo"};
const Keys kRepos = {"community", "core_nightly"};
const Keys kSqlToolsKeys = {"enabled", "execute_sql_query", "list_tables", "get_table_schema"};
const Keys kSqlToolKeys = {"description", "limits"};
constexpr std::array<std::string_view, 3> kSqlTools = {"execute_sql_query", "list_tables",
                                                       "get_table_schema"};
const Keys kServerKeys = {"title", "description", "instructions", "website", "icons"};
const Advice kServerAdvice = {
    {"name", "did you mean 'title'? The name of the server is 'mxcp'"},
    {"websiteUrl", "did you mean 'website'?"},
    {"host", "it belongs under 'transport:' and 'http:' in the user's config file"},
    {"port", "it belongs under 'transport:' and 'http:' in the user's config file"},
};
const Keys kDbtKeys = {"enabled",        "model_paths", "analysis_paths",
                       "test_paths",     "seed_paths",  "macro_paths",
                       "snapshot_paths", "target_path", "clean_targets"};

// Below the root unless absolute.
fs::path under(const fs::path& root, const std::string& path) {
  return (root / expand_home(path)).lexically_normal();
}

Profile default_profile(const Paths& paths, const std::string& name) {
  Profile profile;
  profile.database = paths.data / ("db-" + name + ".duckdb");
  profile.drift = paths.drift / ("drift-" + name + ".json");
  profile.audit = paths.audit / ("logs-" + name + ".jsonl");
  return profile;
}

// What a model asks for has limits even where nobody declares any: the stricter ones of ours and
// the site's.
Limits sql_tool_limits(std::string_view tool, Limits limits) {
  const auto bound = [](auto& limit, auto value) {
    using Of = typename std::decay_t<decltype(limit)>::value_type;
    if (!limit || limit->value > value) limit = Of{value};
  };
  bound(limits.timeout, std::chrono::microseconds(std::chrono::minutes(1)));
  bound(limits.max_rows, std::uint64_t{tool == "execute_sql_query" ? 1000U : 10000U});
  bound(limits.max_bytes, std::uint64_t{1 << 20});
  return limits;
}

constexpr std::string_view kNameHint = "it becomes part of file names";

// What keeps a profile from having this name; "" when nothing does.
std::string name_problem(std::string_view name) {
  constexpr std::size_t kLongest = 100;
  if (trim(name).empty()) return "is empty";
  if (name.find('/') != name.npos) return "cannot contain '/'";
  if (name.find('\\') != name.npos) return "cannot contain '\\'";
  if (name.front() == '.') return "cannot begin with '.'";
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::any_of(name.begin(), name.end(), is_control)) return "cannot contain control characters";
  if (name.size() > kLongest) return "is longer than " + std::to_string(kLongest) + " bytes";
  return {};
}

class SiteReader {
 public:
  SiteReader(const fs::path& root, SiteConfigResult& result)
      : problems_("mxcp-site.yml"), result_(result), site_(result.config) {
    site_.root = root;
    site_.file = root / "mxcp-site.yml";
    read_paths(nullptr);
  }

  void read(const std::string& asked_profile) {
    read_file_and_sections(asked_profile);
    result_.errors = problems_.take_errors();
    result_.warnings = problems_.take_warnings();
  }

 private:
  void read_file_and_sections(const std::string& asked_profile) {
    const auto text = mxcp::read_file(site_.file);
    if (!text.ok()) return problems_.error(problems_.start(), text.error().message);
    auto parsed = parse_yaml(*text, "mxcp-site.yml");
    if (!parsed.ok()) return problems_.add(std::move(parsed).error());
    YamlNode& document = *parsed;
    if (document.kind == YamlNode::Kind::kNull) {
      return problems_.error(problems_.start(), "the file is empty",
                             "it needs 'mxcp: 1', 'project: ...' and 'profile: ...'");
    }
    resolve(document, asked_profile);
    Fields top(problems_, document, "mxcp-site.yml", problems_.place(document), kSiteKeys,
               kSiteAdvice);
    top.lenient();
    if (!top.is_mapping()) return;
    check_config_version(problems_, top);
    site_.project = top.required_text("project", "the name of the project, e.g. 'project: shop'");
    site_.profile = top.required_text("profile", "for example 'profile: default'");
    check_profile_name(top.place_of("profile"), site_.profile);
    site_.secrets = top.texts("secrets", true).value_or(std::vector<std::string>{});
    read_plugins(top);
    read_extensions(top);
    read_paths(&top);
    read_site_limits(problems_, top, site_.limits, site_.server_limits);
    read_task_limits(problems_, top, site_.tasks);
    read_sql_tools(top);
    read_server(top);
    read_profiles(top);
    read_dbt(top);
    site_.raw = *document.to_value().as_object();
    complete_raw(site_.profile);
    complete_raw(effective_profile(asked_profile, site_.profile));
    complete_sections();
  }

  static Object& section(Object& parent, const std::string& key) {
    Value* value = parent.find(key);
    if (!value || !value->is_object()) value = &parent.set(key, Object{});
    return *value->as_object();
  }
  static void fill(Object& object, const std::string& key, Value value) {
    if (!object.contains(key)) object.add(key, std::move(value));
  }

  // User code asks for settings whether or not they are written down, and finds lists as lists.
  void complete_sections() {
    if (problems_.has_errors()) return;
    Object& raw = site_.raw;
    for (const char* key : {"secrets", "plugin", "extensions"}) {
      const Value* value = raw.find(key);
      if (!value || value->is_null()) {
        raw.set(key, Array{});
      } else if (!value->is_array()) {
        Array list;
        list.push_back(*value);
        raw.set(key, std::move(list));
      }
    }
    raw.set("dbt", site_.dbt);
    fill(section(raw, "sql_tools"), "enabled", false);
    Object& paths = section(raw, "paths");
    for (const auto& key : kPathKeys) fill(paths, std::string(key), std::string(key));
  }

  // The settings of one profile (where the database is, say).
  void complete_raw(const std::string& name) {
    if (problems_.has_errors()) return;
    const Profile profile = site_.profile_settings(name);
    Object& settings = section(section(site_.raw, "profiles"), name);
    Object& duckdb = section(settings, "duckdb");
    fill(duckdb, "path", profile.database.string());
    fill(duckdb, "readonly", profile.readonly);
    fill(section(settings, "drift"), "path", profile.drift.string());
    Object& audit = section(settings, "audit");
    fill(audit, "enabled", profile.audit_enabled);
    fill(audit, "path", profile.audit.string());
    fill(audit, "max_file_size", profile.audit_max_file_size);
  }

  // The top level and the effective profile.
  void resolve(YamlNode& document, const std::string& asked_profile) {
    YamlNode* profiles = nullptr;
    for (auto& member : document.members) {
      if (member.key == "profiles") {
        profiles = &member.value;
      } else {
        resolve_tree(problems_, member.value, site_.root);
      }
    }
    if (!profiles) return;
    const YamlNode* named = document.find("profile");
    const std::string active =
        effective_profile(asked_profile, named && is_text(*named) ? named->scalar : "");
    for (auto& member : profiles->members) {
      if (member.key == active) resolve_tree(problems_, member.value, site_.root);
    }
  }

  void check_profile_name(const Place& place, const std::string& name) {
    const std::string problem = name_problem(name);
    if (name.empty() || problem.empty()) return;
    problems_.error(place, "the profile name '" + shorten(name, 60) + "' " + problem,
                    std::string(kNameHint));
  }

  // Each entry of a list; a mapping or string that stands alone counts as a list of one.
  template <class Read>
  void each(Fields& top, std::string_view key, Read read) {
    const YamlNode* node = top.find(key);
    if (!node) return;
    if (node->kind != YamlNode::Kind::kSequence) return read(*node);
    for (const YamlNode& item : node->items) read(item);
  }

  void read_plugins(Fields& top) {
    each(top, "plugin", [&](const YamlNode& node) {
      PluginSpec plugin;
      plugin.place = problems_.place(node);
      Fields fields(problems_, node, "a plugin", plugin.place, kPluginKeys);
      if (!fields.is_mapping()) return;
      plugin.name = fields.required_text("name");
      plugin.module = fields.required_text("module", "the Python module in plugins/");
      plugin.config = fields.text("config").value_or("");
      const bool twice = std::any_of(site_.plugins.begin(), site_.plugins.end(),
                                     [&](const auto& p) { return p.name == plugin.name; });
      if (twice && !plugin.name.empty()) {
        problems_.error(fields.place_of("name"),
                        "there are two plugins named '" + shorten(plugin.name, 60) + "'");
      }
      site_.plugins.push_back(std::move(plugin));
    });
  }

  void read_extensions(Fields& top) {
    each(top, "extensions", [&](const YamlNode& node) {
      ExtensionSpec extension;
      if (is_text(node)) {
        extension.name = node.scalar;
      } else {
        Fields fields(problems_, node, "an extension", problems_.place(node), kExtensionKeys);
        fields.lenient();
        if (!fields.is_mapping()) return;
        extension.name = fields.required_text("name");
        if (const auto repo = fields.choice("repo", kRepos)) extension.repo = kRepos[*repo];
      }
      site_.extensions.push_back(std::move(extension));
    });
  }

  // Without `top`: the defaults.
  void read_paths(Fields* top) {
    const YamlNode* node = top ? top->mapping("paths") : nullptr;
    YamlNode nothing;
    nothing.kind = YamlNode::Kind::kMapping;
    Fields fields(problems_, node ? *node : nothing, "'paths'",
                  top ? top->key_place("paths") : problems_.start(), kPathKeys);
    const auto path = [&](std::string_view key) {
      const auto given = fields.text(key);
      if (given && trim(*given).empty()) {
        problems_.error(fields.place_of(key), "'" + std::string(key) + "' is empty",
                        "give a folder, or remove the key for the default");
      }
      fs::path folder = under(site_.root, given.value_or(std::string(key)));
      std::error_code ignored;
      const bool endpoints = key == "tools" || key == "resources" || key == "prompts";
      if (given && endpoints && !fs::is_directory(folder, ignored)) {
        problems_.warning(fields.place_of(key),
                          "there is no folder '" + display_path(folder, site_.root) + "'");
      }
      return folder;
    };
    Paths& paths = site_.paths;
    paths.tools = path("tools");
    paths.resources = path("resources");
    paths.prompts = path("prompts");
    paths.evals = path("evals");
    paths.python = path("python");
    paths.plugins = path("plugins");
    paths.sql = path("sql");
    paths.drift = path("drift");
    paths.audit = path("audit");
    paths.data = path("data");
  }

  void read_server(Fields& top) {
    const YamlNode* node = top.mapping("server");
    if (!node) return;
    Fields fields(problems_, *node, "'server'", top.key_place("server"), kServerKeys,
                  kServerAdvice);
    fields.lenient();
    ServerAppearance& server = site_.server;
    server.title = fields.text("title").value_or("");
    server.description = fields.text("description").value_or("");
    server.instructions = fields.text("instructions").value_or("");
    server.website = fields.text("website").value_or("");
    read_icons(problems_, fields, server.icons);
  }

  void read_sql_tools(Fields& top) {
    for (const std::string_view tool : kSqlTools) {
      site_.sql_tools.limits[std::string(tool)] = sql_tool_limits(tool, site_.limits);
    }
    const YamlNode* node = top.mapping("sql_tools", "write 'enabled: true' under it");
    if (!node) return;
    Fields fields(problems_, *node, "'sql_tools'", top.key_place("sql_tools"), kSqlToolsKeys);
    fields.lenient();
    site_.sql_tools.enabled = fields.boolean("enabled").value_or(false);
    for (const std::string_view tool : kSqlTools) {
      const YamlNode* settings = fields.mapping(tool, "write 'description: ...' under it");
      if (!settings) continue;
      Fields inner(problems_, *settings, "'" + std::string(tool) + "'", fields.key_place(tool),
                   kSqlToolKeys);
      read_sql_tool_limits(problems_, inner, site_.sql_tools.limits[std::string(tool)]);
      if (!inner.has("description")) continue;
      std::string description = inner.required_text("description");
      if (!description.empty()) {
        site_.sql_tools.descriptions.emplace(tool, std::move(description));
      }
    }
  }

  void read_profiles(Fields& top) {
    const YamlNode* node = top.mapping("profiles", "write the name of a profile under it");
    if (!node) return;
    for (const auto& member : node->members) {
      check_profile_name(problems_.place(member), member.key);
      site_.profiles[member.key] = read_profile(member);
    }
  }

  Profile read_profile(const YamlNode::Member& member) {
    Profile profile = default_profile(site_.paths, member.key);
    if (member.value.kind == YamlNode::Kind::kNull) return profile;
    const std::string what = "profile '" + shorten(member.key, 60) + "'";
    Fields fields(problems_, member.value, what, problems_.place(member), kProfileKeys,
                  kProfileAdvice);
    if (const YamlNode* node = fields.mapping("duckdb")) {
      Fields duckdb(problems_, *node, "'duckdb'", fields.key_place("duckdb"), kDuckdbKeys,
                    kDuckdbAdvice);
      duckdb.lenient();
      if (duckdb.has("path")) {
        if (const std::string path = duckdb.required_text("path"); !path.empty()) {
          if (trim(path) == ":memory:") {
            problems_.error(
                duckdb.place_of("path"),
                "':memory:' is no database for a project: its content would be lost at "
                "every start and reload",
                "give a file, or remove 'path' for " + display_path(profile.database, site_.root));
          }
          profile.database = under(site_.root, path);
          profile.database_place = duckdb.place_of("path");
        }
      }
      profile.readonly = duckdb.boolean("readonly").value_or(false);
      profile.threads = static_cast<int>(duckdb.integer("threads", 0, 1024).value_or(0));
    }
    if (const YamlNode* node = fields.mapping("drift")) {
      Fields drift(problems_, *node, "'drift'", fields.key_place("drift"), kDriftKeys);
      if (const auto path = drift.text("path")) profile.drift = under(site_.root, *path);
    }
    if (const YamlNode* node = fields.mapping("audit")) {
      Fields audit(problems_, *node, "'audit'", fields.key_place("audit"), kAuditKeys);
      audit.lenient();
      profile.audit_enabled = audit.boolean("enabled").value_or(false);
      if (const auto path = audit.text("path")) profile.audit = under(site_.root, *path);
      profile.audit_max_file_size =
          audit.integer("max_file_size", 1).value_or(profile.audit_max_file_size);
    }
    return profile;
  }

  void read_dbt(Fields& top) {
    const YamlNode* node = top.mapping("dbt", "write 'enabled: false' under it to switch it off");
    YamlNode nothing;
    nothing.kind = YamlNode::Kind::kMapping;
    Fields fields(problems_, node ? *node : nothing, "'dbt'", top.key_place("dbt"), kDbtKeys);
    fields.lenient();
    Object& dbt = site_.dbt;
    dbt.add("enabled", fields.boolean("enabled").value_or(true));
    const auto list = [&](std::string_view key, std::vector<std::string> defaults) {
      Array out;
      for (auto& path : fields.texts(key, true).value_or(std::move(defaults))) {
        out.push_back(std::move(path));
      }
      dbt.add(std::string(key), std::move(out));
    };
    list("model_paths", {"models"});
    list("analysis_paths", {"analyses"});
    list("test_paths", {"tests"});
    list("seed_paths", {"seeds"});
    list("macro_paths", {"macros"});
    list("snapshot_paths", {"snapshots"});
    dbt.add("target_path", fields.text("target_path").value_or("target"));
    list("clean_targets", {"target", "dbt_packages"});
  }

  Problems problems_;
  SiteConfigResult& result_;
  SiteConfig& site_;
};

}  // namespace

void check_config_version(Problems& problems, Fields& top) {
  const YamlNode* node = top.find("mxcp");
  if (!node) return;
  const Value value = node->to_value();
  const std::int64_t* version = value.as_int();
  if (version && *version == 1) return;
  if (value.is_string() && node->kind == YamlNode::Kind::kScalar) {
    problems.error(problems.place(*node),
                   "'mxcp' must be the integer 1, found " + node->describe() +
                       ": this looks like a file of the format before the first release",
                   "write 'mxcp: 1' without quotes and check the keys against today's reference");
    return;
  }
  top.wrong("mxcp", "the integer 1, the version of the format");
}

Profile SiteConfig::profile_settings(const std::string& name) const {
  const auto found = profiles.find(name);
  return found != profiles.end() ? found->second : default_profile(paths, name);
}

std::string effective_profile(const std::string& asked, const std::string& in_site_file) {
  if (!asked.empty()) return asked;
  const std::string from_environment = environment("MXCP_PROFILE");
  return from_environment.empty() ? in_site_file : from_environment;
}

Status check_asked_profile(const std::string& asked) {
  const std::string name = effective_profile(asked, "");
  const std::string problem = name.empty() ? "" : name_problem(name);
  if (problem.empty()) return {};
  return Error{Code::kConfig,
               std::string(asked.empty() ? "MXCP_PROFILE" : "--profile") + ": the profile name '" +
                   shorten(name, 60) + "' " + problem,
               {},
               std::string(kNameHint)};
}

SiteConfigResult load_site_config(const fs::path& root, const std::string& profile) {
  SiteConfigResult result;
  SiteReader(root, result).read(profile);
  return result;
}

}  // namespace mxcp::project
