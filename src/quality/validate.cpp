#include "quality/validate.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "base/rules.h"
#include "quality/sql_checks.h"
#include "quality/template_names.h"

namespace mxcp::quality {
namespace {

void sort_by_place(std::vector<Error>& errors) {
  std::stable_sort(errors.begin(), errors.end(), [](const Error& a, const Error& b) {
    return std::tie(a.place.file, a.place.line, a.place.column) <
           std::tie(b.place.file, b.place.line, b.place.column);
  });
}

// Two spellings of one file: through links, `..`, or another working directory.
bool same_file(const fs::path& a, const fs::path& b) {
  std::error_code failed;
  if (fs::equivalent(a, b, failed) && !failed) return true;
  return a.lexically_normal() == b.lexically_normal();
}

void append(std::vector<Error>& to, std::vector<Error> from) {
  std::move(from.begin(), from.end(), std::back_inserter(to));
}

// Every variable that a message needs must be a declared parameter.
void check_messages(const project::Endpoint& endpoint, std::vector<Error>& errors) {
  std::vector<std::string> declared;
  for (const auto& entry : endpoint.parameters.entries()) declared.push_back(entry.name);
  for (std::size_t i = 0; i < endpoint.messages.size(); ++i) {
    for (const std::string& name : free_names(endpoint.messages[i].prompt)) {
      if (endpoint.parameters.find(name) != nullptr) continue;
      std::string hint = suggest(name, declared);
      if (hint.empty()) hint = "declare it under 'parameters:'";
      errors.push_back(Error{Code::kConfig,
                             "message " + std::to_string(i + 1) + " uses '" + name +
                                 "', which is not a declared parameter",
                             endpoint.messages[i].place, hint}
                           .as(rules::kPromptVariable));
    }
  }
}

class Validator {
 public:
  Validator(const project::Project& project, const ValidateEnvironment& environment)
      : project_(project), environment_(environment) {}

  // Prepares the SQL of many files at once; check() then finds the results. A few are as quick
  // alone.
  void prepare(const std::vector<const project::EndpointFile*>& files) {
    constexpr std::size_t kWorthIt = 32;
    std::vector<const project::Endpoint*> endpoints;
    for (const auto* file : files) {
      if (file->endpoint && is_sql(*file->endpoint)) endpoints.push_back(file->endpoint.get());
    }
    if (environment_.threads < 2 || endpoints.size() < kWorthIt || !open_database()) return;
    std::vector<SqlProblems> results(endpoints.size());
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
      for (std::size_t i = next++; i < endpoints.size(); i = next++) {
        results[i] = check_sql(*endpoints[i], ***database_, project_.root());
      }
    };
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 1; i < environment_.threads; ++i) threads.emplace_back(work);
      work();
    }
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
      prepared_.emplace(endpoints[i], std::move(results[i]));
    }
  }

  FileReport check(const project::EndpointFile& file) {
    FileReport report{file.display_path, file.errors, file.warnings};
    if (file.endpoint) check_code(*file.endpoint, report);
    sort_by_place(report.errors);
    sort_by_place(report.warnings);
    return report;
  }

 private:
  void check_code(const project::Endpoint& endpoint, FileReport& report) {
    if (endpoint.kind == project::EndpointKind::kPrompt) {
      return check_messages(endpoint, report.errors);
    }
    if (endpoint.language == project::Language::kPython) {
      if (!environment_.check_python) return;
      for (Error& error : environment_.check_python(endpoint)) {
        // An annotation changes nothing when the code runs.
        const bool harmless = error.rule == rules::kPythonAnnotation;
        (harmless ? report.warnings : report.errors).push_back(std::move(error));
      }
      return;
    }
    if (!environment_.database) return;
    if (!open_database()) {
      report.errors.push_back(Error(database_->error()).as(rules::kDatabase));
      return;
    }
    const auto prepared = prepared_.find(&endpoint);
    SqlProblems problems = prepared != prepared_.end()
                               ? std::move(prepared->second)
                               : check_sql(endpoint, ***database_, project_.root());
    append(report.errors, std::move(problems.errors));
    append(report.warnings, std::move(problems.warnings));
  }

  static bool is_sql(const project::Endpoint& endpoint) {
    return endpoint.kind != project::EndpointKind::kPrompt &&
           endpoint.language == project::Language::kSql;
  }

  // Whether there is one.
  bool open_database() {
    if (!environment_.database) return false;
    if (!database_) database_ = environment_.database();
    return database_->ok();
  }

  const project::Project& project_;
  const ValidateEnvironment& environment_;
  std::unordered_map<const project::Endpoint*, SqlProblems> prepared_;
  std::optional<Result<std::shared_ptr<engine::Database>>> database_;  // once it was needed
};

}  // namespace

std::vector<FileReport> validate(const project::Project& project,
                                 const ValidateEnvironment& environment, const fs::path& only) {
  std::vector<const project::EndpointFile*> chosen;
  for (const auto& file : project.files()) {
    if (only.empty() || same_file(file.path, only)) chosen.push_back(&file);
  }
  Validator validator(project, environment);
  validator.prepare(chosen);
  std::vector<FileReport> reports;
  for (const auto* file : chosen) {
    if (environment.progress) environment.progress(reports.size(), chosen.size());
    reports.push_back(validator.check(*file));
  }
  std::sort(reports.begin(), reports.end(),
            [](const FileReport& a, const FileReport& b) { return a.path < b.path; });
  return reports;
}

}  // namespace mxcp::quality
