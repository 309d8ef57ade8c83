// A bounded memory of values that are slow to load, where readers that want the same value at the
// same time share one load.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <new>
#include <optional>
#include <unordered_map>
#include <utility>

#include "repo/base/clock.h"
#include "repo/base/guarded.h"
#include "repo/base/outages.h"
#include "repo/base/result.h"
#include "repo/base/waiting.h"

namespace restree {

// Ownership: values are shared with the readers; a value that was dropped lives until its last
//            reader releases it.
// Threads:   any. Loads run without a lock held, at most one at a time for a key.
// Limits:    values held here weigh at most `budget` together, least recently used go first. One
//            value heavier than the whole budget is handed out and not kept. Keeping::kInUse holds
//            more: see there.
// Errors:    those of the load. A failure is remembered for a moment, since the kernel asks again
//            page by page after a large read failed; that of an outage no longer than the outage.
enum class Keeping : std::uint8_t {
  kWithinBudget,
  // For values that are asked for many times in a row, so that loading one for each time would cost
  // more than any memory. The value used last is kept, whatever it weighs. One that had to go and
  // was soon wanted again is in use: it is kept beside the budget, until kInUse times the weight of
  // itself and the budget was loaded since its last use. As "soon" means the same, the values in
  // use weigh at most about kInUse times the budget and the heaviest one.
  kInUse,
};

template <class Key, class Value, class Hash = std::hash<Key>>
class LoadingCache {
 public:
  using Shared = std::shared_ptr<const Value>;
  using Weigh = std::function<std::size_t(const Value&)>;

  // Damage seldom heals. A broken connection does, so that is remembered for a shorter time.
  static constexpr std::chrono::seconds kDamageMemory{5};
  static constexpr std::chrono::milliseconds kOutageMemory{700};

  static constexpr std::size_t kInUse = 4;

  // `outages` of the storage that is loaded from; nullptr: nobody counts them.
  LoadingCache(std::size_t budget, Weigh weigh, Keeping keeping = Keeping::kWithinBudget,
               std::shared_ptr<const Outages> outages = nullptr)
      : budget_(budget),
        weigh_(std::move(weigh)),
        keeping_(keeping),
        outages_(std::move(outages)) {}

  // The value if it is held or being loaded, or else what `load()` returns.
  template <class Load>
  Result<Shared> get(const Key& key, Deadline by, const Load& load) {
    std::shared_ptr<Flight> flight;
    {
      auto state = state_.lock();
      bool waited = false;
      for (;;) {
        const auto found = state->entries.find(key);
        if (found == state->entries.end()) break;
        Entry& entry = found->second;
        if (entry.flight != nullptr) {
          Result<Shared> result = wait_for(state, entry.flight, by);
          // The thread that loaded it may have had an earlier deadline than ours.
          if (result || result.error().kind() != ErrorKind::kUnavailable || by.expired()) {
            return result;
          }
          waited = true;
          continue;
        }
        if (!entry.failure) {
          touch(*state, entry);
          return entry.value;
        }
        if (!waited && counts_still(entry)) return *entry.failure;
        drop(*state, found);
        break;
      }
      flight = std::make_shared<Flight>();
      Entry& entry = state->entries[key];
      entry.flight = flight;
      entry.outages_before = outages_ended();
      entry.place = state->recent.insert(state->recent.begin(), key);
    }
    Result<Shared> loaded = load_or_explain(load);
    settle(key, *flight, loaded);
    return loaded;
  }

  // True if get() would not have to load, since the value is held or being loaded.
  bool knows(const Key& key) const {
    auto state = state_.lock();
    return state->entries.contains(key);
  }

  // The loaded value, or null; never waits for a load, and does not count as a use.
  Shared peek(const Key& key) const {
    auto state = state_.lock();
    const auto found = state->entries.find(key);
    return found == state->entries.end() ? nullptr : found->second.value;
  }

  std::size_t weight() const {
    auto state = state_.lock();
    return state->weight + state->weight_in_use;
  }

 private:
  struct Flight {
    std::optional<Result<Shared>> result;
  };
  using Recent = std::list<Key>;
  struct Entry {
    std::shared_ptr<Flight> flight;  // while it is being loaded
    Shared value;
    std::size_t weight = 0;
    std::optional<Error> failure;
    Deadline::Clock::time_point forget_at;  // of the failure
    std::uint64_t outages_before = 0;       // that had ended when its load began
    typename Recent::iterator place;        // in the list of those in use, or in the other
    bool in_use = false;
    std::uint64_t used_at = 0;  // State::loaded at the last use
  };
  // A value that had to go.
  struct Dropped {
    std::size_t weight;
    std::uint64_t used_at;
  };
  struct State {
    std::unordered_map<Key, Entry, Hash> entries;
    Recent recent;           // front: used last
    std::size_t weight = 0;  // of these
    // With Keeping::kInUse only.
    Recent in_use;  // front: used last
    std::size_t weight_in_use = 0;
    std::unordered_map<Key, Dropped, Hash> dropped;  // heavy ones, lately
    std::uint64_t loaded = 0;                        // the weight of all loads so far
  };

  Result<Shared> wait_for(typename Guarded<State>::Handle& state, std::shared_ptr<Flight> flight,
                          Deadline by) REQUIRES(state_) {
    const std::optional<Result<Shared>>& result = flight->result;
    wait_until(landed_, state, by, [&] { return result.has_value(); });
    if (result) return *result;
    return Error(ErrorKind::kUnavailable, "no answer in time to a read that others wait for");
  }

