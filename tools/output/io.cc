#include "tools/output/io.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "repo/base/readable.h"
#include "repo/system/file_io.h"
#include "tools/output/columns.h"

namespace restree {
namespace {

constexpr std::size_t kMostPending = 64 << 10;
constexpr std::size_t kUsualWidth = 80;
constexpr std::string_view kEraseLine = "\r\x1b[2K";

}  // namespace

ProcessIo::ProcessIo(std::stop_source stop)
    : stop_(std::move(stop)),
      is_terminal_(::isatty(STDOUT_FILENO) == 1),
      errors_to_terminal_(::isatty(STDERR_FILENO) == 1) {}

ProcessIo::~ProcessIo() {
  const MutexLock lock(mutex_);
  hide_status();
  flush_locked();
}

std::size_t ProcessIo::width() const {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUsualWidth;
  return size.ws_col;
}

void ProcessIo::out(std::string_view text) {
  const MutexLock lock(mutex_);
  if (is_terminal_) {
    append_locked(for_terminal(text));
  } else {
    append_locked(text);
  }
}

void ProcessIo::bytes(std::string_view content) {
  const MutexLock lock(mutex_);
  append_locked(content);
}

void ProcessIo::append_locked(std::string_view text) {
  hide_status();
  pending_ += text;
  if (is_terminal_ || pending_.size() >= kMostPending) flush_locked();
  show_status();
}

void ProcessIo::err(std::string_view text) {
  const MutexLock lock(mutex_);
  hide_status();
  flush_locked();  // keeps the order of the calls if stdout and stderr go to the same place
  if (errors_to_terminal_) {
    write_all(STDERR_FILENO, as_bytes(for_terminal(text)));
  } else {
    write_all(STDERR_FILENO, as_bytes(text));
  }
  show_status();
}

void ProcessIo::status(std::string_view line) {
  const MutexLock lock(mutex_);
  if (!is_terminal_) {
    if (line.empty()) return;
    append_locked(std::string(line) + "\n");
    return flush_locked();
  }
  hide_status();
  status_ = first_columns(for_terminal(line), width() - 1);
  show_status();
}

Status ProcessIo::flush() {
  const MutexLock lock(mutex_);
  flush_locked();
  if (failure_ != 0) return errno_error(failure_, "write to standard output");
  return {};
}

void ProcessIo::flush_locked() {
  if (failure_ == 0) failure_ = write_all(STDOUT_FILENO, as_bytes(pending_));
  pending_.clear();
  if (failure_ != 0 && (needs_output_ || reader_has_gone())) stop_.request_stop();
}

void ProcessIo::hide_status() {
  if (!status_.empty()) write_all(STDOUT_FILENO, as_bytes(kEraseLine));
}

void ProcessIo::show_status() {
  if (!status_.empty()) write_all(STDOUT_FILENO, as_bytes(status_));
}

}  // namespace restree
