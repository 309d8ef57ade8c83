#include "repo/writer/repository_writer.h"

#include <fmt/core.h>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstring>
#include <limits>
#include <utility>

#include "repo/base/last_resort.h"
#include "repo/crypto/seal.h"
#include "repo/crypto/sha256.h"

namespace restree {
namespace {

// Short, since after a stop the user waits for the program to end.
constexpr std::chrono::seconds kLastIndexTimeout{60};
// How far a pack's last blob and its header may exceed the target size.
constexpr std::size_t kPackReserveBytes = 9 << 20;
constexpr std::size_t kPackUsualExcessBytes = 1 << 20;
// One pack is being filled. While both data and trees fill one, there is one upload fewer.
constexpr std::size_t kOpenPacks = 1;
// A pack of each type may be open, and neither may have room for the next blob: without a third
// buffer, save() would wait for ever.
constexpr std::size_t kLeastBuffers = 3;

std::size_t index_of(BlobType type) { return type == BlobType::kData ? 0 : 1; }

std::size_t plain_bytes(const IndexedBlob& blob) {
  return blob.raw_length != 0 ? blob.raw_length : blob.length - kSealOverheadBytes;
}

}  // namespace

RepositoryWriter::RepositoryWriter(Repository& repository, const Options& options,
                                   std::stop_token stop)
    : repository_(repository),
      options_(options),
      index_(repository, options.index_wait),
      uploader_(repository, index_,
                {.threads = options.uploads,
                 .buffers = std::max(options.uploads + kOpenPacks, kLeastBuffers),
                 .buffer_bytes = options.pack_bytes + kPackReserveBytes,
                 .kept_bytes = options.pack_bytes + kPackUsualExcessBytes,
                 .patience = options.patience,
                 .on_stored = options.on_stored},
                std::move(stop)) {}

RepositoryWriter::~RepositoryWriter() = default;

bool RepositoryWriter::has(BlobType type, const BlobId& id) const {
  const std::vector<PackId>& lost = options_.lost_packs;
  if (lost.empty()) return repository_.blob_size(type, id).has_value();
  const std::vector<BlobLocation> places = repository_.find_blobs(type, id);
  return std::ranges::any_of(places, [&](const BlobLocation& place) {
    return !std::ranges::binary_search(lost, place.pack);
  });
}

Result<SavedBlob> RepositoryWriter::save(BlobType type, ByteView plain) {
  const BlobId id{sha256(plain)};
  if (has(type, id) || !taken_on_.insert(type, id)) return SavedBlob{id};
  return save_again(type, id, plain);
}

Result<SavedBlob> RepositoryWriter::save_known(BlobType type, const BlobId& id, ByteView plain,
                                               ByteView frame) {
  if (has(type, id) || !taken_on_.insert(type, id)) return SavedBlob{id};
  if (frame.empty() || !takes_frames(type)) return save_again(type, id, plain);
  return save_or_fail([&] { return save_frame(type, id, plain.size(), frame); });
}

// Trees are always compressed.
bool RepositoryWriter::takes_frames(BlobType type) const {
  if (repository_.config().version < 2) return false;
  const bool is_usual = options_.compression == Compression::kAuto;
  return is_usual || (type == BlobType::kTree && options_.compression == Compression::kOff);
}

Result<SavedBlob> RepositoryWriter::save_frame(BlobType type, const BlobId& id,
                                               std::size_t raw_bytes, ByteView frame) {
  const IndexedBlob blob{.id = id,
                         .type = type,
                         .offset = 0,
                         .length = static_cast<std::uint32_t>(frame.size() + kSealOverheadBytes),
                         .raw_length = static_cast<std::uint32_t>(raw_bytes)};
  count(blob, raw_bytes);
  if (!options_.dry_run) RETURN_IF_ERROR(store(blob, frame, /*in_raw_blocks=*/false));
  return SavedBlob{id, true, blob.length + pack_header_entry_bytes(blob)};
}

Result<SavedBlob> RepositoryWriter::save_again(BlobType type, const BlobId& id, ByteView plain) {
  return save_or_fail([&] { return save_as_new(type, id, plain); });
}

Result<SavedBlob> RepositoryWriter::save_sealed(const IndexedBlob& blob, ByteView sealed) {
  return save_or_fail([&] { return store_sealed(blob, sealed); });
}

Status RepositoryWriter::save_pack(const PackId& pack, ByteView file,
                                   std::vector<IndexedBlob> blobs) {
  if (auto error = failure()) return std::move(*error);
  for (const IndexedBlob& blob : blobs) {
    taken_on_.insert(blob.type, blob.id);
    count(blob, plain_bytes(blob));
  }
  figures_.lock()->stored_bytes += kPackOverheadBytes;
  if (options_.dry_run) return {};
  Status stored = uploader_.store_file(pack, file, std::move(blobs));
  // Its blobs count as stored from the beginning, so nothing may be saved that needs them.
  if (!stored) uploader_.fail(stored.error());
  return stored;
}

Status RepositoryWriter::join(std::span<const PlacedBlob> blobs) {
  const JoinedPack pack(blobs);
  if (!options_.dry_run) RETURN_IF_ERROR(uploader_.store_joined(pack));
  for (const IndexedBlob& blob : pack.blobs()) count(blob, plain_bytes(blob));
  figures_.lock()->stored_bytes += kPackOverheadBytes;
  return {};
}

Result<SavedBlob> RepositoryWriter::save_or_fail(const std::function<Result<SavedBlob>()>& save) {
  Result<SavedBlob> saved = Error(ErrorKind::kLocalIo, "out of memory while saving a blob");
  try {
    saved = save();
  } catch (const std::exception& failure) {  // no memory for a pack
    saved = error_of(failure);
  }
  // Other callers with the same blob were already promised that it is stored, so all must fail.
  if (!saved) uploader_.fail(saved.error());
  return saved;
}

Result<SavedBlob> RepositoryWriter::store_sealed(const IndexedBlob& blob, ByteView sealed) {
  count(blob, plain_bytes(blob));
  if (!options_.dry_run) {
    ASSIGN_OR_RETURN(const Slot slot, reserve(blob));
    std::memcpy(slot.place.data(), sealed.data(), sealed.size());
    RETURN_IF_ERROR(filled(blob.type, slot.pack));
  }
  return SavedBlob{blob.id, true, blob.length + pack_header_entry_bytes(blob)};
}

Result<SavedBlob> RepositoryWriter::save_as_new(BlobType type, const BlobId& id, ByteView plain) {
  if (plain.size() > std::numeric_limits<std::uint32_t>::max() - kPackReserveBytes) {
    return Error(ErrorKind::kUnsupported, "a blob of 4 GiB: no pack can hold it")
        .hinting("A directory with tens of millions of entries cannot be saved as one.");
  }
  thread_local ScratchBuffer scratch;
  const bool compressed = repository_.config().version >= 2 && !plain.empty() &&
                          (type == BlobType::kTree || options_.compression != Compression::kOff);
  ByteView content = plain;
  bool in_raw_blocks = false;
  if (compressed) {
    const Compression mode =
        options_.compression == Compression::kOff ? Compression::kAuto : options_.compression;
    if (mode != Compression::kMax) {
      ASSIGN_OR_RETURN(const bool compressible, looks_compressible(plain));
      in_raw_blocks = !compressible;
    }
    if (!in_raw_blocks) {
      ASSIGN_OR_RETURN(content, compress_into(plain, mode, scratch));
    }
  }
  const std::size_t content_size = in_raw_blocks ? raw_frame_size(plain.size()) : content.size();
  const IndexedBlob blob{.id = id,
                         .type = type,
                         .offset = 0,
                         .length = static_cast<std::uint32_t>(content_size + kSealOverheadBytes),
                         .raw_length = compressed ? static_cast<std::uint32_t>(plain.size()) : 0};
  count(blob, plain.size());
  if (!options_.dry_run) RETURN_IF_ERROR(store(blob, content, in_raw_blocks));
  return SavedBlob{id, true, blob.length + pack_header_entry_bytes(blob)};
}

void RepositoryWriter::count(const IndexedBlob& blob, std::size_t raw_bytes) {
  auto figures = figures_.lock();
  ++(blob.type == BlobType::kData ? figures->data_blobs : figures->tree_blobs);
  figures->raw_bytes += raw_bytes;
  figures->stored_bytes += blob.length + pack_header_entry_bytes(blob);
}

RepositoryWriter::Figures RepositoryWriter::figures() const { return *figures_.lock(); }

Status RepositoryWriter::store(const IndexedBlob& blob, ByteView content, bool in_raw_blocks) {
  ASSIGN_OR_RETURN(const Slot slot, reserve(blob));
  if (in_raw_blocks) {
    // Written to its place in the pack, where it is then sealed.
    const MutableByteView frame =
        slot.place.subspan(kSealIvBytes, blob.length - kSealOverheadBytes);
    write_raw_frame(content, frame);
    content = frame;
  }
  RETURN_IF_ERROR(repository_.seal_into(content, slot.place));
  return filled(blob.type, slot.pack);
}

Result<RepositoryWriter::Slot> RepositoryWriter::reserve(const IndexedBlob& blob) {
  OpenGroup& group = open_[index_of(blob.type)];
  const auto try_last = [&](auto& packs) -> std::optional<Slot> {
    if (packs->empty()) return std::nullopt;
    const auto place = packs->back()->reserve(blob);
    return place ? std::optional<Slot>({packs->back().get(), *place}) : std::nullopt;
  };
  {
    auto packs = group.lock();
    if (const auto slot = try_last(packs)) return *slot;
  }
  // Without the lock, since this may wait for the storage.
  ASSIGN_OR_RETURN(Bytes buffer, uploader_.take_buffer(OpenPack::bytes_for(blob)));
  std::unique_ptr<OpenPack> left_full;
  std::optional<Slot> slot;
  bool is_used = false;
  {
    auto packs = group.lock();
    slot = try_last(packs);  // another thread may have added a pack meanwhile
    if (!slot) {
      is_used = true;
      // The last pack has no room for this blob. If no thread is still filling it, none would
      // submit it, so it is submitted here.
      if (!packs->empty() && packs->back()->is_filled()) {
        left_full = std::move(packs->back());
        packs->pop_back();
      }
      packs->push_back(
          std::make_unique<OpenPack>(std::exchange(buffer, Bytes()), options_.pack_bytes));
      slot = try_last(packs);
    }
  }
  if (!is_used) uploader_.give_back(std::move(buffer));
  if (left_full) RETURN_IF_ERROR(uploader_.submit(std::move(left_full)));
  assert(slot);  // a new pack has room for one blob of any size
  return *slot;
}

Status RepositoryWriter::filled(BlobType type, OpenPack* pack) {
  std::unique_ptr<OpenPack> done;
  {
    auto packs = open_[index_of(type)].lock();
    pack->filled();
    const bool takes_more = packs->back().get() == pack && !pack->is_full();
    if (takes_more || !pack->is_filled()) return {};
    const auto found = std::find_if(packs->begin(), packs->end(),
                                    [&](const auto& open) { return open.get() == pack; });
    done = std::move(*found);
    packs->erase(found);
  }
  figures_.lock()->stored_bytes += kPackOverheadBytes;
  return uploader_.submit(std::move(done));
}

Status RepositoryWriter::flush() {
  for (OpenGroup& group : open_) {
    std::vector<std::unique_ptr<OpenPack>> left = std::exchange(*group.lock(), {});
    for (auto& pack : left) RETURN_IF_ERROR(uploader_.submit(std::move(pack)));
  }
  RETURN_IF_ERROR(uploader_.wait());
  // The JSON of a large index takes as much memory as two packs.
  uploader_.free_spare();
  return index_.save(Deadline::after(options_.patience));
}

Status RepositoryWriter::finish_early() {
  uploader_.fail(Error(ErrorKind::kCancelled, "stopped before everything was stored"));
  static_cast<void>(uploader_.wait());  // its error is known already
  return index_.save(Deadline::after(std::min(options_.patience, kLastIndexTimeout)));
}

}  // namespace restree
