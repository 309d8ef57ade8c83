// The part of Repository that finds out where blobs lie.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "repo/base/log.h"
#include "repo/crypto/seal.h"
#include "repo/repository_state.h"

namespace restree {
namespace {

BlobType other(BlobType type) {
  return type == BlobType::kData ? BlobType::kTree : BlobType::kData;
}

bool is_same_place(const BlobLocation& a, const BlobLocation& b) {
  return a.pack == b.pack && a.offset == b.offset && a.length == b.length &&
         a.raw_length == b.raw_length;
}

bool has_place(const std::vector<BlobLocation>& places, const BlobLocation& place) {
  return std::ranges::any_of(places,
                             [&](const BlobLocation& one) { return is_same_place(one, place); });
}

constexpr std::uint64_t kHeaderLengthBytes = 4;
// What shows whether the cache has the end of a pack, and how long the header is: the length of the
// shortest header that there can be, with that of the number behind it. A cache takes less for a hole.
constexpr std::uint64_t kCachedEndBytes = kSealOverheadBytes + kHeaderLengthBytes;

// Headers lie beside data, which is evicted first.
SealedPlace end_of(const StoredPack& pack, std::uint64_t length) {
  return {.pack = pack.id,
          .type = BlobType::kData,
          .range = {.offset = pack.size_bytes - length, .length = length}};
}

}  // namespace

void Repository::use_headers(HeaderIndex::Settings settings) {
  State& state = *state_;
  HeaderIndex::Packs packs{
      .list = [&state](Deadline by) { return state.storage->list(FileType::kPack, by); },
      .size =
          [&state](const PackId& pack, Deadline by) {
            return state.storage->size({FileType::kPack, pack.hex()}, by);
          },
      .load = [&state](const StoredPack& pack, Deadline by) { return state.load_header(pack, by); },
      .named = [&state] { return state.index.named_packs(); },
      .description = state.storage->description(),
      .waits = state.storage->read_habit().waits};
  state.headers = std::make_unique<HeaderIndex>(std::move(settings), std::move(packs));
}

std::optional<Bytes> Repository::State::cached_header(const StoredPack& pack) {
  if (cache == nullptr || pack.size_bytes < kCachedEndBytes) return std::nullopt;
  const std::optional<Bytes> last = cache->read(end_of(pack, kCachedEndBytes));
  if (!last) return std::nullopt;
  const std::uint64_t length =
      load_u32le(last->data() + kCachedEndBytes - kHeaderLengthBytes) + kHeaderLengthBytes;
  if (length < kCachedEndBytes || length > pack.size_bytes) return std::nullopt;
  return cache->read(end_of(pack, length));
}

Result<std::vector<IndexedBlob>> Repository::State::load_header(const StoredPack& pack,
                                                                Deadline by) {
  const auto open = [this](ByteView sealed, MutableByteView plain) {
    return restree::open_into(key, sealed, plain);
  };
  if (const std::optional<Bytes> cached = cached_header(pack)) {
    auto blobs = blobs_at_end(pack, *cached, open);
    if (blobs) return blobs;
    cache->reject(end_of(pack, cached->size()));
  }
  ASSIGN_OR_RETURN(Bytes end, load_pack_end(*storage, pack, by));
  auto blobs = blobs_at_end(pack, end, open);
  if (blobs && cache != nullptr) {
    const SealedPlace place = end_of(pack, end.size());
    cache->keep(place, std::move(end));
  }
  return blobs;
}

Result<bool> Repository::refresh_index(Deadline by, IndexWatch* watch) {
  return state_->refresh_index(by, watch);
}

Result<bool> Repository::State::refresh_index(Deadline by, IndexWatch* watch) {
  if (watch == nullptr && headers != nullptr && headers->replaces_index()) {
    return headers->refresh(Deadline::never());
  }
  Result<bool> changed = index.refresh(by, watch);
  if (changed && *changed) ++index_changes;
  return changed;
}

std::vector<BlobLocation> Repository::State::find_all(BlobType type, const BlobId& id) {
  if (headers == nullptr || !headers->is_used()) return index.find_all(type, id);
  std::vector<BlobLocation> places = headers->find_all(type, id);
  for (const BlobLocation& place : index.find_all(type, id)) {
    if (!has_place(places, place)) places.push_back(place);
  }
  return places;
}

bool Repository::State::is_index_wrong(BlobType type, const BlobId& id) {
  const std::vector<BlobLocation> right = headers->find_all(type, id);
  return std::ranges::any_of(index.find_all(type, id), [&](const BlobLocation& place) {
    return headers->has_read(place.pack) && !has_place(right, place);
  });
}

Status Repository::State::read_headers(HeaderStep step, BlobType type, const BlobId& id,
                                       Deadline by) {
  if (step == HeaderStep::kNotNamed) return headers->complete(index_changes, by);
  if (step == HeaderStep::kAll) {
    if (!is_index_wrong(type, id) && !is_index_wrong(other(type), id)) return {};
    return headers->complete_all(index_changes, by);
  }
  std::vector<PackId> packs;
  for (const BlobType named_as : {type, other(type)}) {
    for (const BlobLocation& place : index.find_all(named_as, id)) packs.push_back(place.pack);
  }
  return headers->read(packs, by);
}

Result<SharedBlob> Repository::State::load_by_headers(BlobType type, const BlobId& id,
                                                      const Error& why, Deadline by) {
  if (headers->replaces_index()) return why;
  std::vector<BlobLocation> tried = index.find_all(type, id);
  const bool is_named = !tried.empty();
  for (const HeaderStep step : kHeaderSteps) {
    if (const Status read = read_headers(step, type, id, by); !read) {
      if (!is_for_second(read.error().kind())) return read.error();
      return Error(why.kind(), fmt::format("{}; and headers of packs cannot be read: {}",
                                           why.message(), read.error().message()))
          .hinting(why.hint());
    }
    for (const BlobLocation& place : headers->find_all(type, id)) {
      if (has_place(tried, place)) continue;
      tried.push_back(place);
      Result<SharedBlob> blob = load_from_any({place}, type, id, by);
      if (blob && is_named) tell_wrong_index(place, type, id);
      if (blob || blob.error().kind() == ErrorKind::kUnavailable) return blob;
    }
  }
  return why;
}

void Repository::State::tell_wrong_index(const BlobLocation& right, BlobType type,
                                         const BlobId& id) {
  if (has_told_wrong_index.exchange(true)) return;
  log::warning(
      "{} blob {} is read from pack {} as the header there says, since it cannot be read where the "
      "index of {} has it; `restree check --read-data` tells what is wrong. Further ones are not "
      "logged",
      to_string(type), id.hex(), right.pack.hex(), storage->description());
}

std::vector<BlobLocation> Repository::find_blobs(BlobType type, const BlobId& id) const {
  return state_->find_all(type, id);
}

std::optional<BlobLocation> Repository::find_blob(BlobType type, const BlobId& id) const {
  const std::vector<BlobLocation> places = state_->find_all(type, id);
  return places.empty() ? std::nullopt : std::optional(places.front());
}

std::optional<std::uint32_t> Repository::blob_size(BlobType type, const BlobId& id) const {
  const auto place = find_blob(type, id);
  if (!place) return std::nullopt;
  return place->blob_bytes();
}

std::optional<std::uint32_t> Repository::size_anywhere(BlobType type, const BlobId& id) const {
  if (const auto size = blob_size(type, id)) return size;
  State& state = *state_;
  if (state.headers != nullptr && !state.headers->replaces_index() && !state.offline) {
    // Why they cannot be read, load() says.
    const Deadline by = Deadline::after(state.headers->patience());
    for (const State::HeaderStep step : State::kHeaderSteps) {
      if (!state.read_headers(step, type, id, by)) break;
      if (const auto size = blob_size(type, id)) return size;
    }
  }
  return state.second != nullptr ? state.second->blob_size(type, id) : std::nullopt;
}

bool Repository::correct_sizes(std::span<const BlobId> content) const {
  State& state = *state_;
  if (state.headers == nullptr || state.headers->replaces_index() || state.offline) return false;
  std::vector<PackId> packs;
  std::vector<std::optional<std::uint32_t>> sizes;
  for (const BlobId& id : content) {
    sizes.push_back(blob_size(BlobType::kData, id));
    for (const BlobLocation& place : state.index.find_all(BlobType::kData, id)) {
      packs.push_back(place.pack);
    }
  }
  std::ranges::sort(packs);
  const auto repeated = std::ranges::unique(packs);
  packs.erase(repeated.begin(), repeated.end());
  // What cannot be read now stays as the index has it, and the file is damaged then.
  const Deadline by = Deadline::after(state.headers->patience());
  static_cast<void>(state.headers->read(packs, by));
  bool is_changed = false;
  for (std::size_t i = 0; i < content.size(); ++i) {
    is_changed = is_changed || blob_size(BlobType::kData, content[i]) != sizes[i];
  }
  return is_changed;
}

IndexFigures Repository::index_figures() const {
  IndexFigures figures = state_->index.figures();
  if (state_->headers == nullptr) return figures;
  for (const auto& part : state_->headers->parts()) {
    figures.blobs += part->blob_count();
    figures.packs += part->pack_count();
    figures.sealed_bytes += part->sealed_bytes();
    figures.memory_bytes += part->memory_bytes();
  }
  return figures;
}

}  // namespace restree
