// Tasks: the extension io.modelcontextprotocol/tasks of 2026-07-28.
#include <atomic>
#include <thread>

#include "mcp/core.h"
#include "mcp/harness.h"

using namespace mxcp;
using namespace mxcp::mcp;
using namespace mxcp::mcp::testing;

namespace {

const std::string kExtension = R"("extensions":{"io.modelcontextprotocol/tasks":{}})";

// {"a":1,"_meta":{...}} of a client that declares these capabilities.
std::string params(const std::string& members, const std::string& capabilities = kExtension) {
  return "{" + members + (members.empty() ? "" : ",") +
         R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
         R"("io.modelcontextprotocol/clientCapabilities":{)" +
         capabilities + "}}}";
}

// What the summary of the first task says while nothing happened.
std::string task_members(const std::string& status, const std::string& message = "",
                         const std::string& id = "task-1") {
  return R"("taskId":")" + id + R"(","status":")" + status + '"' +
         (message.empty() ? "" : R"(,"statusMessage":")" + message + '"') +
         R"(,"createdAt":"1970-01-01T00:00:00Z","lastUpdatedAt":"1970-01-01T00:00:00Z",)"
         R"("ttlMs":3600000,"pollIntervalMs":1000)";
}

std::string answer(const std::string& id, const std::string& type, const std::string& members) {
  return result(id, R"({"resultType":")" + type + "\"," + (members.empty() ? "" : members + ",") +
                        kServerMeta + "}");
}

struct TaskRig : Rig {
  explicit TaskRig(TaskLimits limits = {}) : TaskRig(std::make_unique<ManualClock>(), limits) {}

