#include "fs/latest/processes.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace restree {
namespace {

template <class Number>
std::optional<Number> leading_number(std::string_view text) {
  Number number{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc{}) return std::nullopt;
  return number;
}

std::string proc_file(pid_t process, std::string_view name) {
  return "/proc/" + std::to_string(process) + "/" + std::string(name);
}

// The number of the process that a thread belongs to.
std::optional<pid_t> process_id_of(pid_t thread) {
  constexpr std::string_view kLabel = "Tgid:\t";
  std::ifstream status(proc_file(thread, "status"));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(kLabel)) {
      return leading_number<pid_t>(std::string_view(line).substr(kLabel.size()));
    }
  }
  return std::nullopt;
}

// When a process began: the 22nd field of its line in /proc. The second is the program's name in
// parentheses, which may hold spaces and parentheses of its own.
std::optional<std::uint64_t> start_of(pid_t process) {
  constexpr int kFieldsFromNameToStart = 20;
  std::ifstream file(proc_file(process, "stat"));
  const std::string line((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::size_t at = line.rfind(')');
  for (int i = 0; i < kFieldsFromNameToStart && at != std::string::npos; ++i) {
    at = line.find(' ', at + 1);
  }
  if (at == std::string::npos) return std::nullopt;
  return leading_number<std::uint64_t>(std::string_view(line).substr(at + 1));
}

// A descriptor that becomes readable when the process ends; none before Linux 5.3.
UniqueFd open_process(pid_t process) {
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
}

bool has_ended(const UniqueFd& process) {
  pollfd wait{.fd = process.get(), .events = POLLIN, .revents = 0};
  return ::poll(&wait, 1, 0) != 0;
}

bool is_thread_of(pid_t thread, const Process& process) {
  if (thread == process.id) return true;
  // Signal 0 only asks; a thread of somebody else's process is refused with EPERM.
  return ::tgkill(process.id, thread, 0) == 0 || errno != ESRCH;
}

}  // namespace

std::optional<SystemProcesses::Recent> SystemProcesses::recent(pid_t thread) const {
  auto recents = recents_.lock();
  for (const Recent& recent : recents->all) {
    if (recent.thread == thread) return recent;
  }
  return std::nullopt;
}

void SystemProcesses::remember(Recent asked) {
  auto recents = recents_.lock();
  for (Recent& recent : recents->all) {
    if (recent.thread == asked.thread) {
      std::swap(recent, asked);
      return;
    }
  }
  if (recents->all.size() < kMostRecent) {
    recents->all.push_back(std::move(asked));
    return;
  }
  std::swap(recents->all[recents->next], asked);
  recents->next = (recents->next + 1) % kMostRecent;
}

std::optional<Process> SystemProcesses::of_thread(pid_t thread) {
  if (thread <= 0) return std::nullopt;
  if (const auto known = recent(thread)) {
    if (!has_ended(*known->alive) && is_thread_of(thread, known->process)) return known->process;
  }
  const std::optional<pid_t> id = process_id_of(thread);
  if (!id) return std::nullopt;
  UniqueFd alive = open_process(*id);
  const std::optional<std::uint64_t> started = start_of(*id);
  if (!started) return std::nullopt;
  const Process process{*id, *started};
  // A process that still lives is the one whose start was read.
  if (alive && !has_ended(alive)) {
    remember({thread, process, std::make_shared<const UniqueFd>(std::move(alive))});
  }
  return process;
}

// A process whose first thread has ended is a zombie in /proc while its other threads go on. So a
// process has ended only if its entry is gone, or belongs to another process.
bool SystemProcesses::lives(const Process& process) {
  return start_of(process.id) == process.started;
}

// By the clock that /proc counts from, which goes on while the system sleeps.
std::uint64_t SystemProcesses::tick_in(std::chrono::seconds time) {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  const auto ticks = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  const auto seconds = static_cast<std::uint64_t>(now.tv_sec + time.count());
  return seconds * ticks + static_cast<std::uint64_t>(now.tv_nsec) * ticks / 1'000'000'000;
}

}  // namespace restree
