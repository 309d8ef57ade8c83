#include "repo/bulk/bulk_load.h"

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/base/thread_pool.h"
#include "repo/crypto/seal.h"

namespace restree {
namespace {

// The index may claim any size: larger buffers are made only when so many bytes really arrive.
constexpr std::uint64_t kMostBelievedBytes = 16 << 20;

Error stopped() { return {ErrorKind::kCancelled, "interrupted"}; }

// How many of the first `uses` are of the same blob.
std::size_t same_blob_count(std::span<const BlobUse> uses) {
  std::size_t count = 1;
  while (count < uses.size() && uses[count].offset == uses[0].offset &&
         *uses[count].id == *uses[0].id) {
    ++count;
  }
  return count;
}

std::uint64_t end_of(const BlobUse& use) { return std::uint64_t{use.offset} + use.length; }

BlobLocation location(const PackId& pack, const BlobUse& use) {
  return {.pack = pack, .offset = use.offset, .length = use.length, .raw_length = use.raw_length};
}

FileName pack_file(const PackId& pack) { return {FileType::kPack, pack.hex()}; }

// The last element was used most recently, so it is in the processor's cache.
template <class T>
T take_last(std::vector<T>& from) {
  T last = std::move(from.back());
  from.pop_back();
  return last;
}

// What open_blob() has left of a sealed blob that is compressed.
ByteView frame_in(ByteView opened, std::uint32_t raw_length) {
  if (raw_length == 0) return {};
  return opened.subspan(kSealIvBytes, opened.size() - kSealOverheadBytes);
}

}  // namespace

BulkLoader::BulkLoader(Repository& repository, BlobType type, BulkOptions options)
    : repository_(repository),
      type_(type),
      options_(std::move(options)),
      habit_(repository.storage().read_habit()),
      limits_(options_.limits.value_or(BulkLimits::of(habit_))) {}

void BulkLoader::want(const BlobId& id, std::uint32_t tag, std::uint64_t position) {
  if (const auto place = repository_.find_blob(type_, id)) {
    plan_.add(*place, id, tag, position);
  } else {
    unknown_.push_back({.id = &id,
                        .position = position,
                        .tag = tag,
                        .pack = 0,
                        .offset = 0,
                        .length = 0,
                        .raw_length = 0});
  }
}

// Buffers large enough for every request, so that none has to be replaced: fresh pages cost more
// than decrypting, while pages that are never touched cost nothing. An index may claim any size,
// hence the upper limit.
BulkLoader::Buffers BulkLoader::buffers_for(std::span<const BulkRequest> requests) const {
  std::uint64_t sealed = 0;
  std::uint64_t plain = 0;
  for (const BulkRequest& request : requests) {
    sealed = std::max(sealed, request.range.length);
    for (const BlobUse& use : request.uses) plain = std::max<std::uint64_t>(plain, use.raw_length);
  }
  return {.sealed = Bytes(habit_.waits ? 0 : std::min(sealed, kMostBelievedBytes)),
          .plain = Bytes(std::min(plain, kMostBelievedBytes))};
}

Status BulkLoader::run(const BulkHandler& handler) {
  return run_with_frames([&](std::span<const BlobUse> uses, const Result<ByteView>& blob,
                             ByteView /*frame*/) { return handler(uses, blob); });
}

Status BulkLoader::run_with_frames(const FrameHandler& handler) {
  const std::vector<BulkRequest> requests = plan_.requests(limits_);
  const std::size_t threads =
      habit_.waits ? options_.threads
                   : std::min<std::size_t>(options_.threads,
                                           std::max(1U, std::thread::hardware_concurrency()));
  // Each thread keeps its memory from request to request.
  Guarded<std::vector<Buffers>> spare;
  for (std::size_t i = 0; i < std::min(threads, requests.size()); ++i) {
    spare.lock()->push_back(buffers_for(requests));
  }
  const auto run_next = [&](std::size_t i) {
    if (i + threads < requests.size()) {
      const BulkRequest& later = requests[i + threads];
      repository_.storage().expect(pack_file(later.pack), later.range);
    }
    Buffers buffers = take_last(*spare.lock());
    Status status = run_request(requests[i], handler, buffers);
    spare.lock()->push_back(std::move(buffers));
    return status;
  };
  RETURN_IF_ERROR(parallel_for(requests.size(), threads, run_next));
  std::ranges::stable_sort(unknown_, {}, [](const BlobUse& use) { return *use.id; });
  std::vector<std::span<const BlobUse>> alone;
  for (std::span<const BlobUse> rest = unknown_; !rest.empty();) {
    alone.push_back(rest.first(same_blob_count(rest)));
    rest = rest.subspan(alone.back().size());
  }
  return parallel_for(alone.size(), threads, [&](std::size_t i) {
    if (options_.stop.stop_requested()) return Status(stopped());
    return load_singly(alone[i], handler);
  });
}

Status BulkLoader::run_request(const BulkRequest& request, const FrameHandler& handler,
                               Buffers& buffers) const {
  std::vector<std::span<const BlobUse>> missing;
  for (std::span<const BlobUse> rest = request.uses; !rest.empty();) {
    if (options_.stop.stop_requested()) return stopped();
    const auto uses = rest.first(same_blob_count(rest));
    rest = rest.subspan(uses.size());
    const BlobLocation place = location(request.pack, uses[0]);
    if (std::optional<Bytes> sealed = repository_.read_cached(place, type_)) {
      const Result<ByteView> blob = repository_.open_blob(place, type_, *uses[0].id, sealed->view(),
                                                          buffers.plain, SealedFrom::kCache);
      if (blob) {
        RETURN_IF_ERROR(handler(uses, blob, frame_in(sealed->view(), place.raw_length)));
        continue;
      }
    }
    const bool is_far =
        !missing.empty() && uses[0].offset > end_of(missing.back()[0]) + limits_.gap_bytes;
    if (is_far) {
      RETURN_IF_ERROR(run_stretch(request.pack, missing, handler, buffers));
      missing.clear();
    }
    missing.push_back(uses);
  }
  return missing.empty() ? Status() : run_stretch(request.pack, missing, handler, buffers);
}

Status BulkLoader::run_stretch(const PackId& pack, std::span<const std::span<const BlobUse>> blobs,
                               const FrameHandler& handler, Buffers& buffers) const {
  const std::uint64_t begin = blobs.front()[0].offset;
  std::uint64_t end = begin;
  for (const auto& uses : blobs) end = std::max(end, end_of(uses[0]));
  const Result<MutableByteView> read = repository_.storage().read_into(
      buffers.sealed, pack_file(pack), {.offset = begin, .length = end - begin}, soon());
  if (!read && is_hopeless(read.error().kind())) return read.error();
  for (const auto& uses : blobs) {
    if (options_.stop.stop_requested()) return stopped();
    const BlobUse& first = uses[0];
    if (!read) {
      RETURN_IF_ERROR(load_singly(uses, handler));
      continue;
    }
    const MutableByteView sealed = read->subspan(memory_size(first.offset - begin), first.length);
    const Result<ByteView> blob = repository_.open_blob(
        location(pack, first), type_, *first.id, sealed, buffers.plain, SealedFrom::kStorage);
    RETURN_IF_ERROR(blob ? handler(uses, blob, frame_in(sealed, first.raw_length))
                         : load_singly(uses, handler));
  }
  return {};
}

// Repository::load() does all that can be done for a blob: it reads again, tries other packs that
// hold it, and looks for newer index files.
Status BulkLoader::load_singly(std::span<const BlobUse> uses, const FrameHandler& handler) const {
  const Result<SharedBlob> blob = repository_.load(type_, *uses[0].id, soon());
  if (!blob && is_hopeless(blob.error().kind())) return blob.error();
  if (!blob) return handler(uses, blob.error(), {});
  return handler(uses, (*blob)->view(), {});
}

}  // namespace restree
