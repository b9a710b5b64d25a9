#include "base/log.h"

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>

namespace mxcp::log {
namespace {

std::atomic<Level> current_level{Level::kWarning};

spdlog::level::level_enum native(Level level) {
  switch (level) {
    case Level::kDebug: return spdlog::level::debug;
    case Level::kInfo: return spdlog::level::info;
    case Level::kWarning: return spdlog::level::warn;
    case Level::kError: return spdlog::level::err;
    case Level::kOff: break;
  }
  return spdlog::level::off;
}

// "WARNING:mxcp.runtime:text", the form that Python's logging uses too.
const char* upper_name(Level level) {
  switch (level) {
    case Level::kDebug: return "DEBUG";
    case Level::kInfo: return "INFO";
    case Level::kWarning: return "WARNING";
    default: return "ERROR";
  }
}

// Never destroyed, like the one of stderr.
std::atomic<spdlog::logger*> file{nullptr};

spdlog::logger& logger() {
  static spdlog::logger* const instance = [] {
    // Never destroyed: threads may log while the process leaves.
    auto* made = new spdlog::logger("mxcp", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->set_level(spdlog::level::debug);
    made->flush_on(spdlog::level::warn);
    return made;
  }();
  return *instance;
}

}  // namespace

void set_level(Level level) {
  current_level.store(level, std::memory_order_relaxed);
}
bool enabled(Level level) {
  return level >= current_level.load(std::memory_order_relaxed);
}

void add_file(const std::string& path, std::size_t max_bytes, std::size_t backups) {
  try {
    auto sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(path, max_bytes, backups);
    auto made = std::make_unique<spdlog::logger>("file", std::move(sink));
    made->set_pattern("%Y-%m-%d %H:%M:%S,%e - %v");
    made->set_level(spdlog::level::debug);
    made->flush_on(spdlog::level::debug);
    file.store(made.release(), std::memory_order_release);
  } catch (const spdlog::spdlog_ex& e) {
    warning("log", "cannot write the log file '{}': {}", path, e.what());
  }
}

void flush() {
  logger().flush();
  if (auto* const to = file.load(std::memory_order_acquire)) to->flush();
}

Level level() {
  return current_level.load(std::memory_order_relaxed);
}

void write(Level level, std::string_view part, std::string_view message) {
  logger().log(native(level), "{}:mxcp.{}:{}", upper_name(level), part, message);
  if (file.load(std::memory_order_acquire) != nullptr) {
    write_to_file(level, fmt::format("mxcp.{}", part), message);
  }
}

void write_to_file(Level level, std::string_view logger, std::string_view message) {
  if (auto* const to = file.load(std::memory_order_acquire)) {
    to->log(native(level), "{} - {} - {}", upper_name(level), logger, message);
  }
}

Level level_of(std::string_view syslog_level) {
  if (syslog_level == "debug") return Level::kDebug;
  if (syslog_level == "warning") return Level::kWarning;
  for (const std::string_view worse : {"error", "critical", "alert", "emergency"}) {
    if (syslog_level == worse) return Level::kError;
  }
  return Level::kInfo;
}

}  // namespace mxcp::log
