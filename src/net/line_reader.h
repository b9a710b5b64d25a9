// LineReader: lines out of the pieces in which a stream arrives.
//
// Lines end with \n; a \r before it is dropped, and lines of blanks are skipped. A line longer than
// the limit is given away in pieces, without ever being held in memory, and reported at its end.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace mxcp::net {

class LineReader {
 public:
  struct Sink {
    std::function<void(std::string_view line)> line;
    std::function<void(std::string_view piece)> skipped;
    std::function<void()> oversized;
  };
  LineReader(std::size_t max_line, Sink sink) : max_line_(max_line), sink_(std::move(sink)) {}

  void feed(std::string_view piece);
  // End of the stream: a last line without its end counts.
  void finish();

 private:
  void take(std::string_view line);

  const std::size_t max_line_;
  const Sink sink_;
  std::string partial_;
  bool skipping_ = false;  // inside a line that was too long
};

}  // namespace mxcp::net
