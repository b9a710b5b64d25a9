// `mxcp test`: the tests written in the endpoint files, through the real pipeline.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "invoke/call.h"
#include "project/project.h"

namespace mxcp::quality {

enum class TestStatus { kPassed, kFailed, kError };
std::string_view name_of(TestStatus status);

struct TestReport {
  std::string name, description;
  TestStatus status = TestStatus::kPassed;
  std::string error;  // expected and actual, or the error of the call
  double seconds = 0;
};

struct EndpointReport {
  std::string endpoint;  // "tool/name"
  std::string path;
  std::vector<TestReport> tests;
  std::string error;  // the endpoint's file is broken
  TestStatus status() const;
};

struct TestOptions {
  std::optional<Object> user_context;  // overrides the tests' own
  std::vector<std::pair<std::string, std::string>> headers;
  std::function<void(const std::string& endpoint)> progress;
};

using CallAndWait = std::function<invoke::Outcome(invoke::Request)>;

// Every endpoint, or those of one id.
std::vector<EndpointReport> run_tests(const project::Project& project, const CallAndWait& call,
                                      const TestOptions& options,
                                      std::optional<project::EndpointKind> kind = {},
                                      const std::string& id = {});

// Empty when `actual` (parsed JSON) fulfils every assertion of the test; else what differs.
std::string check_assertions(const project::TestCase& test, const Value& actual);

// A user context map from a test or --user-context as the identity it stands for.
UserContext user_from(const Object& map, const std::string& provider);

}  // namespace mxcp::quality
