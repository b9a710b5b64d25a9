// One line on the terminal that says what is being waited for.
//
// It appears after half a second, is redrawn while it lasts, and leaves no trace. On anything but a
// terminal it does nothing at all (and starts no thread).
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "cli/output.h"

namespace mxcp::cli {

class Progress {
 public:
  Progress(Stream& stream, std::string text);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // From any thread.
  void set_text(std::string text);
  void set_percent(double percent);
  // Erases the line; nothing is drawn afterwards.
  void finish();

 private:
  void draw_loop();

  Stream& stream_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string text_;
  std::optional<double> percent_;
  bool finished_ = false;
  std::thread thread_;
};

}  // namespace mxcp::cli
