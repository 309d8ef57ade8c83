#include "repo/base/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <exception>
#include <optional>
#include <system_error>
#include <utility>

#include "repo/base/last_resort.h"
#include "repo/base/log.h"

namespace restree {

ThreadPool::ThreadPool(std::size_t threads, std::size_t queue_limit) : queue_limit_(queue_limit) {
  threads_.reserve(threads);
  start_some_threads(threads_, threads, [this] { run(); });
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

void start_threads(std::vector<std::jthread>& threads, std::size_t count,
                   const std::function<void()>& body) {
  threads.reserve(threads.size() + count);
  try {
    for (std::size_t i = 0; i < count; ++i) threads.emplace_back(body);
  } catch (const std::system_error& failure) {
    log::debug("{} threads instead of {}: {}", threads.size(), count, failure.what());
  }
}

void start_some_threads(std::vector<std::jthread>& threads, std::size_t count,
                        const std::function<void()>& body) {
  start_threads(threads, count, body);
  if (threads.empty() && count > 0) {
    throw std::system_error(EAGAIN, std::generic_category(), "start a thread");
  }
}

namespace {

Status call(const std::function<Status(std::size_t)>& work, std::size_t i) {
  try {
    return work(i);
  } catch (const std::exception& failure) {
    return error_of(failure);
  }
}

}  // namespace

Status parallel_for(std::size_t count, std::size_t threads,
                    const std::function<Status(std::size_t)>& work) {
  std::atomic<std::size_t> next = 0;
  Guarded<std::optional<Error>> first_error;
  const auto drain = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      Status status = call(work, i);
      if (status) continue;
      next = count;
      auto error = first_error.lock();
      if (!error->has_value()) error->emplace(std::move(status).error());
    }
  };
  {
    std::vector<std::jthread> helpers;
    start_threads(helpers, std::max<std::size_t>(std::min(threads, count), 1) - 1, drain);
    drain();
  }
  std::optional<Error> failed = std::exchange(*first_error.lock(), std::nullopt);
  if (failed) return std::move(*failed);
  return {};
}

}  // namespace restree
