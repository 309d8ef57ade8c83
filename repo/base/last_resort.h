// What becomes of failures for which no function here has a return value: memory or a thread that the
// system refuses. Where a caller can handle them they become an Error.
//
// What a program undoes when it cannot go on: where memory or a thread is refused and no caller can
// handle that, the C++ runtime would abort the process and leave a lock in the repository, or a mount
// point that does not answer.
//
//   undo_if_all_else_fails("restree");                        // in main
//   const LastResort remove([&] { remove_lock(…); });         // for as long as there is a lock
#pragma once

#include <exception>
#include <functional>
#include <list>

#include "repo/base/result.h"

namespace restree {

// Ownership: what `undo` uses must outlive it.
// Threads:   any. `undo` runs on the thread that failed, while others still run and may hold any lock;
//            so it must not wait without a limit. All of them together have ten seconds.
class LastResort {
 public:
  explicit LastResort(std::function<void()> undo);
  ~LastResort();
  LastResort(const LastResort&) = delete;
  LastResort& operator=(const LastResort&) = delete;

 private:
  std::list<std::function<void()>>::iterator place_;
};

// For callers that can go on without, or end in order. kLocalIo.
Error error_of(const std::exception& failure);

// From now on, an exception that nothing catches is logged, what there is to undo is undone, the last
// first, and the process ends with exit code 1.
void undo_if_all_else_fails(const char* program);

}  // namespace restree
