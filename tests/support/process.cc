#include "tests/support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <stdexcept>
#include <system_error>
#include <thread>

// glibc 2.36 forgets this itself.
extern "C" {
#include <sys/pidfd.h>
}

namespace restree::testing {
namespace {

[[noreturn]] void fail(int error, const std::string& doing) {
  throw std::system_error(error, std::generic_category(), doing);
}

// Files in memory stand for the pipes, so that nobody has to drain them while the program runs.
UniqueFd memory_file() {
  UniqueFd fd(::memfd_create("restree-test", MFD_CLOEXEC));
  if (!fd) fail(errno, "memfd_create");
  return fd;
}

std::string content_of(const UniqueFd& fd) {
  struct stat attributes {};
  if (::fstat(fd.get(), &attributes) != 0) fail(errno, "fstat");
  std::string text(static_cast<std::size_t>(attributes.st_size), '\0');
  const ssize_t count = ::pread(fd.get(), text.data(), text.size(), 0);
  text.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
  return text;
}

std::vector<std::string> environment(const Command& command) {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const auto equals = text.find('=');
    variables[text.substr(0, equals)] = text.substr(equals + 1);
  }
  for (const auto& [name, value] : command.env) {
    value ? void(variables[name] = *value) : void(variables.erase(name));
  }
  std::vector<std::string> lines;
  for (const auto& [name, value] : variables) {
    lines.push_back(name);
    lines.back().append("=").append(value);
  }
  return lines;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (auto& string : strings) result.push_back(string.data());
  result.push_back(nullptr);
  return result;
}

int exit_code_of(const siginfo_t& info) {
  return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

}  // namespace

std::string Finished::report() const {
  std::string text =
      timed_out ? "killed after its time limit" : "exit code " + std::to_string(exit_code);
  if (!out.empty()) text += "\nstdout:\n" + out;
  if (!err.empty()) text += "\nstderr:\n" + err;
  return text;
}

Process::Process(pid_t pid, UniqueFd pidfd, UniqueFd out, UniqueFd err)
    : pid_(pid), pidfd_(std::move(pidfd)), out_(std::move(out)), err_(std::move(err)) {}

Process Process::start(const Command& command) {
  UniqueFd in = memory_file();
  UniqueFd out = memory_file();
  UniqueFd err = memory_file();
  if (::pwrite(in.get(), command.input.data(), command.input.size(), 0) < 0) fail(errno, "pwrite");

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.get(), 0);
  posix_spawn_file_actions_adddup2(&actions, out.get(), 1);
  posix_spawn_file_actions_adddup2(&actions, err.get(), 2);
  if (!command.folder.empty()) {
    posix_spawn_file_actions_addchdir_np(&actions, command.folder.c_str());
  }
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);

  auto argv = command.argv;
  auto lines = environment(command);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, argv.at(0).c_str(), &actions, &attributes,
                                   pointers(argv).data(), pointers(lines).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) fail(error, "start " + argv[0]);
  UniqueFd pidfd(::pidfd_open(pid, 0));
  if (!pidfd) fail(errno, "pidfd_open");
  return {pid, std::move(pidfd), std::move(out), std::move(err)};
}

Process::~Process() {
  if (!pidfd_) return;
  ::kill(-pid_, SIGKILL);
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED);
}

bool Process::running() const {
  pollfd wait{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  return pidfd_ && ::poll(&wait, 1, 0) == 0;
}

void Process::signal(int number) const { ::pidfd_send_signal(pidfd_.get(), number, nullptr, 0); }

Finished Process::wait(std::chrono::milliseconds timeout) {
  Finished finished;
  pollfd wait{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  if (::poll(&wait, 1, static_cast<int>(timeout.count())) == 0) {
    finished.timed_out = true;
    ::kill(-pid_, SIGKILL);
  }
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED);
  pidfd_.reset();
  finished.exit_code = exit_code_of(info);
  finished.out = content_of(out_);
  finished.err = content_of(err_);
  return finished;
}

Finished run(const Command& command) { return Process::start(command).wait(command.timeout); }

std::string run_ok(const Command& command) {
  Finished finished = run(command);
  if (finished.ok()) return std::move(finished.out);
  std::string line;
  for (const auto& word : command.argv) line += word + " ";
  throw std::runtime_error(line + ": " + finished.report());
}

void pause_between_looks() { std::this_thread::sleep_for(std::chrono::milliseconds(10)); }

}  // namespace restree::testing
