// SocketWriter: bytes out to a non-blocking socket, as far as it takes them now; the rest waits
// here. Not locked.
#pragma once

#include <cstddef>
#include <deque>
#include <string>

namespace mxcp::net {

class SocketWriter {
 public:
  // The descriptor stays its owner's.
  explicit SocketWriter(int fd) : fd_(fd) {}

  // Queues and writes: two pieces in one system call where possible. Large ones are not copied.
  void write(std::string head, std::string body = {});
  // Writes more of what waits; true when some of it went out.
  bool flush();

  bool has_pending() const { return pending_ > 0; }
  std::size_t pending() const { return pending_; }
  // The other side is gone; nothing will be written any more.
  bool is_broken() const { return broken_; }

 private:
  const int fd_;
  std::deque<std::string> queue_;
  std::size_t offset_ = 0;  // of the first piece, already written
  std::size_t pending_ = 0;
  bool broken_ = false;
};

}  // namespace mxcp::net
