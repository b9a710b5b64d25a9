#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <thread>

#include "base/cancel.h"
#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "base/value.h"
#include "base/worker_pool.h"

using namespace mxcp;

namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return Error{Code::kInvalidArgs, "odd"};
  return n / 2;
}
Result<int> quarter(int n) {
  MXCP_TRY(const int h, half(n));
  MXCP_TRY(const int q, half(h));
  return q;
}

}  // namespace

TEST_CASE("MXCP_TRY passes values on and returns errors") {
  CHECK(*quarter(8) == 2);
  CHECK(quarter(6).error().message == "odd");
}

TEST_CASE("an error's text: place, message, hint") {
  const Error error{Code::kConfig, "unknown key 'nmae'", {"a.yml", 3, 5}, "did you mean 'name'?"};
  CHECK(error.text() == "a.yml:3:5: unknown key 'nmae' (did you mean 'name'?)");
}

TEST_CASE("suggestions are near or absent") {
  const std::vector<std::string> names{"name", "description", "parameters"};
  CHECK(suggest("nmae", names) == "did you mean 'name'?");
  CHECK(suggest("parameter", names) == "did you mean 'parameters'?");
  CHECK(suggest("xyzzy", names).empty());
  CHECK(edit_distance("ab", "ba") == 1);
  CHECK(edit_distance("", "abc") == 3);
}

TEST_CASE("values compare by meaning") {
  CHECK(Value(1) == Value(1.0));
  CHECK(Value(ExactNumber{"2"}) == Value(2));
  CHECK(!(Value("1") == Value(1)));
  CHECK(Value(Object{{"a", 1}, {"b", 2}}) == Value(Object{{"b", 2}, {"a", 1}}));
  CHECK(Value(std::uint64_t{18446744073709551615U}).as_number()->text == "18446744073709551615");
}

TEST_CASE("UTF-8") {
  CHECK(is_valid_utf8("grüße 🦆"));
  CHECK(!is_valid_utf8("\xC0\x80"));
  CHECK(!is_valid_utf8("\xED\xA0\x80"));
  CHECK(!is_valid_utf8("\xF0\x9F\xA6"));
  CHECK(utf8_length("grüße 🦆") == 7);
  CHECK(shorten("grüße", 4) == "grü…");
  CHECK(shorten("grüße", 5) == "grüße");
}

TEST_CASE("files: the error names the path, writing replaces in one step") {
  const fs::path path =
      fs::temp_directory_path() / ("mxcp-base-test-" + std::to_string(::getpid()));
  REQUIRE(write_file(path, "one").ok());
  REQUIRE(write_file(path, "two").ok());
  CHECK(*read_file(path) == "two");
  fs::remove(path);
  const auto missing = read_file(path);
  REQUIRE(!missing.ok());
  CHECK(missing.error().code == Code::kNotFound);
  CHECK(missing.error().message.find(path.string()) != std::string::npos);
  CHECK(read_file(fs::temp_directory_path()).error().code == Code::kIo);
}

TEST_CASE("cancel: once, with its reason, and every piece of work hears it") {
  CancelToken token;
  int heard = 0;
  const CancelToken::Registration first(&token, [&] { ++heard; });
  {
    const CancelToken::Registration second(&token, [&] { heard += 10; });
  }
  CHECK(token.cancel(Code::kTimeout));
  CHECK(!token.cancel(Code::kCancelled));
  CHECK(heard == 1);
  CHECK(token.error().code == Code::kTimeout);
  const CancelToken::Registration late(&token, [&] { heard += 100; });
  CHECK(heard == 101);
}

TEST_CASE("cancel: no callback after its registration is gone") {
  for (int i = 0; i < 300; ++i) {
    CancelToken token;
    std::thread canceller([&] { token.cancel(); });
    std::atomic<bool> alive{true};
    bool late = false;
    {
      const CancelToken::Registration work(&token, [&] { late = !alive; });
    }
    alive = false;
    canceller.join();
    CHECK(!late);
  }
}

TEST_CASE("a worker pool runs what it took and refuses what it cannot hold") {
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  std::atomic<int> ran{0};
  WorkerPool pool({.threads = 1, .max_queued = 1});
  std::promise<void> running;
  REQUIRE(pool.submit([&, released] {
    running.set_value();
    released.wait();
    ++ran;
  }));
  running.get_future().wait();
  CHECK(pool.submit([&] { ++ran; }));
  CHECK(!pool.submit([&] { ran += 100; }));
  release.set_value();
  pool.stop();
  CHECK(ran == 2);
  CHECK(!pool.submit([&] { ++ran; }));
}
