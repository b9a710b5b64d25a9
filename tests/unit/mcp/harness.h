// A server over a real project in a temporary folder, with calls that finish when the test says so.
#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "mcp/server.h"
#include "project/project.h"

namespace mxcp::mcp::testing {

using Lines = std::vector<std::string>;

// {"tools/a.yml": "mxcp: 1\n..."} in a folder of its own, gone with the object.
class ProjectFolder {
 public:
  ProjectFolder() {
    std::string name = (fs::temp_directory_path() / "mxcp-mcp-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    root_ = name;
    write("mxcp-site.yml", "mxcp: 1\nproject: demo\nprofile: default\n");
  }
  ~ProjectFolder() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }
  ProjectFolder(const ProjectFolder&) = delete;
  ProjectFolder& operator=(const ProjectFolder&) = delete;

  void write(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    REQUIRE(write_file(root_ / path, text).ok());
  }
  void remove(const std::string& path) { fs::remove(root_ / path); }

  std::shared_ptr<const project::Project> load() const {
    project::LoadOptions options;
    options.start = root_;
    auto loaded = project::Project::load(options);
    REQUIRE_MESSAGE(loaded.ok(), (loaded.ok() ? "" : loaded.error().text()));
    for (const auto& file : (*loaded)->files()) {
      for (const auto& error : file.errors) FAIL_CHECK(error.text());
    }
    return *loaded;
  }

 private:
  fs::path root_;
};

inline std::string tool_yaml(const std::string& name, const std::string& more = "") {
  return "mxcp: 1\ntool:\n  name: " + name + "\n" + more + "  source:\n    code: SELECT 1\n";
}

// A project that has one of everything.
inline void write_sample(ProjectFolder& folder) {
  folder.write("tools/add.yml", R"(mxcp: 1
tool:
  name: add
  description: Adds two numbers
  annotations:
    title: Adder
    readOnlyHint: true
    idempotentHint: true
  parameters:
    - name: a
      type: integer
      description: The first
    - name: b
      type: integer
      default: 1
  return:
    type: integer
  source:
    code: SELECT $a + $b
)");
  folder.write("tools/get_user.yml", R"(mxcp: 1
tool:
  name: get_user
  description: One user
  parameters:
    - name: id
      type: integer
  return:
    type: object
    properties:
      id:
        type: integer
      name:
        type: string
    required: [id, name]
  source:
    code: SELECT $id AS id, 'x' AS name
)");
  folder.write("tools/free.yml", tool_yaml("free"));
  folder.write("resources/motto.yml", R"(mxcp: 1
resource:
  uri: config://motto
  name: Motto
  description: What we live by
  source:
    code: SELECT 'x'
)");
  folder.write("resources/user.yml", R"(mxcp: 1
resource:
  uri: users://{id}/profile
  name: Profile
  mime_type: application/vnd.demo+json
  parameters:
    - name: id
      type: integer
      examples: [1, 12, 21]
  source:
    code: SELECT $id AS id
)");
  folder.write("prompts/greet.yml", R"(mxcp: 1
prompt:
  name: greet
  description: Says hello
  parameters:
    - name: who
      type: string
      description: Whom to greet
    - name: tone
      type: string
      enum: [friendly, formal, FRANK]
      default: friendly
  messages:
    - role: system
      prompt: Be kind
    - role: user
      prompt: "Hello {{ who }}"
)");
}

class RecordingPeer final : public Peer {
 public:
  void send(std::string message) override {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(message));
  }
  void answer(std::string message, int error_code) override {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(message));
    error_codes_.push_back(error_code);
  }
  void withdrawn() override {
    const std::lock_guard lock(mutex_);
    ++withdrawn_;
  }
  bool can_send() const override { return can_send_; }
  void take_answers_only() { can_send_ = false; }
  // What came since the last time.
  Lines take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(lines_, {});
  }
  std::vector<int> error_codes() {
    const std::lock_guard lock(mutex_);
    return error_codes_;
  }
  int withdrawn_count() {
    const std::lock_guard lock(mutex_);
    return withdrawn_;
  }

 private:
  std::mutex mutex_;
  Lines lines_;
  std::vector<int> error_codes_;
  int withdrawn_ = 0;
  std::atomic<bool> can_send_ = true;
};

// Keeps each call until the test finishes it.
class FakeBackend final : public Backend {
 public:
  explicit FakeBackend(std::shared_ptr<const project::Project> project)
      : project_(std::move(project)) {}

  std::shared_ptr<const project::Project> project() const override {
    const std::lock_guard lock(mutex_);
    return project_;
  }
  void call(invoke::Request request, invoke::Done done) override {
    const std::lock_guard lock(mutex_);
    calls_.push_back({std::move(request), std::move(done)});
    arrived_.notify_all();
  }

