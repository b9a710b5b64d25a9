// Project: everything the files say, as one immutable snapshot.
//
// A reload builds a new Project beside the old one and swaps a shared_ptr; calls that run keep the
// snapshot they began with. Loading never opens the database and never starts Python.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "project/endpoint.h"
#include "project/site_config.h"
#include "project/user_config.h"

namespace mxcp::project {

struct LoadOptions {
  fs::path start = {};       // the root is searched from here upwards; empty: the current folder
  std::string profile = {};  // --profile; "" = $MXCP_PROFILE, then the site file
  bool readonly = false;     // --readonly
  // The built-in SQL tools: with them or without; nullopt: as the site file says.
  std::optional<bool> sql_tools = false;
  SecretStores stores = {};  // for vault:// and op://; without it they are errors
};

// A file in a folder for endpoints that is none of the project's.
struct SkippedFile {
  fs::path path;             // absolute
  std::string display_path;  // relative to the root
  // A warning: the file holds something else than the folder is for, or cannot be followed. Nothing
  // when it says itself that it is disabled.
  std::optional<Error> why;
};

class Project {
 public:
  // Site and user configuration and every endpoint file. Fails only when the project itself cannot
  // be used (no mxcp-site.yml: kNotFound; broken configuration: kConfig, all problems in the
  // message). Broken endpoint files are kept, with their errors, in files().
  static Result<std::shared_ptr<const Project>> load(const LoadOptions& options);

  const fs::path& root() const { return site_.root; }
  const SiteConfig& site() const { return site_; }
  const UserConfig& user() const { return user_; }
  const std::string& profile_name() const { return profile_name_; }
  // The effective profile: flags and environment already applied.
  const Profile& profile() const { return profile_; }

  // Every enabled endpoint file, valid or not, sorted by path. Duplicates carry an error each.
  const std::vector<EndpointFile>& files() const { return files_; }
  // Every valid endpoint, sorted by kind, then id.
  const std::vector<std::shared_ptr<const Endpoint>>& endpoints() const { return endpoints_; }
  // A copy in which `change` has seen every endpoint: it returns another one of the same kind and
  // id, or nullptr to keep it. `types_derived`: return types that can be derived are.
  std::shared_ptr<const Project> with_endpoints(
      const std::function<std::shared_ptr<const Endpoint>(const Endpoint&)>& change,
      bool types_derived) const;
  // A copy in which these files, by their display path, are broken: they have the errors and no
  // endpoint.
  std::shared_ptr<const Project> without(
      const std::map<std::string, std::vector<Error>>& broken) const;
  // False while tools may get a return type by a later with_endpoints.
  bool types_derived() const { return types_derived_; }
  std::shared_ptr<const Endpoint> find(EndpointKind kind, std::string_view id) const;
  // "Endpoint 'x' not found in tools", with a suggestion; or the errors of its file if it is
  // broken.
  Error not_found(EndpointKind kind, const std::string& id) const;
  // Sorted by path.
  const std::vector<SkippedFile>& skipped() const { return skipped_; }
  // About the configuration; those about an endpoint file are in its EndpointFile.
  const std::vector<Error>& warnings() const { return warnings_; }

 private:
  void warn_unknown_profile();
  void load_endpoints(bool sql_tools);
  std::optional<SkippedFile> skip(EndpointFile& file, const std::set<EndpointKind>& kinds) const;
  const fs::path& folder_of(EndpointKind kind) const;

  SiteConfig site_;
  UserConfig user_;
  std::string profile_name_;
  Profile profile_;
  std::vector<EndpointFile> files_;
  std::vector<SkippedFile> skipped_;
  std::vector<std::shared_ptr<const Endpoint>> endpoints_;
  std::unordered_map<std::string, std::shared_ptr<const Endpoint>> by_id_;  // "tool/name"
  std::vector<Error> warnings_;
  bool types_derived_ = false;
};

}  // namespace mxcp::project
