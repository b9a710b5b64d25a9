#include "runtime/runtime.h"

#include <doctest/doctest.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "engine/library.h"
#include "support/temp_project.h"

using namespace mxcp;
using runtime::LoadScope;
using runtime::MainLoop;
using runtime::Runtime;

namespace {

// User code without Python: records what is asked of it; a call runs what the test wants.
class FakeUserCode final : public runtime::UserCode, public invoke::Runner {
 public:
  std::vector<Error> load(std::shared_ptr<const project::Project>, LoadScope,
                          const std::vector<std::shared_ptr<const project::Endpoint>>&) override {
    record("load");
    return problems;
  }
  void run_init_hooks() override { record("init"); }
  void run_shutdown_hooks() override { record("shutdown"); }
  void unload() override { record("unload"); }
  std::vector<Error> stage(std::shared_ptr<const project::Project>) override {
    record("stage");
    return problems;
  }
  bool staged_has_hooks() const override { return hooks; }
  std::function<void()> commit() override {
    record("commit");
    return [this] { record("end"); };
  }
  void discard() override { record("discard"); }
  std::optional<Error> problem_of(const project::Endpoint&) const override { return {}; }
  void adopt(std::shared_ptr<const project::Project>) override { record("adopt"); }
  void finish() override {}
  invoke::Runner& runner() override { return *this; }
  invoke::Runner& prompt_runner() override { return *this; }
  void run(std::shared_ptr<const invoke::Call> call, invoke::RunnerDone done) override {
    body(*call, std::move(done));
  }

  void record(const std::string& event) {
    const std::lock_guard lock(mutex);
    events.push_back(event);
  }
  std::vector<std::string> taken() {
    const std::lock_guard lock(mutex);
    return std::exchange(events, {});
  }

  std::function<void(const invoke::Call&, invoke::RunnerDone)> body =
      [](const invoke::Call&, const invoke::RunnerDone& done) { done(invoke::RawResult{}); };
  std::vector<Error> problems;
  bool hooks = false;
  std::mutex mutex;
  std::vector<std::string> events;
};

constexpr const char* kPython = "mxcp: 1\ntool: {name: py, language: python, source: {code: x}}\n";
constexpr const char* kSql =
    "mxcp: 1\ntool: {name: generation, return: {type: integer}, source: {code: FROM g}}\n";

// A server whose main loop runs on a thread of the test's.
class Server {
 public:
  explicit Server(std::initializer_list<std::pair<std::string, std::string>> files)
      : files_(files), runtime_(options(), files_.load(), code, loop_) {
    // Where the wheel with DuckDB's library is; set by ctest.
    engine::set_library_search_path({environment("MXCP_TEST_SITE_PACKAGES")});
    runtime_.on_reload([this] {
      ++reloads_;
      reloads_.notify_all();
    });
  }
  ~Server() {
    loop_.stop();
    main_.join();
  }
  Server& start() {
    main_ = std::thread([this] {
      REQUIRE(runtime_.start(LoadScope::kAll, {}).ok());
      loop_.run();
      runtime_.stop(Clock::system().now() + std::chrono::seconds(10));
    });
    return *this;
  }

  invoke::Outcome call(const std::string& id) {
    std::atomic<bool> done{false};
    invoke::Outcome result;
    invoke::Request request;
    request.id = id;
    runtime_.call(std::move(request), [&](invoke::Outcome outcome) {
      result = std::move(outcome);
      done = true;
      done.notify_all();
    });
    done.wait(false);
    return result;
  }

  // Waits until `n` reloads are over.
  void wait_reloads(int n) {
    for (int seen = reloads_; seen < n; seen = reloads_) reloads_.wait(seen);
  }

  Runtime& runtime() { return runtime_; }
  const fs::path& root() const { return files_.root(); }
  const test::TempProject& files() const { return files_; }
  FakeUserCode code;
  std::vector<Error> start_problems;
  bool ignore_problems = false;

 private:
  runtime::RuntimeOptions options() {
    runtime::RuntimeOptions options;
    options.server = true;
    options.load = files_.options();
    options.on_start_problems = [this](const std::vector<Error>& problems) {
      start_problems = problems;
      if (!ignore_problems) loop_.stop();
      return ignore_problems;
    };
    return options;
  }

