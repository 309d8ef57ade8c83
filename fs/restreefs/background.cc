#include "fs/restreefs/background.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include "repo/base/log.h"

namespace restree {
namespace {

constexpr const char* kProgram = "restreefs";

Result<std::string> absolute(const std::string& path) {
  if (path.empty()) return path;
  std::error_code failure;
  const std::filesystem::path whole = std::filesystem::absolute(path, failure);
  if (failure) return Error(ErrorKind::kInvalid, path + ": " + failure.message());
  return whole.string();
}

}  // namespace

Result<Background> Background::foreground(const std::string& log_file) {
  Background none;
  if (!log_file.empty()) RETURN_IF_ERROR(log::open_file(log_file));
  return none;
}

Result<Background> Background::start(const std::string& log_file) {
  Background both;
  ASSIGN_OR_RETURN(both.log_file_, absolute(log_file));
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error(errno, "make a pipe");
  both.from_child_ = UniqueFd(ends[0]);
  both.to_parent_ = UniqueFd(ends[1]);
  both.child_ = ::fork();
  if (both.child_ < 0) return errno_error(errno, "start a background process");
  if (both.is_parent()) {
    both.to_parent_.reset();
    return both;
  }
  both.in_background_ = true;
  both.from_child_.reset();
  // A log file that cannot be written is to be known now, while someone reads stderr.
  if (!both.log_file_.empty()) RETURN_IF_ERROR(log::open_file(both.log_file_));
  return both;
}

int Background::wait_for_child() {
  char byte = 0;
  ssize_t count = 0;
  while ((count = ::read(from_child_.get(), &byte, 1)) < 0 && errno == EINTR) continue;
  if (count == 1) return 0;
  int status = 0;
  while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

void Background::ready() {
  if (!in_background_) return;
  if (log_file_.empty()) log::open_syslog(kProgram);
  ::setsid();
  static_cast<void>(::chdir("/") == 0);
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    ::dup2(null.get(), stream);
  }
  const char byte = 0;
  static_cast<void>(::write(to_parent_.get(), &byte, 1) == 1);
  to_parent_.reset();
}

}  // namespace restree
