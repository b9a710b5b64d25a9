// An interpreter inside the test program, and a runtime with a project in it.
#pragma once

#include "python/py_ref.h"

#include <doctest/doctest.h>

#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "engine/database.h"
#include "python/python_runtime.h"
#include "support/temp_project.h"

namespace mxcp::test {

// Starts the interpreter once for the whole program; the GIL is free afterwards.
void start_interpreter();

// Runs statements in a fresh namespace and returns the value of `result` in it. With the GIL held.
python::PyRef run_python(const std::string& code);

// What a client was sent.
class RecordingClient final : public invoke::ClientChannel {
 public:
  void log(const std::string& level, const std::string& logger, const Value& data) override;
  void progress(double progress, std::optional<double> total, const std::string& message) override;
  bool wants_progress() const override { return true; }
  std::vector<std::string> lines() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

// Answers mxcp.runtime from a project and a database in its folder.
class TestServices final : public invoke::Services {
 public:
  explicit TestServices(std::shared_ptr<const project::Project> project)
      : project_(std::move(project)) {}
  ~TestServices() override;
  std::shared_ptr<const project::Project> project() const override { return project_; }
  Result<std::shared_ptr<engine::Database>> database() override;
  Status set_functions(engine::ScalarFunctions functions) override;
  Status request_reload(std::function<Status()> payload, std::string description) override;

  void close();
  void use(std::shared_ptr<const project::Project> project) { project_ = std::move(project); }
  bool reloads_possible = true;
  std::vector<std::pair<std::function<Status()>, std::string>> reloads;

 private:
  std::mutex mutex_;
  std::shared_ptr<const project::Project> project_;
  std::shared_ptr<engine::Database> database_;
  engine::ScalarFunctions functions_;
};

// A project whose Python code is loaded.
class PythonProject {
 public:
  PythonProject(std::initializer_list<std::pair<std::string, std::string>> files,
                bool load_now = true, python::PythonOptions options = {.threads = 4});
  ~PythonProject();

  std::vector<Error> load(runtime::LoadScope scope = runtime::LoadScope::kAll,
                          const std::string& tool = "");
  std::shared_ptr<const project::Endpoint> tool(const std::string& name) const;

  std::shared_ptr<invoke::Call> make_call(const std::string& tool, const std::string& arguments,
                                          std::shared_ptr<const project::Endpoint> = nullptr) const;
  // Starts it; the future holds what the runner gave.
  std::future<Result<Value>> start(std::shared_ptr<const invoke::Call> call);
  Result<Value> call(const std::string& tool, const std::string& arguments = "{}");
  // The result as JSON, or "error: <message>".
  static std::string text(const Result<Value>& result);
  std::string json(const std::string& tool, const std::string& arguments = "{}");

  TempProject files;
  std::shared_ptr<const project::Project> project;
  std::shared_ptr<RecordingClient> client = std::make_shared<RecordingClient>();
  TestServices services;
  python::PythonRuntime runtime;
  std::vector<Error> problems;  // of the last load
};

// tools/NAME.yml with the given parameters, each "name: type", over python/tool_code.py.
std::pair<std::string, std::string> tool_file(const std::string& name,
                                              const std::vector<std::string>& parameters = {},
                                              const std::string& file = "../python/tool_code.py");

}  // namespace mxcp::test
