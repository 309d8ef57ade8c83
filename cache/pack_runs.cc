#include "cache/pack_runs.h"

#include <algorithm>

namespace restree {
namespace {

// The first window is a quarter of the bytes that the line carries in a round trip, within these
// bounds.
constexpr std::uint64_t kLeastWindow = 64 << 10;
constexpr std::uint64_t kMostFirstWindow = 512 << 10;
constexpr std::uint64_t kMostWindow = 8 << 20;
// A read continues the run if it begins at most this far before the end of the wanted bytes and at
// most this far after the end of the requested ones.
constexpr std::uint64_t kSlack = 256 << 10;
// A run ends when this many blobs of other packs were wanted since its last one.
constexpr std::uint64_t kPatience = 256;

std::uint64_t first_window(std::size_t delay_product) {
  return std::clamp<std::uint64_t>(delay_product / 4, kLeastWindow, kMostFirstWindow);
}

std::uint64_t next_window(std::uint64_t window, std::uint64_t used, std::size_t delay_product) {
  const std::uint64_t first = first_window(delay_product);
  const std::uint64_t most =
      std::clamp<std::uint64_t>(2 * std::uint64_t{delay_product}, first, kMostWindow);
  return std::clamp(window * 2, first, std::clamp(used, first, most));
}

std::uint64_t end_of(const BlobLocation& place) {
  return std::uint64_t{place.offset} + place.length;
}

// The known end of the pack: the index does not tell what lies behind its last blob.
std::uint64_t pack_end(const BlobLocation& place) {
  return std::max<std::uint64_t>(place.pack_end, end_of(place));
}

}  // namespace

PackRuns::Run& PackRuns::run_of(const PackId& pack) {
  auto found = runs_.find(pack);
  if (found != runs_.end()) {
    recent_.splice(recent_.begin(), recent_, found->second.place);
    return found->second;
  }
  if (runs_.size() >= kMostRuns) {
    runs_.erase(recent_.back());
    recent_.pop_back();
  }
  recent_.push_front(pack);
  Run& run = runs_[pack];
  run.place = recent_.begin();
  return run;
}

ByteRange PackRuns::note(const BlobLocation& place, BlobType type, bool missing,
                         std::size_t delay_product) {
  ++turn_;
  Run& run = run_of(place.pack);
  const std::uint64_t since = run.turn == 0 ? ~std::uint64_t{0} : turn_ - run.turn;
  run.turn = turn_;
  if (type == BlobType::kTree) {
    run.used += place.length;
    run.end = pack_end(place);
    if (!missing) return {};
    return around(run, {place.offset, place.length}, 3, delay_product);
  }
  const std::uint64_t end = end_of(place);
  const bool large = place.length >= kLargeBlob;
  const bool goes_on = since <= kPatience && place.offset + kSlack >= run.reached &&
                       place.offset <= run.asked + kSlack;
  if (goes_on) {
    run.used += place.length;
    run.reached = std::max(run.reached, end);
    if (large) {
      run.asked = std::max(run.asked, end);
      return missing ? ByteRange{place.offset, place.length} : ByteRange{};
    }
    return onward(run, place, missing, delay_product);
  }
  run.reached = end;
  run.asked = end;
  run.window = 0;
  run.used = place.length;
  if (!missing) return {};
  if (!large) {
    run.window = first_window(delay_product);
    run.asked = std::max(end, std::min(place.offset + run.window, pack_end(place)));
  }
  return {place.offset, run.asked - place.offset};
}

// Extends the run by half a window at a time: that makes fewer and larger requests, and the reader
// still has half a window ahead of it.
ByteRange PackRuns::onward(Run& run, const BlobLocation& place, bool missing,
                           std::size_t delay_product) {
  if (!missing && run.asked > run.reached + run.window / 2) return {};
  run.window = next_window(run.window, run.used, delay_product);
  const std::uint64_t begin =
      missing ? std::uint64_t{place.offset} : std::max(run.asked, run.reached);
  const std::uint64_t end =
      std::max(end_of(place), std::min(run.reached + run.window, pack_end(place)));
  if (end <= begin) return {};
  run.asked = std::max(run.asked, end);
  return {begin, end - begin};
}

// Trees are written bottom up: the trees below a directory lie before its own, those of the
// following directories behind it. A second read in the same pack counts as a walk, wherever in the
// pack it is.
ByteRange PackRuns::around(Run& run, ByteRange trees, unsigned quarters_before,
                           std::size_t delay_product) {
  run.window = next_window(run.window, run.used * 4, delay_product);
  const std::uint64_t before = run.window / 4 * quarters_before;
  const std::uint64_t after = run.window - before;
  const std::uint64_t begin = trees.offset > before ? trees.offset - before : 0;
  const std::uint64_t trees_end = trees.offset + trees.length;
  const std::uint64_t end = std::max(trees_end, std::min(trees_end + after, run.end));
  return {begin, end - begin};
}

ByteRange PackRuns::walk_on(const PackId& pack, ByteRange trees, std::size_t delay_product) {
  const auto known = runs_.find(pack);
  // The first read in a pack is not yet a walk.
  if (known == runs_.end() || known->second.used == 0) return {};
  // These are the trees below one directory. The trees below the next directory lie behind them.
  return around(known->second, trees, 1, delay_product);
}

}  // namespace restree
