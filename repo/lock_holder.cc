#include "repo/lock_holder.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <sstream>

#include "repo/identity.h"

namespace restree {
namespace {

// The boot time in /proc moves a little as the clock is set; processes begin before they lock.
constexpr std::int64_t kClockSlackSeconds = 5;

// Seconds since 1970; nullopt where /proc does not say.
std::optional<std::int64_t> boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string key;
    std::int64_t value = 0;
    if (words >> key >> value && key == "btime") return value;
  }
  return std::nullopt;
}

struct ProcessStatus {
  char state = '?';
  std::uint64_t start_ticks = 0;  // since boot
};

// Fields 3 and 22 of /proc/PID/stat; the name before them may hold anything.
std::optional<ProcessStatus> process_status(std::uint32_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  constexpr int kStart = 22;
  std::istringstream words(line.substr(name_end + 1));
  ProcessStatus status;
  words >> status.state;
  std::string skipped;
  for (int field = 4; field < kStart; ++field) words >> skipped;
  if (!(words >> status.start_ticks)) return std::nullopt;
  return status;
}

}  // namespace

std::optional<Timestamp> process_start(std::uint32_t pid) {
  const auto status = process_status(pid);
  if (!status || status->state == 'Z' || status->state == 'X') return std::nullopt;
  const auto boot = boot_time();
  const long ticks = ::sysconf(_SC_CLK_TCK);
  if (!boot || ticks <= 0) return Timestamp{};  // it lives; nobody can say since when
  const auto since_boot = status->start_ticks / static_cast<std::uint64_t>(ticks);
  return Timestamp{*boot + static_cast<std::int64_t>(since_boot), 0};
}

std::optional<std::string> why_stale(const LockFile& lock, Timestamp now) {
  const std::int64_t age = now.seconds - lock.time.seconds;
  if (age > std::chrono::seconds(kStaleAge).count()) {
    return fmt::format("it has not been refreshed for {} minutes", age / 60);
  }
  return why_dead(lock);
}

std::optional<std::string> why_dead(const LockFile& lock) {
  if (lock.hostname.empty() || lock.hostname != host_name()) return std::nullopt;
  const auto start = process_start(lock.pid);
  if (!start) return fmt::format("there is no process {} on this host any more", lock.pid);
  if (start->seconds > lock.time.seconds + kClockSlackSeconds) {
    return fmt::format("process {} on this host is another one, begun later", lock.pid);
  }
  return std::nullopt;
}

}  // namespace restree
