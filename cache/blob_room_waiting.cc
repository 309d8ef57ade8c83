// The part of BlobRoom that decides which reading begins when.
#include <algorithm>
#include <unordered_set>
#include <utility>

#include "cache/blob_room.h"

namespace restree {

// Of the blobs that are not here, each once.
BlobRoom::Weight BlobRoom::missing_weight(const State& state, const Reading& reading) const {
  Weight weight;
  std::unordered_set<BlobId> counted;
  for (const Reading::Held& held : reading.parts_) {
    if (held.copied != nullptr || state.entries.contains(held.part.id)) continue;
    if (reading.parts_.size() > 1 && !counted.insert(held.part.id).second) continue;
    weight.loading += held.weight;
    weight.loaded += held.part.blob_bytes;
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
  while (state.used + weight > budget && !state.read.empty()) drop_oldest_read(state);
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
  const Weight missing = missing_weight(state, reading);
  if (missing.loading > 0 && !make_room(state, missing.loading)) {
    // Where ends of blobs could not be copied, one reading at a time may begin beyond the budget
    // if there is room for what is left once it has let those blobs go.
    const std::size_t ending = ending_weight(state, reading);
    const std::size_t budget = options_.budget_bytes + state.small;
    const bool fits = state.used - state.read_weight + missing.loaded <= budget + ending;
    if (state.is_over || ending == 0 || !fits) return false;
    while (!state.read.empty()) drop_oldest_read(state);
    state.is_over = reading.is_over_ = true;
  }
  begin(state, reading);
  return true;
}

// A small reading that finds others waiting has a room of its own.
bool BlobRoom::try_begin_small(State& state, Reading& reading) {
  const std::size_t missing = missing_weight(state, reading).loading;
  if (!state.is_short() && make_room(state, missing)) {
    begin(state, reading);
    return true;
  }
  if (state.small > 0 && state.small + missing > options_.small_bytes) return false;
  reading.small_bytes_ = missing;
  state.small += missing;
  while (state.used + missing > options_.budget_bytes + state.small && !state.read.empty()) {
    drop_oldest_read(state);
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

void BlobRoom::enqueue(Waiting& waiting, Queue& queue) {
  if (waiting.queue != nullptr) waiting.queue->erase(waiting.place);
  waiting.queue = &queue;
  waiting.place = queue.insert(queue.end(), &waiting);
}

// The reading has begun.
void BlobRoom::go(State& state, Waiting& waiting) {
  if (waiting.queue != &state.small_waiting) state.moved = options_.now();
  waiting.queue->erase(waiting.place);
  for (const Reading::Held& held : waiting.reading->parts_) {
    const auto [first, last] = state.awaited.equal_range(held.part.id);
    const auto own =
        std::find_if(first, last, [&](const auto& it) { return it.second == &waiting; });
    if (own != last) state.awaited.erase(own);
  }
  waiting.has_begun = true;
  waiting.changed.notify_one();
}

// A blob is here that waiting readings want: those that want nothing else begin, and the others that
// end it are done with it. The kernel sends several requests for a file at once, so a request that
// goes on from another often waits before that one has loaded its blob.
void BlobRoom::has_come(State& state, const BlobId& id) {
  std::vector<Waiting*> all;
  const auto [first, last] = state.awaited.equal_range(id);
  for (auto at = first; at != last; ++at) all.push_back(at->second);
  for (Waiting* waiting : all) {
    if (missing_weight(state, *waiting->reading).loading == 0) {
      begin(state, *waiting->reading);
      go(state, *waiting);
    } else if (waiting->queue == &state.waiting && !copy_ends(state, *waiting->reading)) {
      enqueue(*waiting, state.ending);
    }
  }
}

void BlobRoom::begin_waiting(State& state) {
  for (bool moves = true; moves;) {
    moves = false;
    for (Waiting* waiting : state.ending) {
      if (!try_begin(state, *waiting->reading)) continue;
      go(state, *waiting);
      moves = true;
      break;
    }
  }
  while (state.ending.empty() && !state.waiting.empty() &&
         try_begin(state, *state.waiting.front()->reading)) {
    go(state, *state.waiting.front());
  }
  while (!state.small_waiting.empty() &&
         try_begin_small(state, *state.small_waiting.front()->reading)) {
    go(state, *state.small_waiting.front());
  }
  if (state.is_short() && !state.due.empty() && !state.first()->is_timed) {
    state.first()->changed.notify_one();
  }
}

void BlobRoom::wait(Guarded<State>::Handle& state, Reading& reading) {
  Waiting self{.reading = &reading, .changed = {}};
  for (const Reading::Held& held : reading.parts_) state->awaited.emplace(held.part.id, &self);
  if (missing_weight(*state, reading).loading <= options_.small_reading_bytes) {
    enqueue(self, state->small_waiting);
  } else if (copy_ends(*state, reading)) {
    enqueue(self, state->waiting);
  } else {
    enqueue(self, state->ending);
  }
  begin_waiting(*state);
  while (!self.has_begun) {
    self.is_timed = state->is_short() && state->first() == &self && !state->due.empty();
    if (self.is_timed) {
      self.changed.wait_for(state.mutex_lock(), state->moved + state->patience - options_.now());
    } else {
      self.changed.wait(state.mutex_lock());
    }
    if (!self.has_begun) begin_waiting(*state);
  }
}

bool BlobRoom::may_begin(State& state, const Reading& reading) {
  const std::size_t missing = missing_weight(state, reading).loading;
  if (missing == 0) return true;
  return !state.is_short() && state.small_waiting.empty() && make_room(state, missing);
}

BlobRoom::Reading BlobRoom::start(std::span<const Part> parts, const Way& way) {
  Reading reading(*this, parts, way);
  auto state = state_.lock();
  bool begins = may_begin(*state, reading);
  if (!begins) {
    let_go_what_it_passed(*state, reading);
    begins = may_begin(*state, reading);
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
