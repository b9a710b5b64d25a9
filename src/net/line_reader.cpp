#include "net/line_reader.h"

#include "base/text.h"

namespace mxcp::net {

void LineReader::feed(std::string_view piece) {
  while (!piece.empty()) {
    const auto end = piece.find('\n');
    const std::string_view part = piece.substr(0, end);
    const bool complete = end != std::string_view::npos;
    piece.remove_prefix(complete ? end + 1 : piece.size());

    if (!skipping_ && partial_.size() + part.size() > max_line_) {
      skipping_ = true;
      sink_.skipped(partial_);
      // Also gives the memory back.
      std::string().swap(partial_);
    }
    if (skipping_) {
      sink_.skipped(part);
      skipping_ = !complete;
      if (complete) sink_.oversized();
    } else if (!complete) {
      partial_ += part;
    } else if (partial_.empty()) {
      take(part);
    } else {
      partial_ += part;
      take(partial_);
      // A large message is no reason to keep its memory.
      if (partial_.capacity() > 1 << 20) {
        std::string().swap(partial_);
      } else {
        partial_.clear();
      }
    }
  }
}

void LineReader::finish() {
  if (skipping_) {
    sink_.oversized();
  } else {
    take(partial_);
  }
  partial_.clear();
  skipping_ = false;
}

void LineReader::take(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (!trim(line).empty()) sink_.line(line);
}

}  // namespace mxcp::net
