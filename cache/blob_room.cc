#include "cache/blob_room.h"

#include <algorithm>
#include <cstring>
#include <unordered_set>
#include <utility>

namespace restree {
namespace {

// For failures only: a blob is heavier than that, however small it is.
constexpr std::size_t kRememberedBytes = 64 << 10;
// Memory that an entry takes beside its bytes.
constexpr std::size_t kEntryBytes = 256;
constexpr std::uint64_t kStretches = 64;

std::uint64_t end_of(const BlobRoom::Part& part) { return part.begin + part.length; }
bool is_end(const BlobRoom::Part& part) { return end_of(part) >= part.blob_bytes; }

std::uint64_t stretch_bytes(std::uint64_t blob_bytes) {
  return std::max<std::uint64_t>(1, (blob_bytes + kStretches - 1) / kStretches);
}

// A bit for each stretch of the blob whose last byte lies in [begin, end).
std::uint64_t stretches(std::uint64_t blob_bytes, std::uint64_t begin, std::uint64_t end) {
  const std::uint64_t each = stretch_bytes(blob_bytes);
  std::uint64_t bits = 0;
  for (std::uint64_t i = begin / each; i < kStretches && i * each < std::min(end, blob_bytes);
       ++i) {
    const std::uint64_t last = std::min((i + 1) * each, blob_bytes) - 1;
    if (last >= begin && last < end) bits |= std::uint64_t{1} << i;
  }
  return bits;
}

template <class Entry>
bool is_due(const Entry& entry) {
  if (entry.is_expected || entry.visits > 0) return true;
  return entry.was_read != 0 && entry.was_read != stretches(entry.bytes, 0, entry.bytes);
}

}  // namespace

// --- A reading ----------------------------------------------------------------------------------

BlobRoom::Reading::Reading(BlobRoom& room, std::span<const Part> parts, bool goes_on)
    : room_(&room), goes_on_(goes_on) {
  parts_.reserve(parts.size());
  for (const Part& part : parts) {
    parts_.push_back({.part = part, .weight = room.weight_of_load(part), .copied = nullptr});
  }
}

BlobRoom::Reading::Reading(Reading&& other) noexcept
    : room_(std::exchange(other.room_, nullptr)),
      parts_(std::move(other.parts_)),
      goes_on_(other.goes_on_),
      is_over_(other.is_over_),
      copied_bytes_(other.copied_bytes_),
      small_bytes_(other.small_bytes_) {}

BlobRoom::Reading::~Reading() {
  if (room_ != nullptr) room_->end(*this);
}

Result<BlobRoom::Reading::Found> BlobRoom::Reading::load(std::size_t number, Deadline by) {
  const Held& held = parts_[number];
  if (held.copied != nullptr) return Found{held.copied, 0, true};
  ASSIGN_OR_RETURN(SharedBlob blob, room_->fetch(held.part.id, by));
  auto state = room_->state_.lock();
  room_->note_read(state->entries.find(held.part.id)->second, held.part, goes_on_);
  const bool is_whole = blob->size() == held.part.blob_bytes;
  return Found{std::move(blob), held.part.begin, is_whole};
}

// --- Entries ------------------------------------------------------------------------------------

BlobRoom::BlobRoom(BlobSource& source, Options options)
    : source_(source),
      options_(std::move(options)),
      loads_(kRememberedBytes, [](const Bytes&) { return kRememberedBytes + 1; }) {}

std::size_t BlobRoom::weight_of_load(const Part& part) const {
  // The most that it may be, where that does not matter now.
  const std::size_t sealed = knows(part.id) ? part.blob_bytes : options_.sealed_bytes(part.id);
  return part.blob_bytes + sealed + kEntryBytes;
}

void BlobRoom::hold(State& state, const Part& part, std::size_t weight) {
  const auto [found, is_new] = state.entries.try_emplace(part.id);
  Entry& entry = found->second;
  if (is_new) {
    entry.bytes = part.blob_bytes;
    entry.weight = weight;
    state.used += entry.weight;
  }
  if (entry.order != nullptr) {
    if (entry.order == &state.read) state.read_weight -= entry.weight;
    entry.order->erase(entry.place);
    entry.order = nullptr;
  }
  ++entry.holders;
}

void BlobRoom::leave(State& state, const BlobId& id) {
  const auto found = state.entries.find(id);
  Entry& entry = found->second;
  if (--entry.holders > 0) return;
  if (entry.value == nullptr) {
    state.used -= entry.weight;
    state.entries.erase(found);
    return;
  }
  entry.touched = options_.now();
  entry.order = is_due(entry) ? &state.due : &state.read;
  entry.order->push_front(id);
  entry.place = entry.order->begin();
  if (entry.order == &state.read) state.read_weight += entry.weight;
}

void BlobRoom::note_read(Entry& entry, const Part& part, bool goes_on) {
  const bool is_whole = part.begin == 0 && is_end(part);
  if (!goes_on && !is_whole) return;
  entry.is_expected = false;
  if (part.begin == 0) ++entry.visits;
  if (is_end(part)) --entry.visits;
  entry.was_read |= stretches(entry.bytes, part.begin, end_of(part));
}

void BlobRoom::put(State& state, const BlobId& id, const SharedBlob& blob) {
  Entry& entry = state.entries.find(id)->second;
  if (entry.value != nullptr) return;
  entry.value = blob;
  state.used -= entry.weight;
  entry.weight = blob->size() + kEntryBytes;
  state.used += entry.weight;
}

// The caller holds the entry.
Result<SharedBlob> BlobRoom::fetch(const BlobId& id, Deadline by) {
  const auto value = [&] { return state_.lock()->entries.find(id)->second.value; };
  if (SharedBlob here = value()) return here;
  return loads_.get(id, by, [&]() -> Result<SharedBlob> {
    // Another load may have ended in between.
    if (SharedBlob here = value()) return here;
    ASSIGN_OR_RETURN(SharedBlob blob, source_.load(BlobType::kData, id, by));
    auto state = state_.lock();
    put(*state, id, blob);
    begin_waiting(*state);
    return blob;
  });
}

void BlobRoom::drop_oldest(State& state, Order& order) {
  const auto found = state.entries.find(order.back());
  const std::size_t weight = found->second.weight;
  state.used -= weight;
  if (&order == &state.read) {
    state.read_weight -= weight;
  } else {
    state.dropped_unread += weight;
  }
  order.pop_back();
  state.entries.erase(found);
}

bool BlobRoom::drop_stale(State& state) {
  if (state.due.empty()) return false;
  const Entry& oldest = state.entries.find(state.due.back())->second;
  if (options_.now() - oldest.touched < options_.kept_for_reader) return false;
  drop_oldest(state, state.due);
  return true;
}

// --- Who begins ---------------------------------------------------------------------------------

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
  if (!reading.goes_on_) return 0;
  std::size_t weight = 0;
  for (const Reading::Held& held : reading.parts_) {
    if (held.copied != nullptr || held.part.begin == 0 || !is_end(held.part)) continue;
    const auto found = state.entries.find(held.part.id);
    if (found != state.entries.end() && found->second.order != &state.read) {
      weight += found->second.weight;
    }
  }
  return weight;
}

