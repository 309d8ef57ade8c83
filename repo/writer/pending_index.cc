#include "repo/writer/pending_index.h"

#include <chrono>
#include <iterator>
#include <string>
#include <utility>

namespace restree {
namespace {

constexpr std::size_t kMostBlobs = 50'000;

}  // namespace

Status PendingIndex::add(IndexedPack pack, Deadline by) {
  std::vector<IndexedPack> due;
  {
    auto state = state_.lock();
    const auto now = Deadline::Clock::now();
    if (state->packs.empty()) state->oldest = now;
    state->blobs += pack.blobs.size();
    state->packs.push_back(std::move(pack));
    if (state->blobs < kMostBlobs && now - state->oldest < longest_wait_) return {};
    due = std::exchange(state->packs, {});
    state->blobs = 0;
  }
  return write(std::move(due), by);
}

Status PendingIndex::save(Deadline by) {
  std::vector<IndexedPack> due;
  {
    auto state = state_.lock();
    due = std::exchange(state->packs, {});
    state->blobs = 0;
  }
  return due.empty() ? Status() : write(std::move(due), by);
}

Status PendingIndex::write(std::vector<IndexedPack> packs, Deadline by) {
  const std::string json = write_index_file(packs);
  const auto saved = repository_.save_unpacked(FileType::kIndex, as_bytes(json), by);
  if (saved) return {};
  auto state = state_.lock();
  for (const IndexedPack& pack : packs) state->blobs += pack.blobs.size();
  state->packs.insert(state->packs.end(), std::make_move_iterator(packs.begin()),
                      std::make_move_iterator(packs.end()));
  return saved.error();
}

}  // namespace restree
