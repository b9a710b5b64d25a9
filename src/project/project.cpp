#include "project/project.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <set>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>

#include "base/rules.h"
#include "base/text.h"
#include "project/scan.h"
#include "project/sql_tools.h"

namespace mxcp::project {
namespace {

std::string key_of(EndpointKind kind, std::string_view id) {
  return std::string(name_of(kind)) + "/" + std::string(id);
}

// One error that shows them all; a single one stays itself.
Error combine(std::vector<Error> errors) {
  if (errors.size() == 1) return std::move(errors.front());
  std::string message = plural(errors.size(), "problem") + " in the configuration:";
  for (const Error& error : errors) message += "\n  " + error.text();
  return {Code::kConfig, std::move(message)};
}

void append(std::vector<Error>& to, std::vector<Error> from) {
  std::move(from.begin(), from.end(), std::back_inserter(to));
}

// What an environment variable switches on or off; nothing when it is not set. A word that says
// neither is an error: who writes MXCP_READONLY=ja must not get a database that can be written.
Result<std::optional<bool>> switch_of(const char* name) {
  const std::string word = to_lower(environment(name));
  if (word.empty()) return std::optional<bool>();
  if (word == "false" || word == "0" || word == "no") return std::optional<bool>(false);
  if (is_truthy(word)) return std::optional<bool>(true);
  return Error{Code::kConfig,
               std::string(name) + " must be true or false, found '" + shorten(word, 40) + "'"};
}

// The effective profile: the file's settings, then the environment, then flags.
Result<Profile> apply_environment(Profile profile, const LoadOptions& options) {
  MXCP_TRY(const std::optional<bool> readonly, switch_of("MXCP_READONLY"));
  if (options.readonly) {
    profile.readonly_by = "--readonly";
  } else if (readonly.value_or(false)) {
    profile.readonly_by = "MXCP_READONLY";
  } else if (profile.readonly) {
    profile.readonly_by = "'readonly: true' of the profile in mxcp-site.yml";
  }
  profile.readonly = !profile.readonly_by.empty();
  if (const std::string path = environment("MXCP_DUCKDB_PATH"); !path.empty()) {
    if (path == ":memory:") {
      return Error{
          Code::kConfig,
          "MXCP_DUCKDB_PATH: ':memory:' is no database for a project: its content would be "
          "lost at every start and reload",
          {},
          "give a file"};
    }
    std::error_code ignored;
    profile.database = fs::absolute(expand_home(path), ignored).lexically_normal();
    profile.database_place = {};
  }
  MXCP_TRY(const std::optional<bool> audit, switch_of("MXCP_AUDIT_ENABLED"));
  profile.audit_enabled = audit.value_or(profile.audit_enabled);
  return profile;
}

// A file and the kinds that its folder is for.
struct Candidate {
  fs::path path;
  std::set<EndpointKind> kinds;
};

std::vector<Candidate> find_candidates(const Paths& paths, std::vector<Unreadable>& unreadable) {
  std::map<std::string, std::set<EndpointKind>> found;
  const std::array<std::pair<EndpointKind, const fs::path*>, 3> folders = {{
      {EndpointKind::kTool, &paths.tools},
      {EndpointKind::kResource, &paths.resources},
      {EndpointKind::kPrompt, &paths.prompts},
  }};
  for (const auto& [kind, folder] : folders) {
    for (const fs::path& path : find_yaml_files(*folder, unreadable)) {
      found[path.string()].insert(kind);
    }
  }
  std::vector<Candidate> out;
  out.reserve(found.size());
  for (auto& [path, kinds] : found) out.push_back({path, std::move(kinds)});
  return out;
}

// Files are independent of each other: with many of them a second thread pays.
std::vector<EndpointFile> load_all(const std::vector<Candidate>& candidates, const fs::path& root,
                                   const Limits& limits) {
  constexpr std::size_t kFilesPerThread = 16;
  std::vector<EndpointFile> files(candidates.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < candidates.size(); i = next++) {
      files[i] = load_endpoint(candidates[i].path, root, limits);
    }
  };
  const std::size_t threads = std::min<std::size_t>(
      {4, std::max(1U, std::thread::hardware_concurrency()), candidates.size() / kFilesPerThread});
  std::vector<std::thread> helpers;
  try {
    for (std::size_t i = 1; i < threads; ++i) helpers.emplace_back(work);
  } catch (const std::system_error&) {
    // No more threads to be had: the others do the work.
  }
  work();
  for (std::thread& helper : helpers) helper.join();
  return files;
}

// users://{id} and users://{name} answer the same requests.
std::string shape_of(const EndpointFile& file) {
  if (file.kind != EndpointKind::kResource) return file.name;
  std::string out;
  bool inside = false;
  for (const char c : file.name) {
    if (c == '}') inside = false;
    if (!inside) out += c;
    if (c == '{') inside = true;
  }
  return out;
}

void report_duplicates(std::vector<EndpointFile>& files) {
  std::map<std::pair<EndpointKind, std::string>, std::vector<EndpointFile*>> by_name;
  for (EndpointFile& file : files) {
    // A name without a place is only guessed.
    if (!file.kind || file.name.empty() || !file.name_place.known()) continue;
    // A URI that is no template answers nothing yet; told already.
    if (std::any_of(file.errors.begin(), file.errors.end(),
                    [](const Error& error) { return error.rule == rules::kUri; })) {
      continue;
    }
    by_name[{*file.kind, shape_of(file)}].push_back(&file);
  }
  for (const auto& [key, group] : by_name) {
    if (group.size() < 2) continue;
    for (EndpointFile* file : group) {
      std::vector<std::string> others;
      for (const EndpointFile* other : group) {
        if (other != file) others.push_back(other->name_place.text());
      }
      const bool resource = key.first == EndpointKind::kResource;
      Error error{Code::kConfig,
                  "the " + std::string(name_of(key.first)) + " '" + shorten(file->name, 80) +
                      "' is also defined in " + join(others, ", "),
                  file->name_place, resource ? "give each its own URI" : "give each its own name"};
      file->errors.push_back(std::move(error).as(rules::kDuplicateName));
      if (file->endpoint) file->draft = std::exchange(file->endpoint, nullptr);
    }
  }
}

}  // namespace

