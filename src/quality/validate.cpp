#include "quality/validate.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "base/rules.h"
#include "base/text.h"
#include "quality/sql_checks.h"

namespace mxcp::quality {
namespace {

constexpr std::chrono::seconds kLeaseWait{30};

void sort_by_place(std::vector<Error>& errors) {
  std::stable_sort(errors.begin(), errors.end(),
                   [](const Error& a, const Error& b) { return a.place < b.place; });
}

void append(std::vector<Error>& to, std::vector<Error> from) {
  std::move(from.begin(), from.end(), std::back_inserter(to));
}

// A message has to be a template, and every variable that it needs a declared parameter.
void check_messages(const project::Endpoint& endpoint, const ValidateEnvironment& environment,
                    std::vector<Error>& errors) {
  std::vector<std::string> declared;
  for (const auto& entry : endpoint.parameters.entries()) declared.push_back(entry.name);
  for (std::size_t i = 0; i < endpoint.messages.size(); ++i) {
    const project::PromptMessage& message = endpoint.messages[i];
    const std::string which = "message " + std::to_string(i + 1);
    TemplateReading reading = read_template(message.prompt);
    std::erase_if(reading.problems, [&](const TemplateProblem& problem) {
      return !problem.what.empty() && environment.jinja_has &&
             environment.jinja_has(problem.what, problem.name);
    });
    if (reading.problems.empty() && reading.has_code && environment.check_template) {
      if (auto problem = environment.check_template(message.prompt)) {
        reading.problems.push_back(*std::move(problem));
      }
    }
    for (TemplateProblem& problem : reading.problems) {
      errors.push_back(Error{Code::kConfig, which + ": " + problem.message,
                             message.at_offset(problem.offset), std::move(problem.hint)}
                           .as(rules::kPromptSyntax));
    }
    for (const auto& [name, offset, bound_in] : reading.free_names) {
      if (endpoint.parameters.find(name) != nullptr) continue;
      std::string what = "', which is not a declared parameter";
      std::string hint = suggest(name, declared);
      if (hint.empty()) hint = "declare it under 'parameters:'";
      if (!bound_in.empty()) {
        what = "' outside of the '" + bound_in + "' that sets it";
        hint = "it is known only up to '{% end" + bound_in + " %}'";
      }
      errors.push_back(Error{Code::kConfig, which + " uses '" + name + what,
                             message.at_offset(offset), std::move(hint)}
                           .as(rules::kPromptVariable));
    }
  }
}

// The SQL that completes a parameter, as an endpoint of its own: it knows $value, which was typed,
// and every parameter, and need not use them.
std::optional<project::Endpoint> completion_query(const project::Endpoint& endpoint,
                                                  const types::TypeSpec& completed) {
  project::Endpoint query;
  query.kind = project::EndpointKind::kResource;
  query.uri = endpoint.id();
  query.display_file = query.source.display_file = endpoint.display_file;
  query.source.text = completed.completion;
  query.source.map = completed.completion_map;
  const auto place = completed.places.find("completion");
  query.source.place = place == completed.places.end() ? completed.place : place->second;
  std::vector<types::ParameterSpec> specs(1);
  specs.front().name = "value";
  for (const auto& entry : endpoint.parameters.entries()) {
    if (to_lower(entry.name) == "value") continue;
    types::ParameterSpec spec;
    spec.name = entry.name;
    specs.push_back(std::move(spec));
  }
  auto parameters = types::ParameterSet::compile(std::move(specs));
  if (!parameters.ok()) return {};
  query.parameters = *std::move(parameters);
  return query;
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
      if (const auto* const endpoint = code_of(*file); endpoint != nullptr && is_sql(*endpoint)) {
        endpoints.push_back(endpoint);
      }
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
    FileReport report;
    report.path = file.display_path;
    report.errors = file.errors;
    report.warnings = file.warnings;
    if (const auto* const endpoint = code_of(file)) check_code(*endpoint, !file.endpoint, report);
    sort_by_place(report.errors);
    sort_by_place(report.warnings);
    return report;
  }

 private:
  // Also of a file whose other parts are wrong, as far as it is known.
  static const project::Endpoint* code_of(const project::EndpointFile& file) {
    return file.endpoint ? file.endpoint.get() : file.draft.get();
  }