// Drops what was read, and what was due for too long. What a small reading holds beyond the budget
// is no matter of the others.
bool BlobRoom::make_room(State& state, std::size_t weight) {
  const std::size_t budget = options_.budget_bytes + state.small;
  while (state.used - state.read_weight + weight > budget && drop_stale(state)) continue;
  const std::size_t fixed = state.used - state.read_weight;
  const bool is_alone = fixed <= state.small;
  if (fixed + weight > budget && !is_alone) return false;
  while (state.used + weight > budget && !state.read.empty()) drop_oldest(state, state.read);
  return true;
}

void BlobRoom::begin(State& state, Reading& reading) {
  for (Reading::Held& held : reading.parts_) {
    if (held.copied != nullptr) continue;
    hold(state, held.part, held.weight);
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
  if (!reading.goes_on_) return true;
  for (Reading::Held& held : reading.parts_) {
    const Part& part = held.part;
    if (part.begin == 0 || !is_end(part)) continue;
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
    hold(state, part, held.weight);
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
      const Entry& oldest = state->entries.find(state->due.back())->second;
      self.changed.wait_for(state.mutex_lock(),
                            oldest.touched + options_.kept_for_reader - options_.now());
    } else {
      self.changed.wait(state.mutex_lock());
    }
    if (!self.has_begun) begin_waiting(*state);
  }
}

BlobRoom::Reading BlobRoom::start(std::span<const Part> parts, bool goes_on) {
  Reading reading(*this, parts, goes_on);
  auto state = state_.lock();
  const std::size_t missing = missing_weight(*state, reading);
  if (missing == 0) {
    begin(*state, reading);
  } else if (!state->waiting.empty() || !state->small_waiting.empty() ||
             !make_room(*state, missing)) {
    wait(state, reading);
  } else {
    begin(*state, reading);
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

// --- Ahead --------------------------------------------------------------------------------------

void BlobRoom::load_ahead(const BlobId& id, std::uint64_t blob_bytes, Deadline by) {
  const Part whole{.id = id, .blob_bytes = blob_bytes, .begin = 0, .length = blob_bytes};
  if (knows(id)) return;
  const std::size_t weight = weight_of_load(whole);
  {
    auto state = state_.lock();
    if (state->entries.contains(id) || !state->waiting.empty()) return;
    // The rest is for readings.
    const std::size_t most = options_.budget_bytes / 4 * 3;
    while (state->used - state->read_weight + weight > most) {
      if (!drop_stale(*state)) return;
    }
    if (!make_room(*state, weight)) return;
    hold(*state, whole, weight);
  }
  const bool is_loaded = fetch(id, by).has_value();
  auto state = state_.lock();
  Entry& entry = state->entries.find(id)->second;
  // Unless a reading has come to it meanwhile.
  entry.is_expected = is_loaded && entry.was_read == 0 && entry.visits == 0;
  leave(*state, id);
  begin_waiting(*state);
}

bool BlobRoom::is_short() const { return !state_.lock()->waiting.empty(); }

bool BlobRoom::knows(const BlobId& id) const {
  if (state_.lock()->entries.contains(id)) return true;
  return loads_.knows(id);  // it failed a moment ago
}

BlobRoom::Figures BlobRoom::figures() const {
  const auto state = state_.lock();
  return {.used_bytes = state->used + state->copied,
          .waiting = state->waiting.size() + state->small_waiting.size(),
          .dropped_unread = state->dropped_unread};
}

}  // namespace restree