  std::string call(const std::string& id, const std::string& tool = "job",
                   const std::string& capabilities = kExtension) {
    const Lines lines =
        send(request(id, "tools/call", params(R"("name":")" + tool + '"', capabilities)));
    return lines.empty() ? "" : lines[0];
  }
  std::string get(const std::string& id, const std::string& task = "task-1") {
    return send(request(id, "tasks/get", params(R"("taskId":")" + task + '"')))[0];
  }
  std::string cancel(const std::string& id, const std::string& task = "task-1") {
    return send(request(id, "tasks/cancel", params(R"("taskId":")" + task + '"')))[0];
  }
  std::string update(const std::string& id, const std::string& responses) {
    return send(request(id, "tasks/update",
                        params(R"("taskId":"task-1","inputResponses":)" + responses)))[0];
  }
  // What call number `i` asks for, and what it gets.
  void ask(std::size_t i, std::vector<invoke::ClientChannel::Question> questions) {
    backend.request(i).client->ask(std::move(questions), [this](Result<Object> answers) {
      answered.push_back(answers.ok() ? to_json(*answers) : answers.error().message);
    });
  }
  TaskStore& store() { return server.core().tasks(); }

  std::unique_ptr<ManualClock> clock;
  Lines answered;

 private:
  TaskRig(std::unique_ptr<ManualClock> given, TaskLimits limits)
      : Rig(make_project(), options(*given, limits)), clock(std::move(given)) {}

  static std::unique_ptr<ProjectFolder> make_project() {
    auto folder = make_sample();
    folder->write("tools/job.yml", tool_yaml("job", "  task: optional\n"));
    folder->write("tools/must.yml", tool_yaml("must", "  task: required\n"));
    folder->write("tools/first.yml",
                  tool_yaml("first", "  task: {support: required, questions: before}\n"));
    folder->write(
        "tools/brief.yml",
        tool_yaml("brief", "  task: {support: optional, ttl: 2s, poll_interval: 250ms}\n"));
    return folder;
  }
  static ServerOptions options(const ManualClock& clock, TaskLimits limits) {
    ServerOptions options = test_options();
    options.clock = &clock;
    options.tasks = limits;
    options.new_task_id = [next = std::make_shared<int>(0)] {
      return "task-" + std::to_string(++*next);
    };
    return options;
  }
};

const invoke::ClientChannel::Question kName{"n", "elicitation/create", {{"message", "Name?"}}};
const invoke::ClientChannel::Question kAge{"a", "elicitation/create", {{"message", "Age?"}}};
const std::string kAsking = R"("elicitation":{},)" + kExtension;

}  // namespace

TEST_CASE("a tool runs on as a task and the client comes back for the result") {
  TaskRig rig;
  CHECK(rig.call("1") == answer("1", "task", task_members("working")));
  CHECK(rig.get("2") == answer("2", "complete", task_members("working")));
  rig.backend.finish(0, "ready");
  CHECK(
      rig.get("3") ==
      answer("3", "complete",
             task_members("completed") +
                 R"(,"result":{"resultType":"complete","content":[{"type":"text","text":"ready"}],)"
                 R"("isError":false})"));
  // Also a second time, and what others have is not there for this one.
  CHECK(rig.get("4").find("\"ready\"") != std::string::npos);
  CHECK(rig.get("5", "task-2").find("-32602") != std::string::npos);
}

TEST_CASE("what the extension needs of a client") {
  TaskRig rig;
  SUBCASE("an optional task is an ordinary call for those who do not declare it") {
    CHECK(rig.call("1", "job", "").empty());
    rig.backend.finish(0, "ready");
    CHECK(rig.peer->take()[0].find("\"resultType\":\"complete\"") != std::string::npos);
    CHECK(rig.store().size() == 0);
  }
  SUBCASE("a required one is refused") {
    CHECK(rig.call("1", "must", "") ==
          error("1", -32021,
                "the client does not declare the extension io.modelcontextprotocol/tasks",
                R"({"requiredCapabilities":{"extensions":{"io.modelcontextprotocol/tasks":{}}}})"));
    CHECK(rig.backend.count() == 0);
  }
  SUBCASE("and so are the methods, whatever they name") {
    for (const std::string method : {"tasks/get", "tasks/update", "tasks/cancel"}) {
      CHECK(rig.send(request("1", method, params(R"("taskId":"x")", "")))[0].find("-32021") !=
            std::string::npos);
    }
    CHECK(rig.send(request("1", "subscriptions/listen",
                           params(R"("notifications":{"taskIds":["x"]})", "")))[0]
              .find("-32021") != std::string::npos);
  }
  SUBCASE("handshake revisions know no tasks") {
    rig.handshake("2025-11-25");
    CHECK(rig.send(request("1", "tasks/get", R"({"taskId":"x"})"))[0].find("-32601") !=
          std::string::npos);
    CHECK(rig.send(request("2", "tools/call", R"({"name":"must"})"))[0].find("2026-07-28 on") !=
          std::string::npos);
    rig.send(request("3", "tools/call", R"({"name":"job"})"));
    rig.backend.finish(0, "ready");
    CHECK(rig.peer->take()[0].find("taskId") == std::string::npos);
  }
  SUBCASE("methods of the earlier design do not exist") {
    CHECK(rig.send(request("1", "tasks/result", params(R"("taskId":"x")")))[0].find("-32601") !=
          std::string::npos);
    CHECK(rig.send(request("2", "tasks/list", params("")))[0].find("-32601") != std::string::npos);
  }
}

TEST_CASE("it is declared where a tool may run as a task") {
  TaskRig rig;
  const std::string wanted = R"("extensions":{"io.modelcontextprotocol/tasks":{}})";
  CHECK(rig.send(request("1", "server/discover", params("")))[0].find(wanted) != std::string::npos);
  Rig without;
  CHECK(without.send(request("1", "server/discover", params("")))[0].find("extensions") ==
        std::string::npos);
}

TEST_CASE("an error of the tool completes the task, an error of the protocol fails it") {
  TaskRig rig;
  rig.call("1");
  rig.backend.fail(0, {Code::kPython, "it broke"});
  CHECK(rig.get("2").find(R"("status":"completed")") != std::string::npos);
  CHECK(rig.get("2").find(R"(it broke"}],"isError":true)") != std::string::npos);

  rig.call("3");
  rig.ask(1, {kName});  // of a client that cannot be asked
  CHECK(rig.backend.request(1).cancel->cancelled());
  rig.backend.fail(1, {Code::kCancelled, "cancelled"});
  const std::string failed = rig.get("4", "task-2");
  CHECK(failed.find(R"("status":"failed","statusMessage":)") != std::string::npos);
  CHECK(failed.find(R"("error":{"code":-32021,)") != std::string::npos);
  CHECK(failed.find(R"("result")") ==
        failed.rfind(R"("result":{"resultType":"complete","taskId")"));
}

TEST_CASE("cancelling stops the work, whatever it does afterwards") {
  TaskRig rig;
  rig.call("1");
  CHECK(rig.cancel("2") == result("2", R"({"resultType":"complete",)" + kServerMeta + "}"));
  CHECK(rig.backend.request(0).cancel->cancelled());
  CHECK(rig.get("3") ==
        answer("3", "complete", task_members("cancelled", "cancelled by the client")));
  rig.backend.finish(0, "too late");
  CHECK(rig.get("4").find("too late") == std::string::npos);
  // Once more, and of one that is completed: the same acknowledgement.
  CHECK(rig.cancel("5") == result("5", R"({"resultType":"complete",)" + kServerMeta + "}"));
  rig.call("6");
  rig.backend.finish(1, "ready");
  CHECK(rig.cancel("7", "task-2").find("complete") != std::string::npos);
  CHECK(rig.get("8", "task-2").find("ready") != std::string::npos);
  CHECK(rig.cancel("9", "nope").find("-32602") != std::string::npos);
}

TEST_CASE("questions wait for tasks/update, and go on where they stopped") {
  TaskRig rig;
  rig.call("1", "job", kAsking);
  rig.ask(0, {kName, kAge});
  const std::string question = [](const std::string& text) {
    return R"({"method":"elicitation/create","params":{"message":")" + text + "\"}}";
  }("Name?");
  CHECK(rig.get("2") ==
        answer("2", "complete",
               task_members("input_required") + R"(,"inputRequests":{"n":)" + question +
                   R"(,"a":{"method":"elicitation/create","params":{"message":"Age?"}}})"));
  // What answers nothing changes nothing; what is no answer is refused.
  CHECK(rig.update("3", R"({"zzz":{"action":"accept"}})") ==
        result("3", R"({"resultType":"complete",)" + kServerMeta + "}"));
  CHECK(rig.update("3", R"({"n":{"bad":1}})") ==
        error("3", -32602, "'inputResponses.n' cannot be used: 'action' is missing"));
  CHECK(rig.get("4").find(R"("n":)") != std::string::npos);
  rig.update("5", R"({"n":{"action":"accept","content":{"n":"Ada"}}})");
  CHECK(rig.answered.empty());
  CHECK(rig.get("6").find(R"("inputRequests":{"a":)") != std::string::npos);
  rig.update("7", R"({"a":{"action":"decline"},"n":{"action":"cancel"}})");
  CHECK(rig.answered ==
        Lines{R"({"n":{"action":"accept","content":{"n":"Ada"}},"a":{"action":"decline"}})"});
  CHECK(rig.get("8") == answer("8", "complete", task_members("working")));

  SUBCASE("a key is never used again") {
    rig.ask(0, {kName});
    CHECK(rig.get("9").find(R"("inputRequests":{"n-2":)") != std::string::npos);
    rig.update("10", R"({"n":{"action":"decline"}})");
    CHECK(rig.answered.size() == 1);
    rig.update("11", R"({"n-2":{"action":"decline"}})");
    CHECK(rig.answered.back() == R"({"n":{"action":"decline"}})");
  }
  SUBCASE("cancelled while it waits") {
    rig.ask(0, {kAge});
    rig.cancel("9");
    CHECK(rig.answered.back() == "the task is over");
    rig.ask(0, {kAge});
    CHECK(rig.answered.back() == "the task is over");
  }
  SUBCASE("nobody is left to answer") {
    rig.ask(0, {kAge});
    rig.server.end_questions();
    CHECK(rig.answered.back().find("shutting down") != std::string::npos);
    rig.ask(0, {kName});
    CHECK(rig.answered.size() == 3);
    CHECK(rig.get("9").find(R"("status":"working")") != std::string::npos);
  }
}

TEST_CASE("questions before the task begins are asked in the answer") {
  TaskRig rig;
  CHECK(rig.call("1", "first", kAsking).empty());
  rig.ask(0, {kName});
  const Lines asked = rig.peer->take();
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].find(R"("resultType":"input_required","inputRequests":{"n":)") !=
        std::string::npos);
  CHECK(asked[0].find("taskId") == std::string::npos);
  CHECK(rig.store().size() == 0);
  rig.backend.fail(0, {Code::kCancelled, "cancelled"});

  const Lines begun = rig.send(request(
      "2", "tools/call",
      params(R"("name":"first","inputResponses":{"n":{"action":"accept","content":{"n":"Ada"}}})",
             kAsking)));
  CHECK(begun == Lines{answer("2", "task", task_members("working"))});
  rig.ask(1, {kName});
  CHECK(rig.answered.back() == R"({"n":{"action":"accept","content":{"n":"Ada"}}})");
  // The same question once more is a new one.
  rig.ask(1, {kName});
  CHECK(rig.get("3").find("input_required") != std::string::npos);
}

TEST_CASE("progress is the status message") {
  TaskRig rig;
  rig.call("1");
  auto& client = *rig.backend.request(0).client;
  CHECK(client.wants_progress());
  client.progress(3, 12, "");
  CHECK(rig.get("2") == answer("2", "complete", task_members("working", "3 of 12")));
  client.progress(42.123, {}, "");
  CHECK(rig.get("3").find(R"("statusMessage":"42.12")") != std::string::npos);
  client.progress(50, 100, "half of it");
  CHECK(rig.get("4").find(R"("statusMessage":"half of it")") != std::string::npos);
  rig.backend.finish(0, "ready");
  client.progress(60, 100, "late");
  CHECK(rig.get("5").find("statusMessage") == std::string::npos);
}

TEST_CASE("subscribers hear how a task stands, from the beginning to its end") {
  TaskRig rig;
  rig.call("1", "job", kAsking);
  const auto note = [](const std::string& members) {
    return notification(
        "notifications/tasks",
        R"({"_meta":{"io.modelcontextprotocol/subscriptionId":"s"},)" + members + "}");
  };
  CHECK(rig.send(request("\"s\"", "subscriptions/listen",
                         params(R"("notifications":{"taskIds":["task-1","other","task-1"]})"))) ==
        Lines{notification("notifications/subscriptions/acknowledged",
                           R"({"_meta":{"io.modelcontextprotocol/subscriptionId":"s"},)"
                           R"("notifications":{"taskIds":["task-1"]}})"),
              note(task_members("working"))});
  auto& client = *rig.backend.request(0).client;
  client.progress(1, 3, "");
  client.progress(2, 3, "");  // within the same second
  CHECK(rig.peer->take() == Lines{note(task_members("working", "1 of 3"))});
  rig.clock->advance(std::chrono::seconds(1));
  client.progress(3, 3, "");
  CHECK(rig.peer->take() == Lines{note(task_members("working", "3 of 3"))});
  rig.ask(0, {kName});
  CHECK(rig.peer->take()[0].find(R"("inputRequests":{"n":)") != std::string::npos);
  rig.call("2");  // another task is none of theirs
  rig.cancel("3");
  const Lines last = rig.peer->take();
  CHECK(last.empty());  // cancel() above took what was sent; ask again
  CHECK(rig.get("4").find("cancelled") != std::string::npos);
  rig.backend.finish(1, "ready");
  CHECK(rig.peer->take().empty());
}

TEST_CASE("a task belongs to who began it") {
  TaskRig rig;
  rig.call("1");
  UserContext ada;
  ada.provider = "p";
  ada.user_id = "ada";
  const Caller other{.transport = "http", .user = ada, .headers = {}};
  CHECK(rig.store().find("task-1", other) == nullptr);
  CHECK(rig.store().find("task-1", Caller{}) != nullptr);
}

TEST_CASE("tasks are kept for their time and no longer") {
  TaskRig rig;
  const std::string begun = rig.call("1", "brief");
  CHECK(begun.find(R"("ttlMs":2000,"pollIntervalMs":250)") != std::string::npos);
  rig.call("2", "brief");
  rig.backend.finish(0, "ready");
  rig.clock->advance(std::chrono::milliseconds(1999));
  rig.store().sweep();
  CHECK(rig.get("3").find("ready") != std::string::npos);
  rig.clock->advance(std::chrono::milliseconds(1));
  CHECK(rig.get("4") ==
        error("4", -32602, "there is no task 'task-1' (any more); a task is kept for its ttlMs"));
  rig.store().sweep();
  CHECK(rig.store().size() == 0);
  // What still ran is told to stop.
  CHECK(rig.backend.request(1).cancel->cancelled());
  CHECK(rig.backend.request(1).cancel->reason() == Code::kTimeout);
}

TEST_CASE("there is a limit to everything, and an answer past it") {
  SUBCASE("running") {
    TaskRig rig({.max_running = 1});
    rig.call("1", "must");
    CHECK(rig.call("2", "must") ==
          error("2", -32603, "too many tasks are running (the limit is 1); try again later"));
    // Without a place an optional task is an ordinary call.
    CHECK(rig.call("3", "job").empty());
    rig.backend.finish(1, "now");
    CHECK(rig.peer->take()[0].find("\"now\"") != std::string::npos);
    rig.backend.finish(0, "ready");
    CHECK(rig.call("4", "must").find("task-") != std::string::npos);
  }
  SUBCASE("kept") {
    TaskRig rig({.max_kept = 1});
    rig.call("1", "must");
    rig.backend.finish(0, "ready");
    CHECK(rig.call("2", "must").find("too many tasks are kept (the limit is 1)") !=
          std::string::npos);
    rig.clock->advance(std::chrono::hours(1));
    CHECK(rig.call("3", "must").find("working") != std::string::npos);
  }
  SUBCASE("of one user") {
    ServerOptions options = test_options();
    options.tasks.max_per_user = 1;
    ManualClock clock;
    options.clock = &clock;
    TaskStore store(options, [](const Task&) {});
    const auto has_place = [&](const std::string& user) {
      Caller caller;
      caller.user = UserContext{};
      caller.user->user_id = user;
      return store.create({}, caller, nullptr, {}).index() == 0;
    };
    CHECK(has_place("ada"));
    CHECK_FALSE(has_place("ada"));
    CHECK(has_place("eva"));
    clock.advance(std::chrono::hours(1));
    CHECK(has_place("ada"));
  }
  SUBCASE("bytes") {
    TaskRig rig({.max_bytes = 300});
    rig.call("1");
    rig.backend.finish(0, std::string(200, 'x'));
    CHECK(rig.store().bytes() > 200);
    rig.call("2");
    rig.backend.finish(1, std::string(200, 'y'));
    const std::string failed = rig.get("3", "task-2");
    CHECK(failed.find(R"("status":"failed")") != std::string::npos);
    CHECK(failed.find("finds no place") != std::string::npos);
    CHECK(rig.get("4").find("xxx") != std::string::npos);
  }
  SUBCASE("bytes of questions") {
    TaskRig rig({.max_bytes = 100});
    rig.call("1", "job", kAsking);
    rig.ask(0, {{"n", "elicitation/create", {{"message", std::string(200, '?')}}}});
    CHECK(rig.answered.back().find("no place") != std::string::npos);
  }
}

TEST_CASE("a client that left before it knew of the task has none") {
  TaskRig rig;
  // The answer to the withdrawn request is not sent, so nobody knows the task.
  rig.server.close(rig.session);
  rig.call("1");
  CHECK(rig.store().size() == 0);
}

TEST_CASE("many threads, and every task ends once") {
  ServerOptions options = test_options();
  options.tasks.max_running = 100'000;
  options.tasks.max_kept = 100'000;
  std::atomic<int> ended{0};
  TaskStore store(options, [&](const Task& task) {
    // Whoever is told may look.
    if (task.details().find("\"working\"") == std::string::npos && task.is_over()) ++ended;
  });
  constexpr int kThreads = 4, kEach = 200;
  std::atomic<int> answered{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&] {
        const auto capabilities = std::make_shared<const Object>(Object{{"elicitation", Object()}});
        for (int i = 0; i < kEach; ++i) {
          auto created = store.create({}, {}, capabilities, {});
          const auto task = *std::get_if<std::shared_ptr<Task>>(&created);
          task->ask({kName}, [&](const Result<Object>&) { ++answered; });
          std::jthread other([&] {
            if (i % 2 == 0) {
              task->update({{"n", Object{{"action", "decline"}}}});
            } else {
              task->cancel("no longer wanted");
            }
            store.find(task->id(), {})->progress(1, 2, "");
          });
          task->progress(0, 2, "");
          task->complete("{}");
        }
      });
    }
  }
  CHECK(answered == kThreads * kEach);
  CHECK(ended >= kThreads * kEach);
  CHECK(store.size() == kThreads * kEach);
  CHECK(store.wait_idle(Clock::system().now()));
}

TEST_CASE("every id is another one") {
  CHECK(random_id().size() == 32);
  CHECK(random_id() != random_id());
}
