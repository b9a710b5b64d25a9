// The log: one line per event on stderr (never stdout), nothing formatted when the level is off.
//
//     log::info("runtime", "reload finished in {} ms", ms);
//
// The first argument names the part of the program. User data and secrets never go in.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace mxcp::log {

enum class Level { kDebug, kInfo, kWarning, kError, kOff };

// Default: kWarning on stderr. Call once, before threads start.
void set_level(Level level);
bool enabled(Level level);
// Also to a file that is rotated at `max_bytes`, keeping `backups` old ones. A path that cannot be
// opened is reported on stderr and otherwise ignored. Lines of the file are "time - LEVEL - logger
// - message".
void add_file(const std::string& path, std::size_t max_bytes, std::size_t backups);
void flush();

void write(Level level, std::string_view part, std::string_view message);
// A line of somebody else's logger that is on stderr already, into the file: "shop.orders".
void write_to_file(Level level, std::string_view logger, std::string_view message);
Level level();
// Of a level of RFC 5424, as MCP has them: "notice" counts as info, "critical" as error; others,
// too, as info.
Level level_of(std::string_view syslog_level);

template <class... Args>
void debug(std::string_view part, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kDebug))
    write(Level::kDebug, part, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(std::string_view part, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kInfo))
    write(Level::kInfo, part, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warning(std::string_view part, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kWarning))
    write(Level::kWarning, part, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(std::string_view part, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kError))
    write(Level::kError, part, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace mxcp::log
