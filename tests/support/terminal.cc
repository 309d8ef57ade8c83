#include "tests/support/terminal.h"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <system_error>

namespace restree::testing {
namespace {

// Large enough for a list of everything that can be completed.
constexpr winsize kSize{.ws_row = 500, .ws_col = 160, .ws_xpixel = 0, .ws_ypixel = 0};

}  // namespace

Terminal::Terminal(std::vector<std::string> argv,
                   const std::vector<std::pair<std::string, std::string>>& variables) {
  std::vector<char*> words;
  for (std::string& word : argv) words.push_back(word.data());
  words.push_back(nullptr);
  int fd = -1;
  pid_ = ::forkpty(&fd, nullptr, nullptr, &kSize);
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "forkpty");
  if (pid_ == 0) {
    for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
    ::execvp(words[0], words.data());
    ::_exit(127);
  }
  terminal_ = UniqueFd(fd);
}

Terminal::~Terminal() {
  terminal_.reset();
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Terminal::type(const std::string& keys) const {
  if (::write(terminal_.get(), keys.data(), keys.size()) != static_cast<ssize_t>(keys.size())) {
    throw std::system_error(errno, std::generic_category(), "type " + keys);
  }
}

std::string Terminal::shown_until(const std::string& end, std::chrono::milliseconds timeout) {
  const auto by = std::chrono::steady_clock::now() + timeout;
  std::size_t at = 0;
  while ((at = shown_.find(end)) == std::string::npos) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        by - std::chrono::steady_clock::now());
    pollfd wait{.fd = terminal_.get(), .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || ::poll(&wait, 1, static_cast<int>(left.count())) <= 0) {
      throw std::runtime_error("the terminal never showed \"" + end + "\", but: " + shown_);
    }
    std::array<char, 4096> piece;
    const ssize_t count = ::read(terminal_.get(), piece.data(), piece.size());
    if (count <= 0) throw std::runtime_error("the program has ended; it showed: " + shown_);
    shown_.append(piece.data(), static_cast<std::size_t>(count));
  }
  std::string result = shown_.substr(0, at + end.size());
  shown_.erase(0, at + end.size());
  return result;
}

}  // namespace restree::testing
