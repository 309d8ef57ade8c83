// The programs that this one starts do not get the log's descriptor.
#define SPDLOG_PREVENT_CHILD_FD

#include "repo/base/log.h"

#include <fcntl.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>
#include <spdlog/spdlog.h>
#include <syslog.h>

#include <atomic>
#include <memory>
#include <utility>

#include "repo/base/guarded.h"
#include "repo/base/readable.h"
#include "repo/base/unique_fd.h"

namespace restree::log {
namespace {

std::atomic<Level> minimum_level = Level::kWarning;

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

std::shared_ptr<spdlog::logger> make_logger(spdlog::sink_ptr sink, const std::string& pattern) {
  auto logger = std::make_shared<spdlog::logger>("restree", std::move(sink));
  logger->set_level(spdlog::level::trace);
  logger->set_pattern(pattern);
  logger->flush_on(spdlog::level::trace);
  return logger;
}

using Logger = std::shared_ptr<spdlog::logger>;

// The logger in use. A line that another thread is writing while it is replaced goes to the old one.
Guarded<Logger>& current_logger() {
  static Guarded<Logger> logger(
      make_logger(std::make_shared<spdlog::sinks::stderr_sink_mt>(), "restree: %v"));
  return logger;
}

void use(Logger logger) { *current_logger().lock() = std::move(logger); }

}  // namespace

void set_level(Level level) { minimum_level = level; }
bool enabled(Level level) { return level >= minimum_level.load(std::memory_order_relaxed); }

Status open_file(const std::string& path) {
  // spdlog would make it readable for all. If this fails, spdlog says why.
  const UniqueFd made(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600));
  try {
    use(make_logger(std::make_shared<spdlog::sinks::basic_file_sink_mt>(path),
                    "%Y-%m-%dT%H:%M:%S.%e%z %l %v"));
  } catch (const spdlog::spdlog_ex& failure) {
    return Error(ErrorKind::kLocalIo, "open log file " + path + ": " + failure.what());
  }
  return {};
}

void open_syslog(const std::string& program) {
  use(make_logger(
      std::make_shared<spdlog::sinks::syslog_sink_mt>(program, LOG_PID, LOG_DAEMON, false), "%v"));
}

void write(Level level, std::string_view line) {
  if (!enabled(level)) return;
  const Logger logger = *current_logger().lock();
  logger->log(to_spdlog(level), line);
}

std::string quoted(std::string_view name) { return '"' + escaped(name, "", "\"\\") + '"'; }

}  // namespace restree::log
