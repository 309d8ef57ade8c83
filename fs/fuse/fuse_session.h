// One mounted FUSE session: from mount(2) to the last request.
//
// Ownership: the session, its device and its worker threads. The context must outlive it.
// Threads:   run() on one thread; stop() and invalidate() from any other that serves no request.
// Limits:    workers start as requests wait, up to kMostWorkers, so that reads which wait for a
//            slow line or for memory leave room for those that need neither.
// Errors:    mount: kDenied, kInvalid or kLocalIo with libfuse's own words. run: kLocalIo.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fs/fuse/fuse_ops.h"
#include "fs/fuse/worker_count.h"
#include "repo/base/guarded.h"
#include "repo/base/result.h"

namespace restree {

class FuseSession {
 public:
  // Their stacks need address space, of which there is little with 32 bits.
  static constexpr std::size_t kMostWorkers = sizeof(void*) > 4 ? 1152 : 128;

  // `options`: as mount(8) takes them after -o, without fsname.
  static Result<std::unique_ptr<FuseSession>> mount(FuseContext& context,
                                                    const std::string& mount_point,
                                                    const std::string& source_name,
                                                    const std::vector<std::string>& options,
                                                    bool debug);
  ~FuseSession();

  // Serves until the file system is unmounted or stop() is called. Calls `ready` once the kernel has
  // got its first answer; until then requests of others wait. Error: the mount is dead, since the
  // kernel has ended the connection although it is there still, or no thread for requests is left.
  Status run(const std::function<void()>& ready);

  // Unmounts, also with files open, and makes run() return. Callable once. False: requests that
  // still wait for the repository keep run() from it, after a few seconds of patience.
  bool stop();

  // Makes the kernel forget what changed.
  void invalidate(const Mount::Changes& changes);

 private:
  struct EndSession {
    void operator()(fuse_session* session) const;
  };
  using Threads = std::list<std::jthread>;
  struct Workers {
    Threads threads;   // at work, or waiting for some
    Threads finished;  // to be joined
    WorkerCount count;
    bool has_answered = false;  // the kernel's first request, and the session goes on
  };

  explicit FuseSession(std::string mount_point) : mount_point_(std::move(mount_point)) {}
  void start_worker(Workers& workers) REQUIRES(workers_);
  void serve(Threads::iterator self);
  Status why_ended() const;
  void widen_read_ahead() const;

  const std::string mount_point_;
  std::unique_ptr<fuse_session, EndSession> session_;
  bool is_mounted_ = false;  // stays true
  Guarded<Workers> workers_;
  std::condition_variable workers_changed_;
  std::atomic<bool> is_stopping_ = false;  // stop() was called
  std::atomic<bool> is_over_ = false;      // the kernel has ended the connection
};

// Unmounts whatever FUSE file system is at `mount_point`; with `lazily`, also if it is in use.
Status unmount(const std::string& mount_point, bool lazily);

}  // namespace restree
