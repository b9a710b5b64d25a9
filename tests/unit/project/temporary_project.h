// A project folder of its own and environment variables that are put back; for the tests here.
#pragma once

#include <doctest/doctest.h>
#include <stdlib.h>

#include <map>
#include <optional>
#include <string>

#include "base/files.h"
#include "project/project.h"

namespace mxcp::project {

class TemporaryProject {
 public:
  TemporaryProject() {
    std::string name = (fs::temp_directory_path() / "mxcp-project-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder_ = fs::canonical(name);
    root = folder_ / "project";
    fs::create_directories(root / "tools");
    fs::create_directories(folder_ / "home");
    // Nothing of the machine's own configuration may matter.
    set("HOME", (folder_ / "home").string());
    for (const char* name : {"MXCP_CONFIG", "MXCP_PROFILE", "MXCP_READONLY", "MXCP_DUCKDB_PATH",
                             "MXCP_AUDIT_ENABLED"}) {
      unset(name);
    }
    write("mxcp-site.yml", "mxcp: 1\nproject: shop\nprofile: default\n");
  }
  ~TemporaryProject() {
    for (const auto& [name, value] : before_) {
      value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
    }
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  TemporaryProject(const TemporaryProject&) = delete;
  TemporaryProject& operator=(const TemporaryProject&) = delete;

  // `path` is relative to the root.
  TemporaryProject& write(const std::string& path, const std::string& text) {
    fs::create_directories((root / path).parent_path());
    REQUIRE(write_file(root / path, text).ok());
    return *this;
  }
  TemporaryProject& write_user_config(const std::string& text) {
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

  fs::path home() const { return folder_ / "home"; }

  // Only what fails the test shows the message.
  std::shared_ptr<const Project> load(const std::string& profile = "",
                                      bool readonly = false) const {
    auto project = Project::load({.start = root, .profile = profile, .readonly = readonly});
    CAPTURE(project.ok() ? "" : project.error().text());
    REQUIRE(project.ok());
    return *project;
  }
  std::string load_error(const std::string& profile = "") const {
    const auto project = Project::load({.start = root, .profile = profile});
    REQUIRE(!project.ok());
    return project.error().text();
  }

  fs::path root;

 private:
  void remember(const std::string& name) {
    if (before_.count(name) > 0) return;
    const char* const value = ::getenv(name.c_str());
    before_[name] = value ? std::optional<std::string>(value) : std::nullopt;
  }

  fs::path folder_;
  std::map<std::string, std::optional<std::string>> before_;
};

// One per line.
inline std::string texts_of(const std::vector<Error>& errors) {
  std::string out;
  for (const Error& error : errors) out += error.text() + "\n";
  return out;
}

}  // namespace mxcp::project
