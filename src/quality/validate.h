// `mxcp validate`: everything that can be known about a project without running it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/database.h"
#include "project/project.h"
#include "quality/template_names.h"

namespace mxcp::quality {

struct FileReport {
  enum class Kind { kEndpoint, kSkipped, kPlugin };

  std::string path;  // relative to the root
  std::vector<Error> errors;
  std::vector<Error> warnings;
  Kind kind = Kind::kEndpoint;
  bool ok() const { return errors.empty(); }
};

// How the checks reach what they need; wired in cli/app.cpp.
struct ValidateEnvironment {
  // Opened when the first SQL endpoint is met. Errors are reported once per SQL endpoint.
  std::function<Result<std::shared_ptr<engine::Database>>()> database;
  std::function<std::vector<Error>(const project::Endpoint&)> check_python;
  // What is wrong with a JSON Schema of the author's own; "" when it is sound. May be empty.
  std::function<std::string(const std::string& schema)> check_schema;
  // What the installed Jinja says of a template that read_template finds nothing wrong with, and
  // whether it has a "filter" or "test" of that name. May be empty.
  std::function<std::optional<TemplateProblem>(const std::string& text)> check_template;
  std::function<bool(const std::string& what, const std::string& name)> jinja_has;
  std::function<void(std::size_t done, std::size_t total)> progress;  // may be empty
  std::size_t threads = 1;  // that prepare SQL, each on a connection of its own
};

// Whether an error only says that SQL lacks a function of a plugin that has problems of its own.
bool follows_from(const Error& error, const std::vector<Error>& plugin_problems);

// One report per enabled file and per file that was skipped for a reason, sorted by path; `only`
// restricts to one file (absolute), and there is no report when it is none of the project's
// endpoints.
std::vector<FileReport> validate(const project::Project& project,
                                 const ValidateEnvironment& environment, const fs::path& only = {});

}  // namespace mxcp::quality