Result<std::shared_ptr<const Project>> Project::load(const LoadOptions& options) {
  std::error_code failure;
  const fs::path start = options.start.empty() ? fs::current_path(failure) : options.start;
  if (failure) {
    return Error{Code::kNotFound, "the current folder cannot be read: " + failure.message()};
  }
  const fs::path root = find_upwards(start, "mxcp-site.yml");
  if (root.empty()) {
    return Error{Code::kNotFound,
                 "no mxcp-site.yml in '" + start.string() + "' or a folder above it",
                 {},
                 "change to a project folder, or create one with 'mxcp init'"};
  }
  MXCP_TRY(check_asked_profile(options.profile));
  auto project = std::make_shared<Project>();

  auto site = load_site_config(root, options.profile);
  project->site_ = std::move(site.config);
  append(project->warnings_, std::move(site.warnings));
  project->profile_name_ = effective_profile(options.profile, project->site_.profile);
  std::vector<Error> errors = std::move(site.errors);

  auto profile =
      apply_environment(project->site_.profile_settings(project->profile_name_), options);
  if (profile.ok()) {
    project->profile_ = *std::move(profile);
  } else {
    errors.push_back(std::move(profile).error());
  }
  // Without the project's name it is unknown which part of the user's file counts.
  if (!project->site_.project.empty()) {
    SecretStores stores = options.stores;
    stores.project = project->root();
    auto user = load_user_config(project->site_.project, project->profile_name_, stores);
    project->user_ = std::move(user.config);
    append(project->warnings_, std::move(user.warnings));
    append(errors, std::move(user.errors));
  }
  if (!errors.empty()) return combine(std::move(errors));
  project->warn_unknown_profile();
  project->load_endpoints(options.sql_tools.value_or(project->site_.sql_tools.enabled));
  return std::shared_ptr<const Project>(std::move(project));
}

void Project::warn_unknown_profile() {
  // The site file's own profile need not be listed; one that was asked for may be a slip.
  if (profile_name_ == site_.profile || site_.profiles.empty() ||
      site_.profiles.count(profile_name_) > 0) {
    return;
  }
  std::vector<std::string> names;
  for (const auto& [name, settings] : site_.profiles) names.push_back(name);
  const std::string hint = suggest(profile_name_, names);
  warnings_.push_back({Code::kConfig,
                       "mxcp-site.yml has no profile '" + profile_name_ + "': defaults are used",
                       {"mxcp-site.yml"},
                       hint.empty() ? "it has " + join(names, ", ") : hint});
}

