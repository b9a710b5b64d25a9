// Running requests: order, progress, cancelling, limits, the end.
#include "mcp/session.h"

#include <thread>

#include "mcp/harness.h"

using namespace mxcp;
using namespace mxcp::mcp;
using namespace mxcp::mcp::testing;

namespace {

std::string call(const std::string& id, const std::string& meta = "") {
  return request(id, "tools/call",
                 R"({"name":"free")" + (meta.empty() ? "" : R"(,"_meta":)" + meta) + "}");
}
std::string cancelled(const std::string& id) {
  return notification("notifications/cancelled", R"({"requestId":)" + id + "}");
}
std::string answer(const std::string& id, const std::string& text) {
  return call_result(id, text, "");
}
std::string progress(const std::string& params) {
  return notification("notifications/progress", params);
}

}  // namespace

TEST_CASE("calls are answered as they finish") {
  Rig rig;
  rig.handshake("2025-11-25");
  CHECK(rig.send(call("1")).empty());
  CHECK(rig.send(call("\"1\"")).empty());
  CHECK(rig.send(call("123456789012345678901")).empty());
  CHECK(rig.send(request("2", "ping")) == Lines{result("2", "{}")});
  rig.backend.finish(2, "c");
  rig.backend.finish(0, "a");
  rig.backend.finish(1, "b");
  CHECK(rig.peer->take() == Lines{answer("123456789012345678901", "\"c\""), answer("1", "\"a\""),
                                  answer("\"1\"", "\"b\"")});
}

TEST_CASE("an id in use is refused, and free again once answered") {
  Rig rig;
  rig.handshake("2025-11-25");
  rig.send(call("1"));
  const Lines refused{error("1", -32600, "id 1 belongs to a request that still runs")};
  CHECK(rig.send(call("1")) == refused);
  CHECK(rig.send(request("1", "ping")) == refused);
  CHECK(rig.backend.count() == 1);
  rig.backend.finish(0, "a");
  CHECK(rig.peer->take() == Lines{answer("1", "\"a\"")});
  rig.send(call("1"));
  rig.backend.finish(1, "b");
  CHECK(rig.peer->take() == Lines{answer("1", "\"b\"")});
}

TEST_CASE("a cancelled call is stopped and never answered") {
  Rig rig;
  rig.handshake("2025-11-25");
  rig.send(call("1", R"({"progressToken":"t"})"));
  const auto client = rig.backend.request(0).client;
  int stopped = 0;
  {
    const CancelToken::Registration watch(rig.backend.request(0).cancel.get(), [&] { ++stopped; });
    CHECK(rig.send(cancelled("1")).empty());
    CHECK(rig.send(cancelled("1")).empty());
  }
  CHECK(stopped == 1);
  CHECK(rig.backend.request(0).cancel->cancelled());
  CHECK(rig.backend.request(0).cancel->reason() == Code::kCancelled);
  client->log("error", "", "late");
  client->progress(1, {}, "");
  rig.backend.finish(0, "late");
  CHECK(rig.peer->take().empty());
  CHECK(rig.peer->withdrawn_count() == 1);
}

TEST_CASE("cancelling what does not run is ignored") {
  Rig rig;
  rig.handshake("2025-11-25");
  CHECK(rig.send(cancelled("9")).empty());
  CHECK(rig.send(cancelled("null")).empty());
  CHECK(rig.send(notification("notifications/cancelled")).empty());
  CHECK(rig.send(notification("notifications/cancelled", R"({"requestId":{"a":1}})")).empty());
  rig.send(call("1"));
  CHECK(rig.send(cancelled("\"1\"")).empty());
  CHECK(!rig.backend.request(0).cancel->cancelled());
  rig.backend.finish(0, "a");
  CHECK(rig.send(cancelled("1")) == Lines{answer("1", "\"a\"")});
}

