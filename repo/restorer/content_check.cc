#include "repo/restorer/content_check.h"

#include <utility>

#include "repo/base/guarded.h"
#include "repo/base/thread_pool.h"

namespace restree {
namespace {

// Each of these requests is small, and mostly waits for the storage.
constexpr std::size_t kMostAsking = 16;

}  // namespace

Status ContentCheck::stop_if_asked() const {
  if (options_.stop.stop_requested()) return Error(ErrorKind::kCancelled, "interrupted");
  return {};
}

void ContentCheck::want(const BlobId& id, std::uint32_t tag) {
  const auto place = repository_.find_blob(BlobType::kData, id);
  if (!place) {
    doubtful_[id].push_back(tag);
  } else if (!repository_.is_cached(*place, BlobType::kData)) {
    uses_[place->pack].push_back(
        {.id = &id, .tag = tag, .offset = place->offset, .length = place->length});
  }
}

Result<std::map<std::uint32_t, Error>> ContentCheck::run() {
  RETURN_IF_ERROR(ask_for_packs());
  return load_doubtful();
}

Status ContentCheck::ask_for_packs() {
  std::vector<const PackId*> packs;
  packs.reserve(uses_.size());
  for (const auto& [pack, uses] : uses_) packs.push_back(&pack);
  Guarded<std::vector<Use>> doubtful;
  const std::size_t threads =
      repository_.storage().read_habit().waits ? kMostAsking : options_.threads;
  const Status asked = parallel_for(packs.size(), threads, [&](std::size_t i) -> Status {
    RETURN_IF_ERROR(stop_if_asked());
    const Result<std::uint64_t> size =
        repository_.storage().size({FileType::kPack, packs[i]->hex()}, soon());
    if (!size && is_hopeless(size.error().kind())) return size.error();
    for (const Use& use : uses_.at(*packs[i])) {
      const bool is_there = size && std::uint64_t{use.offset} + use.length <= *size;
      if (!is_there) doubtful.lock()->push_back(use);
    }
    return {};
  });
  if (!asked) return asked.error();
  uses_.clear();
  for (const Use& use : std::exchange(*doubtful.lock(), {})) doubtful_[*use.id].push_back(use.tag);
  return {};
}

Result<std::map<std::uint32_t, Error>> ContentCheck::load_doubtful() {
  std::vector<std::pair<const BlobId*, const std::vector<std::uint32_t>*>> blobs;
  blobs.reserve(doubtful_.size());
  for (const auto& [id, tags] : doubtful_) blobs.emplace_back(&id, &tags);
  Guarded<std::map<std::uint32_t, Error>> errors;
  const Status loaded = parallel_for(blobs.size(), options_.threads, [&](std::size_t i) -> Status {
    RETURN_IF_ERROR(stop_if_asked());
    const auto& [id, tags] = blobs[i];
    const Result<SharedBlob> blob = repository_.load(BlobType::kData, *id, soon());
    if (blob) return {};
    if (is_hopeless(blob.error().kind())) return blob.error();
    for (const std::uint32_t tag : *tags) errors.lock()->try_emplace(tag, blob.error());
    return {};
  });
  if (!loaded) return loaded.error();
  return std::move(*errors.lock());
}

}  // namespace restree