  test::TempProject files_;
  MainLoop loop_;
  Runtime runtime_;
  std::thread main_;
  std::atomic<int> reloads_{0};
};

std::string text(const invoke::Outcome& outcome) {
  return outcome.error ? "error: " + outcome.error->text() : outcome.json;
}

// Writes a database file with one table g of one row, by a second runtime.
void make_database(const fs::path& path, int generation) {
  engine::DatabaseOptions options;
  options.path = path;
  auto database = engine::Database::open(options);
  REQUIRE_MESSAGE(database.ok(), (database.ok() ? "" : database.error().text()));
  {
    auto lease = (*database)->lease(Clock::system().now() + std::chrono::seconds(10));
    REQUIRE(lease.ok());
    const std::string sql =
        "CREATE OR REPLACE TABLE g AS SELECT " + std::to_string(generation) + "::INTEGER AS n";
    REQUIRE(lease->execute(sql, {}).ok());
  }
  (*database)->close(Clock::system().now() + std::chrono::seconds(10));
}

fs::path database_of(const Server& server) {
  return server.root() / "data/db-default.duckdb";
}

}  // namespace

TEST_CASE("calls made before the start wait for the imports and hooks") {
  Server server{{"tools/py.yml", kPython}};
  std::atomic<bool> answered{false};
  invoke::Request request;
  request.id = "py";
  server.runtime().call(std::move(request), [&](invoke::Outcome outcome) {
    server.code.record(text(outcome));
    answered = true;
    answered.notify_all();
  });
  CHECK(!answered);
  server.start();
  answered.wait(false);
  CHECK(server.code.taken() == std::vector<std::string>{"load", "init", "null"});
}

TEST_CASE("a problem at the start keeps the gate closed") {
  Server server{{"tools/py.yml", kPython}};
  server.code.problems.push_back({Code::kPython, "boom"});
  server.start();
  CHECK(text(server.call("py")).find("shutting down") != std::string::npos);
  REQUIRE(server.start_problems.size() == 1);
  CHECK(server.start_problems[0].message == "boom");
}

TEST_CASE("reload: hooks, closed database, payload, fresh modules, hooks, new data") {
  Server server{{"tools/generation.yml", kSql}};
  make_database(database_of(server), 1);
  server.start();
  CHECK(text(server.call("generation")) == "1");
  server.code.taken();

  const auto status = server.runtime().request_reload(
      [&]() -> Status {
        server.code.record("payload");
        make_database(database_of(server), 2);  // possible only because nobody has it open
        // Files of the project are read again, too.
        server.files().write("tools/more.yml",
                             "mxcp: 1\ntool: {name: more, source: {code: SELECT 7}}\n");
        return {};
      },
      "swap");
  REQUIRE(status.ok());
  server.wait_reloads(1);
  CHECK(server.code.taken() ==
        std::vector<std::string>{"shutdown", "payload", "stage", "commit", "end", "init"});
  CHECK(text(server.call("generation")) == "2");
  CHECK(text(server.call("more")) == "[{\"7\":7}]");
  CHECK(server.runtime().reload_status().last_error.empty());
}

TEST_CASE("a reload keeps the old project while the new one is invalid, and says so") {
  Server server{{"tools/generation.yml", kSql}, {"tools/py.yml", kPython}};
  make_database(database_of(server), 1);
  server.start();
  CHECK(text(server.call("generation")) == "1");
  server.code.taken();
  const auto last_error = [&] { return server.runtime().reload_status().last_error; };

  server.files().write("tools/generation.yml", "mxcp: 1\ntool: {name: generation, sorce: 1}\n");
  REQUIRE(server.runtime().request_reload({}, "").ok());
  server.wait_reloads(1);
  CHECK(text(server.call("generation")) == "1");
  CHECK(last_error().find("tools/generation.yml:2") != std::string::npos);
  // The old code had been shut down: it begins again.
  CHECK(server.code.taken() == std::vector<std::string>{"shutdown", "discard", "init"});

  server.files().write("tools/generation.yml", kSql);
  server.code.problems.push_back({Code::kPython, "boom"});
  REQUIRE(server.runtime().request_reload({}, "").ok());
  server.wait_reloads(2);
  CHECK(text(server.call("generation")) == "1");
  CHECK(last_error().find("boom") != std::string::npos);
  CHECK(server.code.taken() == std::vector<std::string>{"shutdown", "stage", "discard", "init"});

  server.code.problems.clear();
  REQUIRE(server.runtime().request_reload({}, "").ok());
  server.wait_reloads(3);
  CHECK(last_error().empty());
  CHECK(text(server.call("py")) == "null");
}

