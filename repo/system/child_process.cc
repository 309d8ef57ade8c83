#include "repo/system/child_process.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <thread>
#include <utility>

#include "repo/base/guarded.h"
#include "repo/base/log.h"
#include "repo/system/environment.h"

namespace restree {

namespace {

constexpr std::chrono::milliseconds kGrace{200};
constexpr std::size_t kMaxOutputBytes = 1 << 20;

class SpawnPlan {
 public:
  SpawnPlan() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  void stream(int from, int to) {
    if (from < 0) {
      posix_spawn_file_actions_addopen(&actions_, to, "/dev/null", O_RDWR, 0);
    } else {
      posix_spawn_file_actions_adddup2(&actions_, from, to);
    }
  }
  // The child leads the terminal's foreground group from its first instruction on.
  void hand_over(int terminal) { posix_spawn_file_actions_addtcsetpgrp_np(&actions_, terminal); }
  // The child has no signal ignored, whatever is set in this process, and of all signals only
  // `blocked` blocked.
  int run(const std::vector<std::string>& words, bool leads_group, const sigset_t& blocked,
          pid_t& pid) {
    sigset_t all;
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &blocked);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_,
                             static_cast<short>((leads_group ? POSIX_SPAWN_SETPGROUP : 0) |
                                                POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    return posix_spawnp(&pid, argv[0], &actions_, &attributes_, argv.data(),
                        environment_for_others().data());
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

UniqueFd open_terminal() { return UniqueFd(::open("/dev/tty", O_RDWR | O_CLOEXEC)); }

// The terminal that a child has, and that child.
struct LentTerminal {
  UniqueFd terminal;
  pid_t child = -1;
};
Guarded<LentTerminal>& lent_terminal() {
  static Guarded<LentTerminal> lent;
  return lent;
}

void take_back(LentTerminal& lent) {
  if (!lent.terminal) return;
  // A group in the background that takes the terminal would be stopped.
  sigset_t stop;
  sigset_t before;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTTOU);
  ::pthread_sigmask(SIG_BLOCK, &stop, &before);
  ::tcsetpgrp(lent.terminal.get(), ::getpgrp());
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  lent = {};
}

// Takes the terminal back from this child if it has it; returns whether it had it.
bool take_back_from(pid_t child) {
  auto lent = lent_terminal().lock();
  if (!lent->terminal || lent->child != child) return false;
  take_back(*lent);
  return true;
}

// Starts `plan` with the terminal lent to the child, if this process has it to lend.
int run_with_terminal(SpawnPlan& plan, const std::vector<std::string>& words, pid_t& pid) {
  // Ctrl-Z would stop the child alone, and the shell would wait for this process, which waits.
  sigset_t blocked;
  sigemptyset(&blocked);
  auto lent = lent_terminal().lock();
  UniqueFd terminal = lent->terminal ? UniqueFd() : open_terminal();
  if (!terminal || ::tcgetpgrp(terminal.get()) != ::getpgrp()) {
    return plan.run(words, true, blocked, pid);
  }
  sigaddset(&blocked, SIGTSTP);
  plan.hand_over(terminal.get());
  const int failure = plan.run(words, true, blocked, pid);
  *lent = {std::move(terminal), pid};
  if (failure != 0) take_back(*lent);
  return failure;
}

// For kernels without a descriptor of a process that could be polled.
bool ended_by_looking(pid_t pid, Deadline by) {
  constexpr std::chrono::milliseconds kLongestPause{20};
  for (std::chrono::milliseconds pause{1};; pause = std::min(2 * pause, kLongestPause)) {
    siginfo_t end{};
    const int found = ::waitid(P_PID, static_cast<id_t>(pid), &end, WEXITED | WNOHANG | WNOWAIT);
    if (found == 0 && end.si_pid == pid) return true;
    if (by.expired()) return false;
    std::this_thread::sleep_for(std::min<Deadline::Clock::duration>(pause, by.remaining()));
  }
}

}  // namespace

std::string ChildProcess::Ending::words() const {
  if (!by_signal) return fmt::format("ended with exit status {}", number);
  const char* const name = ::sigabbrev_np(number);
  return name == nullptr ? fmt::format("was ended by signal {}", number)
                         : fmt::format("was ended by SIG{}", name);
}

ChildProcess::ChildProcess(pid_t pid, bool leads_group)
    : pid_(pid),
      leads_group_(leads_group),
      pidfd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      leads_group_(other.leads_group_),
      pidfd_(std::move(other.pidfd_)) {}

ChildProcess::~ChildProcess() {
  if (pid_ < 0) return;
  const bool by_itself = ended(kGrace);
  if (leads_group_) {
    // Programs that the child has started may outlive it.
    ::kill(-pid_, by_itself ? SIGTERM : SIGKILL);
  } else if (!by_itself) {
    ::kill(pid_, SIGKILL);
  }
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  // A person at the terminal means the whole program, not the part of it that was asking.
  const bool had_terminal = take_back_from(pid_);
  if (had_terminal && WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) {
    ::kill(::getpid(), SIGINT);
  }
}

Result<ChildProcess> ChildProcess::start(const std::vector<std::string>& words,
                                         const Streams& streams, Terminal terminal) {
  SpawnPlan plan;
  plan.stream(streams.input, 0);
  plan.stream(streams.output, 1);
  plan.stream(streams.errors, 2);
  const bool leads_group = terminal != Terminal::kShared || !open_terminal();
  pid_t pid = -1;
  int failure = 0;
  if (terminal == Terminal::kUntilTakenBack) {
    failure = run_with_terminal(plan, words, pid);
  } else {
    sigset_t none;
    sigemptyset(&none);
    failure = plan.run(words, leads_group, none, pid);
  }
  if (failure != 0) return errno_error(failure, "start " + words[0]);
  return ChildProcess(pid, leads_group);
}

bool ChildProcess::ended(std::chrono::milliseconds wait) {
  const auto by = Deadline::after(wait);
  if (!pidfd_) return ended_by_looking(pid_, by);
  pollfd polled{pidfd_.get(), POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&polled, 1, by.poll_timeout_ms());
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

std::optional<ChildProcess::Ending> ChildProcess::ending(std::chrono::milliseconds wait) {
  if (!ended(wait)) return std::nullopt;
  siginfo_t end{};
  // WNOWAIT leaves the zombie to the destructor: until then no other process can get this id.
  ::waitid(P_PID, static_cast<id_t>(pid_), &end, WEXITED | WNOHANG | WNOWAIT);
  return Ending{end.si_code != CLD_EXITED, end.si_status};
}

void ChildProcess::take_terminal_back() { take_back_from(pid_); }

void take_terminal_back() { take_back(*lent_terminal().lock()); }

Complaints::Complaints() : file_(::memfd_create("complaints", MFD_CLOEXEC)) {}

std::string Complaints::last_words() const {
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) return {};
  std::array<char, 1024> tail{};
  const off_t from = std::max<off_t>(0, status.st_size - off_t(tail.size()));
  const ssize_t got = ::pread(file_.get(), tail.data(), tail.size(), from);
  std::string words;
  for (const char c : std::string_view(tail.data(), got < 0 ? 0 : static_cast<std::size_t>(got))) {
    if (c == '\r') continue;
    if (c != '\n') {
      words += c;
    } else if (!words.empty() && !words.ends_with("; ")) {
      words += "; ";
    }
  }
  while (words.ends_with(' ') || words.ends_with(';')) words.pop_back();
  return words;
}

namespace {

// Everything that comes until the other end is closed.
Result<std::string> read_all(const UniqueFd& from, const std::string& program, Deadline by) {
  std::string output;
  std::array<char, 16384> buffer{};
  while (true) {
    pollfd polled{from.get(), POLLIN, 0};
    const int ready = ::poll(&polled, 1, by.poll_timeout_ms());
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0 || output.size() > kMaxOutputBytes) {
      return Error(ErrorKind::kUnavailable, program + " did not end in time");
    }
    const ssize_t got = ::read(from.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error(errno, "read from " + program);
    if (got == 0) return output;
    output.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

Error failed(const std::string& program, const std::optional<ChildProcess::Ending>& ending,
             const std::string& last_words) {
  if (!ending) return {ErrorKind::kUnavailable, program + " did not end in time"};
  const std::string how = ending->is_success() ? "printed nothing" : ending->words();
  const bool cancelled = ending->by_signal && ending->number == SIGINT;
  return {cancelled ? ErrorKind::kCancelled : ErrorKind::kInvalid,
          last_words.empty() ? fmt::format("{} {}", program, how)
                             : fmt::format("{} {}: {}", program, how, log::quoted(last_words))};
}

// `errors`: the child's standard error; `complaints`: what of it can be read, if it is kept.
Result<std::string> run_to_end(const std::vector<std::string>& words, int errors,
                               const Complaints* complaints, ChildProcess::Terminal terminal,
                               Deadline by) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error(errno, "make a pipe");
  const UniqueFd from(ends[0]);
  UniqueFd to(ends[1]);
  ASSIGN_OR_RETURN(ChildProcess child,
                   ChildProcess::start(words, {-1, to.get(), errors}, terminal));
  to.reset();
  ASSIGN_OR_RETURN(std::string output, read_all(from, words[0], by));
  const std::string last_words = complaints == nullptr ? std::string() : complaints->last_words();
  if (!last_words.empty()) log::debug("{} says: {}", words[0], log::quoted(last_words));
  // It has closed its output, so its end is near.
  const auto ending = child.ending(std::chrono::ceil<std::chrono::milliseconds>(by.remaining()));
  if (output.empty() || !ending || !ending->is_success()) {
    return failed(words[0], ending, last_words);
  }
  return output;
}

}  // namespace

Result<std::string> output_of(const std::vector<std::string>& words, Deadline by) {
  const Complaints complaints;
  return run_to_end(words, complaints.fd(), &complaints, ChildProcess::Terminal::kNone, by);
}

Result<std::string> output_of_asking(const std::vector<std::string>& words, Deadline by) {
  return run_to_end(words, STDERR_FILENO, nullptr, ChildProcess::Terminal::kShared, by);
}

Result<std::vector<std::string>> split_words(std::string_view command) {
  std::vector<std::string> words;
  bool in_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < command.size(); ++i) {
    const char c = command[i];
    const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (quote == 0 && space) {
      in_word = false;
      continue;
    }
    if (!std::exchange(in_word, true)) words.emplace_back();
    const char next = i + 1 < command.size() ? command[i + 1] : '\0';
    if (c == '\\' && (next == '\'' || next == '"' || next == '\\')) {
      words.back() += next;
      ++i;
    } else if (c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else {
      words.back() += c;
    }
  }
  if (quote != 0) return Error(ErrorKind::kInvalid, "a quote is not closed in the command");
  if (words.empty()) return Error(ErrorKind::kInvalid, "the command is empty");
  return words;
}

}  // namespace restree