TEST_CASE("the number of running calls is bounded") {
  ServerOptions options = test_options();
  options.max_running = 2;
  Rig rig(options);
  rig.handshake("2025-11-25");
  rig.send(call("1"));
  rig.send(call("2"));
  const auto overloaded = [](const char* id) {
    return Lines{error(id, -32603,
                       "too many requests are running (the limit is 2); wait for an answer and try "
                       "again")};
  };
  CHECK(rig.send(call("3")) == overloaded("3"));
  // What does not run is answered all the same.
  CHECK(rig.send(request("4", "ping")) == Lines{result("4", "{}")});
  CHECK(rig.send(request("5", "tools/list")).size() == 1);
  // A cancelled call keeps its place until its work has stopped.
  rig.send(cancelled("1"));
  CHECK(rig.send(call("6")) == overloaded("6"));
  rig.backend.finish(0, 1);
  CHECK(rig.send(call("7")).empty());
  CHECK(rig.backend.count() == 3);
  rig.backend.finish(1, 1);
  rig.backend.finish(2, 1);
  CHECK(rig.peer->take() == Lines{answer("2", "\"1\""), answer("7", "\"1\"")});
}

TEST_CASE("progress: only with a token, strictly increasing, before the answer") {
  Rig rig;
  rig.handshake("2025-11-25");
  rig.send(call("1", R"({"progressToken":"t"})"));
  rig.send(call("2", R"({"progressToken":12345678901234567890})"));
  rig.send(call("3"));
  const auto one = rig.backend.request(0).client;
  CHECK(one->wants_progress());
  one->progress(0, 100, "");
  one->progress(0, 100, "again");
  one->progress(12.5, 100, "half \"way\"");
  one->progress(3, 100, "back");
  one->progress(std::numeric_limits<double>::quiet_NaN(), 100, "");
  one->progress(std::numeric_limits<double>::infinity(), 100, "");
  one->progress(100, std::numeric_limits<double>::infinity(), "");
  CHECK(rig.peer->take() ==
        Lines{progress(R"({"progressToken":"t","progress":0,"total":100})"),
              progress(
                  R"({"progressToken":"t","progress":12.5,"total":100,"message":"half \"way\""})"),
              progress(R"({"progressToken":"t","progress":100})")});
  rig.backend.request(1).client->progress(-1, {}, "");
  CHECK(rig.peer->take() ==
        Lines{progress(R"({"progressToken":12345678901234567890,"progress":-1})")});
  CHECK(!rig.backend.request(2).client->wants_progress());
  rig.backend.request(2).client->progress(1, {}, "");
  rig.backend.finish(0, "done");
  one->progress(200, {}, "");
  one->log("error", "", "after");
  CHECK(rig.peer->take() == Lines{answer("1", "\"done\"")});
}

TEST_CASE("progress messages came with 2025-03-26") {
  Rig rig;
  rig.handshake("2024-11-05");
  rig.send(call("1", R"({"progressToken":1})"));
  rig.backend.request(0).client->progress(1, 2, "text");
  CHECK(rig.peer->take() == Lines{progress(R"({"progressToken":1,"progress":1,"total":2})")});
}

TEST_CASE("a flood of progress is thinned out, and its last is never lost") {
  ManualClock clock;
  ServerOptions options = test_options();
  options.clock = &clock;
  Rig rig(options);
  rig.handshake("2025-11-25");
  rig.send(call("1", R"({"progressToken":1})"));
  const auto client = rig.backend.request(0).client;
  for (int i = 1; i <= 1000; ++i) client->progress(i, 1000, "");
  Lines lines = rig.peer->take();
  CHECK(lines.size() == 20);
  CHECK(lines.back() == progress(R"({"progressToken":1,"progress":20,"total":1000})"));
  clock.advance(std::chrono::milliseconds(100));
  for (int i = 1001; i <= 1010; ++i) client->progress(i, {}, "");
  CHECK(rig.peer->take() == Lines{progress(R"({"progressToken":1,"progress":1001})"),
                                  progress(R"({"progressToken":1,"progress":1002})")});
  rig.backend.finish(0, "x");
  CHECK(rig.peer->take() ==
        Lines{progress(R"({"progressToken":1,"progress":1010})"), answer("1", "\"x\"")});
}

