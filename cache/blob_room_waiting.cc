// The part of BlobRoom that decides which reading begins when.
#include <algorithm>
#include <unordered_set>
#include <utility>

#include "cache/blob_room.h"

namespace restree {

// Of the blobs that are not here, each once.
std::size_t BlobRoom::missing_weight(const State& state, const Reading& reading) const {
  std::size_t weight = 0;
  std::unordered_set<BlobId> counted;
  for (const Reading::Held& held : reading.parts_) {
    if (held.copied != nullptr || state.entries.contains(held.part.id)) continue;
    if (reading.parts_.size() > 1 && !counted.insert(held.part.id).second) continue;
    weight += held.weight;
  }
  return weight;
}

// Of the blobs that go once this reading has read their ends.
std::size_t BlobRoom::ending_weight(const State& state, const Reading& reading) const {
  if (!reading.way_.goes_on) return 0;
  std::size_t weight = 0;
  for (const Reading::Held& held : reading.parts_) {
    if (held.copied != nullptr || held.part.begin == 0 || !held.part.has_end()) continue;
    const auto found = state.entries.find(held.part.id);
    if (found != state.entries.end() && found->second.order != &state.read) {
      weight += found->second.weight;
    }
  }
  return weight;
}

// Drops what was read, and what is given up of that which is due. What a small reading holds beyond the budget
// is no matter of the others.
bool BlobRoom::make_room(State& state, std::size_t weight) {
  const std::size_t budget = options_.budget_bytes + state.small;
  while (state.used - state.read_weight + weight > budget && give_up_oldest(state)) continue;
  const std::size_t fixed = state.used - state.read_weight;
  const bool is_alone = fixed <= state.small;
  if (fixed + weight > budget && !is_alone) return false;
  while (state.used + weight > budget && !state.read.empty()) drop_oldest(state, state.read);
  return true;
}

void BlobRoom::begin(State& state, Reading& reading) {
  for (Reading::Held& held : reading.parts_) {
    if (held.copied != nullptr) continue;
    hold(state, reading, held);
    held.is_held = true;
  }
}

bool BlobRoom::try_begin(State& state, Reading& reading) {
  const std::size_t missing = missing_weight(state, reading);
  if (missing > 0 && !make_room(state, missing)) {
    // Where ends of blobs could not be copied, one reading at a time may take the room of what it
    // is about to let go.
    const std::size_t ending = ending_weight(state, reading);
    if (state.is_over || ending == 0 ||
        state.used - state.read_weight + missing > options_.budget_bytes + state.small + ending) {
      return false;
    }
    while (!state.read.empty()) drop_oldest(state, state.read);
    state.is_over = reading.is_over_ = true;
  }
  begin(state, reading);
  return true;
}

// A small reading that finds others waiting has a room of its own.
bool BlobRoom::try_begin_small(State& state, Reading& reading) {
  const std::size_t missing = missing_weight(state, reading);
  if (state.waiting.empty() && make_room(state, missing)) {
    begin(state, reading);
    return true;
  }
  if (state.small > 0 && state.small + missing > options_.small_bytes) return false;
  reading.small_bytes_ = missing;
  state.small += missing;
  while (state.used + missing > options_.budget_bytes + state.small && !state.read.empty()) {
    drop_oldest(state, state.read);
  }
  begin(state, reading);
  return true;
}

// Copies the ends of blobs that this reading ends, so that the blobs need not be kept until it
// begins. False: the room for copies is used up.
bool BlobRoom::copy_ends(State& state, Reading& reading) {
  if (!reading.way_.goes_on) return true;
  for (Reading::Held& held : reading.parts_) {
    const Part& part = held.part;
    if (part.begin == 0 || !part.has_end()) continue;
    const auto found = state.entries.find(part.id);
    if (found == state.entries.end() || found->second.value == nullptr) continue;
    Entry& entry = found->second;
    if (entry.value->size() != part.blob_bytes) continue;  // the reading will find the damage
    if (state.copied + part.length > options_.budget_bytes / kCopiedShare) return false;
    held.copied = std::make_shared<const Bytes>(
        Bytes::copy_of(entry.value->view().subspan(part.begin, part.length)));
    state.copied += part.length;
    reading.copied_bytes_ += part.length;
    note_read(entry, part, true);
    // It may be due no longer.
    hold(state, reading, held);
    leave(state, part.id);
  }
  return true;
}

void BlobRoom::begin_waiting(State& state) {
  const auto go = [](std::list<Waiting*>& queue) {
    queue.front()->has_begun = true;
    queue.front()->changed.notify_one();
    queue.pop_front();
  };
  while (!state.waiting.empty() && try_begin(state, *state.waiting.front()->reading)) {
    go(state.waiting);
    state.moved = options_.now();
  }
  while (!state.small_waiting.empty() &&
         try_begin_small(state, *state.small_waiting.front()->reading)) {
    go(state.small_waiting);
  }
  if (!state.waiting.empty() && !state.due.empty() && !state.waiting.front()->is_timed) {
    state.waiting.front()->changed.notify_one();
  }
}

void BlobRoom::wait(Guarded<State>::Handle& state, Reading& reading) {
  Waiting self{.reading = &reading, .changed = {}};
  if (missing_weight(*state, reading) <= options_.small_reading_bytes) {
    state->small_waiting.push_back(&self);
  } else if (copy_ends(*state, reading)) {
    state->waiting.push_back(&self);
  } else {
    state->waiting.push_front(&self);
  }
  begin_waiting(*state);
  while (!self.has_begun) {
    self.is_timed =
        !state->waiting.empty() && state->waiting.front() == &self && !state->due.empty();
    if (self.is_timed) {
      self.changed.wait_for(state.mutex_lock(), state->moved + state->patience - options_.now());
    } else {
      self.changed.wait(state.mutex_lock());
    }
    if (!self.has_begun) begin_waiting(*state);
  }
}

BlobRoom::Reading BlobRoom::start(std::span<const Part> parts, const Way& way) {
  Reading reading(*this, parts, way);
  auto state = state_.lock();
  const auto can_begin = [&] {
    const std::size_t missing = missing_weight(*state, reading);
    return missing == 0 ||
           (state->waiting.empty() && state->small_waiting.empty() && make_room(*state, missing));
  };
  bool begins = can_begin();
  if (!begins) {
    let_go_what_it_passed(*state, reading);
    begins = can_begin();
  }
  if (begins) {
    begin(*state, reading);
  } else {
    wait(state, reading);
  }
  return reading;
}

void BlobRoom::end(Reading& reading) {
  auto state = state_.lock();
  for (const Reading::Held& held : reading.parts_) {
    if (held.is_held) leave(*state, held.part.id);
  }
  state->copied -= reading.copied_bytes_;
  state->small -= reading.small_bytes_;
  if (reading.is_over_) state->is_over = false;
  begin_waiting(*state);
}

}  // namespace restree
