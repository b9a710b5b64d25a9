#include "observe/process.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/files.h"

namespace mxcp::observe {
namespace {

// The fields of /proc/self/stat behind the name of the program (which may contain anything); the
// first one is number 3 of the manual. Empty where there is no /proc.
std::vector<std::string> stat_fields() {
  const auto text = read_file("/proc/self/stat");
  if (!text.ok()) return {};
  const auto end_of_name = text->rfind(')');
  if (end_of_name == std::string::npos) return {};
  std::istringstream rest(text->substr(end_of_name + 1));
  std::vector<std::string> fields;
  for (std::string field; rest >> field;) fields.push_back(std::move(field));
  return fields;
}

// When the machine was started, in seconds since 1970; 0 when unknown.
double boot_time() {
  const auto text = read_file("/proc/stat");
  if (!text.ok()) return 0;
  const auto line = text->find("\nbtime ");
  return line == std::string::npos ? 0 : std::strtod(text->c_str() + line + 7, nullptr);
}

std::optional<std::uint64_t> count_descriptors() {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc/self/fd"), ::closedir);
  if (folder == nullptr) return {};
  std::uint64_t count = 0;
  while (const dirent* const entry = ::readdir(folder.get())) {
    if (entry->d_name[0] != '.') ++count;
  }
  return count - 1;  // the one that reads
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

ProcessNumbers process_numbers() {
  constexpr std::size_t kFirst = 3, kThreads = 20, kStart = 22, kVirtual = 23, kResident = 24;
  ProcessNumbers out;
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    out.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  }
  if (const auto fields = stat_fields(); fields.size() > kResident - kFirst) {
    const auto number = [&](std::size_t which) {
      return std::strtoull(fields[which - kFirst].c_str(), nullptr, 10);
    };
    out.threads = number(kThreads);
    out.virtual_bytes = number(kVirtual);
    out.resident_bytes = number(kResident) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    if (const double boot = boot_time(); boot > 0) {
      out.start_time =
          boot + static_cast<double>(number(kStart)) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    }
  }
  out.open_descriptors = count_descriptors();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    out.max_descriptors = limit.rlim_cur;
  }
  return out;
}

}  // namespace mxcp::observe