TEST_CASE("log messages honour the session's level, also of calls that already run") {
  Rig rig;
  rig.handshake("2025-11-25");
  rig.send(call("1"));
  const auto client = rig.backend.request(0).client;
  const auto message = [](const char* level, const char* rest) {
    return notification("notifications/message",
                        R"({"level":")" + std::string(level) + "\"," + rest + "}");
  };
  client->log("debug", "app", 1);
  client->log("info", "app", Array{1, "a"});
  client->log("strange", "", nullptr);
  CHECK(rig.peer->take() == Lines{message("info", R"("logger":"app","data":[1,"a"])"),
                                  message("info", R"("data":null)")});
  rig.send(request("2", "logging/setLevel", R"({"level":"error"})"));
  client->log("warning", "", 1);
  client->log("critical", "", 2);
  CHECK(rig.peer->take() == Lines{message("critical", R"("data":2)")});
  rig.send(request("3", "logging/setLevel", R"({"level":"debug"})"));
  client->log("debug", "", 3);
  CHECK(rig.peer->take() == Lines{message("debug", R"("data":3)")});
}

TEST_CASE("list changes reach a session once it is ready, for the lists it was told of") {
  auto folder = std::make_unique<ProjectFolder>();
  folder->write("tools/free.yml", tool_yaml("free"));
  Rig rig(std::move(folder), test_options());
  int n = 0;
  const auto change = [&] {
    const std::string name = "t" + std::to_string(++n);
    rig.folder->write("tools/" + name + ".yml", tool_yaml(name));
    rig.reload();
    rig.server.notify_list_changed();
    return rig.peer->take();
  };
  const Lines changed{notification("notifications/tools/list_changed")};
  CHECK(change().empty());
  rig.send(request("1", "initialize", R"({"protocolVersion":"2025-06-18"})"));
  CHECK(change().empty());
  rig.send(request("2", "ping"));
  CHECK(change().empty());
  rig.send(notification("notifications/initialized"));
  CHECK(change() == changed);
  // No prompts were declared: nothing about the first one.
  rig.folder->write("prompts/p.yml",
                    "mxcp: 1\nprompt:\n  name: p\n  messages:\n    - prompt: hi\n");
  rig.reload();
  rig.server.notify_list_changed();
  CHECK(rig.peer->take().empty());
  // A client that skips 'initialized' is ready with its first request.
  rig.send(request("3", "initialize", R"({"protocolVersion":"2025-06-18"})"));
  CHECK(change().empty());
  rig.send(request("4", "tools/list"));
  CHECK(change() == changed);
  rig.folder->remove("prompts/p.yml");
  rig.reload();
  rig.server.notify_list_changed();
  CHECK(rig.peer->take() == Lines{notification("notifications/prompts/list_changed")});
  rig.server.close(rig.session);
  CHECK(change().empty());
}

TEST_CASE("close cancels what runs and silences the session") {
  Rig rig;
  rig.handshake("2025-11-25");
  rig.send(call("1", R"({"progressToken":1})"));
  rig.send(call("2"));
  const auto client = rig.backend.request(0).client;
  rig.server.close(rig.session);
  CHECK(rig.backend.request(0).cancel->cancelled());
  CHECK(rig.backend.request(1).cancel->cancelled());
  client->progress(1, {}, "");
  client->log("error", "", "x");
  rig.backend.finish(0, 1);
  rig.backend.finish(1, 1);
  CHECK(rig.send(request("3", "ping")).empty());
  CHECK(rig.send(call("4")).empty());
  CHECK(rig.send("garbage").empty());
  CHECK(rig.backend.count() == 2);
  CHECK(rig.peer->withdrawn_count() == 0);
  rig.server.close(rig.session);
}

