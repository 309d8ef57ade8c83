#include "fs/fuse/fuse_session.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <fuse_lowlevel.h>
#include <fuse_opt.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <utility>

#include "fs/fuse/device_calls.h"
#include "fs/fuse/kernel_version.h"
#include "repo/base/log.h"
#include "repo/base/unique_fd.h"
#include "repo/system/child_process.h"
#include "repo/system/mounts.h"

namespace restree {
namespace {

// Interrupts a worker that waits for a request; its handler does nothing.
constexpr int kWakeSignal = SIGUSR1;
// How long stop() lets requests under way come to their end.
constexpr std::chrono::seconds kStopPatience{5};
// How long fusermount3 has for its work.
constexpr std::chrono::seconds kUnmountPatience{30};
// After which a worker without memory for a request looks again.
constexpr std::chrono::milliseconds kMemoryPause{20};

// libfuse tells why a mount failed only through its log.
Guarded<std::string>& last_fuse_message() {
  static Guarded<std::string> message;
  return message;
}

void take_fuse_message(fuse_log_level level, const char* format, va_list arguments) {
  std::array<char, 512> text{};
  const int length = std::vsnprintf(text.data(), text.size(), format, arguments);
  if (length < 0) return;
  std::string line(text.data());
  while (!line.empty() && line.back() == '\n') line.pop_back();
  if (level <= FUSE_LOG_WARNING) {
    *last_fuse_message().lock() = line;
  }
  log::debug("libfuse: {}", line);
}

struct FuseArguments {
  FuseArguments(std::initializer_list<std::string> words) {
    for (const std::string& word : words) fuse_opt_add_arg(&args, word.c_str());
  }
  ~FuseArguments() { fuse_opt_free_args(&args); }
  FuseArguments(const FuseArguments&) = delete;
  FuseArguments& operator=(const FuseArguments&) = delete;
  fuse_args args = FUSE_ARGS_INIT(0, nullptr);
};

// A value inside of an option list.
std::string escaped(const std::string& value) {
  std::string text;
  for (const char c : value) {
    if (c == ',' || c == '\\') text += '\\';
    text += c;
  }
  return text;
}

Error mount_error(const std::string& mount_point) {
  const std::string why = std::exchange(*last_fuse_message().lock(), {});
  return Error(ErrorKind::kLocalIo,
               fmt::format("mount on {}: {}", mount_point, why.empty() ? "refused" : why))
      .hinting(
          "Is the fuse module loaded (/dev/fuse), and fuse3 installed? Options such as "
          "allow_other need user_allow_other in /etc/fuse.conf unless root mounts.");
}

// Makes libfuse take the connection for ended: it polls the device, and where that reports an error, as a
// pipe does that nobody reads, it only closes it. Else it would unmount what is unmounted already, and
// complain on standard error that it cannot.
void end_connection(int device) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
  const UniqueFd nobody_reads(ends[1]);
  ::close(ends[0]);
  ::dup3(nobody_reads.get(), device, O_CLOEXEC);
}

}  // namespace

void FuseSession::EndSession::operator()(fuse_session* session) const {
  fuse_session_destroy(session);
}

Result<std::unique_ptr<FuseSession>> FuseSession::mount(FuseContext& context,
                                                        const std::string& mount_point,
                                                        const std::string& source_name,
                                                        const std::vector<std::string>& options,
                                                        bool debug) {
  fuse_set_log_func(take_fuse_message);
  struct sigaction wake {};
  wake.sa_handler = [](int) {};
  ::sigaction(kWakeSignal, &wake, nullptr);

  std::string list = "subtype=restreefs,fsname=" + escaped(source_name);
  for (const std::string& option : options) list += "," + option;
  FuseArguments arguments{"restreefs", "-o", list};
  if (debug) fuse_opt_add_arg(&arguments.args, "-d");

  std::unique_ptr<FuseSession> made(new FuseSession(mount_point));
  made->session_.reset(
      fuse_session_new(&arguments.args, &fuse_operations(), sizeof(fuse_lowlevel_ops), &context));
  if (made->session_ == nullptr) return mount_error(mount_point);
  if (fuse_session_mount(made->session_.get(), mount_point.c_str()) != 0) {
    return mount_error(mount_point);
  }
  made->is_mounted_ = true;
  // The device that was just opened, read and written by our own calls from here on.
  if (fuse_session_custom_io(made->session_.get(), &device_calls(),
                             fuse_session_fd(made->session_.get())) != 0) {
    return mount_error(mount_point);
  }
  utsname kernel{};
  if (::uname(&kernel) == 0 && zeroes_ends_of_files(kernel.release, kernel.version)) {
    context.takes_files = made->session_.get();
  }
  return made;
}

FuseSession::~FuseSession() {
  if (!is_mounted_) return;
  if (!is_stopping_ && !is_over_) {
    const Status status = unmount(mount_point_, true);
    if (!status) log::warning("{}", status.error().message());
  }
  end_connection(fuse_session_fd(session_.get()));
  fuse_session_unmount(session_.get());
}

void FuseSession::start_worker(Workers& workers) {
  workers.finished.clear();
  const auto self = workers.threads.emplace(workers.threads.end());
  try {
    *self = std::jthread([this, self] { serve(self); });
  } catch (...) {
    workers.threads.erase(self);
    throw;
  }
  workers.count.start();
}