void Project::load_endpoints(bool sql_tools) {
  std::vector<Unreadable> unreadable;
  const auto candidates = find_candidates(site_.paths, unreadable);
  auto loaded = load_all(candidates, site_.root, site_.limits);
  for (std::size_t i = 0; i < loaded.size(); ++i) {
    EndpointFile& file = loaded[i];
    if (auto skipped = skip(file, candidates[i].kinds)) {
      skipped_.push_back(*std::move(skipped));
    } else {
      files_.push_back(std::move(file));
    }
  }
  for (Unreadable& entry : unreadable) {
    const std::string shown = display_path(entry.path, site_.root);
    Error why{Code::kIo, std::move(entry.why), {shown}, std::move(entry.hint)};
    skipped_.push_back({std::move(entry.path), shown, std::move(why).as(rules::kFile)});
  }
  std::sort(skipped_.begin(), skipped_.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  report_duplicates(files_);
  for (EndpointFile& file : files_) {
    if (!file.endpoint) continue;
    endpoints_.push_back(file.endpoint);
    by_id_.emplace(key_of(*file.kind, file.endpoint->id()), file.endpoint);
  }
  if (sql_tools) {
    for (auto& tool : built_in_sql_tools(site_.sql_tools)) {
      if (by_id_.emplace(key_of(tool->kind, tool->id()), tool).second) {
        endpoints_.push_back(std::move(tool));
      } else {
        warnings_.push_back(
            {Code::kConfig, "the project's own tool '" + tool->id() +
                                "' takes the place of the built-in SQL tool of that name"});
      }
    }
  }
  std::sort(endpoints_.begin(), endpoints_.end(), [](const auto& a, const auto& b) {
    return std::tie(a->kind, a->id()) < std::tie(b->kind, b->id());
  });
}

// What becomes of a file that is no endpoint here; nothing when it is one.
std::optional<SkippedFile> Project::skip(EndpointFile& file,
                                         const std::set<EndpointKind>& kinds) const {
  SkippedFile skipped{file.path, file.display_path, {}};
  if (!file.enabled) return skipped;
  if (!file.kind && file.errors.empty()) {
    if (!file.warnings.empty()) skipped.why = std::move(file.warnings.front());
    return skipped;
  }
  if (!file.kind || kinds.count(*file.kind) != 0) return {};
  const std::string kind(name_of(*file.kind));
  const std::string folder(name_of(*kinds.begin()));
  Error why{Code::kConfig,
            "this file holds a " + kind + ", but the folder is for " + folder + "s: skipped",
            file.kind_place.known() ? file.kind_place : Place{file.display_path},
            "move it to '" + display_path(folder_of(*file.kind), site_.root) + "'"};
  skipped.why = std::move(why).as(rules::kEndpointKind);
  return skipped;
}

std::shared_ptr<const Project> Project::with_endpoints(
    const std::function<std::shared_ptr<const Endpoint>(const Endpoint&)>& change,
    bool types_derived) const {
  auto copy = std::make_shared<Project>(*this);
  copy->types_derived_ = types_derived;
  for (auto& endpoint : copy->endpoints_) {
    auto changed = change(*endpoint);
    if (!changed) continue;
    endpoint = std::move(changed);
    copy->by_id_[key_of(endpoint->kind, endpoint->id())] = endpoint;
  }
  return copy;
}

std::shared_ptr<const Project> Project::without(
    const std::map<std::string, std::vector<Error>>& broken) const {
  auto copy = std::make_shared<Project>(*this);
  for (EndpointFile& file : copy->files_) {
    const auto found = broken.find(file.display_path);
    if (found == broken.end()) continue;
    if (file.errors.empty()) file.errors = found->second;
    if (!file.endpoint) continue;
    const Endpoint& endpoint = *file.endpoint;
    copy->by_id_.erase(key_of(endpoint.kind, endpoint.id()));
    std::erase_if(copy->endpoints_, [&](const auto& other) {
      return other->kind == endpoint.kind && other->id() == endpoint.id() &&
             other->file == endpoint.file;
    });
    file.endpoint = nullptr;
  }
  return copy;
}

const fs::path& Project::folder_of(EndpointKind kind) const {
  switch (kind) {
    case EndpointKind::kTool: return site_.paths.tools;
    case EndpointKind::kResource: return site_.paths.resources;
    case EndpointKind::kPrompt: return site_.paths.prompts;
  }
  return site_.paths.tools;
}

std::shared_ptr<const Endpoint> Project::find(EndpointKind kind, std::string_view id) const {
  const auto found = by_id_.find(key_of(kind, id));
  return found != by_id_.end() ? found->second : nullptr;
}

Error Project::not_found(EndpointKind kind, const std::string& id) const {
  const std::string kind_name(name_of(kind));
  for (const EndpointFile& file : files_) {
    if (file.kind != kind || file.name != id || file.errors.empty()) continue;
    if (file.errors.size() == 1) return file.errors.front();
    std::string message = "the " + kind_name + " '" + shorten(id, 80) + "' has " +
                          plural(file.errors.size(), "problem") + ":";
    for (const Error& error : file.errors) message += "\n  " + error.text();
    return {Code::kConfig, std::move(message)};
  }
  Error error{Code::kNotFound, "Endpoint '" + shorten(id, 100) + "' not found in " +
                                   display_path(folder_of(kind), site_.root)};
  std::vector<std::string> names;
  for (const auto& endpoint : endpoints_) {
    if (endpoint->kind == kind) {
      names.push_back(endpoint->id());
    } else if (endpoint->id() == id) {
      error.hint = "there is a " + std::string(name_of(endpoint->kind)) + " of that name";
      return error;
    }
  }
  // Broken files count too: their errors are what a second try will show.
  for (const EndpointFile& file : files_) {
    if (file.kind == kind && !file.endpoint && !file.name.empty()) names.push_back(file.name);
  }
  error.hint = suggest(shorten(id, 100), names);
  if (error.hint.empty()) {
    const auto broken = std::count_if(files_.begin(), files_.end(), [](const EndpointFile& file) {
      return !file.kind && !file.errors.empty();
    });
    if (broken > 0) {
      error.hint = plural(static_cast<std::size_t>(broken), "file") +
                   " could not be read: see 'mxcp validate'";
    } else if (names.empty()) {
      error.hint = "the project has no " + kind_name + "s";
    } else {
      error.hint = "'mxcp list' shows what there is";
    }
  }
  return error;
}

}  // namespace mxcp::project
