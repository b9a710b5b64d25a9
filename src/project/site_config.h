// mxcp-site.yml (mxcp-features 1.2): strict keys, every path resolved against the root.
//
// ${NAME} and file:// are resolved at the top level and in the effective profile; in the other
// profiles they stay as they are.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/value.h"
#include "project/limits.h"

namespace mxcp::project {

struct PluginSpec {
  std::string name;
  std::string module;
  std::string config;  // name of a user config block, or ""
  Place place;
};

struct ExtensionSpec {
  std::string name;
  std::string repo;  // "", "community", "core_nightly"
};

struct Profile {
  fs::path database;  // absolute
  bool readonly = false;
  std::string readonly_by = {};  // what says so, for messages
  int threads = 0;               // (+) DuckDB's `threads`; 0: the rule in engine/database.h
  fs::path drift;                // absolute
  bool audit_enabled = false;
  fs::path audit;  // absolute prefix of the segment files
  std::int64_t audit_max_file_size = 52428800;
  Place database_place;
};

struct Paths {
  fs::path tools, resources, prompts, evals, python, plugins, sql, drift, audit, data;  // absolute
};

struct SqlToolsConfig {
  bool enabled = false;
  std::map<std::string, std::string> descriptions;  // "list_tables" -> text
  std::map<std::string, Limits> limits;             // of each tool, complete
};

// What clients and their users see of the server.
struct ServerAppearance {
  std::string title;  // "": the name of the project
  std::string description;
  std::string instructions;  // for the model
  std::string website;
  Array icons;
};

struct SiteConfig {
  fs::path root;
  fs::path file;
  std::string project;
  std::string profile;  // named in the file
  std::vector<std::string> secrets;
  std::vector<PluginSpec> plugins;
  std::vector<ExtensionSpec> extensions;
  Limits limits = Limits::defaults();  // of every endpoint that declares none of its own
  ServerLimits server_limits;
  TaskLimits tasks;
  SqlToolsConfig sql_tools;
  ServerAppearance server;
  Paths paths;
  std::map<std::string, Profile> profiles;
  Object dbt;
  // For config.site_config in Python: the file as written, after references, with the defaults of
  // the top level and of the effective profile.
  Object raw;

  // The profile's settings, with all defaults, also when the file does not list it.
  Profile profile_settings(const std::string& name) const;
};

// Errors: kConfig, each with its place. `config` is as complete as the file allows.
struct SiteConfigResult {
  SiteConfig config;
  std::vector<Error> errors;
  std::vector<Error> warnings;
};
// `profile`: the one asked for (--profile); "" = $MXCP_PROFILE, then the file's own.
SiteConfigResult load_site_config(const fs::path& root, const std::string& profile = "");

// --profile, else $MXCP_PROFILE, else what the site file names.
std::string effective_profile(const std::string& asked, const std::string& in_site_file);

// Profile names become parts of file names. Whether the one of --profile (`asked`), else of
// $MXCP_PROFILE, can do that; the site file's own is checked where it stands.
Status check_asked_profile(const std::string& asked);

}  // namespace mxcp::project
