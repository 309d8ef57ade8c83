#include "cache/pack_fetcher.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <numeric>
#include <tuple>
#include <utility>

#include "repo/base/waiting.h"

namespace restree {
namespace {

using Clock = Deadline::Clock;

constexpr std::size_t kMostRequests = 1024;
constexpr int kMostAttempts = 4;
// A request that a reader waits for is extended to at most this many bytes.
constexpr std::uint64_t kAlongWithWanted = 128 << 10;
// Requests ahead are large enough that a few of them fill the line, and small enough that their
// first bytes arrive soon.
constexpr std::uint64_t kLeastRequest = 256 << 10;
// However slow the line is: what was not read until then was fetched in vain.
constexpr std::chrono::seconds kMostKept{60};

std::uint64_t request_bytes(std::size_t delay_product) {
  return std::clamp<std::uint64_t>(delay_product / 8, kLeastRequest, PackFetcher::kMostRequest);
}

// The largest gap between two wanted blobs that is fetched along with them, to save a request.
std::uint64_t gap_bytes(std::size_t delay_product) {
  return std::clamp<std::uint64_t>(delay_product / 32, 4 << 10, 64 << 10);
}

ByteRange range_of(const BlobLocation& place) { return {place.offset, place.length}; }
std::uint64_t end_of(ByteRange range) { return range.offset + range.length; }

ByteRange overlap(ByteRange a, ByteRange b) {
  const std::uint64_t begin = std::max(a.offset, b.offset);
  return {begin, std::min(end_of(a), end_of(b)) - begin};
}

struct Group {
  PackId pack;
  ByteRange range;
  std::size_t turn;  // index in `places` of the blob in it that is wanted first
};

// Groups neighbours, and sorts the groups by the blob in each that is wanted first. A backup writes
// to several packs at a time, and small files in the order in which its threads finish them: so
// blobs that are wanted one after the other lie near each other, but in any order.
std::vector<Group> grouped(std::span<const BlobLocation> places, std::uint64_t most,
                           std::uint64_t gap) {
  std::vector<std::size_t> order(places.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(
      order, {}, [&](std::size_t at) { return std::tie(places[at].pack, places[at].offset); });
  std::vector<Group> groups;
  for (const std::size_t turn : order) {
    const BlobLocation& place = places[turn];
    if (!groups.empty() && groups.back().pack == place.pack) {
      Group& last = groups.back();
      const std::uint64_t end = std::max(end_of(last.range), end_of(range_of(place)));
      if (place.offset <= end_of(last.range) + gap && end - last.range.offset <= most) {
        last.range.length = end - last.range.offset;
        last.turn = std::min(last.turn, turn);
        continue;
      }
    }
    groups.push_back({place.pack, range_of(place), turn});
  }
  std::ranges::sort(groups, {}, &Group::turn);
  return groups;
}

}  // namespace

PackFetcher::PackFetcher(std::shared_ptr<Storage> storage, FetchOptions options)
    : storage_(std::move(storage)),
      options_(std::move(options)),
      state_(State(options_.budgets)),
      pool_(options_.threads, kMostRequests) {}

Result<Bytes> PackFetcher::read(const BlobLocation& place, BlobType type, Deadline by) {
  const ByteRange range = range_of(place);
  for (int attempt = 1; attempt <= kMostAttempts; ++attempt) {
    std::vector<SharedPiece> own;
    std::vector<SharedPiece> ahead;
    {
      auto state = state_.lock();
      if (attempt == 1) {
        const std::size_t product = state->line.delay_product();
        const bool missing = !state->pieces.gaps(place.pack, range).empty();
        const ByteRange wanted = state->runs.note(place, type, missing, product);
        own = begin_missing(*state, place, type, wanted);
        ahead = begin_ahead(*state, place.pack, type, wanted, request_bytes(product));
      } else {
        own = begin_missing(*state, place, type, range);
      }
    }
    submit(ahead);
    if (const Status fetched = fetch_all(own, by); !fetched) {
      // A truncated pack may still hold the whole blob, though not all of its neighbours.
      if (fetched.error().kind() == ErrorKind::kCorrupt) break;
      return fetched.error();
    }
    ASSIGN_OR_RETURN(std::optional<Bytes> bytes, take(place, by));
    if (bytes) return std::move(*bytes);
    // A piece that was fetched ahead failed, or was dropped to make room: try again, and fetch it
    // here.
  }
  // Read without sharing the bytes with other readers, which may drop them each time.
  return storage_->read({FileType::kPack, place.pack.hex()}, range, by);
}

Result<std::optional<Bytes>> PackFetcher::take(const BlobLocation& place, Deadline by) {
  const ByteRange range = range_of(place);
  std::vector<SharedPiece> pieces;
  std::optional<Bytes> whole;
  {
    auto state = state_.lock();
    const auto is = [](PieceState wanted) {
      return [wanted](const SharedPiece& piece) { return piece->state == wanted; };
    };
    // The pieces are looked up again after each wait: another reader may have taken a landed piece
    // with its bytes, and a new piece may have taken its place.
    bool is_waiting = false;
    const auto have_landed = [&] {
      pieces = state->pieces.covering(place.pack, range);
      if (std::ranges::none_of(pieces, is(PieceState::kFlying))) return true;
      if (!std::exchange(is_waiting, true)) ++state->joined;
      return false;
    };
    if (!wait_until(landed_, state, by, have_landed)) {
      return Error(ErrorKind::kUnavailable,
                   "no answer in time from " + storage_->description() + " to a pending read");
    }
    if (!std::ranges::all_of(pieces, is(PieceState::kLanded))) return std::optional<Bytes>();
    if (!state->pieces.gaps(place.pack, range).empty()) return std::optional<Bytes>();
    const SharedPiece& front = pieces.front();
    const bool is_whole = front->range.offset == range.offset && front->end() == end_of(range);
    if (is_whole && front->copying == 0 && front->used == 0) {
      whole = std::move(front->bytes);
      state->pieces.use(front, range.length);
      return whole;
    }
    // First, as memory may be refused: a piece that counts as being copied is not dropped.
    whole = Bytes(range.length);
    for (const SharedPiece& piece : pieces) {
      state->pieces.use(piece, overlap(piece->range, range).length);
      ++piece->copying;
    }
  }
  for (const SharedPiece& piece : pieces) {
    const ByteRange common = overlap(piece->range, range);
    std::memcpy(whole->data() + (common.offset - range.offset),
                piece->bytes.data() + (common.offset - piece->range.offset),
                memory_size(common.length));
  }
  auto state = state_.lock();
  for (const SharedPiece& piece : pieces) --piece->copying;
  return whole;
}

bool PackFetcher::make_room(State& state, BlobType type, std::uint64_t bytes) {
  // Over a slow line, what was fetched ahead is read late.
  const auto budget = static_cast<double>(options_.budgets.data_bytes);
  const double seconds =
      state.line.is_measured() ? 2 * budget / std::max(1.0, state.line.bytes_per_second()) : 0;
  const auto kept = std::clamp<Clock::duration>(
      std::chrono::duration_cast<Clock::duration>(
          std::chrono::duration<double>(std::min(seconds, 3600.0))),
      options_.kept, std::max<Clock::duration>(options_.kept, kMostKept));
  const Clock::time_point stale = options_.now() - kept;
  const bool counts = state.readers_waited < stale;
  return state.pieces.make_room(type, bytes, counts ? stale : Clock::time_point::min());
}

// The pieces that this reader must fetch itself, since no request for them is under way.
std::vector<SharedPiece> PackFetcher::begin_missing(State& state, const BlobLocation& place,
                                                    BlobType type, ByteRange worth_having) {
  const ByteRange range = range_of(place);
  std::vector<SharedPiece> own;
  for (const SharedPiece& piece : state.pieces.covering(place.pack, range)) {
    if (piece->state == PieceState::kWaiting) own.push_back(piece);
  }
  for (ByteRange gap : state.pieces.gaps(place.pack, range)) {
    // Extend the request beyond the missing bytes, up to the next piece.
    const std::uint64_t more_end =
        std::min(end_of(worth_having), std::max(end_of(gap), gap.offset + kAlongWithWanted));
    // A blob that a reader waits for is fetched in any case, but without its neighbours where there
    // is no room. What was fetched ahead a moment ago stays all the same: its own reader would have
    // to fetch it again.
    if (end_of(gap) == end_of(range) && more_end > end_of(gap)) {
      const auto free = state.pieces.gaps(place.pack, {gap.offset, more_end - gap.offset});
      if (make_room(state, type, free.front().length)) gap = free.front();
    }
    own.push_back(state.pieces.add(place.pack, type, gap));
  }
  for (const SharedPiece& piece : own) {
    piece->state = PieceState::kFlying;
    state.line.began(Clock::now());
  }
  return own;
}

std::vector<SharedPiece> PackFetcher::begin_ahead(State& state, const PackId& pack, BlobType type,
                                                  ByteRange range, std::uint64_t most) {
  std::vector<SharedPiece> ahead;
  if (range.length == 0) return ahead;
  for (ByteRange gap : state.pieces.gaps(pack, range)) {
    while (gap.length > 0) {
      const std::uint64_t length = std::min(gap.length, most);
      if (!make_room(state, type, length)) return ahead;
      ahead.push_back(state.pieces.add(pack, type, {gap.offset, length}));
      ahead.back()->ahead = true;
      gap.offset += length;
      gap.length -= length;
    }
  }
  return ahead;
}

void PackFetcher::submit(const std::vector<SharedPiece>& ahead) {
  for (const SharedPiece& piece : ahead) {
    const bool taken = pool_.try_submit([this, piece] {
      {
        auto state = state_.lock();
        // A reader fetches it now, or it was removed.
        if (piece->state != PieceState::kWaiting) return;
        piece->state = PieceState::kFlying;
        state->line.began(Clock::now());
      }
      static_cast<void>(fetch(piece, Deadline::after(options_.time_limit)).has_value());
    });
    if (taken) continue;
    auto state = state_.lock();
    if (piece->state != PieceState::kWaiting) continue;
    piece->state = PieceState::kFailed;
    state->pieces.remove(piece);
  }
}

Status PackFetcher::fetch_all(const std::vector<SharedPiece>& own, Deadline by) {
  Status status;
  for (const SharedPiece& piece : own) {
    if (status) {
      status = fetch(piece, by);
      continue;
    }
    // Mark the piece as failed, since other readers may wait for it.
    auto state = state_.lock();
    state->line.ended(Clock::now(), Clock::now(), 0);
    piece->state = PieceState::kFailed;
    state->pieces.remove(piece);
  }
  if (!status) landed_.notify_all();
  return status;
}

Result<Bytes> PackFetcher::read_or_explain(const Piece& piece, Deadline by) {
  try {
    return storage_->read({FileType::kPack, piece.pack.hex()}, piece.range, by);
  } catch (const std::bad_alloc&) {
    return Error(ErrorKind::kLocalIo,
                 "out of memory while reading from " + storage_->description());
  }
}

// The piece must be in state kFlying, which means that only this caller fetches it.
Status PackFetcher::fetch(const SharedPiece& piece, Deadline by) {
  const Clock::time_point begun = Clock::now();
  Result<Bytes> read = read_or_explain(*piece, by);
  {
    auto state = state_.lock();
    state->line.ended(begun, Clock::now(), read ? read->size() : 0);
    ++state->requests;
    if (read) {
      state->bytes += read->size();
      if (piece->ahead) state->ahead_bytes += read->size();
      piece->bytes = std::move(*read);
      piece->landed_at = options_.now();
      piece->state = PieceState::kLanded;
    } else {
      ++state->failed;
      piece->state = PieceState::kFailed;
      state->pieces.remove(piece);
    }
  }
  landed_.notify_all();
  if (!read) return std::move(read).error();
  return {};
}

void PackFetcher::reject(const BlobLocation& place) {
  auto state = state_.lock();
  for (const SharedPiece& piece : state->pieces.covering(place.pack, range_of(place))) {
    if (piece->state == PieceState::kLanded) state->pieces.remove(piece);
  }
}

void PackFetcher::want(std::span<const BlobLocation> places, BlobType type) {
  std::vector<SharedPiece> ahead;
  {
    auto state = state_.lock();
    const std::size_t product = state->line.delay_product();
    const std::uint64_t most = request_bytes(product);
    for (const Group& group : grouped(places, most, gap_bytes(product))) {
      // A chunk is never split, so that no reader has to wait for two requests.
      auto begun =
          begin_ahead(*state, group.pack, type, group.range, std::max(most, group.range.length));
      ahead.insert(ahead.end(), begun.begin(), begun.end());
    }
    if (type == BlobType::kTree) {
      // A walk through trees reaches the neighbouring trees soon, and fetching these one by one
      // would cost a round trip for each directory.
      for (const SharedPiece& piece : std::vector(ahead)) {
        const ByteRange walk = state->runs.walk_on(piece->pack, piece->range, product);
        auto begun = begin_ahead(*state, piece->pack, type, walk, most);
        ahead.insert(ahead.end(), begun.begin(), begun.end());
      }
    }
  }
  submit(ahead);
}

void PackFetcher::expect(std::span<const BlobLocation> places) {
  const BlobLocation* last = nullptr;
  for (const BlobLocation& place : places) {
    if (last == nullptr || last->pack != place.pack) {
      storage_->expect({FileType::kPack, place.pack.hex()}, range_of(place));
    }
    last = &place;
  }
}

void PackFetcher::readers_wait() { state_.lock()->readers_waited = options_.now(); }

std::size_t PackFetcher::window_bytes() const {
  auto state = state_.lock();
  const std::size_t product = state->line.delay_product();
  // A piece that has landed counts until it is read, and a chunk is read only when all of it has
  // landed. So with several chunks under way, more than half of the requested bytes are in memory.
  const std::size_t worth = product * (state->line.is_rising() ? 6 : 4);
  // Leave room for the requests of waiting readers.
  return std::min(worth, options_.budgets.data_bytes / 4 * 3);
}

FetchFigures PackFetcher::figures() const {
  auto state = state_.lock();
  FetchFigures figures{.requests = state->requests,
                       .bytes = state->bytes,
                       .ahead_bytes = state->ahead_bytes,
                       .ahead_used_bytes = state->pieces.ahead_used_bytes(),
                       .wasted_bytes = state->pieces.wasted_bytes(),
                       .failed = state->failed,
                       .joined = state->joined};
  if (state->line.is_measured()) {
    figures.round_trip = state->line.round_trip();
    figures.bytes_per_second = state->line.bytes_per_second();
  }
  return figures;
}

}  // namespace restree
