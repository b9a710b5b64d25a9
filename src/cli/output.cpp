#include "cli/output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "base/files.h"
#include "base/json.h"
#include "base/json_stream.h"
#include "base/text.h"

namespace mxcp::cli {
namespace {

// Later lines of a message, moved under the first.
std::string indented(const std::string& text, std::string_view indent) {
  return replace_all(text, "\n", "\n" + std::string(indent));
}

}  // namespace

Stream::Stream(int fd) : fd_(fd), terminal_(::isatty(fd) == 1) {
  colours_ = terminal_ && environment("NO_COLOR").empty() && environment("TERM") != "dumb";
}

void Stream::write(std::string_view text) {
  while (!text.empty() && failure_ == 0) {
    const ssize_t n = ::write(fd_, text.data(), text.size());
    if (n >= 0) {
      text.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno != EINTR) {
      failure_ = errno;
    }
  }
}

void Stream::line(std::string_view text) {
  write(std::string(text) + '\n');
}

std::size_t Stream::width() const {
  struct winsize size {};
  if (terminal_ && ::ioctl(fd_, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const std::string columns = environment("COLUMNS");
  std::size_t width = 0;
  std::from_chars(columns.data(), columns.data() + columns.size(), width);
  if (width > 0) return width;
  return terminal_ ? 80 : 0;
}

std::string Stream::paint(std::string_view code, std::string_view text) const {
  if (!colours_ || text.empty()) return std::string(text);
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

int Output::succeed(Value result, const Object& more) {
  Object envelope;
  envelope.add("status", "ok");
  for (const auto& [key, value] : more) envelope.add(key, value);
  envelope.add("result", std::move(result));
  write_pretty_json(std::move(envelope), [this](std::string_view text) { out.write(text); });
  out.write("\n");
  return 0;
}

int Output::fail(const Error& error) {
  if (json) {
    Object envelope;
    envelope.add("status", "error");
    envelope.add("error", error.text());
    if (debug) {
      envelope.add("traceback", error.detail);
      envelope.add("type", describe(error.code).name);
    }
    out.line(one_line ? to_json(std::move(envelope)) : to_pretty_json(std::move(envelope)));
  } else {
    err.line(error_text(error, err, debug));
  }
  return describe(error.code).exit_status;
}

int Output::fail_usage(const std::string& usage, const Error& error) {
  err.write(usage + "\n\n" + error_text(error, err, false) + '\n');
  return json ? fail(error) : describe(error.code).exit_status;
}

int Output::cancelled() {
  if (json) return fail({Code::kCancelled, "cancelled"});
  err.line("Cancelled.");
  return describe(Code::kCancelled).exit_status;
}

std::string problem_text(const Error& error, const Stream& stream, std::string_view indent) {
  std::string out(indent);
  const std::string inner = std::string(indent) + "  ";
  if (error.place.known()) out += stream.bold(error.place.text()) + ": ";
  out += indented(error.message, inner);
  if (!error.hint.empty()) {
    out += '\n' + inner + stream.dim("hint: ") + indented(error.hint, inner + "      ");
  }
  return out;
}

std::string error_text(const Error& error, const Stream& stream, bool debug) {
  std::string out = stream.red("Error:") + " " + problem_text(error, stream, "");
  if (debug && !error.detail.empty()) out += "\n\n" + std::string(trim(error.detail));
  return out;
}

}  // namespace mxcp::cli
