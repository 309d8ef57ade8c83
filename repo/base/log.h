// The program's log: stderr at first, then a file, or syslog once in the background.
//
// Threads: any, after the open_* call of main. Secrets have no formatter, so they cannot get here.
#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>

#include "repo/base/result.h"

namespace restree::log {

enum class Level { kDebug, kInfo, kWarning, kError };

// Lines below `level` are dropped. Default: kWarning.
void set_level(Level level);
bool enabled(Level level);

// Where lines go from now on. The default is stderr, one "program: message" a line.
Status open_file(const std::string& path);
void open_syslog(const std::string& program);

void write(Level level, std::string_view line);

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kDebug))
    write(Level::kDebug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kInfo)) write(Level::kInfo, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kWarning, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kError, fmt::format(format, std::forward<Args>(args)...));
}

// A name from a backup or a server as it may appear in a log line: control bytes, quotes and what
// is not UTF-8 are shown as \xHH, so that no file name can forge a line or drive a terminal.
std::string quoted(std::string_view name);

}  // namespace restree::log
