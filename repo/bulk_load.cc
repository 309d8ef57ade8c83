#include "repo/bulk_load.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/base/thread_pool.h"

namespace restree {
namespace {

// Nothing else will come either, once one request has failed in this way.
bool is_hopeless(ErrorKind kind) {
  return kind == ErrorKind::kUnavailable || kind == ErrorKind::kCancelled;
}

Error stopped() { return Error(ErrorKind::kCancelled, "interrupted"); }

// The uses of the first blob of `uses`.
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

}  // namespace

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

Status BulkLoader::run(const BulkHandler& handler) {
  const std::vector<BulkRequest> requests = plan_.requests(options_.limits);
  // Each thread keeps its memory from request to request: fresh pages cost more than decrypting.
  Guarded<std::vector<Bytes>> spare;
  const auto run_next = [&](std::size_t i) {
    Bytes scratch;
    if (auto buffers = spare.lock(); !buffers->empty()) {
      scratch = std::move(buffers->back());
      buffers->pop_back();
    }
    Status status = run_request(requests[i], handler, scratch);
    spare.lock()->push_back(std::move(scratch));
    return status;
  };
  RETURN_IF_ERROR(parallel_for(requests.size(), options_.threads, run_next));
  std::ranges::stable_sort(unknown_, {}, [](const BlobUse& use) { return *use.id; });
  for (std::span<const BlobUse> rest = unknown_; !rest.empty();) {
    if (options_.stop.stop_requested()) return stopped();
    const std::size_t count = same_blob_count(rest);
    RETURN_IF_ERROR(load_singly(rest.first(count), handler));
    rest = rest.subspan(count);
  }
  return {};
}

Status BulkLoader::run_request(const BulkRequest& request, const BulkHandler& handler,
                               Bytes& scratch) const {
  std::vector<std::span<const BlobUse>> missing;
  for (std::span<const BlobUse> rest = request.uses; !rest.empty();) {
    if (options_.stop.stop_requested()) return stopped();
    const auto uses = rest.first(same_blob_count(rest));
    rest = rest.subspan(uses.size());
    const BlobLocation place = location(request.pack, uses[0]);
    if (std::optional<Bytes> sealed = repository_.read_cached(place, type_)) {
      const Result<ByteView> blob = repository_.open_blob(place, type_, *uses[0].id, sealed->view(),
                                                          scratch, SealedFrom::kCache);
      if (blob) {
        RETURN_IF_ERROR(handler(uses, blob));
        continue;
      }
    }
    const bool is_far =
        !missing.empty() && uses[0].offset > end_of(missing.back()[0]) + options_.limits.gap_bytes;
    if (is_far) {
      RETURN_IF_ERROR(run_stretch(request.pack, missing, handler, scratch));
      missing.clear();
    }
    missing.push_back(uses);
  }
  return missing.empty() ? Status() : run_stretch(request.pack, missing, handler, scratch);
}

Status BulkLoader::run_stretch(const PackId& pack, std::span<const std::span<const BlobUse>> blobs,
                               const BulkHandler& handler, Bytes& scratch) const {
  const std::uint64_t begin = blobs.front()[0].offset;
  std::uint64_t end = begin;
  for (const auto& uses : blobs) end = std::max(end, end_of(uses[0]));
  Result<Bytes> read = repository_.storage().read({FileType::kPack, pack.hex()},
                                                  {.offset = begin, .length = end - begin}, soon());
  if (!read && is_hopeless(read.error().kind())) return std::move(read).error();
  for (const auto& uses : blobs) {
    if (options_.stop.stop_requested()) return stopped();
    const BlobUse& first = uses[0];
    if (!read) {
      RETURN_IF_ERROR(load_singly(uses, handler));
      continue;
    }
    const Result<ByteView> blob = repository_.open_blob(
        location(pack, first), type_, *first.id,
        read->view().subspan(first.offset - begin, first.length), scratch, SealedFrom::kStorage);
    RETURN_IF_ERROR(blob ? handler(uses, blob) : load_singly(uses, handler));
  }
  return {};
}

// Reads again, asks other packs, and looks for newer indexes: all that Repository::load() does.
Status BulkLoader::load_singly(std::span<const BlobUse> uses, const BulkHandler& handler) const {
  const Result<SharedBlob> blob = repository_.load(type_, *uses[0].id, soon());
  if (!blob && is_hopeless(blob.error().kind())) return blob.error();
  if (!blob) return handler(uses, blob.error());
  return handler(uses, (*blob)->view());
}

}  // namespace restree
