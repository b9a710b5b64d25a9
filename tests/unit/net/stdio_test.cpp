#include "net/stdio.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <future>
#include <iostream>

#include "mcp/harness.h"

using namespace mxcp;
using namespace mxcp::mcp::testing;
using namespace mxcp::net;

namespace {

Instant soon() {
  return Clock::system().now() + std::chrono::seconds(60);
}

// A server on one end of a channel, the test on the other.
class Channel {
 public:
  explicit Channel(bool sockets = false, std::size_t max_message = 16 << 20)
      : rig_(options(max_message)) {
    int to[2], from[2];
    if (sockets) {
      REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, to) == 0);
      REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, from) == 0);
    } else {
      REQUIRE(::pipe(to) == 0);
      REQUIRE(::pipe(from) == 0);
    }
    out_ = to[1];
    in_ = from[0];
    transport_ =
        std::make_unique<StdioTransport>(rig_.server, StdioStreams{to[0], from[1]}, max_message);
    transport_->start([this] { ended_.set_value(); });
  }
  ~Channel() {
    close_input();
    close_output();
    transport_.reset();
  }

  void write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t n = ::write(out_, text.data(), text.size());
      REQUIRE(n > 0);
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  void write_line(const std::string& line) { write(line + "\n"); }
  // The next line, or "<end>".
  std::string read_line() {
    while (true) {
      if (const auto end = buffer_.find('\n'); end != std::string::npos) {
        std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        return line;
      }
      char piece[65536];
      const ssize_t n = ::read(in_, piece, sizeof piece);
      if (n <= 0) return "<end>";
      buffer_.append(piece, static_cast<std::size_t>(n));
    }
  }
  std::string ask(const std::string& line) {
    write_line(line);
    return read_line();
  }
  void close_input() {
    if (out_ >= 0) ::close(std::exchange(out_, -1));
  }
  void close_output() {
    if (in_ >= 0) ::close(std::exchange(in_, -1));
  }
  void wait_for_end() { ended_.get_future().wait(); }
  void stop() { transport_->stop(soon()); }
  StdioTransport& transport() { return *transport_; }
  FakeBackend& backend() { return rig_.backend; }

 private:
  static mcp::ServerOptions options(std::size_t max_message) {
    mcp::ServerOptions options = test_options();
    options.max_message = max_message;
    return options;
  }

  Rig rig_;
  int out_ = -1, in_ = -1;
  std::string buffer_;
  std::promise<void> ended_;
  std::unique_ptr<StdioTransport> transport_;
};

std::string ping(const std::string& id) {
  return request(id, "ping");
}
std::string call(const std::string& id) {
  return request(id, "tools/call", R"({"name":"free"})");
}

}  // namespace

TEST_CASE("requests and answers over pipes and sockets") {
  for (const bool sockets : {false, true}) {
    Channel channel(sockets);
    CHECK(channel.ask(ping("1")) == result("1", "{}"));
    channel.write("\r\n   \n" + ping("2") + "\r\n" + ping("3"));
    CHECK(channel.read_line() == result("2", "{}"));
    channel.write("\n");
    CHECK(channel.read_line() == result("3", "{}"));
    channel.write_line(call("4"));
    channel.backend().finish(0, "done");
    CHECK(channel.read_line() == call_result("4", "\"done\"", ""));
    CHECK(channel.ask("{\xFF}").find("-32700") != std::string::npos);
  }
}

TEST_CASE("large messages in both directions") {
  Channel channel;
  const std::string text(5'000'000, 'x');
  std::thread writer([&] {
    channel.write_line(
        request("1", "tools/call", R"({"name":"free","arguments":{"t":")" + text + "\"}}"));
  });
  CHECK(channel.backend().request(0).arguments.find("t")->as_string()->size() == text.size());
  writer.join();
  channel.backend().finish(0, text);
  CHECK(channel.read_line() == call_result("1", "\"" + text + "\"", ""));
}

