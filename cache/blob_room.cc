#include "cache/blob_room.h"

#include <algorithm>
#include <utility>

namespace restree {
namespace {

// For failures only: a blob is heavier than that, however small it is.
constexpr std::size_t kRememberedBytes = 64 << 10;
// Memory that an entry takes beside its bytes.
constexpr std::size_t kEntryBytes = 256;
// A blob that is due is given up once so many times the budget were loaded since somebody came for
// it: the others go on without that program.
constexpr std::uint64_t kGivenUpAfter = 2;

}  // namespace

// --- A reading ----------------------------------------------------------------------------------

BlobRoom::Reading::Reading(BlobRoom& room, std::span<const Part> parts, const Way& way)
    : room_(&room), way_(way) {
  parts_.reserve(parts.size());
  std::uint64_t offset = way.offset;
  for (const Part& part : parts) {
    parts_.push_back({.part = part,
                      .weight = room.weight_of_load(part),
                      .offset = offset - std::min<std::uint64_t>(part.begin, offset),
                      .copied = nullptr});
    offset += part.length;
  }
}

BlobRoom::Reading::Reading(Reading&& other) noexcept
    : room_(std::exchange(other.room_, nullptr)),
      parts_(std::move(other.parts_)),
      way_(other.way_),
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
  room_->note_read(state->entries.find(held.part.id)->second, held.part, way_.goes_on);
  const bool is_whole = blob->size() == held.part.blob_bytes;
  return Found{std::move(blob), held.part.begin, is_whole};
}

// --- Entries ------------------------------------------------------------------------------------

BlobRoom::BlobRoom(BlobSource& source, Options options)
    : source_(source),
      options_(std::move(options)),
      loads_(
          kRememberedBytes, [](const Bytes&) { return kRememberedBytes + 1; },
          Keeping::kWithinBudget, options_.outages) {
  state_.lock()->patience = options_.kept_for_reader;
}

std::size_t BlobRoom::weight_of_load(const Part& part) const {
  // The most that it may be, where that does not matter now.
  const std::size_t sealed = knows(part.id) ? part.blob_bytes : options_.sealed_bytes(part.id);
  return part.blob_bytes + sealed + kEntryBytes;
}

void BlobRoom::hold(State& state, const Expected& blob, std::size_t weight) {
  const auto [found, is_new] =
      state.entries.try_emplace(blob.id, Entry{.marks = ReadMarks(blob.blob_bytes)});
  Entry& entry = found->second;
  if (is_new) {
    entry.bytes = blob.blob_bytes;
    entry.weight = weight;
    state.used += entry.weight;
  }
  entry.reader = blob.reader;
  entry.offset = blob.offset;
  if (entry.order == &state.due) state.moved = options_.now();
  take_out_of_order(state, entry);
  ++entry.holders;
}

void BlobRoom::hold(State& state, const Reading& reading, const Reading::Held& held) {
  // It wants the rest of a blob that is not here: its patience was too short.
  if (reading.way_.goes_on && held.part.begin > 0 && !state.entries.contains(held.part.id)) {
    state.patience = options_.kept_for_reader;
  }
  hold(state,
       {.id = held.part.id,
        .blob_bytes = held.part.blob_bytes,
        .reader = reading.way_.reader,
        .offset = held.offset},
       held.weight);
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
  entry.loaded_then = state.loaded;
  put_in_order(state, id, entry);
}

void BlobRoom::put_in_order(State& state, const BlobId& id, Entry& entry) {
  entry.order = entry.marks.is_due() ? &state.due : &state.read;
  entry.order->push_front(id);
  entry.place = entry.order->begin();
  if (entry.order == &state.read) {
    state.read_weight += entry.weight;
  } else {
    state.moved = options_.now();
  }
}

void BlobRoom::take_out_of_order(State& state, Entry& entry) {
  if (entry.order == nullptr) return;
  if (entry.order == &state.read) state.read_weight -= entry.weight;
  entry.order->erase(entry.place);
  entry.order = nullptr;
}

void BlobRoom::note_read(Entry& entry, const Part& part, bool goes_on) {
  const bool is_whole = part.begin == 0 && part.has_end();
  if (goes_on || is_whole) entry.marks.read(part.begin, part.end());
}

