// A project directory for one test, removed afterwards.
#pragma once

#include <doctest/doctest.h>
#include <stdlib.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>

#include "base/files.h"
#include "project/project.h"

namespace mxcp::test {

class TempProject {
 public:
  // Paths relative to the root -> contents. mxcp-site.yml is added when it is not given.
  TempProject(std::initializer_list<std::pair<std::string, std::string>> files) {
    std::string pattern = (fs::temp_directory_path() / "mxcp-test-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    root_ = fs::canonical(pattern);
    write("mxcp-site.yml", "mxcp: 1\nproject: test\nprofile: default\n");
    for (const auto& [path, text] : files) write(path, text);
  }
  TempProject(const TempProject&) = delete;
  TempProject& operator=(const TempProject&) = delete;
  ~TempProject() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }

  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    REQUIRE(write_file(root_ / path, text).ok());
  }

  const fs::path& root() const { return root_; }
  project::LoadOptions options() const {
    project::LoadOptions options;
    options.start = root_;
    return options;
  }
  std::shared_ptr<const project::Project> load() const {
    auto project = project::Project::load(options());
    REQUIRE_MESSAGE(project.ok(), (project.ok() ? "" : project.error().text()));
    return *project;
  }

 private:
  fs::path root_;
};

}  // namespace mxcp::test
