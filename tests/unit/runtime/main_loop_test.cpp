#include "runtime/main_loop.h"

#include <doctest/doctest.h>

#include <csignal>
#include <string>
#include <thread>

using mxcp::runtime::MainLoop;

TEST_CASE("tasks run in order, those posted before stop() included") {
  MainLoop loop;
  std::string order;
  loop.post([&] { order += 'a'; });
  std::thread other([&] {
    loop.post([&] { order += 'b'; });
    loop.stop();
  });
  loop.run();
  other.join();
  CHECK(order == "ab");
}

TEST_CASE("run_until returns when its condition holds") {
  MainLoop loop;
  bool done = false;
  std::thread other([&] { loop.post([&] { done = true; }); });
  loop.run_until([&] { return done; });
  other.join();
  CHECK(done);
  CHECK(!loop.stop_requested());
}

TEST_CASE("SIGHUP is reported, the first SIGTERM stops") {
  MainLoop loop;
  loop.install_signal_handlers();
  std::string seen;
  loop.on_hangup = [&] {
    seen += "hup ";
    std::raise(SIGTERM);
  };
  loop.on_stop_signal = [&](int signal) { seen += std::to_string(signal); };
  loop.post([] { std::raise(SIGHUP); });
  loop.run();
  CHECK(seen == "hup 15");
  CHECK(loop.signal() == SIGTERM);
}
