#include "runtime/findings.h"

#include <algorithm>
#include <map>
#include <utility>

namespace mxcp::runtime {

void Findings::add(Error error, std::string path) {
  // The check of a source and its import find the same mistake.
  const bool known = std::any_of(problems_.begin(), problems_.end(), [&](const Problem& other) {
    return other.path == path && other.error.message == error.message &&
           other.error.place == error.place;
  });
  if (!known) problems_.push_back({std::move(error), std::move(path)});
}

void Findings::add(std::vector<Problem> problems) {
  for (Problem& problem : problems) add(std::move(problem.error), std::move(problem.path));
}

void Findings::add_files(const project::Project& project, const project::Project& served) {
  for (const auto& file : project.files()) {
    for (const Error& error : file.errors) add(error, file.display_path);
  }
  for (const auto& file : project.skipped()) {
    if (!file.why) continue;
    const auto before = std::find_if(served.files().begin(), served.files().end(),
                                     [&](const auto& f) { return f.path == file.path; });
    if (before == served.files().end() || !before->endpoint) continue;
    const std::string what =
        std::string(project::name_of(before->endpoint->kind)) + " '" + before->endpoint->id() + "'";
    Error error = *file.why;
    error.message = "this file described the " + what + ", and no longer does: " + error.message;
    error.hint = "remove the file, or say 'enabled: false' in it, to end the " + what;
    add(std::move(error), file.display_path);
  }
}

void Findings::add_code(const project::Project& project, std::vector<Error> errors,
                        const UserCode& code) {
  std::map<fs::path, std::string> paths;
  for (const auto& file : project.files()) paths[file.path] = file.display_path;
  for (const auto& endpoint : project.endpoints()) {
    auto problem = code.problem_of(*endpoint);
    if (!problem) continue;
    std::erase_if(errors, [&](const Error& error) {
      return error.message == problem->message && error.place == problem->place;
    });
    add(*std::move(problem), paths[endpoint->file]);
  }
  for (Error& error : errors) add(std::move(error));
}

std::vector<Error> Findings::errors() const {
  std::vector<Error> errors;
  for (const Problem& problem : problems_) errors.push_back(problem.error);
  return errors;
}

std::shared_ptr<const project::Project> Findings::usable(
    std::shared_ptr<const project::Project> project) const {
  std::map<std::string, std::vector<Error>> broken;
  for (const Problem& problem : problems_) {
    if (!problem.path.empty()) broken[problem.path].push_back(problem.error);
  }
  return broken.empty() ? project : project->without(broken);
}

std::vector<Error> Findings::refusing(const project::Project& served, bool leave_out,
                                      const std::set<std::string>& accepted) const {
  std::vector<Error> refusing = leave_out ? refusing_served(served, accepted) : errors();
  // A mistake in a module is a problem of every endpoint that uses it.
  std::set<std::string> said;
  std::erase_if(refusing, [&](const Error& error) { return !said.insert(error.text()).second; });
  return refusing;
}

std::vector<Error> Findings::refusing_served(const project::Project& served,
                                             const std::set<std::string>& accepted) const {
  std::vector<Error> errors;
  for (const Problem& problem : problems_) {
    const auto file = std::find_if(served.files().begin(), served.files().end(),
                                   [&](const auto& f) { return f.display_path == problem.path; });
    const bool is_served = file != served.files().end() && file->endpoint && file->errors.empty();
    const bool is_new = problem.path.empty() && !accepted.contains(problem.error.text());
    if (is_served || is_new) errors.push_back(problem.error);
  }
  return errors;
}

std::set<std::string> Findings::general() const {
  std::set<std::string> texts;
  for (const Problem& problem : problems_) {
    if (problem.path.empty()) texts.insert(problem.error.text());
  }
  return texts;
}

}  // namespace mxcp::runtime