TEST_CASE("a payload that fails is reported and survived") {
  Server server{{"tools/py.yml", kPython}};
  server.start();
  CHECK(text(server.call("py")) == "null");
  REQUIRE(server.runtime()
              .request_reload(
                  []() -> Status {
                    return Error{Code::kPython, "no such file"};
                  },
                  "")
              .ok());
  server.wait_reloads(1);
  CHECK(text(server.call("py")) == "null");
  CHECK(server.runtime().reload_status().last_error.find("no such file") != std::string::npos);
}

TEST_CASE("a database that cannot be reopened leaves a server that says so and can be reloaded") {
  Server server{{"tools/generation.yml", kSql}, {"tools/py.yml", kPython}};
  make_database(database_of(server), 1);
  server.start();
  CHECK(text(server.call("generation")) == "1");

  REQUIRE(server.runtime()
              .request_reload([&] { return write_file(database_of(server), "not a database"); }, "")
              .ok());
  server.wait_reloads(1);
  CHECK(text(server.call("py")) == "null");
  const auto broken = server.call("generation");
  REQUIRE(broken.error);
  CHECK(broken.error->code == Code::kDatabase);
  CHECK(broken.error->message.find("db-default.duckdb") != std::string::npos);
  CHECK(!server.runtime().reload_status().last_error.empty());

  REQUIRE(server.runtime()
              .request_reload(
                  [&]() -> Status {
                    fs::remove(database_of(server));
                    make_database(database_of(server), 3);
                    return {};
                  },
                  "")
              .ok());
  server.wait_reloads(2);
  CHECK(text(server.call("generation")) == "3");
  CHECK(server.runtime().reload_status().last_error.empty());
}

TEST_CASE("a reload waits for running calls, and later calls wait for the reload") {
  Server server{{"tools/py.yml", kPython}};
  std::mutex mutex;
  std::vector<invoke::RunnerDone> running;
  std::atomic<int> entered{0};
  server.code.body = [&](const invoke::Call&, invoke::RunnerDone done) {
    const std::lock_guard lock(mutex);
    running.push_back(std::move(done));
    ++entered;
    entered.notify_all();
  };
  server.start();
  std::atomic<int> answered{0};
  const auto call = [&](const char* name) {
    invoke::Request request;
    request.id = "py";
    server.runtime().call(std::move(request), [&, name](const invoke::Outcome& outcome) {
      server.code.record(std::string(name) + " " + text(outcome));
      ++answered;
      answered.notify_all();
    });
  };
  call("first");
  entered.wait(0);
  server.code.taken();
  REQUIRE(server.runtime()
              .request_reload(
                  [&]() -> Status {
                    server.code.record("payload");
                    call("second");
                    return {};
                  },
                  "")
              .ok());
  CHECK(answered == 0);
  {
    const std::lock_guard lock(mutex);
    running[0](invoke::RawResult{});
  }
  server.wait_reloads(1);
  entered.wait(1);
  {
    const std::lock_guard lock(mutex);
    running[1](invoke::RawResult{});
  }
  for (int n = answered; n < 2; n = answered) answered.wait(n);
  CHECK(server.code.taken() == std::vector<std::string>{"first null", "shutdown", "payload",
                                                        "stage", "commit", "end", "init",
                                                        "second null"});
}

TEST_CASE("outside a server there is nothing to reload") {
  const test::TempProject files{{"tools/py.yml", kPython}};
  FakeUserCode code;
  MainLoop loop;
  Runtime runtime({}, files.load(), code, loop);
  REQUIRE(runtime.start(LoadScope::kEndpoint, {}).ok());
  invoke::Request request;
  request.id = "py";
  CHECK(text(runtime.call_and_wait(std::move(request))) == "null");
  const auto status = runtime.request_reload({}, "");
  REQUIRE(!status.ok());
  CHECK(status.error().code == Code::kUnavailable);
  runtime.stop(Clock::system().now() + std::chrono::seconds(5));
  CHECK(code.taken() == std::vector<std::string>{"load", "init", "shutdown"});
}
