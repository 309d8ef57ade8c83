#include "repo/base/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>
#include <spdlog/spdlog.h>
#include <syslog.h>

#include <atomic>
#include <memory>
#include <utility>

#include "repo/base/guarded.h"

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

namespace {

// The length of the UTF-8 sequence that starts `text`, or 0 if there is none.
std::size_t utf8_sequence(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // C1 control characters drive terminals as well.
  if (lead == 0xc2 && byte(1) < 0xa0) return 0;
  return length;
}

}  // namespace

std::string quoted(std::string_view name) {
  std::string shown = "\"";
  while (!name.empty()) {
    const std::size_t length = utf8_sequence(name);
    const auto first = static_cast<unsigned char>(name.front());
    if (length == 0 || first < 0x20 || first == 0x7f || first == '"' || first == '\\') {
      shown += fmt::format("\\x{:02x}", first);
      name.remove_prefix(1);
    } else {
      shown += name.substr(0, length);
      name.remove_prefix(length);
    }
  }
  return shown += '"';
}

}  // namespace restree::log
