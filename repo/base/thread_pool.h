// A fixed number of threads that run the tasks handed to them.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <stop_token>
#include <thread>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/base/result.h"

namespace restree {

// Ownership: owns its threads. The destructor drops tasks that have not begun, waits for the
//            others.
// Threads:   any may submit; a task must not wait for another task of the same pool.
// Limits:    at most `queue_limit` tasks wait.
class ThreadPool {
 public:
  ThreadPool(std::size_t threads, std::size_t queue_limit);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // False, and the task is dropped, if the queue is full or the pool is ending.
  bool try_submit(std::function<void()> task);

 private:
  struct State {
    std::deque<std::function<void()>> queue;
    bool ending = false;
  };
  void run();

  const std::size_t queue_limit_;
  Guarded<State> state_;
  std::condition_variable wake_;
  std::vector<std::jthread> threads_;
};

// Adds up to `count` threads that run `body`, fewer if the system refuses more. An exception that
// `body` throws ends the program.
void start_threads(std::vector<std::jthread>& threads, std::size_t count,
                   const std::function<void()>& body);
// The same where at least one is needed: throws std::system_error if there is none.
void start_some_threads(std::vector<std::jthread>& threads, std::size_t count,
                        const std::function<void()>& body);

// Calls `work(i)` for every i below `count` on up to `threads` threads, this one among them, and
// returns once all calls have ended: the first error there was, or success. After an error no
// further call begins. kLocalIo: also if memory is refused to a call.
Status parallel_for(std::size_t count, std::size_t threads,
                    const std::function<Status(std::size_t)>& work);

}  // namespace restree
