// Lets a program be killed while its read waits for the repository.
//
// The kernel keeps a process that is in a request, even a killed one, until the request is
// answered; with a server that is away that is a minute. So a request whose process is about to die
// is answered with EINTR from here, while the load goes on for the next reader of the data. A
// program that merely gets a signal gets no EINTR: from reading a file, that would surprise it.
#pragma once

#include <fuse_lowlevel.h>

#include <condition_variable>
#include <deque>
#include <memory>
#include <thread>

#include "repo/base/guarded.h"

namespace restree {

class Interrupts;

// A request that was not answered yet.
// Threads: any; its lock comes before libfuse's own lock of the request.
class PendingRequest : public std::enable_shared_from_this<PendingRequest> {
 public:
  PendingRequest(fuse_req_t request, Interrupts& interrupts);
  // The request for the first caller, nullptr for all later ones.
  fuse_req_t take();

 private:
  friend class Interrupts;
  static void on_interrupt(fuse_req_t request, void* self);

  Interrupts& interrupts_;
  const pid_t process_;
  Guarded<fuse_req_t> request_;
};

// Threads: any. Owns the thread that answers.
class Interrupts {
 public:
  Interrupts();

  std::shared_ptr<PendingRequest> watch(fuse_req_t request);

 private:
  friend class PendingRequest;
  // Called by libfuse with its lock of the request held: only notes it.
  void add(std::shared_ptr<PendingRequest> interrupted);
  void run(const std::stop_token& stop);

  Guarded<std::deque<std::shared_ptr<PendingRequest>>> interrupted_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

// True for a process that has been sent a signal which ends it.
bool is_dying(pid_t process);

}  // namespace restree
