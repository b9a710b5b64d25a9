// Where a command's words go, and in which form.
//
// stdout carries the answer (text, or one JSON envelope with --json-output), stderr everything
// else. Colours appear on terminals only, and not when NO_COLOR is set.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/value.h"

namespace mxcp::cli {

// One descriptor, unbuffered. Not owned.
class Stream {
 public:
  explicit Stream(int fd);

  void write(std::string_view text);
  // A line; the newline is added.
  void line(std::string_view text);

  bool is_terminal() const { return terminal_; }
  // Columns to fit into; 0 when there is no limit (not a terminal and COLUMNS is unset).
  std::size_t width() const;
  // errno of the first write that failed, or 0.
  int failure() const { return failure_; }
  int fd() const { return fd_; }

  std::string red(std::string_view text) const { return paint("31", text); }
  std::string green(std::string_view text) const { return paint("32", text); }
  std::string yellow(std::string_view text) const { return paint("33", text); }
  std::string bold(std::string_view text) const { return paint("1", text); }
  std::string dim(std::string_view text) const { return paint("2", text); }

 private:
  std::string paint(std::string_view code, std::string_view text) const;

  int fd_;
  bool terminal_;
  bool colours_;
  int failure_ = 0;
};

class Output {
 public:
  // With the process's descriptors.
  Output() : out(1), err(2) {}
  Output(int out_fd, int err_fd) : out(out_fd), err(err_fd) {}

  // The success envelope on stdout, with `more` in front of the result; the exit status 0.
  int succeed(Value result, const Object& more = {});
  // The failure envelope on stdout, or "Error: ..." on stderr; the error's exit status.
  int fail(const Error& error);
  // The same for a command line that makes no sense: on stderr in words, with how it is written,
  // and as the failure envelope, too.
  int fail_usage(const std::string& usage, const Error& error);
  // Ctrl-C: "Cancelled." on stderr, or the failure envelope; 1.
  int cancelled();

  Stream out;
  Stream err;
  bool json = false;   // --json-output
  bool debug = false;  // --debug
  // The failure envelope is one line, as the report of a server is: whoever started it reads one.
  bool one_line = false;

  // Sends the answer elsewhere than to descriptor 1 (see net::seize_stdio).
  void redirect_answer(int fd) { out = Stream(fd); }
};

// "Error: <place>: <message>" with its hint on a line of its own; the detail when `debug`.
std::string error_text(const Error& error, const Stream& stream, bool debug);
// The same without "Error:", for lists of problems.
std::string problem_text(const Error& error, const Stream& stream, std::string_view indent);

}  // namespace mxcp::cli
