#include "net/line_writer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <utility>

#include "base/log.h"

namespace mxcp::net {
namespace {

#ifdef MSG_NOSIGNAL
constexpr int kSendFlags = MSG_DONTWAIT | MSG_NOSIGNAL;
#else
constexpr int kSendFlags = MSG_DONTWAIT;
#endif

// A second, non-blocking way to the same pipe or terminal. O_NONBLOCK on the descriptor itself
// would also change it for every process that shares it.
int reopen_non_blocking([[maybe_unused]] int fd) {
#ifdef __linux__
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  return ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
#else
  return -1;
#endif
}

void ignore_sigpipe() {
  struct sigaction action {};
  if (::sigaction(SIGPIPE, nullptr, &action) == 0 && action.sa_handler == SIG_DFL) {
    action.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &action, nullptr);
  }
}

}  // namespace

LineWriter::LineWriter(int fd, std::size_t max_backlog, std::function<void()> on_backlog)
    : max_backlog_(max_backlog),
      on_backlog_(std::move(on_backlog)),
      fd_(fd),
      kind_(Kind::kBlocking),
      broken_(fd < 0) {
  if (broken_) return;
  ignore_sigpipe();
  struct stat status {};
  if (::fstat(fd_, &status) != 0) return;
  if (S_ISSOCK(status.st_mode)) {
    kind_ = Kind::kSocket;
  } else if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)) {
    if (const int again = reopen_non_blocking(fd_); again >= 0) {
      ::close(std::exchange(fd_, again));
      kind_ = Kind::kNonBlocking;
    }
  }
}

LineWriter::~LineWriter() {
  close();
}

void LineWriter::send(std::string message) {
  put(std::move(message), true);
}
void LineWriter::answer(std::string message, int) {
  put(std::move(message), false);
}

void LineWriter::put(std::string message, bool droppable) {
  message += '\n';
  {
    const std::lock_guard lock(mutex_);
    if (broken_) return;
    if (droppable && queued_ > max_backlog_) {
      if (!std::exchange(dropping_, true)) {
        log::warning("stdio", "the client does not read: notifications are dropped");
      }
      return;
    }
    std::size_t written = 0;
    if (queue_.empty()) {
      written = write_some(message);
      if (written == message.size()) return;
    }
    if (!broken_) {
      if (queue_.empty()) offset_ = written;
      queued_ += message.size() - written;
      queue_.push_back(std::move(message));
    }
  }
  on_backlog_();
}

std::size_t LineWriter::write_some(std::string_view text) {
  std::size_t done = 0;
  while (done < text.size() && !broken_) {
    std::string_view piece = text.substr(done);
    ssize_t n = -1;
    if (kind_ == Kind::kSocket) {
      n = ::send(fd_, piece.data(), piece.size(), kSendFlags);
    } else {
      if (kind_ == Kind::kBlocking) {
        // A pipe that poll() calls ready takes PIPE_BUF bytes without blocking.
        pollfd ready{fd_, POLLOUT, 0};
        if (::poll(&ready, 1, 0) <= 0) break;
        piece = piece.substr(0, PIPE_BUF);
      }
      n = ::write(fd_, piece.data(), piece.size());
    }
    if (n > 0) {
      done += static_cast<std::size_t>(n);
    } else if (n < 0 && errno == EINTR) {
      continue;
    } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      break;
    } else {
      break_off();
    }
  }
  return done;
}

void LineWriter::write_more() {
  const std::lock_guard lock(mutex_);
  while (!queue_.empty() && !broken_) {
    const std::string_view rest = std::string_view(queue_.front()).substr(offset_);
    const std::size_t written = write_some(rest);
    if (broken_) return;
    offset_ += written;
    queued_ -= written;
    if (written < rest.size()) return;
    queue_.pop_front();
    offset_ = 0;
  }
  dropping_ = false;
  emptied_.notify_all();
}

// With the lock held.
void LineWriter::break_off() {
  broken_ = true;
  queue_.clear();
  queued_ = 0;
  offset_ = 0;
  emptied_.notify_all();
}

int LineWriter::fd() const {
  const std::lock_guard lock(mutex_);
  return fd_;
}

bool LineWriter::has_backlog() const {
  const std::lock_guard lock(mutex_);
  return !queue_.empty();
}

bool LineWriter::is_full() const {
  const std::lock_guard lock(mutex_);
  return queued_ > max_backlog_;
}

bool LineWriter::is_broken() const {
  const std::lock_guard lock(mutex_);
  return broken_;
}

void LineWriter::mark_broken() {
  const std::lock_guard lock(mutex_);
  break_off();
}

bool LineWriter::flush(Instant deadline) {
  std::unique_lock lock(mutex_);
  emptied_.wait_until(lock, deadline, [&] { return queue_.empty(); });
  return queue_.empty() && !broken_;
}

void LineWriter::close() {
  const std::lock_guard lock(mutex_);
  break_off();
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

}  // namespace mxcp::net