void FuseSession::serve(Threads::iterator self) {
  fuse_session* const session = session_.get();
  fuse_buf buffer{};
  bool is_counted = true;
  while (fuse_session_exited(session) == 0) {
    const int received = fuse_session_receive_buf(session, &buffer);
    if (received == -EINTR) continue;
    if (received == -ENOMEM || received == -EAGAIN) {
      // The request waits in the kernel; other work may give memory back meanwhile.
      std::this_thread::sleep_for(kMemoryPause);
      continue;
    }
    if (received <= 0) {
      if (received < 0) log::error("read from /dev/fuse: {}", errno_error(-received, "").message());
      if (received == 0) is_over_ = true;
      fuse_session_exit(session);
      break;
    }
    {
      auto workers = workers_.lock();
      if (workers->count.begin_request() && workers->threads.size() < kMostWorkers) {
        try {
          start_worker(*workers);
        } catch (const std::exception& failure) {
          // Those that are there go on; requests wait for one of them.
          log::debug("no further thread for requests: {}", failure.what());
        }
      }
    }
    fuse_session_process_buf(session, &buffer);
    auto workers = workers_.lock();
    if (!workers->has_answered && fuse_session_exited(session) == 0) {
      workers->has_answered = true;
      workers_changed_.notify_all();
    }
    is_counted = workers->count.wait_again();
    if (!is_counted) break;
  }
  std::free(buffer.mem);
  auto workers = workers_.lock();
  if (is_counted) workers->count.stop_waiting();
  workers->finished.splice(workers->finished.end(), workers->threads, self);
  workers_changed_.notify_all();
}

// The file system itself is never asked whether it answers: a thread that waits for an answer of its own
// process keeps a killed process, and with it all that uses the mount, for ever.
Status FuseSession::run(const std::function<void()>& ready) {
  bool has_answered = false;
  {
    auto workers = workers_.lock();
    start_worker(*workers);
    workers_changed_.wait(workers.mutex_lock(),
                          [&] { return workers->has_answered || workers->threads.empty(); });
    has_answered = workers->has_answered;
  }
  if (has_answered) {
    widen_read_ahead();
    ready();
  }
  {
    auto workers = workers_.lock();
    workers_changed_.wait(workers.mutex_lock(), [&] { return workers->threads.empty(); });
  }
  Threads finished;
  finished.swap(workers_.lock()->finished);
  return why_ended();
}

// The kernel ends a connection when the mount is undone. If the mount is there still, somebody has
// cut it off (umount -f), and whoever uses it gets errors that nothing else explains.
Status FuseSession::why_ended() const {
  if (is_stopping_) return {};
  if (fuse_session_exited(session_.get()) == 0) {
    return Error(ErrorKind::kLocalIo, mount_point_ + ": no thread for requests is left");
  }
  const auto mount = mount_on(mount_point_);
  if (!is_over_ || !mount || mount->type != "fuse.restreefs") return {};
  return Error(ErrorKind::kLocalIo, "the kernel has ended the connection of " + mount_point_ +
                                        ", which is mounted still: the mount is dead (umount -f?)")
      .hinting("Unmount it: fusermount3 -uz " + mount_point_);
}

// The kernel reads at most 128 KiB ahead of a file system that cannot say it can do more; root may
// say so for it.
void FuseSession::widen_read_ahead() const {
  constexpr std::string_view kReadAheadKib = "1024";
  const auto mount = mount_on(mount_point_);
  if (!mount) return;
  const std::string path = fmt::format("/sys/class/bdi/{}/read_ahead_kb", mount->device);
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd || ::write(fd.get(), kReadAheadKib.data(), kReadAheadKib.size()) < 0) {
    log::debug("{} stays as it is", path);
  }
}

bool FuseSession::stop() {
  is_stopping_ = true;
  const auto patience = Deadline::after(kStopPatience);
  if (const Status status = unmount(mount_point_, true); !status) {
    log::warning("{}", status.error().message());
  }
  fuse_session_exit(session_.get());
  auto workers = workers_.lock();
  while (!workers->threads.empty()) {
    if (patience.expired()) return false;
    // A worker may just be about to wait, and not feel the first knock.
    for (std::jthread& thread : workers->threads)
      ::pthread_kill(thread.native_handle(), kWakeSignal);
    workers_changed_.wait_for(workers.mutex_lock(), std::chrono::milliseconds(10));
  }
  return true;
}

void FuseSession::invalidate(const Mount::Changes& changes) {
  // Errors only say that the kernel did not know the thing.
  for (const Mount::Changes::Name& name : changes.gone) {
    fuse_lowlevel_notify_inval_entry(session_.get(), name.directory, name.name.c_str(),
                                     name.name.size());
  }
  for (const std::uint64_t directory : changes.directories) {
    fuse_lowlevel_notify_inval_inode(session_.get(), directory, 0, 0);
  }
}

Status unmount(const std::string& mount_point, bool lazily) {
  if (::geteuid() == 0) {
    if (::umount2(mount_point.c_str(), lazily ? MNT_DETACH : 0) == 0) return {};
    return errno_error(errno, "unmount " + mount_point);
  }
  const Complaints complaints;
  ASSIGN_OR_RETURN(ChildProcess program,
                   ChildProcess::start({"fusermount3", lazily ? "-uz" : "-u", mount_point},
                                       {.errors = complaints.fd()}));
  const auto ending = program.ending(kUnmountPatience);
  if (ending && ending->is_success()) return {};
  const std::string words = complaints.last_words();
  return Error(ErrorKind::kLocalIo,
               fmt::format("unmount {}: {}", mount_point,
                           words.empty() ? "fusermount3 refused or did not end" : words));
}

}  // namespace restree