TEST_CASE("a line above the limit is refused, the next one served") {
  Channel channel(false, 1000);
  std::thread writer([&] { channel.write(std::string(300'000, 'x') + "\n" + ping("1") + "\n"); });
  CHECK(channel.read_line() == error("", -32600, "the message is larger than 1000 bytes"));
  CHECK(channel.read_line() == result("1", "{}"));
  writer.join();
  // A request has its answer, wherever its id stands.
  for (const bool first : {true, false}) {
    const std::string id = R"("id":"a-7")";
    const std::string params = R"("method":"ping","params":{"id":3,"x":[{"id":4}],"y":")" +
                               std::string(300'000, 'x') + "\"}";
    std::thread sender([&] {
      channel.write(R"({"jsonrpc":"2.0",)" + (first ? id + "," + params : params + "," + id) +
                    "}\n");
    });
    CHECK(channel.read_line() == error("\"a-7\"", -32600, "the message is larger than 1000 bytes"));
    sender.join();
  }
}

TEST_CASE("end of input: what is due is still answered") {
  Channel channel;
  channel.write_line(call("1"));
  channel.write(call("2"));  // without its line end
  channel.close_input();
  channel.wait_for_end();
  channel.backend().request(1);
  std::thread worker([&] {
    channel.backend().finish(1, "b");
    channel.backend().finish(0, "a");
  });
  channel.stop();
  worker.join();
  CHECK(channel.read_line() == call_result("2", "\"b\"", ""));
  CHECK(channel.read_line() == call_result("1", "\"a\"", ""));
  CHECK(channel.read_line() == "<end>");
}

TEST_CASE("what is answered after the drain is still written") {
  Channel channel;
  channel.write_line(call("1"));
  const auto token = channel.backend().request(0).cancel;
  channel.transport().drain(Clock::system().now());
  CHECK(!token->cancelled());
  channel.backend().finish(0, "late");
  channel.transport().drain(Clock::system().now() + std::chrono::seconds(20));
  channel.transport().stop(Clock::system().now());
  CHECK(channel.read_line() == call_result("1", "\"late\"", ""));
  CHECK(channel.read_line() == "<end>");
}

TEST_CASE("stop at the deadline cancels what still runs") {
  Channel channel;
  channel.write_line(call("1"));
  const auto token = channel.backend().request(0).cancel;
  channel.transport().stop(Clock::system().now());
  CHECK(token->cancelled());
  CHECK(channel.read_line() == "<end>");
  channel.backend().finish(0, "late");
}

TEST_CASE("a client that no longer reads ends the transport and its calls") {
  for (const bool sockets : {false, true}) {
    Channel channel(sockets);
    channel.write_line(call("1"));
    const auto token = channel.backend().request(0).cancel;
    channel.close_output();
    channel.wait_for_end();
    CHECK(token->cancelled());
    channel.stop();
    channel.backend().finish(0, "late");
  }
}

TEST_CASE("answers wait for a client that is slow to read; nobody waits with them") {
  Channel channel;
  const std::string text(100'000, 'y');
  constexpr int kCalls = 40;
  for (int i = 0; i < kCalls; ++i) channel.write_line(call(std::to_string(i)));
  // Four megabytes into a pipe that holds 64 kB: each finish() returns all the same.
  for (std::size_t i = 0; i < kCalls; ++i) channel.backend().finish(i, text);
  channel.write_line(ping("\"p\""));
  for (int i = 0; i < kCalls; ++i) {
    CHECK(channel.read_line() == call_result(std::to_string(i), "\"" + text + "\"", ""));
  }
  CHECK(channel.read_line() == result("\"p\"", "{}"));
}

TEST_CASE("reading pauses while too much is unread, and goes on afterwards") {
  Channel channel;
  const std::string text(kMaxBacklog + 200'000, 'z');
  channel.write_line(call("1"));
  channel.backend().finish(0, text);
  channel.write_line(ping("2"));
  CHECK(channel.read_line().size() > text.size());
  CHECK(channel.read_line() == result("2", "{}"));
}

TEST_CASE("stop flushes what the client has not read yet") {
  Channel channel;
  const std::string text(1'000'000, 'f');
  channel.write_line(call("1"));
  channel.backend().finish(0, text);
  std::thread stopper([&] { channel.stop(); });
  CHECK(channel.read_line() == call_result("1", "\"" + text + "\"", ""));
  CHECK(channel.read_line() == "<end>");
  stopper.join();
}

TEST_CASE("streams that are closed from the start") {
  Rig rig;
  std::promise<void> ended;
  StdioTransport transport(rig.server, StdioStreams{-1, -1}, 1000);
  transport.start([&] { ended.set_value(); });
  ended.get_future().wait();
  transport.stop(soon());
}

TEST_CASE("a transport that was never started stops") {
  Rig rig;
  int fds[2];
  REQUIRE(::pipe(fds) == 0);
  StdioTransport transport(rig.server, StdioStreams{fds[0], fds[1]}, 1000);
  transport.stop(soon());
}

TEST_CASE("seize_stdio keeps the real streams for us and gives everyone else substitutes") {
  int to[2], from[2], log[2];
  REQUIRE(::pipe(to) == 0);
  REQUIRE(::pipe(from) == 0);
  REQUIRE(::pipe(log) == 0);
  // Nothing of ours may sit in a buffer that the child would write, too.
  std::cout.flush();
  std::fflush(nullptr);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::dup2(to[0], 0);
    ::dup2(from[1], 1);
    ::dup2(log[1], 2);
    for (const int fd : {to[0], to[1], from[0], from[1], log[0], log[1]}) ::close(fd);
    const StdioStreams streams = seize_stdio();
    bool ok = streams.in > 2 && streams.out > 2;
    ok = ok && (::fcntl(streams.in, F_GETFD) & FD_CLOEXEC) != 0;
    ok = ok && (::fcntl(streams.out, F_GETFD) & FD_CLOEXEC) != 0;
    char c = 0;
    ok = ok && ::read(0, &c, 1) == 0;  // /dev/null
    ok = ok && ::write(1, "print", 5) == 5;
    ok = ok && ::system("cat; echo sub") == 0;
    ok = ok && ::read(streams.in, &c, 1) == 1 && c == 'i';
    ok = ok && ::write(streams.out, "protocol", 8) == 8;
    ::_exit(ok ? 0 : 1);
  }
  for (const int fd : {to[0], from[1], log[1]}) ::close(fd);
  REQUIRE(::write(to[1], "i", 1) == 1);
  ::close(to[1]);
  const auto read_all = [](int fd) {
    std::string out;
    char buffer[256];
    for (ssize_t n = 0; (n = ::read(fd, buffer, sizeof buffer)) > 0;) {
      out.append(buffer, static_cast<std::size_t>(n));
    }
    ::close(fd);
    return out;
  };
  CHECK(read_all(from[0]) == "protocol");
  CHECK(read_all(log[0]) == "printsub\n");
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
}
