#include "repo/base/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

namespace restree {

ThreadPool::ThreadPool(std::size_t threads, std::size_t queue_limit) : queue_limit_(queue_limit) {
  threads_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

ThreadPool::~ThreadPool() {
  {
    auto state = state_.lock();
    state->ending = true;
    state->queue.clear();
  }
  wake_.notify_all();
}

bool ThreadPool::try_submit(std::function<void()> task) {
  {
    auto state = state_.lock();
    if (state->ending || state->queue.size() >= queue_limit_) return false;
    state->queue.push_back(std::move(task));
  }
  wake_.notify_one();
  return true;
}

void ThreadPool::run() {
  for (;;) {
    std::function<void()> task;
    {
      auto state = state_.lock();
      wake_.wait(state.mutex_lock(), [&] { return state->ending || !state->queue.empty(); });
      if (state->ending) return;
      task = std::move(state->queue.front());
      state->queue.pop_front();
    }
    task();
  }
}

Status parallel_for(std::size_t count, std::size_t threads,
                    const std::function<Status(std::size_t)>& work) {
  std::atomic<std::size_t> next = 0;
  Guarded<std::optional<Error>> first_error;
  const auto drain = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      Status status = work(i);
      if (status) continue;
      next = count;
      auto error = first_error.lock();
      if (!error->has_value()) error->emplace(std::move(status).error());
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (std::size_t i = 1; i < std::min(threads, count); ++i) helpers.emplace_back(drain);
    drain();
  }
  std::optional<Error> failed = std::exchange(*first_error.lock(), std::nullopt);
  if (failed) return std::move(*failed);
  return {};
}

}  // namespace restree
