#include "repo/system/hanging_calls.h"

#include <condition_variable>
#include <deque>
#include <system_error>
#include <thread>

namespace restree {

struct HangingCalls::Shared {
  explicit Shared(std::size_t most) : most_threads(most) {}

  struct State {
    std::deque<std::function<void()>> queue;
    std::size_t threads = 0;
    std::size_t busy = 0;  // of these
    bool ending = false;
  };
  const std::size_t most_threads;
  Guarded<State> state;
  std::condition_variable wake;  // there is a call, or the end
  std::condition_variable gone;  // a thread has ended
};

HangingCalls::HangingCalls(std::size_t most_threads)
    : shared_(std::make_shared<Shared>(most_threads)) {}

HangingCalls::~HangingCalls() {
  auto state = shared_->state.lock();
  state->ending = true;
  state->queue.clear();
  shared_->wake.notify_all();
  wait_until(shared_->gone, state, Deadline::never(),
             [&] { return state->threads == state->busy; });
}

void HangingCalls::submit(std::function<void()> call) {
  auto state = shared_->state.lock();
  const std::size_t idle = state->threads - state->busy;
  if (state->queue.size() >= idle && state->threads < shared_->most_threads) {
    try {
      std::thread([shared = shared_] { run(shared); }).detach();
      ++state->threads;
    } catch (const std::system_error&) {
      if (state->threads == 0) throw;
    }
  }
  state->queue.push_back(std::move(call));
  shared_->wake.notify_one();
}

void HangingCalls::run(const std::shared_ptr<Shared>& shared) {
  const auto next = [&]() -> std::function<void()> {
    auto state = shared->state.lock();
    wait_until(shared->wake, state, Deadline::never(),
               [&] { return state->ending || !state->queue.empty(); });
    if (state->ending) return nullptr;
    std::function<void()> call = std::move(state->queue.front());
    state->queue.pop_front();
    ++state->busy;
    return call;
  };
  while (std::function<void()> call = next()) {
    call();
    call = nullptr;  // what it owns goes before the next wait
    --shared->state.lock()->busy;
  }
  --shared->state.lock()->threads;
  shared->gone.notify_all();
}

}  // namespace restree
