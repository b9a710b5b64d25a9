#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "net/line_reader.h"
#include "net/line_writer.h"

using namespace mxcp;
using namespace mxcp::net;

namespace {

struct Collected {
  std::vector<std::string> lines;
  std::string skipped;
  int oversized = 0;

  LineReader::Sink sink() {
    return {[this](std::string_view line) { lines.emplace_back(line); },
            [this](std::string_view piece) { skipped += piece; }, [this] { ++oversized; }};
  }
};

Instant soon() {
  return Clock::system().now() + std::chrono::seconds(60);
}

struct Pipe {
  Pipe() { REQUIRE(::pipe(fds) == 0); }
  ~Pipe() {
    if (fds[0] >= 0) ::close(fds[0]);
  }
  // Everything until the writers have closed.
  std::string read_all() {
    std::string out;
    char buffer[65536];
    for (ssize_t n = 0; (n = ::read(fds[0], buffer, sizeof buffer)) > 0;) {
      out.append(buffer, static_cast<std::size_t>(n));
    }
    return out;
  }
  int fds[2];
};

}  // namespace

TEST_CASE("lines out of pieces") {
  Collected got;
  LineReader reader(100, got.sink());
  reader.feed("one\ntwo\r\n\n  \t \r\nthr");
  reader.feed("e");
  reader.feed("e");
  CHECK(got.lines == std::vector<std::string>{"one", "two"});
  reader.feed("\nlast");
  CHECK(got.lines.size() == 3);
  reader.finish();
  CHECK(got.lines == std::vector<std::string>{"one", "two", "three", "last"});
  reader.finish();
  CHECK(got.lines.size() == 4);
  CHECK(got.oversized == 0);
}

TEST_CASE("every way to cut a stream gives the same lines") {
  const std::string stream = "{\"a\":1}\r\n\n\xC3\xA4\nx\n";
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    Collected got;
    LineReader reader(100, got.sink());
    reader.feed(stream.substr(0, cut));
    reader.feed(stream.substr(cut));
    CHECK(got.lines == std::vector<std::string>{"{\"a\":1}", "\xC3\xA4", "x"});
  }
}

TEST_CASE("a line that is too long is reported once and skipped") {
  Collected got;
  LineReader reader(10, got.sink());
  reader.feed("0123456789\n");
  reader.feed("0123456789a\nnext\n");
  CHECK(got.oversized == 1);
  reader.feed("01234567");
  reader.feed("89abc");
  CHECK(got.oversized == 1);
  reader.feed(std::string(1000, 'x'));
  reader.feed("y\nafter\n");
  CHECK(got.oversized == 2);
  CHECK(got.lines == std::vector<std::string>{"0123456789", "next", "after"});
  reader.feed(std::string(11, 'z'));
  reader.finish();
  CHECK(got.oversized == 3);
  CHECK(got.lines.size() == 3);
  CHECK(got.skipped ==
        "0123456789a0123456789abc" + std::string(1000, 'x') + "y" + std::string(11, 'z'));
}