  std::uint64_t outages_ended() const { return outages_ == nullptr ? 0 : outages_->ended(); }
  // Whether another load is likely to fail as the last one did.
  bool counts_still(const Entry& failed) const {
    if (!failed.failure || Deadline::Clock::now() >= failed.forget_at) return false;
    return failed.failure->kind() != ErrorKind::kUnavailable ||
           failed.outages_before == outages_ended();
  }

  // Turns exceptions into errors: readers that wait for this load must get a result in any case.
  template <class Load>
  Result<Shared> load_or_explain(const Load& load) {
    try {
      return load();
    } catch (const std::bad_alloc&) {
      return Error(ErrorKind::kLocalIo, "out of memory while loading from the repository");
    } catch (const std::exception& failure) {
      return Error(ErrorKind::kLocalIo, failure.what());
    }
  }

  void settle(const Key& key, Flight& flight, const Result<Shared>& loaded) EXCLUDES(state_) {
    {
      auto state = state_.lock();
      flight.result = loaded;
      const auto found = state->entries.find(key);
      Entry& entry = found->second;
      entry.flight = nullptr;
      if (loaded) {
        entry.value = *loaded;
        entry.weight = weigh_(**loaded);
        state->weight += entry.weight;
        if (keeping_ == Keeping::kInUse) {
          note_load(*state, key, entry);
        } else if (entry.weight > budget_) {
          drop(*state, found);
        }
      } else {
        const bool outage = loaded.error().kind() == ErrorKind::kUnavailable;
        entry.failure = loaded.error();
        entry.weight = kFailureWeight;
        state->weight += kFailureWeight;
        entry.forget_at = Deadline::Clock::now() +
                          (outage ? Deadline::Clock::duration(kOutageMemory) : kDamageMemory);
      }
      shrink(*state);
    }
    landed_.notify_all();
  }

  void shrink(State& state) REQUIRES(state_) {
    if (keeping_ == Keeping::kInUse) end_use(state);
    auto oldest = state.recent.end();
    while (state.weight > budget_ && oldest != state.recent.begin()) {
      const auto found = state.entries.find(*--oldest);
      if (found->second.flight != nullptr) continue;
      if (keeping_ == Keeping::kInUse) {
        if (is_newest(state, oldest)) return;
        remember_dropped(state, found->first, found->second);
      }
      ++oldest;
      drop(state, found);
    }
  }

  void touch(State& state, Entry& entry) REQUIRES(state_) {
    Recent& list = entry.in_use ? state.in_use : state.recent;
    list.splice(list.begin(), list, entry.place);
    entry.used_at = state.loaded;
  }

  // Whether so little was loaded since a use that the next one is likely to come.
  bool is_soon(const State& state, std::uint64_t used_at, std::size_t weight) const {
    return state.loaded - used_at <= kInUse * (budget_ + weight);
  }

  void note_load(State& state, const Key& key, Entry& entry) REQUIRES(state_) {
    const auto before = state.dropped.find(key);
    if (before != state.dropped.end()) {
      if (is_soon(state, before->second.used_at, before->second.weight)) {
        state.in_use.splice(state.in_use.begin(), state.recent, entry.place);
        entry.in_use = true;
        state.weight -= entry.weight;
        state.weight_in_use += entry.weight;
      }
      state.dropped.erase(before);
    }
    state.loaded += entry.weight;
    entry.used_at = state.loaded;
  }

  // Values that were not used for long become the oldest of those within the budget.
  void end_use(State& state) REQUIRES(state_) {
    while (!state.in_use.empty()) {
      Entry& entry = state.entries.find(state.in_use.back())->second;
      if (is_soon(state, entry.used_at, entry.weight)) return;
      state.recent.splice(state.recent.end(), state.in_use, entry.place);
      entry.in_use = false;
      state.weight_in_use -= entry.weight;
      state.weight += entry.weight;
    }
  }

  // Whether all that were used after it are still being loaded.
  bool is_newest(const State& state, typename Recent::iterator place) const {
    for (const Key& key : state.recent) {
      const Entry& entry = state.entries.find(key)->second;
      if (entry.flight == nullptr) return entry.place == place;
    }
    return false;
  }

  // Light ones are quick to load again, and there may be very many.
  void remember_dropped(State& state, const Key& key, const Entry& entry) REQUIRES(state_) {
    if (entry.value == nullptr || entry.weight <= budget_ / kMostDropped) return;
    if (state.dropped.size() >= kMostDropped) state.dropped.clear();
    state.dropped[key] = {entry.weight, entry.used_at};
  }

  void drop(State& state, typename std::unordered_map<Key, Entry, Hash>::iterator found)
      REQUIRES(state_) {
    Entry& entry = found->second;
    (entry.in_use ? state.weight_in_use : state.weight) -= entry.weight;
    (entry.in_use ? state.in_use : state.recent).erase(entry.place);
    state.entries.erase(found);
  }

  static constexpr std::size_t kFailureWeight = 512;
  static constexpr std::size_t kMostDropped = 64;

  const std::size_t budget_;
  const Weigh weigh_;
  const Keeping keeping_;
  const std::shared_ptr<const Outages> outages_;
  Guarded<State> state_;
  std::condition_variable landed_;
};

}  // namespace restree
