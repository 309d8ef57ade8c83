#include "repo/lock/machine.h"

#include <fmt/core.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <limits>
#include <sstream>
#include <string_view>

#include "repo/base/bytes.h"
#include "repo/crypto/sha256.h"
#include "repo/format/id.h"
#include "repo/identity.h"

namespace restree {
namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// The words behind `key` in a file of /proc whose lines are keys and values.
std::string words_behind(const std::string& path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key)) return line.substr(key.size());
  }
  return {};
}

// Whether /proc shows this PID namespace. One that shows an outer namespace lists this process's
// number there before its own, and all numbers in it mean other processes than here.
bool shows_this_namespace() {
  struct statfs system {};
  if (::statfs("/proc", &system) != 0 || system.f_type != PROC_SUPER_MAGIC) return false;
  std::istringstream numbers(words_behind("/proc/self/status", "NSpid:"));
  pid_t own = 0;
  pid_t inner = 0;
  return (numbers >> own) && own == ::getpid() && !(numbers >> inner);
}

std::string namespace_name(const char* path) {
  struct stat status {};
  if (::stat(path, &status) != 0) return {};
  return fmt::format("{}:{}", status.st_dev, status.st_ino);
}

// A hash, since the machine's own id must not be shown to others (see machine-id(5)).
std::string machine_name() {
  const std::string id = first_line("/etc/machine-id");
  constexpr std::size_t kDigits = 32;
  const auto is_hex = [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; };
  if (id.size() != kDigits || !std::all_of(id.begin(), id.end(), is_hex)) return {};
  return to_hex(sha256(as_bytes("restree lock " + id))).substr(0, kDigits);
}

// Seconds since 1970; nullopt where /proc does not say.
std::optional<std::int64_t> boot_time() {
  std::istringstream words(words_behind("/proc/stat", "btime "));
  std::int64_t seconds = 0;
  if (!(words >> seconds)) return std::nullopt;
  return seconds;
}

struct ProcessStatus {
  char state = '?';
  std::uint64_t threads = 0;
  std::uint64_t start_ticks = 0;  // since boot

  // A process whose first thread has ended still works in its others.
  bool has_ended() const { return (state == 'Z' || state == 'X') && threads <= 1; }
};

// Fields 3, 20 and 22 of /proc/PID/stat; the name before them may hold anything.
std::optional<ProcessStatus> process_status(std::uint32_t pid) {
  const std::string line = first_line(fmt::format("/proc/{}/stat", pid));
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  constexpr int kThreads = 20;
  std::istringstream words(line.substr(name_end + 1));
  ProcessStatus status;
  words >> status.state;
  std::string skipped;
  for (int field = 4; field < kThreads; ++field) words >> skipped;
  words >> status.threads >> skipped;
  if (!(words >> status.start_ticks)) return std::nullopt;
  return status;
}

std::optional<Timestamp> start_time(std::uint64_t start_ticks) {
  const auto boot = boot_time();
  const long ticks = ::sysconf(_SC_CLK_TCK);
  if (!boot || ticks <= 0) return std::nullopt;
  const auto since_boot = start_ticks / static_cast<std::uint64_t>(ticks);
  return Timestamp{*boot + static_cast<std::int64_t>(since_boot), 0};
}

std::optional<LockPlace> own_place(std::uint32_t pid) {
  LockPlace place{.boot_id = first_line("/proc/sys/kernel/random/boot_id"),
                  .machine = machine_name(),
                  .pid_namespace = namespace_name("/proc/self/ns/pid"),
                  .time_namespace = namespace_name("/proc/self/ns/time")};
  const auto status = process_status(pid);
  if (place.boot_id.empty() || place.pid_namespace.empty() || !status) return std::nullopt;
  place.start_ticks = status->start_ticks;
  return place;
}

// The kernel answers kill() for every process of this PID namespace, also for those that /proc
// hides (hidepid). So "no such process" from kill() is certain; a process that /proc does not show
// may still be there.
ProcessSight look_at_process(std::uint32_t pid, bool is_proc_ours) {
  if (pid == 0 || pid > static_cast<std::uint32_t>(std::numeric_limits<pid_t>::max())) return {};
  if (::kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH) return {.is_gone = true};
  const auto status = is_proc_ours ? process_status(pid) : std::nullopt;
  if (!status) return {};
  return {.is_gone = status->has_ended(),
          .start_ticks = status->start_ticks,
          .started = start_time(status->start_ticks)};
}

}  // namespace

Machine this_machine() {
  const auto pid = static_cast<std::uint32_t>(::getpid());
  const bool is_proc_ours = shows_this_namespace();
  return {.hostname = host_name(),
          .pid = pid,
          .place = is_proc_ours ? own_place(pid) : std::nullopt,
          .look_at = [is_proc_ours](std::uint32_t other) {
            return look_at_process(other, is_proc_ours);
          }};
}

bool is_first_pid_namespace(const std::string& pid_namespace) {
  constexpr std::string_view kInode = ":4026531836";  // PROC_PID_INIT_INO
  return pid_namespace.ends_with(kInode);
}

}  // namespace restree
