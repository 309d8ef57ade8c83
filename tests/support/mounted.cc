#include "tests/support/mounted.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <charconv>
#include <exception>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "tests/support/files.h"
#include "tests/support/programs.h"
#include "tests/support/scale.h"

// The header of glibc 2.36 has no extern "C" of its own.
extern "C" {
#include <sys/pidfd.h>
}

namespace restree::testing {
namespace {

namespace fs = std::filesystem;

std::string with_log_path(const char* variable, const fs::path& log) {
  const char* before = std::getenv(variable);
  return (before == nullptr ? std::string() : std::string(before) + ":") +
         "log_path=" + log.string();
}

pid_t parent_of(const fs::path& proc) {
  std::ifstream status(proc / "status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.rfind("PPid:", 0) == 0) return static_cast<pid_t>(std::stol(line.substr(5)));
  }
  return -1;
}

bool command_line_has(const fs::path& proc, const std::string& word) {
  std::ifstream file(proc / "cmdline");
  std::string argument;
  while (std::getline(file, argument, '\0')) {
    if (argument == word) return true;
  }
  return false;
}

}  // namespace

Command mount_command(const MountRequest& request, const fs::path& dir, const fs::path& on) {
  Command command{.argv = {restreefs_path(), request.location, on.string()},
                  .timeout = std::chrono::seconds(patient(120))};
  for (const auto& option : request.options) {
    command.argv.insert(command.argv.end(), {"-o", option});
  }
  command.argv.insert(command.argv.end(), {"-o", "log_file=" + (dir / "log").string()});
  const fs::path cache = request.cache.empty() ? dir / "cache" : request.cache;
  fs::create_directories(cache);
  command.env = {{"RESTIC_PASSWORD", kPassword},
                 {"RESTIC_REPOSITORY", std::nullopt},
                 {"XDG_CACHE_HOME", cache.string()},
                 {"XDG_STATE_HOME", (dir / "state").string()}};
  for (const char* variable : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"}) {
    command.env.emplace_back(variable, with_log_path(variable, dir / "sanitizer"));
  }
  command.env.insert(command.env.end(), request.env.begin(), request.env.end());
  return command;
}

void adopt_daemons() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

pid_t child_with_word(const std::string& word) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    pid_t pid = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (parsed.ptr != name.data() + name.size()) continue;
    if (parent_of(entry.path()) == ::getpid() && command_line_has(entry.path(), word)) return pid;
  }
  return -1;
}

std::string mount_line(const fs::path& mount_point) {
  std::ifstream mounts("/proc/mounts");
  std::string line;
  while (std::getline(mounts, line)) {
    std::istringstream words(line);
    std::string device;
    std::string where;
    words >> device >> where;
    // The kernel writes spaces in octal.
    for (std::size_t at = 0; (at = where.find("\\040", at)) != std::string::npos;) {
      where.replace(at, 4, " ");
    }
    if (where == mount_point.string()) return line;
  }
  return {};
}

bool is_mounted(const fs::path& mount_point) { return !mount_line(mount_point).empty(); }

MountRequest mount_of(const Restic& restic, std::vector<std::string> options) {
  return {.location = restic.repository().string(),
          .options = std::move(options),
          .env = {},
          .mount_point = {},
          .cache = {}};
}

Mounted::Mounted(const MountRequest& request)
    : mount_point_(request.mount_point.empty() ? dir_.path() / "mnt" : request.mount_point) {
  std::error_code failure;  // of a mount point on which a dead mount lies
  fs::create_directories(mount_point_, failure);
  adopt_daemons();
  const Finished finished = run(mount_command(request, dir_.path(), mount_point_));
  take_over_process();
  if (finished.ok() && is_mounted(mount_point_) && pid_ > 0) return;
  ::umount2(mount_point_.c_str(), MNT_DETACH);
  if (pid_ > 0) kill();
  throw std::runtime_error("restreefs did not mount: " + finished.report() + "\nlog:\n" + log());
}

Mounted::Mounted(ByOthers, fs::path mount_point) : mount_point_(std::move(mount_point)) {
  take_over_process();
  if (pid_ <= 0) throw std::runtime_error("no process serves " + mount_point_.string());
}

std::unique_ptr<Mounted> Mounted::by_others(const fs::path& mount_point) {
  return std::unique_ptr<Mounted>(new Mounted(ByOthers{}, mount_point));
}

void Mounted::take_over_process() {
  // The launcher may be gone a moment before its child has been handed over to us.
  holds_within(std::chrono::seconds(2), [&] {
    pid_ = child_with_word(mount_point_.string());
    return pid_ > 0;
  });
  if (pid_ > 0) pidfd_ = UniqueFd(::pidfd_open(pid_, 0));
}

Mounted::~Mounted() {
  // What a failed test met can often be read only here.
  if (::testing::Test::HasFailure() || std::uncaught_exceptions() > 0) {
    std::cout << "log of " << mount_point_ << ", which is "
              << (is_mounted(mount_point_) ? "" : "not ") << "mounted:\n"
              << log() << std::flush;
  }
  if (pidfd_) unmount();
  if (is_mounted(mount_point_)) ::umount2(mount_point_.c_str(), MNT_DETACH);
}

void Mounted::signal(int number) const { ::pidfd_send_signal(pidfd_.get(), number, nullptr, 0); }

std::string Mounted::log() const {
  return fs::exists(dir_.path() / "log") ? read_file(dir_.path() / "log") : std::string();
}

void Mounted::unmount() {
  const Finished finished = run({.argv = {"fusermount3", "-u", mount_point_.string()}});
  EXPECT_TRUE(finished.ok()) << "fusermount3 -u: " << finished.report();
  if (!finished.ok()) ::umount2(mount_point_.c_str(), MNT_DETACH);
  expect_end();
}

void Mounted::expect_end(std::chrono::seconds timeout, int expected) {
  const auto code = exit_code_within(timeout);
  EXPECT_TRUE(code.has_value()) << "restreefs is still running " << timeout.count()
                                << " s after its end was due; log:\n"
                                << log();
  if (!code) kill();
  EXPECT_EQ(code.value_or(expected), expected) << "restreefs ended badly; log:\n" << log();
  EXPECT_FALSE(is_mounted(mount_point_)) << mount_point_ << " is still mounted";
  for (const auto& entry : fs::directory_iterator(dir_.path())) {
    const std::string name = entry.path().filename();
    if (name.rfind("sanitizer", 0) == 0) ADD_FAILURE() << name << ":\n" << read_file(entry.path());
  }
}

std::optional<int> Mounted::exit_code_within(std::chrono::seconds timeout) {
  const auto limit = std::chrono::milliseconds(timeout) * patient(1);
  pollfd wait{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  if (::poll(&wait, 1, static_cast<int>(limit.count())) == 0) return std::nullopt;
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED);
  pidfd_.reset();
  return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

void Mounted::kill() {
  signal(SIGKILL);
  exit_code_within(std::chrono::seconds(20));
  pidfd_.reset();
}

Finished try_mount(const MountRequest& request) {
  const TempDir dir;
  const fs::path on = request.mount_point.empty() ? dir.path() / "mnt" : request.mount_point;
  if (request.mount_point.empty()) fs::create_directories(on);
  adopt_daemons();
  Finished finished = run(mount_command(request, dir.path(), on));
  if (const pid_t pid = child_with_word(on.string()); pid > 0) {
    run({.argv = {"fusermount3", "-u", "-z", on.string()}});
    ::kill(pid, SIGTERM);
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED);
  }
  return finished;
}

}  // namespace restree::testing
