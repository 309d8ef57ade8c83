#include "repo/pruner/blob_copier.h"

#include <algorithm>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/base/log.h"
#include "repo/base/thread_pool.h"
#include "repo/pruner/joined_packs.h"

namespace restree {
namespace {

// A storage that fails so often in a row to put a pack together is not asked again.
constexpr unsigned kMostFailures = 10;
// To plan the reads takes a hundred bytes a blob. They come pack by pack, so that hardly a read is split.
constexpr std::size_t kPlannedBlobs = 1 << 17;

}  // namespace

BlobCopier::BlobCopier(Repository& repository, RepositoryWriter& writer, const WholeIndex& index,
                       bool compresses_data, BulkOptions bulk, std::atomic<std::uint64_t>& copied)
    : repository_(repository),
      writer_(writer),
      index_(index),
      compresses_data_(compresses_data),
      bulk_(std::move(bulk)),
      copied_(copied) {}

Status BlobCopier::copy(std::span<const std::uint32_t> positions) {
  if (!repository_.storage().read_habit().waits) return read_and_write(positions);
  ASSIGN_OR_RETURN(const std::vector<std::uint32_t> left, join(positions));
  return read_and_write(left);
}

std::size_t BlobCopier::threads() const {
  const std::size_t processors = std::max(1U, std::thread::hardware_concurrency());
  const bool waits = repository_.storage().read_habit().waits;
  return waits ? bulk_.threads : std::min(bulk_.threads, processors);
}

Result<std::vector<std::uint32_t>> BlobCopier::join(std::span<const std::uint32_t> positions) {
  std::vector<std::uint32_t> joined;
  std::vector<std::uint32_t> changed;
  for (const std::uint32_t position : positions) {
    (must_compress(index_.entry(position)) ? changed : joined).push_back(position);
  }
  Guarded<std::vector<std::uint32_t>> left;
  *left.lock() = std::move(changed);
  const auto packs = plan_joined_packs(index_, std::move(joined), writer_.pack_bytes());
  std::atomic<unsigned> failures = 0;  // in a row
  RETURN_IF_ERROR(parallel_for(packs.size(), threads(), [&](std::size_t i) -> Status {
    if (bulk_.stop.stop_requested()) return Error(ErrorKind::kCancelled, "interrupted");
    if (failures < kMostFailures) {
      const Status done = join_pack(packs[i]);
      if (done) {
        failures = 0;
        copied_ += packs[i].size();
        return {};
      }
      if (auto fatal = writer_.failure()) return std::move(*fatal);
      log::debug("{}; reading and writing instead", done.error().message());
      failures += done.error().kind() == ErrorKind::kUnsupported ? kMostFailures : 1;
    }
    auto rest = left.lock();
    rest->insert(rest->end(), packs[i].begin(), packs[i].end());
    return {};
  }));
  return std::move(*left.lock());
}

Status BlobCopier::join_pack(std::span<const std::uint32_t> positions) {
  std::vector<PlacedBlob> blobs;
  blobs.reserve(positions.size());
  for (const std::uint32_t position : positions) {
    const IndexEntry entry = index_.entry(position);
    blobs.push_back({index_.packs()[entry.pack_number()], entry.blob()});
  }
  return writer_.join(blobs);
}

Status BlobCopier::read_and_write(std::span<const std::uint32_t> positions) {
  while (!positions.empty()) {
    const std::size_t count = std::min(kPlannedBlobs, positions.size());
    RETURN_IF_ERROR(read_and_write_some(positions.first(count)));
    positions = positions.subspan(count);
  }
  return {};
}

Status BlobCopier::read_and_write_some(std::span<const std::uint32_t> positions) {
  BulkPlan plan;
  for (const std::uint32_t position : positions) {
    const IndexEntry entry = index_.entry(position);
    plan.add({.pack = index_.packs()[entry.pack_number()],
              .offset = entry.offset,
              .length = entry.length,
              .raw_length = entry.raw_length},
             index_.id(position), position, 0);
  }
  const ReadHabit habit = repository_.storage().read_habit();
  const std::vector<BulkRequest> requests =
      plan.requests(bulk_.limits.value_or(BulkLimits::of(habit)));
  // Each thread keeps its memory from request to request.
  Guarded<std::vector<Buffers>> spare;
  return parallel_for(requests.size(), threads(), [&](std::size_t i) -> Status {
    if (bulk_.stop.stop_requested()) return Error(ErrorKind::kCancelled, "interrupted");
    Buffers buffers;
    {
      auto left = spare.lock();
      if (!left->empty()) {
        buffers = std::move(left->back());
        left->pop_back();
      }
    }
    Status copied = copy_request(requests[i], buffers);
    spare.lock()->push_back(std::move(buffers));
    return copied;
  });
}

Status BlobCopier::copy_request(const BulkRequest& request, Buffers& buffers) {
  const FileName file{FileType::kPack, request.pack.hex()};
  const auto read = repository_.storage().read_into(buffers.sealed, file, request.range,
                                                    Deadline::after(bulk_.patience));
  if (!read && is_hopeless(read.error().kind())) return read.error();
  for (const BlobUse& use : request.uses) {
    if (bulk_.stop.stop_requested()) return Error(ErrorKind::kCancelled, "interrupted");
    const IndexEntry entry = index_.entry(use.tag);
    if (read) {
      const auto begin = static_cast<std::size_t>(use.offset - request.range.offset);
      const ByteView sealed = read->subspan(begin, use.length);
      RETURN_IF_ERROR(copy_blob(entry, sealed, buffers));
    } else {
      RETURN_IF_ERROR(copy_singly(entry));
    }
    ++copied_;
  }
  return {};
}

Status BlobCopier::copy_blob(const IndexEntry& entry, ByteView sealed, Buffers& buffers) {
  if (buffers.opened.size() < sealed.size()) buffers.opened = Bytes(sealed.size());
  const MutableByteView opened = buffers.opened.view().first(sealed.size());
  std::memcpy(opened.data(), sealed.data(), sealed.size());
  const BlobLocation place{.pack = index_.packs()[entry.pack_number()],
                           .offset = entry.offset,
                           .length = entry.length,
                           .raw_length = entry.raw_length};
  const Result<ByteView> plain =
      repository_.open_blob(place, entry.type(), entry.id, opened, buffers.plain);
  if (!plain) return copy_singly(entry);
  if (must_compress(entry)) {
    RETURN_IF_ERROR(writer_.save_again(entry.type(), entry.id, *plain));
  } else {
    RETURN_IF_ERROR(writer_.save_sealed(entry.blob(), sealed));
  }
  return {};
}

// Repository::load() reads once more, and then from other packs that hold the blob.
Status BlobCopier::copy_singly(const IndexEntry& entry) {
  const Result<SharedBlob> blob =
      repository_.load(entry.type(), entry.id, Deadline::after(bulk_.patience));
  if (!blob && blob.error().kind() == ErrorKind::kCorrupt) {
    return Error(blob.error())
        .with("cannot copy a blob that is in use")
        .hinting(
            "No pack that is in use was removed. Run `restree check --read-data`, which says "
            "what is damaged and how to go on.");
  }
  RETURN_IF_ERROR(blob);
  RETURN_IF_ERROR(writer_.save_again(entry.type(), entry.id, (*blob)->view()));
  return {};
}

bool BlobCopier::must_compress(const IndexEntry& entry) const {
  if (repository_.config().version < 2 || entry.raw_length != 0) return false;
  return entry.type() == BlobType::kTree || compresses_data_;
}

}  // namespace restree
