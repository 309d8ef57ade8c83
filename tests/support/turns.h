// Decides by a seed which of several actors may use a storage next, so that a test meets orders of
// their requests that chance would hardly bring, and meets them again.
//
// An actor has the turn for a number of requests, then another has it. An actor that does not ask
// while it has the turn, because it sleeps or has ended, loses it after a short time: with two actors
// that only ask, the order is the same in every run.
//
// Ownership: the storages share the turns; both outlive the actors.
// Threads:   an actor may have several.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/base/waiting.h"
#include "repo/storage/decorators/forwarding_storage.h"
#include "tests/support/split_mix.h"

namespace restree::testing {

class Turns {
 public:
  Turns(std::uint64_t seed, std::size_t actors) : state_(State(seed, actors)) {}

  // One request of the actor that has the turn. The turn is not passed on before it is done.
  class Request {
   public:
    explicit Request(Turns& turns) : turns_(turns) {}
    ~Request() { turns_.done(); }
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;

   private:
    Turns& turns_;
  };
  // Waits until the actor has the turn. nullopt: the actor has ended.
  std::optional<Request> take(std::size_t actor) {
    auto state = state_.lock();
    while (state->holder != actor || state->left == 0) {
      if (std::ranges::find(state->actors, actor) == state->actors.end()) return std::nullopt;
      const Deadline lost = Deadline::at(state->used + kPatience);
      wait_for_notice(moved_, state, lost);
      if (state->running == 0 && state->holder != actor && lost.expired() &&
          Deadline::Clock::now() - state->used >= kPatience) {
        pass_on(*state);
      }
    }
    state->used = Deadline::Clock::now();
    --state->left;
    ++state->running;
    return std::optional<Request>(std::in_place, *this);
  }
  // It gets no further turn; threads of it that wait for one do so no longer.
  void end(std::size_t actor) {
    auto state = state_.lock();
    std::erase(state->actors, actor);
    if (state->holder == actor && state->running == 0) pass_on(*state);
    moved_.notify_all();
  }

 private:
  // Far longer than an actor computes between two requests.
  static constexpr std::chrono::milliseconds kPatience{20};

  struct State {
    State(std::uint64_t seed, std::size_t count) : random(seed) {
      for (std::size_t actor = 0; actor < count; ++actor) actors.push_back(actor);
      choose();
    }
    void choose() {
      static constexpr std::array<std::uint64_t, 8> kLengths = {1, 1, 2, 3, 5, 10, 30, 100};
      left = kLengths[random() % kLengths.size()];
      holder = actors.empty() ? 0 : actors[random() % actors.size()];
      used = Deadline::Clock::now();
    }
    SplitMix64 random;
    std::vector<std::size_t> actors;  // that have not ended
    std::size_t holder = 0;
    std::uint64_t left = 0;     // requests that the holder may still make
    std::uint64_t running = 0;  // and those that it is making
    Deadline::Clock::time_point used;
  };

  void done() {
    auto state = state_.lock();
    state->used = Deadline::Clock::now();
    if (--state->running == 0 && state->left == 0) pass_on(*state);
  }
  void pass_on(State& state) {
    state.choose();
    moved_.notify_all();
  }

  std::condition_variable moved_;
  Guarded<State> state_;
};

// The storage as one actor sees it. After so many requests the actor is dead: nothing that it asks
// for is done any more.
class StorageInTurns final : public ForwardingStorage {
 public:
  StorageInTurns(std::shared_ptr<Storage> inner, Turns& turns, std::size_t actor,
                 std::optional<std::uint64_t> requests)
      : ForwardingStorage(std::move(inner)), turns_(turns), actor_(actor), left_(requests) {}

  bool is_dead() const { return *left_.lock() == 0; }

  Result<std::vector<ListedFile>> list(FileType type, Deadline by) override {
    return ask([&] { return inner().list(type, by); });
  }
  Result<std::uint64_t> size(const FileName& file, Deadline by) override {
    return ask([&] { return inner().size(file, by); });
  }
  Result<Bytes> read(const FileName& file, ByteRange range, Deadline by) override {
    return ask([&] { return inner().read(file, range, by); });
  }
  Result<MutableByteView> read_into(Bytes& buffer, const FileName& file, ByteRange range,
                                    Deadline by) override {
    return ask([&] { return inner().read_into(buffer, file, range, by); });
  }
  Result<Bytes> read_all(const FileName& file, Deadline by) override {
    return ask([&] { return inner().read_all(file, by); });
  }
  Status write(const FileName& file, ByteView content, Deadline by) override {
    return ask([&] { return inner().write(file, content, by); });
  }
  Status remove(const FileName& file, Deadline by) override {
    return ask([&] { return inner().remove(file, by); });
  }

 private:
  template <class Call>
  auto ask(Call call) -> decltype(call()) {
    if (!is_dead()) {
      const std::optional<Turns::Request> request = turns_.take(actor_);
      if (request && count()) return call();
    }
    turns_.end(actor_);
    return Error(ErrorKind::kUnavailable, "this program was killed");
  }
  // Whether the actor still lives.
  bool count() {
    auto left = left_.lock();
    if (!*left) return true;
    if (**left == 0) return false;
    --**left;
    return true;
  }

  Turns& turns_;
  const std::size_t actor_;
  Guarded<std::optional<std::uint64_t>> left_;
};

}  // namespace restree::testing
