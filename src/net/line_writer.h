// LineWriter: messages out of a descriptor, one per line, without ever waiting for the reader.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "mcp/server.h"

namespace mxcp::net {

class LineWriter final : public mcp::Peer {
 public:
  // Owns the descriptor. `on_backlog` is called when write_more() has become necessary, or
  // pointless because the reader is gone; from any thread, without locks held.
  LineWriter(int fd, std::size_t max_backlog, std::function<void()> on_backlog);
  ~LineWriter() override;
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  // Peer. A notification is dropped when more than max_backlog bytes wait; an answer never.
  void send(std::string message) override;
  void answer(std::string message, int error_code) override;

  // Writes what waits, as far as the descriptor takes it now.
  void write_more();
  // For poll(): -1 once closed.
  int fd() const;
  bool has_backlog() const;
  bool is_full() const;
  // The reader is gone; nothing will be written any more.
  bool is_broken() const;
  void mark_broken();
  // Waits until nothing waits; false at the deadline, or when the reader is gone.
  bool flush(Instant deadline);
  void close();

 private:
  void put(std::string message, bool droppable);
  // With the lock held: writes a piece; 0 when the descriptor takes nothing now.
  std::size_t write_some(std::string_view text);
  void break_off();

  const std::size_t max_backlog_;
  const std::function<void()> on_backlog_;
  mutable std::mutex mutex_;
  std::condition_variable emptied_;
  int fd_;
  enum class Kind { kSocket, kNonBlocking, kBlocking } kind_;
  std::deque<std::string> queue_;
  std::size_t offset_ = 0;  // of the first message, already written
  std::size_t queued_ = 0;  // bytes
  bool broken_ = false;
  bool dropping_ = false;
};

}  // namespace mxcp::net