  void replace(std::shared_ptr<const project::Project> project) {
    const std::lock_guard lock(mutex_);
    project_ = std::move(project);
  }
  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return calls_.size();
  }
  // Waits for call number `i`, from 0, to arrive.
  invoke::Request& request(std::size_t i) {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [&] { return calls_.size() > i; });
    return calls_[i].request;
  }
  void finish(std::size_t i, invoke::Outcome outcome) {
    const invoke::Request& asked = request(i);
    if (!outcome.endpoint && !(outcome.error && outcome.error->code == Code::kNotFound)) {
      outcome.endpoint = project()->find(asked.kind, asked.id);
    }
    invoke::Done done;
    std::shared_ptr<void> work;
    {
      const std::lock_guard lock(mutex_);
      done = std::move(calls_[i].done);
      work = std::move(calls_[i].request.work);
    }
    REQUIRE(done);
    done(std::move(outcome));
  }
  void finish(std::size_t i, const Value& result) {
    invoke::Outcome outcome;
    outcome.json = to_json(result);
    if (result.is_string()) outcome.text = *result.as_string();
    finish(i, std::move(outcome));
  }
  void fail(std::size_t i, Error error) {
    invoke::Outcome outcome;
    outcome.error = std::move(error);
    finish(i, std::move(outcome));
  }

 private:
  struct Pending {
    invoke::Request request;
    invoke::Done done;
  };
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::shared_ptr<const project::Project> project_;
  std::deque<Pending> calls_;
};

class ManualClock final : public Clock {
 public:
  Instant now() const override { return now_; }
  std::int64_t unix_micros() const override { return 0; }
  void advance(std::chrono::milliseconds by) { now_ += by; }

 private:
  Instant now_{};
};

inline ServerOptions test_options() {
  ServerOptions options;
  options.info = {.name = "demo", .title = "Demo", .version = "1.2.3", .instructions = "Be nice"};
  return options;
}

// The sample project, a server, one client.
struct Rig {
  explicit Rig(ServerOptions options = test_options()) : Rig(make_sample(), std::move(options)) {}
  Rig(std::unique_ptr<ProjectFolder> files, ServerOptions options)
      : folder(std::move(files)),
        backend(folder->load()),
        server(std::move(options), backend),
        peer(std::make_shared<RecordingPeer>()),
        session(
            server.open_session(peer, Caller{.transport = "stdio", .user = {}, .headers = {}})) {}
  ~Rig() { server.close(session); }

  static std::unique_ptr<ProjectFolder> make_sample() {
    auto folder = std::make_unique<ProjectFolder>();
    write_sample(*folder);
    return folder;
  }

  // Feeds a line and returns what was sent meanwhile.
  Lines send(std::string_view line) {
    server.receive(session, line);
    return peer->take();
  }
  // The handshake, answers thrown away.
  void handshake(const std::string& revision) {
    send(R"({"jsonrpc":"2.0","id":"init","method":"initialize","params":{"protocolVersion":")" +
         revision + R"(","capabilities":{},"clientInfo":{"name":"t","version":"0"}}})");
    send(R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
  }
  void reload() { backend.replace(folder->load()); }

  std::unique_ptr<ProjectFolder> folder;
  FakeBackend backend;
  Server server;
  std::shared_ptr<RecordingPeer> peer;
  std::shared_ptr<Session> session;
};

// Members that go into `_meta` of a stateless request.
inline const std::string kMeta =
    R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
    R"("io.modelcontextprotocol/clientCapabilities":{}})";
// What every stateless result ends with.
inline const std::string kServerMeta = R"("_meta":{"io.modelcontextprotocol/serverInfo":)"
                                       R"({"name":"demo","title":"Demo","version":"1.2.3"}})";

inline std::string request(const std::string& id, const std::string& method,
                           const std::string& params = "") {
  return R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":")" + method + '"' +
         (params.empty() ? "" : R"(,"params":)" + params) + "}";
}
inline std::string result(const std::string& id, const std::string& body) {
  return R"({"jsonrpc":"2.0","id":)" + id + R"(,"result":)" + body + "}";
}
inline std::string error(const std::string& id, int code, const std::string& message,
                         const std::string& data = "") {
  std::string out = R"({"jsonrpc":"2.0",)";
  if (!id.empty()) out += R"("id":)" + id + ",";
  out += R"("error":{"code":)" + std::to_string(code) + R"(,"message":)";
  append_json_string(out, message);
  if (!data.empty()) out += R"(,"data":)" + data;
  return out + "}}";
}
inline std::string notification(const std::string& method, const std::string& params = "") {
  return R"({"jsonrpc":"2.0","method":")" + method + '"' +
         (params.empty() ? "" : R"(,"params":)" + params) + "}";
}
inline std::string call_result(const std::string& id, const std::string& content,
                               const std::string& structured, bool is_error = false) {
  return result(id, R"({"content":[{"type":"text","text":)" + content + "}]" +
                        (structured.empty() ? "" : R"(,"structuredContent":)" + structured) +
                        R"(,"isError":)" + (is_error ? "true}" : "false}"));
}

}  // namespace mxcp::mcp::testing