  void check_schema(const project::Endpoint& endpoint, std::string_view key,
                    const std::shared_ptr<const std::string>& schema, FileReport& report) {
    if (schema == nullptr || !environment_.check_schema) return;
    const std::string problem = environment_.check_schema(*schema);
    if (problem.empty()) return;
    report.errors.push_back(Error{
        Code::kConfig, "'" + std::string(key) + "' is no JSON Schema: " + problem, endpoint.place}
                                .as(rules::kType));
  }

  void check_completions(const project::Endpoint& endpoint, FileReport& report) {
    for (const auto& entry : endpoint.parameters.entries()) {
      const types::TypeSpec& spec = entry.type.spec();
      if (spec.completion.empty() || endpoint.kind == project::EndpointKind::kTool) continue;
      const auto query = completion_query(endpoint, spec);
      if (!query || !open_database()) return;
      SqlProblems problems = check_sql(*query, ***database_, project_.root());
      for (Error& error : problems.errors) {
        if (error.rule != rules::kSqlUnused) report.errors.push_back(std::move(error));
      }
      check_completion_reads(query->source, report);
    }
  }

  // It runs while somebody types.
  void check_completion_reads(const project::Source& source, FileReport& report) {
    auto lease = (**database_)->lease(Clock::system().now() + kLeaseWait);
    if (!lease.ok()) return;
    const auto statements = lease->prepare(source.text);
    if (!statements.ok()) return;  // told already
    for (const engine::StatementInfo& statement : *statements) {
      if (statement.read_only) continue;
      report.errors.push_back(
          Error{Code::kConfig, "the completion has a statement that is no query",
                source.at_offset(statement.offset), "write a SELECT: it runs while somebody types"}
              .as(rules::kCompletionWrites));
    }
  }

  void check_code(const project::Endpoint& endpoint, bool is_draft, FileReport& report) {
    check_completions(endpoint, report);
    check_schema(endpoint, "input_schema", endpoint.parameters.own_schema(), report);
    check_schema(endpoint, "output_schema", endpoint.output_schema, report);
    if (endpoint.language == project::Language::kPython) {
      if (!environment_.check_python) return;
      for (Error& error : environment_.check_python(endpoint)) {
        // An annotation changes nothing when the code runs.
        const bool harmless = error.rule == rules::kPythonAnnotation;
        // Nothing to compare with while the declarations are wrong.
        if (harmless && is_draft) continue;
        (harmless ? report.warnings : report.errors).push_back(std::move(error));
      }
      return;
    }
    if (endpoint.kind == project::EndpointKind::kPrompt) {
      return check_messages(endpoint, environment_, report.errors);
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

bool follows_from(const Error& error, const std::vector<Error>& plugin_problems) {
  if (error.rule != rules::kSqlInvalid) return false;
  constexpr std::string_view kFunction = "Function with name ", kPlugin = "plugin '";
  const auto at = error.message.find(kFunction);
  if (at == std::string::npos) return false;
  std::string_view name = std::string_view(error.message).substr(at + kFunction.size());
  name = name.substr(0, name.find(' '));
  return std::any_of(plugin_problems.begin(), plugin_problems.end(), [&](const Error& problem) {
    if (!problem.message.starts_with(kPlugin)) return false;
    std::string_view plugin = std::string_view(problem.message).substr(kPlugin.size());
    plugin = plugin.substr(0, plugin.find('\''));
    return to_lower(name).ends_with('_' + to_lower(plugin));
  });
}

std::vector<FileReport> validate(const project::Project& project,
                                 const ValidateEnvironment& environment, const fs::path& only) {
  std::vector<const project::EndpointFile*> chosen;
  for (const auto& file : project.files()) {
    if (only.empty() || is_same_file(file.path, only)) chosen.push_back(&file);
  }
  Validator validator(project, environment);
  validator.prepare(chosen);
  std::vector<FileReport> reports;
  for (const auto* file : chosen) {
    if (environment.progress) environment.progress(reports.size(), chosen.size());
    reports.push_back(validator.check(*file));
  }
  for (const auto& skipped : project.skipped()) {
    if (!only.empty() || !skipped.why) continue;
    FileReport report;
    report.path = skipped.display_path;
    report.warnings.push_back(*skipped.why);
    report.kind = FileReport::Kind::kSkipped;
    reports.push_back(std::move(report));
  }
  std::sort(reports.begin(), reports.end(),
            [](const FileReport& a, const FileReport& b) { return a.path < b.path; });
  return reports;
}

}  // namespace mxcp::quality
