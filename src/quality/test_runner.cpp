#include "quality/test_runner.h"

#include <algorithm>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"

namespace mxcp::quality {
namespace {

std::optional<std::string> text_of(const Object& map, std::string_view key) {
  const Value* value = map.find(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  return to_plain_text(*value);
}

// A prompt is judged by what its assistant says last, as data when that is JSON; without such a
// message by the list of messages.
Value prompt_answer(Value messages) {
  const Array* list = messages.as_array();
  if (list == nullptr) return messages;
  for (auto it = list->rbegin(); it != list->rend(); ++it) {
    const Value* role = it->find("role");
    const Value* prompt = it->find("prompt");
    if (role == nullptr || prompt == nullptr || !role->is_string() || !prompt->is_string())
      continue;
    if (*role->as_string() != "assistant") continue;
    const std::string& text = *prompt->as_string();
    const std::string_view trimmed = trim(text);
    if (!trimmed.empty() && (trimmed.front() == '{' || trimmed.front() == '[')) {
      if (auto parsed = parse_json(trimmed)) return *std::move(parsed);
    }
    return text;
  }
  return messages;
}

class TestRun {
 public:
  TestRun(const CallAndWait& call, const TestOptions& options) : call_(call), options_(options) {}

  TestReport run(const project::Endpoint& endpoint, const project::TestCase& test) const {
    TestReport report;
    report.name = test.name;
    report.description = test.description;
    const invoke::Outcome outcome = call_(request(endpoint, test));
    report.seconds = outcome.seconds;
    if (outcome.error) {
      judge_error(*outcome.error, test, report);
      // Where an error was expected nobody else has told how this one came about.
      if (test.error_contains && report.status != TestStatus::kPassed &&
          !outcome.error->detail.empty()) {
        log::error("test", "{}: {}\n{}", endpoint.id(), outcome.error->message,
                   outcome.error->detail);
      }
    } else if (test.error_contains) {
      report.status = TestStatus::kFailed;
      report.error = "error_contains: expected the call to fail with '" + *test.error_contains +
                     "', but it succeeded: " + shorten(outcome.json, 400);
    } else {
      judge_result(endpoint, outcome, test, report);
    }
    return report;
  }

 private:
  invoke::Request request(const project::Endpoint& endpoint, const project::TestCase& test) const {
    invoke::Request request;
    request.kind = endpoint.kind;
    request.id = endpoint.id();
    request.arguments = test.arguments;
    request.source = types::Source::kJson;
    request.caller.transport = "test";
    request.log_failure = !test.error_contains;
    request.caller.headers = options_.headers;
    const auto& user = options_.user_context ? options_.user_context : test.user_context;
    if (user) request.caller.user = user_from(*user, "test");
    return request;
  }

  static void judge_error(const Error& error, const project::TestCase& test, TestReport& report) {
    const std::string text = error.text();
    if (!test.error_contains) {
      report.status = TestStatus::kError;
      report.error = text;
    } else if (text.find(*test.error_contains) == std::string::npos) {
      report.status = TestStatus::kFailed;
      report.error =
          "error_contains: expected an error with '" + *test.error_contains + "', got: " + text;
    }
  }

  static void judge_result(const project::Endpoint& endpoint, const invoke::Outcome& outcome,
                           const project::TestCase& test, TestReport& report) {
    auto parsed = parse_json(outcome.json, {.max_depth = 1000});
    if (!parsed.ok()) {
      report.status = TestStatus::kError;
      report.error = parsed.error().text();
      return;
    }
    Value actual = *std::move(parsed);
    if (endpoint.kind == project::EndpointKind::kPrompt) actual = prompt_answer(std::move(actual));
    report.error = check_assertions(test, actual);
    if (report.error.empty()) return;
    report.status = TestStatus::kFailed;
    if (!outcome.notice.empty()) report.error += "\n" + outcome.notice;
  }

  const CallAndWait& call_;
  const TestOptions& options_;
};

std::string label(project::EndpointKind kind, const std::string& id) {
  return std::string(project::name_of(kind)) + "/" + id;
}

std::string all_texts(const std::vector<Error>& errors) {
  std::vector<std::string> lines;
  for (const Error& error : errors) lines.push_back(error.text());
  return join(lines, "\n");
}

}  // namespace

std::string_view name_of(TestStatus status) {
  switch (status) {
    case TestStatus::kPassed: return "passed";
    case TestStatus::kFailed: return "failed";
    case TestStatus::kError: break;
  }
  return "error";
}

TestStatus EndpointReport::status() const {
  if (!error.empty()) return TestStatus::kError;
  TestStatus worst = TestStatus::kPassed;
  for (const TestReport& test : tests) worst = std::max(worst, test.status);
  return worst;
}

std::vector<EndpointReport> run_tests(const project::Project& project, const CallAndWait& call,
                                      const TestOptions& options,
                                      std::optional<project::EndpointKind> kind,
                                      const std::string& id) {
  const TestRun run(call, options);
  std::vector<EndpointReport> reports;
  for (const auto& file : project.files()) {
    const auto file_kind = file.endpoint ? std::optional(file.endpoint->kind) : file.kind;
    const std::string name = file.endpoint ? file.endpoint->id() : file.name;
    if (kind && (file_kind != kind || name != id)) continue;
    EndpointReport report;
    report.endpoint =
        file_kind ? label(*file_kind, name.empty() ? file.display_path : name) : file.display_path;
    report.path = file.display_path;
    if (!file.endpoint) {
      report.error = all_texts(file.errors);
      if (report.error.empty()) report.error = "the file could not be loaded";
    } else {
      if (options.progress && !file.endpoint->tests.empty()) options.progress(report.endpoint);
      for (const auto& test : file.endpoint->tests) {
        report.tests.push_back(run.run(*file.endpoint, test));
      }
    }
    reports.push_back(std::move(report));
  }
  return reports;
}

UserContext user_from(const Object& map, const std::string& provider) {
  UserContext user;
  user.provider = provider;
  user.user_id = text_of(map, "user_id").value_or(provider + "_user");
  user.username = text_of(map, "username").value_or(provider + "_user");
  user.email = text_of(map, "email");
  user.name = text_of(map, "name");
  user.avatar_url = text_of(map, "avatar_url");
  user.external_token = text_of(map, "external_token");
  user.raw_profile = map;
  if (const Value* capabilities = map.find("capabilities")) {
    if (const Array* list = capabilities->as_array()) {
      for (const Value& item : *list) user.capabilities.push_back(to_plain_text(item));
    }
  }
  return user;
}

}  // namespace mxcp::quality
