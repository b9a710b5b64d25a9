#include "harness.h"

#include <cstdlib>

#include "engine/library.h"
#include "python/runtime_api.h"

namespace mxcp::test {
namespace {

using python::GilAcquire;
using python::PyRef;

fs::path repository() {
  return fs::path(environment("MXCP_TEST_DATA")).parent_path();
}

// The interpreter of the virtual environment with the test's packages, if it is where it usually
// is.
std::string interpreter() {
  const std::string given = environment("MXCP_TEST_PYTHON");
  if (!given.empty()) return given;
  const fs::path usual = repository() / ".venv" / "bin" / "python";
  return fs::exists(usual) ? usual.string() : "python3";
}

}  // namespace

void start_interpreter() {
  static const bool started = [] {
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    config.install_signal_handlers = 0;
    PyConfig_SetBytesString(&config, &config.program_name, interpreter().c_str());
    const PyStatus status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    REQUIRE(PyStatus_Exception(status) == 0);
    // Whatever the environment says: cached bytecode is part of what is tested.
    REQUIRE(PySys_SetObject("dont_write_bytecode", Py_False) == 0);
    PyObject* path = PySys_GetObject("path");
    const PyRef ours = python::to_path((repository() / "python").string());
    REQUIRE(PyList_Insert(path, 0, ours.get()) == 0);
    std::vector<std::string> search;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(path); ++i) {
      search.push_back(python::text_of(PyList_GET_ITEM(path, i)));
    }
    engine::set_library_search_path(std::move(search));
    REQUIRE(python::add_runtime_functions(PyImport_AddModule("mxcp._core")));
    PyEval_SaveThread();
    return true;
  }();
  (void)started;
}

PyRef run_python(const std::string& code) {
  const PyRef scope = PyRef::steal(PyDict_New());
  PyDict_SetItemString(scope.get(), "__builtins__", PyEval_GetBuiltins());
  const PyRef ran =
      PyRef::steal(PyRun_String(code.c_str(), Py_file_input, scope.get(), scope.get()));
  if (!ran) PyErr_Print();
  REQUIRE(ran);
  return PyRef::borrow(PyDict_GetItemString(scope.get(), "result"));
}

// --- client and services
// --------------------------------------------------------------------------

void RecordingClient::log(const std::string& level, const std::string& logger, const Value& data) {
  const std::lock_guard lock(mutex_);
  lines_.push_back(level + " " + logger + " " + to_json(data));
}

void RecordingClient::progress(double progress, std::optional<double> total,
                               const std::string& message) {
  const std::lock_guard lock(mutex_);
  lines_.push_back("progress " + to_json(progress) + "/" + (total ? to_json(*total) : "") + " " +
                   message);
}

std::vector<std::string> RecordingClient::lines() const {
  const std::lock_guard lock(mutex_);
  return lines_;
}

TestServices::~TestServices() {
  close();
}

void TestServices::close() {
  if (database_) CHECK(database_->close(Clock::system().now() + std::chrono::seconds(5)));
  database_ = nullptr;
}

Result<std::shared_ptr<engine::Database>> TestServices::database() {
  const std::lock_guard lock(mutex_);
  if (database_) return database_;
  engine::DatabaseOptions options;
  options.path = project_->profile().database;
  options.threads = 1;
  MXCP_TRY(std::shared_ptr<engine::Database> opened, engine::Database::open(std::move(options)));
  MXCP_TRY(opened->add_functions(functions_));
  database_ = opened;
  return opened;
}

Status TestServices::set_functions(engine::ScalarFunctions functions) {
  const std::lock_guard lock(mutex_);
  if (database_) MXCP_TRY(database_->add_functions(functions));
  functions_ = std::move(functions);
  return {};
}

Status TestServices::request_reload(std::function<Status()> payload, std::string description) {
  if (!reloads_possible)
    return Error{Code::kUnavailable, "works only in a server", {}, "use serve"};
  const std::lock_guard lock(mutex_);
  reloads.emplace_back(std::move(payload), std::move(description));
  return {};
}