TEST_CASE("messages that the reader does not take are kept in order") {
  Pipe pipe;
  int woken = 0;
  LineWriter writer(pipe.fds[1], 1000, [&] { ++woken; });
  const std::string big(300'000, 'b');
  writer.answer("first", 0);
  CHECK(woken == 0);
  CHECK(!writer.has_backlog());
  writer.answer(big, 0);
  CHECK(woken == 1);
  CHECK(writer.has_backlog());
  CHECK(writer.is_full());
  // Above the limit: notifications are dropped, answers are kept.
  writer.send("dropped");
  writer.answer("kept", 0);

  std::string got;
  std::thread reader([&] { got = pipe.read_all(); });
  while (writer.has_backlog()) writer.write_more();
  CHECK(writer.flush(soon()));
  CHECK(!writer.is_full());
  writer.send("again");
  writer.close();
  reader.join();
  CHECK(got.size() == 6 + big.size() + 1 + 5 + 6);
  CHECK(got.starts_with("first\nbbb"));
  CHECK(got.ends_with("bbb\nkept\nagain\n"));
  writer.send("closed");
  CHECK(writer.is_broken());
}

TEST_CASE("a reader that is gone breaks the writer, not the process") {
  for (const bool socket : {false, true}) {
    int fds[2];
    REQUIRE((socket ? ::socketpair(AF_UNIX, SOCK_STREAM, 0, fds) : ::pipe(fds)) == 0);
    ::close(fds[0]);
    LineWriter writer(fds[1], 1000, [] {});
    writer.send("x");
    CHECK(writer.is_broken());
    writer.answer("y", 0);
    CHECK(!writer.has_backlog());
    CHECK(!writer.flush(soon()));
  }
}

TEST_CASE("a socket is written without waiting, too") {
  int fds[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
  LineWriter writer(fds[1], 10'000'000, [] {});
  const std::string big(3'000'000, 's');
  writer.answer(big, 0);
  CHECK(writer.has_backlog());
  std::size_t got = 0;
  std::thread reader([&] {
    char buffer[65536];
    for (ssize_t n = 0; (n = ::read(fds[0], buffer, sizeof buffer)) > 0;) {
      got += static_cast<std::size_t>(n);
    }
  });
  while (writer.has_backlog()) writer.write_more();
  writer.close();
  reader.join();
  CHECK(got == big.size() + 1);
  ::close(fds[0]);
}

TEST_CASE("a terminal that shows nothing more is not waited for either") {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
  if (master < 0 || ::grantpt(master) != 0 || ::unlockpt(master) != 0) {
    MESSAGE("no pseudo terminals here");
    return;
  }
  const int slave = ::open(::ptsname(master), O_RDWR | O_NOCTTY);
  REQUIRE(slave >= 0);
  LineWriter writer(slave, 10'000'000, [] {});
  writer.answer("hello", 0);
  char buffer[64];
  const ssize_t n = ::read(master, buffer, sizeof buffer);
  REQUIRE(n > 0);
  CHECK(std::string(buffer, static_cast<std::size_t>(n)) == "hello\r\n");
  writer.answer(std::string(1'000'000, 't'), 0);
  CHECK(writer.has_backlog());
  writer.close();
  ::close(master);
}

TEST_CASE("a pipe that cannot be opened a second time is written in small pieces") {
  std::string folder = (std::filesystem::temp_directory_path() / "mxcp-net-XXXXXX").string();
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  const std::string path = folder + "/fifo";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  // Without a reader a pipe cannot be opened for writing; with one again, this end still works.
  const int first_reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK);
  const int out = ::open(path.c_str(), O_WRONLY);
  REQUIRE(out >= 0);
  ::close(first_reader);
  LineWriter writer(out, 10'000'000, [] {});
  Pipe pipe;
  ::close(pipe.fds[0]);
  ::close(pipe.fds[1]);
  pipe.fds[0] = ::open(path.c_str(), O_RDONLY);
  std::filesystem::remove_all(folder);

  const std::string big(300'000, 'p');
  writer.answer(big, 0);
  CHECK(writer.has_backlog());
  std::string got;
  std::thread reader([&] { got = pipe.read_all(); });
  while (writer.has_backlog()) writer.write_more();
  writer.close();
  reader.join();
  CHECK(got == big + "\n");
}

TEST_CASE("a file takes everything at once") {
  std::FILE* const file = std::tmpfile();
  REQUIRE(file != nullptr);
  LineWriter writer(::dup(::fileno(file)), 1000, [] {});
  const std::string big(300'000, 'f');
  writer.answer(big, 0);
  CHECK(!writer.has_backlog());
  writer.close();
  std::fseek(file, 0, SEEK_END);
  CHECK(std::ftell(file) == static_cast<long>(big.size()) + 1);
  std::fclose(file);
}

TEST_CASE("no descriptor at all") {
  LineWriter writer(-1, 1000, [] {});
  CHECK(writer.is_broken());
  writer.answer("x", 0);
  CHECK(!writer.has_backlog());
}
