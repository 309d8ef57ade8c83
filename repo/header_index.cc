#include "repo/header_index.h"

#include <fmt/core.h>

#include <algorithm>
#include <exception>
#include <system_error>
#include <tuple>
#include <utility>

#include "repo/base/last_resort.h"
#include "repo/base/log.h"
#include "repo/base/thread_pool.h"
#include "repo/base/waiting.h"

namespace restree {
namespace {

// Each waits for two round trips: of 5,000 headers at 20 ms, 8 threads had read the last one after 27 s.
// Where there are no round trips to hide, no more are needed than there are processors.
constexpr std::size_t kParallelHeaders = 16;

std::size_t processors() { return std::max(1U, std::thread::hardware_concurrency()); }

Error stopped() { return {ErrorKind::kCancelled, "interrupted while reading headers of packs"}; }

auto place_of(const BlobLocation& place) {
  return std::tie(place.pack, place.offset, place.length, place.raw_length);
}

}  // namespace

Status HeaderIndex::complete(std::uint64_t index_state, Deadline by) {
  return complete(Aim{index_state, settings_.replaces_index}, by);
}

Status HeaderIndex::complete_all(std::uint64_t index_state, Deadline by) {
  return complete(Aim{index_state, true}, by);
}

Result<bool> HeaderIndex::refresh(Deadline by) {
  const std::uint64_t before = state_.lock()->changes;
  RETURN_IF_ERROR(complete(Aim{++refreshes_, true}, by));
  return state_.lock()->changes != before;
}

bool HeaderIndex::is_done(const State& state, const Aim& aim) {
  return state.done && state.done->index_state >= aim.index_state &&
         (state.done->all_packs || !aim.all_packs);
}

Status HeaderIndex::complete(const Aim& aim, Deadline by) {
  auto state = state_.lock();
  while (!is_done(*state, aim)) {
    if (state->begun == state->ended) begin(*state, aim);
    const std::uint64_t reading = state->begun;
    if (!wait_until(ended_, state, by, [&] { return state->ended >= reading; })) {
      return Error(ErrorKind::kUnavailable,
                   fmt::format("the headers of packs of {} are still being read ({} of {} so far)",
                               packs_.description, headers_read_.load(), headers_wanted_.load()));
    }
    if (!state->last) return state->last;
  }
  return {};
}

void HeaderIndex::begin(State& state, const Aim& aim) {
  ++state.begun;
  try {
    // One that has ended holds no lock any more, so that it is joined at once.
    reader_ = std::jthread([this, aim](const std::stop_token& ending) { run(aim, ending); });
  } catch (const std::system_error& failure) {  // the system has no more threads to give
    state.ended = state.begun;
    state.last = error_of(failure);
  }
}

void HeaderIndex::run(const Aim& aim, const std::stop_token& ending) {
  std::stop_source giving_up;
  const auto give_up = [&giving_up] { giving_up.request_stop(); };
  const std::stop_callback at_the_end(ending, give_up);
  const std::stop_callback at_a_stop(settings_.stop, give_up);
  Status status;
  try {
    status = read_missing(aim, giving_up.get_token());
  } catch (const std::exception& failure) {  // the system has no more memory or threads to give
    status = error_of(failure);
  }
  {
    auto state = state_.lock();
    state->ended = state->begun;
    state->last = status;
    if (status && (!state->done || !is_done(*state, aim))) state->done = aim;
  }
  ended_.notify_all();
}

Status HeaderIndex::read_missing(const Aim& aim, const std::stop_token& stop) {
  ASSIGN_OR_RETURN(const std::vector<ListedFile> listed,
                   packs_.list(Deadline::after(settings_.patience)));
  std::vector<StoredPack> stored = packs_in(listed);
  note_gone(stored);
  const std::vector<StoredPack> wanted = missing(aim, std::move(stored));
  if (wanted.empty()) return {};
  tell(aim, wanted.size());
  return read_headers(wanted, true, stop, Deadline::never());
}

std::vector<StoredPack> HeaderIndex::missing(const Aim& aim, std::vector<StoredPack> stored) const {
  std::vector<NamedPack> named;
  if (!aim.all_packs) named = packs_.named();
  const bool has_sizes = have_sizes(stored);
  const auto state = state_.lock();
  std::erase_if(stored, [&](const StoredPack& pack) {
    if (state->read.contains(pack.id) || state->unreadable.contains(pack.id)) return true;
    const auto found = std::ranges::lower_bound(named, pack.id, {}, &NamedPack::pack);
    const bool is_named = found != named.end() && found->pack == pack.id;
    // One that is shorter than what is named in it has lost its end, and the header with it.
    return is_named && (!has_sizes || found->size_bytes >= pack.size_bytes);
  });
  return stored;
}

void HeaderIndex::note_gone(const std::vector<StoredPack>& stored) {
  auto gone = std::make_shared<std::unordered_set<PackId>>();
  auto state = state_.lock();
  for (const PackId& pack : state->read) {
    const auto found = std::ranges::lower_bound(stored, pack, {}, &StoredPack::id);
    if (found == stored.end() || found->id != pack) gone->insert(pack);
  }
  if (*gone == *state->gone) return;
  state->gone = std::move(gone);
  ++state->changes;
}

Status HeaderIndex::read(std::span<const PackId> packs, Deadline by) {
  std::vector<StoredPack> wanted;
  {
    auto state = state_.lock();
    for (const PackId& pack : packs) {
      if (!state->read.contains(pack) && !state->unreadable.contains(pack)) {
        wanted.push_back({pack, 0});
      }
    }
  }
  if (wanted.empty()) return {};
  return read_headers(wanted, false, settings_.stop, by);
}

Status HeaderIndex::read_headers(const std::vector<StoredPack>& packs, bool tells,
                                 const std::stop_token& stop, Deadline by) {
  headers_read_ = 0;
  headers_wanted_ = packs.size();
  Found found;
  const std::size_t threads =
      packs_.waits ? kParallelHeaders : std::min(kParallelHeaders, processors());
  const Status status = parallel_for(packs.size(), threads, [&](std::size_t i) -> Status {
    if (stop.stop_requested()) return stopped();
    RETURN_IF_ERROR(read_header(packs[i], tells, found,
                                Deadline::earlier(by, Deadline::after(settings_.patience))));
    ++headers_read_;
    return {};
  });
  keep(found);
  return status;
}

Status HeaderIndex::read_header(StoredPack pack, bool tells, Found& found, Deadline by) const {
  Status status;
  if (pack.size_bytes == 0) {
    const Result<std::uint64_t> size = packs_.size(pack.id, by);
    if (size) {
      pack.size_bytes = *size;
    } else {
      status = size.error();
    }
  }
  Result<std::vector<IndexedBlob>> blobs = std::vector<IndexedBlob>();
  if (status) blobs = packs_.load(pack, by);
  if (!blobs) status = blobs.error();
  if (status) {
    found.builder.add(pack.id, *blobs);
    found.packs.lock()->read.push_back(pack.id);
    return {};
  }
  const ErrorKind kind = status.error().kind();
  if (kind == ErrorKind::kUnavailable || kind == ErrorKind::kCancelled) return status;
  if (kind == ErrorKind::kNotFound) return {};  // gone since it was listed, or never there
  if (tells) {
    log::error(
        "the header of pack {} of {} cannot be read, so what only that pack has is missing: {}",
        pack.id.hex(), packs_.description, status.error().message());
  }
  // Any other trouble may be over when it is tried again.
  if (kind == ErrorKind::kCorrupt || kind == ErrorKind::kUnsupported) {
    found.packs.lock()->unreadable.push_back(pack.id);
  }
  return {};
}

// Parts are merged without the lock, for which all readers would wait meanwhile; then again, if others
// have added one by then.
void HeaderIndex::keep(Found& found) {
  const Found::Packs packs = std::move(*found.packs.lock());
  if (!packs.unreadable.empty()) {
    state_.lock()->unreadable.insert(packs.unreadable.begin(), packs.unreadable.end());
  }
  if (packs.read.empty()) return;
  const std::shared_ptr<const Index> part = std::move(found.builder).build(processors());
  for (;;) {
    const std::shared_ptr<const IndexParts> before = state_.lock()->parts;
    auto parts = std::make_shared<IndexParts>(*before);
    parts->push_back(part);
    merge_small_parts(*parts);
    auto state = state_.lock();
    if (state->parts != before) continue;
    state->read.insert(packs.read.begin(), packs.read.end());
    state->parts = std::move(parts);
    ++state->changes;
    is_used_ = true;
    return;
  }
}

bool HeaderIndex::has_read(const PackId& pack) const { return state_.lock()->read.contains(pack); }

std::vector<BlobLocation> HeaderIndex::find_all(BlobType type, const BlobId& id) const {
  const auto [parts, gone] = [&] {
    const auto state = state_.lock();
    return std::pair(state->parts, state->gone);
  }();
  std::vector<BlobLocation> places;
  for (const auto& part : *parts) {
    for (const BlobLocation& place : part->find_all(type, id)) {
      if (!gone->contains(place.pack)) places.push_back(place);
    }
  }
  // All readers must take the blob from the same place: see RepositoryIndex.
  std::ranges::sort(places, {}, place_of);
  const auto repeated = std::ranges::unique(places, {}, place_of);
  places.erase(repeated.begin(), repeated.end());
  return places;
}

void HeaderIndex::tell(const Aim& aim, std::size_t missing) {
  if (settings_.replaces_index) {
    log::info("the index of {} is made of the headers of {} packs", packs_.description, missing);
    return;
  }
  if (has_told_.exchange(true) && !aim.all_packs) return;
  if (aim.all_packs) {
    log::warning(
        "the index of {} names blobs where they are not, so the headers of {} packs are read; "
        "`restree repair index --read-all-packs` makes a new index of them",
        packs_.description, missing);
    return;
  }
  log::warning(
      "{} packs of {} are in no index file, or not with all that they hold; their headers say what "
      "lies there from now on. `restree repair index` names them in an index again",
      missing, packs_.description);
}

}  // namespace restree
