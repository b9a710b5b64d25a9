// A project directory for one test, removed afterwards, and environment variables that are put
// back.
#pragma once

#include <doctest/doctest.h>
#include <stdlib.h>

#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/files.h"
#include "project/project.h"

namespace mxcp::test {

class TempProject {
 public:
  // Paths relative to the root -> contents. mxcp-site.yml is added when it is not given.
  TempProject(std::initializer_list<std::pair<std::string, std::string>> files = {}) {
    std::string pattern = (fs::temp_directory_path() / "mxcp-test-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder_ = fs::canonical(pattern);
    root_ = folder_ / "project";
    fs::create_directories(root_ / "tools");
    fs::create_directories(home());
    // Nothing of the machine's own configuration may matter.
    set("HOME", home().string());
    for (const char* name : {"MXCP_CONFIG", "MXCP_PROFILE", "MXCP_READONLY", "MXCP_DUCKDB_PATH",
                             "MXCP_AUDIT_ENABLED"}) {
      unset(name);
    }
    write("mxcp-site.yml", "mxcp: 1\nproject: test\nprofile: default\n");
    for (const auto& [path, text] : files) write(path, text);
  }
  TempProject(const TempProject&) = delete;
  TempProject& operator=(const TempProject&) = delete;
  ~TempProject() {
    for (const auto& [name, value] : before_) {
      value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
    }
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  // `path` is relative to the root.
  const TempProject& write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    REQUIRE(write_file(root_ / path, text).ok());
    return *this;
  }
  const TempProject& write_user_config(const std::string& text) const {
    return write("../home/.mxcp/config.yml", text);
  }
  void set(const std::string& name, const std::string& value) {
    remember(name);
    ::setenv(name.c_str(), value.c_str(), 1);
  }
  void unset(const std::string& name) {
    remember(name);
    ::unsetenv(name.c_str());
  }

  const fs::path& root() const { return root_; }
  fs::path home() const { return folder_ / "home"; }
  project::LoadOptions options(const std::string& profile = "", bool readonly = false) const {
    project::LoadOptions options;
    options.start = root_;
    options.profile = profile;
    options.readonly = readonly;
    return options;
  }
  std::shared_ptr<const project::Project> load(const std::string& profile = "",
                                               bool readonly = false) const {
    auto project = project::Project::load(options(profile, readonly));
    REQUIRE_MESSAGE(project.ok(), (project.ok() ? "" : project.error().text()));
    return *project;
  }
  std::string load_error(const std::string& profile = "") const {
    const auto project = project::Project::load(options(profile));
    REQUIRE(!project.ok());
    return project.error().text();
  }

 private:
  void remember(const std::string& name) {
    if (before_.count(name) > 0) return;
    const char* const value = ::getenv(name.c_str());
    before_[name] = value ? std::optional<std::string>(value) : std::nullopt;
  }

  fs::path folder_, root_;
  std::map<std::string, std::optional<std::string>> before_;
};

// One per line.
inline std::string texts_of(const std::vector<Error>& errors) {
  std::string out;
  for (const Error& error : errors) out += error.text() + "\n";
  return out;
}

}  // namespace mxcp::test
