#include "cli/progress.h"

#include <chrono>

#include "cli/table.h"

namespace mxcp::cli {
namespace {

constexpr std::chrono::milliseconds kFirst{500};
constexpr std::chrono::milliseconds kNext{200};

}  // namespace

Progress::Progress(Stream& stream, std::string text) : stream_(stream), text_(std::move(text)) {
  if (stream_.is_terminal()) thread_ = std::thread([this] { draw_loop(); });
}

Progress::~Progress() {
  finish();
}

void Progress::set_text(std::string text) {
  const std::lock_guard lock(mutex_);
  text_ = std::move(text);
  percent_.reset();
}

void Progress::set_percent(double percent) {
  const std::lock_guard lock(mutex_);
  percent_ = percent;
}

void Progress::finish() {
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Progress::draw_loop() {
  const auto start = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  bool drawn = false;
  for (auto pause = kFirst; !changed_.wait_for(lock, pause, [this] { return finished_; });
       pause = kNext) {
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - start);
    std::string line = text_;
    if (percent_) line += " " + std::to_string(static_cast<int>(*percent_)) + "%";
    if (seconds.count() > 0) line += " (" + std::to_string(seconds.count()) + " s)";
    const std::size_t width = stream_.width();
    stream_.write("\r" + fit(printable(line), width > 1 ? width - 1 : width) + "\x1b[K");
    drawn = true;
  }
  if (drawn) stream_.write("\r\x1b[K");
}

}  // namespace mxcp::cli