// --- projects
// -------------------------------------------------------------------------------------

PythonProject::PythonProject(std::initializer_list<std::pair<std::string, std::string>> given,
                             bool load_now, python::PythonOptions options)
    : files(given),
      project(files.load()),
      services(project),
      runtime((start_interpreter(), options)) {
  runtime.connect(services);
  if (!load_now) return;
  problems = load();
  for (const Error& problem : problems) FAIL_CHECK(problem.text());
}

PythonProject::~PythonProject() = default;

std::vector<Error> PythonProject::load(runtime::LoadScope scope, const std::string& name) {
  project = files.load();
  services.use(project);
  std::vector<std::shared_ptr<const project::Endpoint>> endpoints;
  if (!name.empty()) endpoints.push_back(tool(name));
  return runtime.load(project, scope, endpoints);
}

std::shared_ptr<const project::Endpoint> PythonProject::tool(const std::string& name) const {
  auto found = project->find(project::EndpointKind::kTool, name);
  REQUIRE_MESSAGE(found != nullptr, project->not_found(project::EndpointKind::kTool, name).text());
  return found;
}

std::shared_ptr<invoke::Call> PythonProject::make_call(
    const std::string& name, const std::string& arguments,
    std::shared_ptr<const project::Endpoint> endpoint) const {
  auto call = std::make_shared<invoke::Call>();
  call->project = project;
  call->endpoint = endpoint ? std::move(endpoint) : tool(name);
  call->cancel = std::make_shared<CancelToken>();
  call->client = client;
  call->caller.transport = "test";
  auto given = parse_json(arguments);
  REQUIRE(given.ok());
  auto bound = call->endpoint->parameters.bind(*given->as_object(), types::Source::kJson);
  REQUIRE_MESSAGE(bound.ok(), (bound.ok() ? "" : bound.error().text()));
  call->arguments = *std::move(bound);
  return call;
}

std::future<Result<Value>> PythonProject::start(std::shared_ptr<const invoke::Call> call) {
  auto promise = std::make_shared<std::promise<Result<Value>>>();
  auto future = promise->get_future();
  runtime.runner().run(std::move(call), [promise](Result<invoke::RawResult> raw) {
    promise->set_value(raw.ok() ? Result<Value>(std::move(raw->value))
                                : Result<Value>(std::move(raw).error()));
  });
  return future;
}

Result<Value> PythonProject::call(const std::string& name, const std::string& arguments) {
  return start(make_call(name, arguments)).get();
}

std::string PythonProject::json(const std::string& name, const std::string& arguments) {
  return text(call(name, arguments));
}

std::string PythonProject::text(const Result<Value>& result) {
  return result.ok() ? to_json(*result) : "error: " + result.error().message;
}

std::pair<std::string, std::string> tool_file(const std::string& name,
                                              const std::vector<std::string>& parameters,
                                              const std::string& file) {
  std::string text = "mxcp: 1\ntool:\n  name: " + name + "\n  description: a test\n" +
                     "  language: python\n  source:\n    file: " + file + "\n";
  if (!parameters.empty()) text += "  parameters:\n";
  for (const std::string& parameter : parameters) {
    const auto colon = parameter.find(": ");
    text += "    - name: " + parameter.substr(0, colon) +
            "\n      type: " + parameter.substr(colon + 2) + "\n      description: a parameter\n";
  }
  return {"tools/" + name + ".yml", text};
}

}  // namespace mxcp::test

TEST_CASE("Python: the interpreter of the tests runs, and has the package's own modules") {
  mxcp::test::start_interpreter();
  const mxcp::python::GilAcquire gil;
  const auto result = mxcp::test::run_python("import mxcp.runtime\nresult = 6 * 7");
  CHECK(PyLong_AsLong(result.get()) == 42);
}