void BlobRoom::put(State& state, const BlobId& id, const SharedBlob& blob) {
  Entry& entry = state.entries.find(id)->second;
  if (entry.value != nullptr) return;
  entry.value = blob;
  state.used -= entry.weight;
  entry.weight = blob->size() + kEntryBytes;
  state.used += entry.weight;
  state.loaded += entry.bytes;
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
    has_come(*state, id);
    begin_waiting(*state);
    return blob;
  });
}

void BlobRoom::drop_oldest_read(State& state) {
  const auto found = state.entries.find(state.read.back());
  state.used -= found->second.weight;
  state.read_weight -= found->second.weight;
  state.read.pop_back();
  state.entries.erase(found);
}

// One that a waiting reading wants goes last of all, and only if else nothing would move.
bool BlobRoom::give_up_oldest(State& state) {
  const Clock::time_point now = options_.now();
  const bool stands_still = state.is_short() && now - state.moved >= state.patience;
  const auto is_left = [&](const Entry& entry) {
    return now - entry.touched >= options_.kept_for_reader &&
           state.loaded - entry.loaded_then >= kGivenUpAfter * options_.budget_bytes;
  };
  for (auto at = state.due.rbegin(); at != state.due.rend(); ++at) {
    if (!stands_still && !is_left(state.entries.find(*at)->second)) return false;
    if (state.awaited.contains(*at)) continue;
    give_up(state, *at);
    return true;
  }
  if (state.due.empty() || !stands_still) return false;
  give_up(state, state.due.back());
  return true;
}

void BlobRoom::give_up(State& state, BlobId id) {
  Entry& entry = state.entries.find(id)->second;
  state.given_up_bytes += entry.bytes;
  take_out_of_order(state, entry);
  state.used -= entry.weight;
  state.entries.erase(id);
  state.patience =
      std::min(std::max(state.patience / 2, options_.least_kept), options_.kept_for_reader);
}

// What is left of its reader's blobs behind it, or on all sides if it has leapt, is due no longer.
void BlobRoom::let_go_what_it_passed(State& state, const Reading& reading) {
  if (reading.way_.reader == 0) return;
  const std::uint64_t offset = reading.way_.offset;
  std::vector<BlobId> passed;
  for (const BlobId& id : state.due) {
    const Entry& entry = state.entries.find(id)->second;
    if (entry.reader != reading.way_.reader) continue;
    const bool is_behind = entry.offset + entry.bytes + options_.passed_bytes <= offset;
    const bool is_beyond = entry.offset >= offset + options_.passed_bytes;
    if (is_behind || (is_beyond && !reading.way_.goes_on)) passed.push_back(id);
  }
  for (const BlobId& id : passed) {
    Entry& entry = state.entries.find(id)->second;
    take_out_of_order(state, entry);
    entry.marks = ReadMarks(entry.bytes);
    put_in_order(state, id, entry);
  }
}

// --- Ahead --------------------------------------------------------------------------------------

void BlobRoom::load_ahead(const Expected& blob, Deadline by) {
  const BlobId& id = blob.id;
  if (knows(id)) return;
  const std::size_t weight = weight_of_load(
      {.id = id, .blob_bytes = blob.blob_bytes, .begin = 0, .length = blob.blob_bytes});
  {
    auto state = state_.lock();
    if (state->entries.contains(id) || state->is_short()) return;
    // The rest is for readings.
    const std::size_t most = options_.budget_bytes / 4 * 3;
    while (state->used - state->read_weight + weight > most) {
      if (!give_up_oldest(*state)) return;
    }
    if (!make_room(*state, weight)) return;
    hold(*state, blob, weight);
  }
  const bool is_loaded = fetch(id, by).has_value();
  auto state = state_.lock();
  if (is_loaded) state->entries.find(id)->second.marks.expect();
  leave(*state, id);
  begin_waiting(*state);
}

bool BlobRoom::is_short() const { return state_.lock()->is_short(); }

bool BlobRoom::knows(const BlobId& id) const {
  if (state_.lock()->entries.contains(id)) return true;
  return loads_.knows(id);  // it failed a moment ago
}

BlobRoom::Figures BlobRoom::figures() const {
  const auto state = state_.lock();
  return {.used_bytes = state->used + state->copied,
          .waiting = state->ending.size() + state->waiting.size() + state->small_waiting.size(),
          .given_up_bytes = state->given_up_bytes};
}

}  // namespace restree
