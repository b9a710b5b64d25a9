#include "runtime/gate.h"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <vector>

using namespace mxcp;
using runtime::Gate;

namespace {

Instant soon() {
  return Clock::system().now() + std::chrono::seconds(20);
}
Instant now() {
  return Clock::system().now();
}

struct Probe {
  std::vector<std::string> events;
  std::vector<Gate::Pass> passes;

  void enter(Gate& gate, const std::string& name, std::shared_ptr<CancelToken> cancel = nullptr) {
    gate.enter(
        {std::move(cancel)},
        [this, name](Gate::Pass pass) {
          events.push_back("run " + name);
          passes.push_back(std::move(pass));
        },
        [this, name](Error error) {
          events.push_back("refuse " + name + " " + std::string(describe(error.code).name));
        });
  }
};

}  // namespace

TEST_CASE("calls wait while the gate is closed and run in their order when it opens") {
  Probe probe;  // outlives the gate, which refuses what still waits
  Gate gate({});
  probe.enter(gate, "a");
  probe.enter(gate, "b");
  CHECK(probe.events.empty());
  gate.open();
  CHECK(probe.events == std::vector<std::string>{"run a", "run b"});
  CHECK(gate.running() == 2);
  CHECK(!gate.wait_idle(now()));
  probe.passes.clear();
  CHECK(gate.wait_idle(soon()));
}

TEST_CASE("a closed gate lets running calls finish and keeps later ones waiting") {
  Probe probe;  // outlives the gate, which refuses what still waits
  Gate gate({});
  gate.open();
  probe.enter(gate, "a");
  gate.close();
  probe.enter(gate, "b");
  CHECK(probe.events == std::vector<std::string>{"run a"});
  auto drained = std::async(std::launch::async, [&] { return gate.wait_idle(soon()); });
  probe.passes.clear();
  CHECK(drained.get());
  gate.open();
  CHECK(probe.events.back() == "run b");
}

TEST_CASE("a full queue refuses") {
  Probe probe;  // outlives the gate, which refuses what still waits
  Gate gate({.max_waiting = 1});
  probe.enter(gate, "a");
  probe.enter(gate, "b");
  CHECK(probe.events == std::vector<std::string>{"refuse b overloaded"});
}

TEST_CASE("a call that waited too long is refused") {
  Gate gate({.max_wait = std::chrono::milliseconds(1)});
  std::promise<Code> refused;
  gate.enter(
      {}, [](Gate::Pass) { FAIL("ran"); }, [&](Error error) { refused.set_value(error.code); });
  CHECK(refused.get_future().get() == Code::kUnavailable);
}

TEST_CASE("shut refuses those that wait and all that come") {
  Probe probe;  // outlives the gate, which refuses what still waits
  Gate gate({});
  probe.enter(gate, "a");
  gate.shut();
  probe.enter(gate, "b");
  gate.open();
  CHECK(probe.events == std::vector<std::string>{"refuse a unavailable", "refuse b unavailable"});
}

TEST_CASE("what runs can be cancelled") {
  Probe probe;  // outlives the gate, which refuses what still waits
  Gate gate({});
  gate.open();
  const auto token = std::make_shared<CancelToken>();
  probe.enter(gate, "a", token);
  gate.cancel_running(Code::kUnavailable);
  CHECK(token->cancelled());
  CHECK(token->reason() == Code::kUnavailable);
}

TEST_CASE("what runs can be given up, once") {
  Probe probe;  // outlives the gate, which refuses what still waits
  Gate gate({});
  gate.open();
  probe.enter(gate, "a");
  probe.enter(gate, "b");
  probe.passes.pop_back();  // it has ended
  gate.refuse_running({Code::kUnavailable, ""});
  gate.refuse_running({Code::kUnavailable, ""});
  CHECK(probe.events == std::vector<std::string>{"run a", "run b", "refuse a unavailable"});
  // It still runs.
  CHECK(gate.running() == 1);
}

TEST_CASE("every call is run or refused exactly once, whatever the gate does") {
  std::atomic<int> answered{0};
  constexpr int kCalls = 4000;
  {
    Gate gate({});
    std::vector<std::thread> callers;
    for (int t = 0; t < 4; ++t) {
      callers.emplace_back([&] {
        for (int i = 0; i < kCalls / 4; ++i) {
          gate.enter(
              {}, [&](const Gate::Pass&) { ++answered; }, [&](const Error&) { ++answered; });
        }
      });
    }
    for (int i = 0; i < 200; ++i) {
      gate.open();
      gate.close();
      gate.wait_idle(soon());
    }
    for (auto& caller : callers) caller.join();
  }
  CHECK(answered == kCalls);
}
