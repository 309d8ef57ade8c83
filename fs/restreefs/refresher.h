// Brings a mount up to date with its repository every so often, and at once when poked.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <stop_token>
#include <thread>

#include "fs/fuse/fuse_session.h"
#include "fs/mount.h"
#include "repo/base/guarded.h"

namespace restree {

// Ownership: a thread. Mount and session must outlive it; the function from poke() may outlive all.
// Threads:   any.
// Errors:    logged once, until a refresh works again; but not that the server is away, which its
//            storage logs itself.
class Refresher {
 public:
  // Called by the thread, beside what it does for the mount.
  struct Beside {
    std::function<void()> before;  // each refresh
    // Each refresh that worked, once the kernel knows what is new; and first of all.
    std::function<void()> after;
  };
  Refresher(Mount& mount, FuseSession& session, std::chrono::seconds interval, Beside beside);

  // Returns a function that makes the refresh happen at once. Any thread may call it.
  std::function<void()> poke() const;

 private:
  struct Bell {
    Guarded<bool> poked;
    std::condition_variable_any rung;
  };
  void run(Mount& mount, FuseSession& session, std::chrono::seconds interval,
           const std::stop_token& stop);

  const Beside beside_;
  const std::shared_ptr<Bell> bell_ = std::make_shared<Bell>();
  std::jthread thread_;
};

}  // namespace restree
