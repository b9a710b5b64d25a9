#include "net/socket_writer.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <utility>

namespace mxcp::net {
namespace {

#ifdef MSG_NOSIGNAL
constexpr int kFlags = MSG_DONTWAIT | MSG_NOSIGNAL;
#else
constexpr int kFlags = MSG_DONTWAIT;
#endif

// Small pieces are joined: a system call for two pieces costs more than a copy of a kilobyte.
constexpr std::size_t kSmall = 4096;

}  // namespace

void SocketWriter::write(std::string head, std::string body) {
  if (broken_) return;
  if (body.size() <= kSmall) {
    head += body;
    body.clear();
  }
  for (std::string* piece : {&head, &body}) {
    if (piece->empty()) continue;
    pending_ += piece->size();
    queue_.push_back(std::move(*piece));
  }
  flush();
}

bool SocketWriter::flush() {
  bool progress = false;
  while (!queue_.empty() && !broken_) {
    std::array<iovec, 8> pieces{};
    std::size_t count = 0;
    std::size_t skip = offset_;
    for (auto it = queue_.begin(); it != queue_.end() && count < pieces.size(); ++it) {
      pieces[count++] = {it->data() + skip, it->size() - skip};
      skip = 0;
    }
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = count;
    const ssize_t n = ::sendmsg(fd_, &message, kFlags);
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return progress;
      broken_ = true;
      queue_.clear();
      pending_ = 0;
      return progress;
    }
    progress = progress || n > 0;
    pending_ -= static_cast<std::size_t>(n);
    auto left = static_cast<std::size_t>(n);
    while (!queue_.empty() && left >= queue_.front().size() - offset_) {
      left -= queue_.front().size() - offset_;
      offset_ = 0;
      queue_.pop_front();
    }
    offset_ += left;
  }
  return progress;
}

}  // namespace mxcp::net
