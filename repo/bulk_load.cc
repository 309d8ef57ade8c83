#include "repo/bulk_load.h"

#include <algorithm>
#include <utility>

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
  if (options_.stop.stop_requested()) return stopped();
  Result<Bytes> read =
      repository_.storage().read({FileType::kPack, request.pack.hex()}, request.range, soon());
  if (!read && is_hopeless(read.error().kind())) return std::move(read).error();
  for (std::span<const BlobUse> rest = request.uses; !rest.empty();) {
    if (options_.stop.stop_requested()) return stopped();
    const BlobUse& first = rest[0];
    const auto uses = rest.first(same_blob_count(rest));
    rest = rest.subspan(uses.size());
    if (!read) {
      RETURN_IF_ERROR(load_singly(uses, handler));
      continue;
    }
    const Result<ByteView> blob = repository_.open_blob(
        {.pack = request.pack,
         .offset = first.offset,
         .length = first.length,
         .raw_length = first.raw_length},
        type_, *first.id, read->view().subspan(first.offset - request.range.offset, first.length),
        scratch);
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
