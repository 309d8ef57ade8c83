#include "repo/base/child_process.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "repo/base/log.h"

extern char** environ;

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
  // The child gets a group of its own and no signal blocked or ignored, whatever is set in this
  // process.
  int run(const std::vector<std::string>& words, pid_t& pid) {
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    return posix_spawnp(&pid, argv[0], &actions_, &attributes_, argv.data(), environ);
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

}  // namespace

ChildProcess::ChildProcess(pid_t pid)
    : pid_(pid), pidfd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)) {}

ChildProcess::~ChildProcess() {
  if (pid_ < 0) return;
  const bool by_itself = ended(kGrace);
  // Programs that the child has started may outlive it.
  ::kill(-pid_, by_itself ? SIGTERM : SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Result<ChildProcess> ChildProcess::start(const std::vector<std::string>& words,
                                         const Streams& streams) {
  SpawnPlan plan;
  plan.stream(streams.input, 0);
  plan.stream(streams.output, 1);
  plan.stream(streams.errors, 2);
  pid_t pid = -1;
  if (const int failure = plan.run(words, pid); failure != 0) {
    return errno_error(failure, "start " + words[0]);
  }
  return ChildProcess(pid);
}

bool ChildProcess::ended(std::chrono::milliseconds wait) {
  const auto by = Deadline::after(wait);
  pollfd polled{pidfd_.get(), POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&polled, 1, by.poll_timeout_ms());
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

bool ChildProcess::failed(std::chrono::milliseconds wait) {
  if (!ended(wait)) return false;
  siginfo_t end{};
  // WNOWAIT leaves the zombie to the destructor: until then no other process can get this id.
  const int found = ::waitid(P_PID, static_cast<id_t>(pid_), &end, WEXITED | WNOHANG | WNOWAIT);
  return found == 0 && (end.si_code != CLD_EXITED || end.si_status != 0);
}

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

Result<std::string> output_of(const std::vector<std::string>& words, Deadline by) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error(errno, "make a pipe");
  const UniqueFd from(ends[0]);
  UniqueFd to(ends[1]);
  const Complaints complaints;
  ASSIGN_OR_RETURN(ChildProcess child, ChildProcess::start(words, {-1, to.get(), complaints.fd()}));
  to.reset();
  std::string output;
  std::array<char, 16384> buffer{};
  while (true) {
    pollfd polled{from.get(), POLLIN, 0};
    const int ready = ::poll(&polled, 1, by.poll_timeout_ms());
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0 || output.size() > kMaxOutputBytes) {
      return Error(ErrorKind::kUnavailable, words[0] + " did not end in time");
    }
    const ssize_t got = ::read(from.get(), buffer.data(), buffer.size());
    if (got < 0) return errno_error(errno, "read from " + words[0]);
    if (got == 0) break;
    output.append(buffer.data(), static_cast<std::size_t>(got));
  }
  if (output.empty() || !complaints.last_words().empty()) {
    log::debug("{} says: {}", words[0], log::quoted(complaints.last_words()));
  }
  // It has closed its output, so its end is near.
  const auto patience = std::chrono::ceil<std::chrono::milliseconds>(by.remaining());
  if (output.empty() || child.failed(patience)) {
    return Error(ErrorKind::kInvalid,
                 fmt::format("{}: {}", words[0], log::quoted(complaints.last_words())));
  }
  return output;
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
