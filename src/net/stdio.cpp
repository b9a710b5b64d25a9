#include "net/stdio.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/json_member.h"
#include "net/line_reader.h"
#include "net/line_writer.h"

namespace mxcp::net {
namespace {

constexpr std::size_t kReadSize = 64 << 10;

// Above 2, so that a closed standard stream is not taken for one of ours.
int duplicate(int fd) {
  return ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

void set_close_on_exec(int fd) {
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

// Wakes a thread that sits in poll().
class WakePipe {
 public:
  WakePipe() {
    if (::pipe(fds_) != 0) return;
    for (const int fd : fds_) {
      set_close_on_exec(fd);
      ::fcntl(fd, F_SETFL, O_NONBLOCK);
    }
  }
  ~WakePipe() {
    for (const int fd : fds_) {
      if (fd >= 0) ::close(fd);
    }
  }
  WakePipe(const WakePipe&) = delete;
  WakePipe& operator=(const WakePipe&) = delete;

  int fd() const { return fds_[0]; }
  void wake() {
    const char byte = 0;
    // Full is as good: the reader will wake.
    [[maybe_unused]] const ssize_t n = ::write(fds_[1], &byte, 1);
  }
  void drain() {
    char bytes[64];
    while (::read(fds_[0], bytes, sizeof bytes) > 0) {
    }
  }

 private:
  int fds_[2] = {-1, -1};
};

}  // namespace

StdioStreams seize_stdio() {
  const StdioStreams streams{duplicate(STDIN_FILENO), duplicate(STDOUT_FILENO)};
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  // dup2 clears close-on-exec: child processes see the replacements.
  if (null >= 0) ::dup2(null, STDIN_FILENO);
  if (::dup2(STDERR_FILENO, STDOUT_FILENO) < 0 && null >= 0) ::dup2(null, STDOUT_FILENO);
  if (null > STDERR_FILENO) ::close(null);
  return streams;
}

struct StdioTransport::Impl {
  Impl(mcp::Server& the_server, StdioStreams streams, std::size_t max_message)
      : server(the_server),
        in(streams.in),
        wake(std::make_shared<WakePipe>()),
        writer(std::make_shared<LineWriter>(streams.out, kMaxBacklog,
                                            [pipe = wake] { pipe->wake(); })),
        reader(max_message, {[this](std::string_view line) { server.receive(session, line); },
                             [this](std::string_view piece) { skipped.feed(piece); },
                             [this] {
                               JsonMember id = std::exchange(skipped, JsonMember("id"));
                               server.receive_oversized(session, id.finish());
                             }}) {
    session = server.open_session(writer, Caller{.transport = "stdio", .user = {}, .headers = {}});
  }

  void run();
  // One read(); false at the end of input.
  bool read_piece();
  void input_ended();

  mcp::Server& server;
  int in;
  const std::shared_ptr<WakePipe> wake;
  const std::shared_ptr<LineWriter> writer;
  std::shared_ptr<mcp::Session> session;
  JsonMember skipped{"id"};  // of a message that is too long
  LineReader reader;
  std::vector<char> buffer;
  std::function<void()> on_end;
  std::thread thread;

  std::mutex mutex;
  std::condition_variable changed;
  bool stop_reading = false;
  bool reading = false;  // more messages may come
  bool quit = false;
  bool stopped = false;
};

StdioTransport::StdioTransport(mcp::Server& server, StdioStreams streams, std::size_t max_message)
    : impl_(std::make_unique<Impl>(server, streams, max_message)) {}

StdioTransport::~StdioTransport() {
  stop(Clock::system().now());
}

void StdioTransport::start(std::function<void()> on_end) {
  Impl& self = *impl_;
  self.on_end = std::move(on_end);
  self.reading = true;
  self.thread = std::thread([&self] { self.run(); });
}

void StdioTransport::Impl::run() {
  buffer.resize(kReadSize);
  bool more = in >= 0;
  bool told = false;  // on_end was called
  while (true) {
    bool stopping = false;
    {
      const std::lock_guard lock(mutex);
      if (quit) return;
      stopping = stop_reading;
    }
    const bool broken = writer->is_broken();
    if (broken || stopping) more = false;
    // Nobody waits for the answers: what still runs need not.
    if (broken) server.close(session);
    if (!more) {
      input_ended();
      if (!stopping && !std::exchange(told, true) && on_end) on_end();
    }

    // poll() leaves out negative descriptors. With no events asked for, the output still reports
    // that nobody reads it any more.
    const bool may_read = more && !writer->is_full();
    pollfd fds[3] = {
        {wake->fd(), POLLIN, 0},
        {may_read ? in : -1, POLLIN, 0},
        {broken ? -1 : writer->fd(), static_cast<short>(writer->has_backlog() ? POLLOUT : 0), 0},
    };
    if (::poll(fds, 3, -1) < 0) {
      if (errno == EINTR) continue;
      return;
    }
    if (fds[0].revents != 0) wake->drain();
    if ((fds[2].revents & POLLOUT) != 0) writer->write_more();
    if ((fds[2].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) writer->mark_broken();
    if (fds[1].revents != 0 && !read_piece()) {
      reader.finish();
      more = false;
    }
  }
}

bool StdioTransport::Impl::read_piece() {
  const ssize_t n = ::read(in, buffer.data(), buffer.size());
  if (n > 0) {
    reader.feed({buffer.data(), static_cast<std::size_t>(n)});
    return true;
  }
  return n < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK);
}

void StdioTransport::Impl::input_ended() {
  const std::lock_guard lock(mutex);
  reading = false;
  changed.notify_all();
}

void StdioTransport::drain(Instant deadline) {
  Impl& self = *impl_;
  {
    std::unique_lock lock(self.mutex);
    self.stop_reading = true;
    self.wake->wake();
    self.changed.wait_until(lock, deadline, [&] { return !self.reading; });
  }
  self.server.drain(self.session, deadline);
  if (self.thread.joinable()) self.writer->flush(deadline);
}

void StdioTransport::stop(Instant deadline) {
  Impl& self = *impl_;
  if (std::exchange(self.stopped, true)) return;
  drain(deadline);
  self.server.close(self.session);
  {
    const std::lock_guard lock(self.mutex);
    self.quit = true;
  }
  self.wake->wake();
  if (self.thread.joinable()) self.thread.join();
  self.writer->close();
  if (self.in >= 0) ::close(std::exchange(self.in, -1));
}

}  // namespace mxcp::net
