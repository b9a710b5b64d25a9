#include "base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/text.h"

namespace mxcp {
namespace {

Error io_error(const fs::path& path, const char* verb, int error) {
  const Code code = error == ENOENT ? Code::kNotFound : Code::kIo;
  return {code,
          std::string("cannot ") + verb + " '" + path.string() + "': " + std::strerror(error)};
}

// Owns `fd`.
Result<std::string> read_all(int fd, const fs::path& path, std::size_t expected) {
  std::string text;
  text.reserve(expected);
  char buffer[16384];
  while (true) {
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n > 0) {
      text.append(buffer, static_cast<std::size_t>(n));
    } else if (n == 0) {
      ::close(fd);
      return text;
    } else if (errno != EINTR) {
      const int error = errno;
      ::close(fd);
      return io_error(path, "read", error);
    }
  }
}

}  // namespace

Result<std::string> read_file(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return io_error(path, "read", errno);
  struct stat info {};
  if (::fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) {
    ::close(fd);
    return io_error(path, "read", EISDIR);
  }
  return read_all(fd, path, static_cast<std::size_t>(info.st_size));
}

Result<std::string> read_regular_file(const fs::path& path, std::size_t max_bytes) {
  // Opening a pipe would wait for somebody who writes to it.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return io_error(path, "read", errno);
  struct stat info {};
  if (::fstat(fd, &info) != 0 || S_ISDIR(info.st_mode)) {
    const int error = S_ISDIR(info.st_mode) ? EISDIR : errno;
    ::close(fd);
    return io_error(path, "read", error);
  }
  const auto size = static_cast<std::uintmax_t>(info.st_size);
  const bool regular = S_ISREG(info.st_mode);
  if (regular && size <= max_bytes) return read_all(fd, path, static_cast<std::size_t>(size));
  ::close(fd);
  const std::string begin = "cannot read '" + path.string() + "': ";
  if (!regular) return Error{Code::kIo, begin + "it is no regular file, but a device or a pipe"};
  return Error{Code::kIo, begin + "it has " + std::to_string(size) + " bytes, and at most " +
                              std::to_string(max_bytes) + " are read"};
}

Status write_file(const fs::path& path, std::string_view text) {
  const fs::path temporary = path.string() + ".tmp" + std::to_string(::getpid());
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return io_error(path, "write", errno);
  const auto fail = [&](int error) {
    ::close(fd);
    ::unlink(temporary.c_str());
    return io_error(path, "write", error);
  };
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno != EINTR) return fail(errno);
    if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
  }
  if (::fsync(fd) != 0) return fail(errno);
  ::close(fd);
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    return io_error(path, "write", error);
  }
  return {};
}

fs::path find_upwards(fs::path from, const std::string& name) {
  std::error_code ignored;
  from = fs::absolute(from, ignored);
  while (true) {
    if (fs::exists(from / name, ignored)) return from;
    if (!from.has_relative_path()) return {};
    from = from.parent_path();
  }
}

bool is_same_file(const fs::path& a, const fs::path& b) {
  std::error_code failed;
  if (fs::equivalent(a, b, failed) && !failed) return true;
  return a.lexically_normal() == b.lexically_normal();
}

std::string display_path(const fs::path& path, const fs::path& base) {
  const fs::path relative = path.lexically_normal().lexically_relative(base.lexically_normal());
  if (relative.empty() || *relative.begin() == "..") return path.string();
  return relative.string();
}

fs::path expand_home(const std::string& path) {
  if (path.rfind("~/", 0) != 0) return path;
  return fs::path(environment("HOME")) / path.substr(2);
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool is_truthy(std::string_view text) {
  const std::string lower = to_lower(text);
  return lower == "1" || lower == "true" || lower == "yes";
}

}  // namespace mxcp