TEST_CASE("calls may finish after the session and the client are forgotten") {
  auto rig = std::make_unique<Rig>();
  rig->handshake("2025-11-25");
  rig->send(call("1"));
  rig->server.close(rig->session);
  std::weak_ptr<Session> gone = rig->session;
  rig->session = rig->server.open_session(rig->peer, {});
  CHECK(gone.expired());
  rig->backend.finish(0, "late");
  CHECK(rig->peer->take().empty());
}

TEST_CASE("drain waits for the answers that are due") {
  Rig rig;
  rig.handshake("2025-11-25");
  rig.send(call("1"));
  rig.send(call("2"));
  rig.send(cancelled("2"));
  std::thread worker([&] { rig.backend.finish(0, "a"); });
  CHECK(rig.session->drain(Clock::system().now() + std::chrono::seconds(60)));
  worker.join();
  CHECK(rig.peer->take() == Lines{answer("1", "\"a\"")});

  rig.send(call("3"));
  CHECK(!rig.session->drain(Clock::system().now()));
}

TEST_CASE("many threads finish, report, cancel and send at once") {
  ServerOptions options = test_options();
  options.max_running = 100'000;
  Rig rig(options);
  rig.handshake("2025-11-25");
  constexpr int kCalls = 400;
  constexpr int kWorkers = 3;

  // Each worker finishes every third call, reporting while the client may cancel it.
  std::vector<std::thread> workers;
  for (int w = 0; w < kWorkers; ++w) {
    workers.emplace_back([&, w] {
      for (std::size_t i = static_cast<std::size_t>(w); i < kCalls; i += kWorkers) {
        const auto client = rig.backend.request(i).client;
        client->progress(1, {}, "one");
        client->log("info", "", "working");
        client->progress(2, {}, "two");
        rig.backend.finish(i, static_cast<std::int64_t>(i));
        client->log("error", "", "never");
      }
    });
  }
  std::thread canceller([&] {
    for (int i = 0; i < kCalls; i += 5) {
      rig.backend.request(static_cast<std::size_t>(i));
      rig.server.receive(rig.session, cancelled(std::to_string(i)));
    }
  });
  std::thread notifier([&] {
    for (int i = 0; i < 50; ++i) rig.server.notify_list_changed();
  });
  for (int i = 0; i < kCalls; ++i) {
    rig.server.receive(rig.session,
                       call(std::to_string(i), R"({"progressToken":)" + std::to_string(i) + "}"));
    if (i % 7 == 0) {
      rig.server.receive(rig.session, request("\"p" + std::to_string(i) + "\"", "tools/list"));
    }
  }
  for (auto& worker : workers) worker.join();
  canceller.join();
  notifier.join();
  CHECK(rig.session->drain(Clock::system().now() + std::chrono::seconds(60)));

  // Every call that was not cancelled has one answer, and nothing comes after it.
  std::vector<int> answers(kCalls, 0);
  for (const std::string& line : rig.peer->take()) {
    const auto message = parse_json(line);
    REQUIRE(message.ok());
    CHECK(line.find("never") == std::string::npos);
    if (const Value* const id = message->find("id"); id != nullptr && id->as_int()) {
      ++answers[static_cast<std::size_t>(*id->as_int())];
    }
    if (const Value* const params = message->find("params")) {
      if (const Value* const token = params->find("progressToken")) {
        CHECK(answers[static_cast<std::size_t>(*token->as_int())] == 0);
      }
    }
  }
  for (int i = 0; i < kCalls; ++i) {
    CAPTURE(i);
    CHECK(answers[static_cast<std::size_t>(i)] <= 1);
    if (i % 5 != 0) CHECK(answers[static_cast<std::size_t>(i)] == 1);
  }
}
