// What an opened Repository consists of. Only for the files that implement it.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "repo/crypto/seal.h"
#include "repo/header_index.h"
#include "repo/repository.h"
#include "repo/repository_keys.h"
#include "repo/second_repository.h"

namespace restree {

struct Repository::State {
  State(std::shared_ptr<Storage> from, OpenedKey opened, Bytes its_config_file, Config its_config)
      : storage(std::make_shared<WriteGate>(std::move(from))),
        key(std::move(opened.master)),
        key_name(std::move(opened.name)),
        key_file(std::move(opened.file)),
        config_file(std::move(its_config_file)),
        config(its_config),
        index(
            {.list = [this](Deadline by) { return list(FileType::kIndex, by); },
             .load = [this](const FileName& file, Deadline by) { return read_unpacked(file, by); },
             .description = storage->description(),
             .waits = storage->read_habit().waits},
            key) {}

  // A file whose name is the hash of its bytes. It is read once more if they do not match: the
  // connection, not the file, may have been at fault.
  Result<Bytes> read_verified(const FileName& file, Deadline by);
  std::optional<Bytes> read_cached(const FileName& file) const;
  // The JSON inside an index or snapshot file.
  Result<Bytes> read_unpacked(const FileName& file, Deadline by);

  Result<RepositoryListing> list(FileType type, Deadline by);

  Result<ByteView> open_blob(const BlobLocation& place, BlobType type, const BlobId& id,
                             MutableByteView sealed, Bytes& scratch, SealedFrom from) const;
  // Decompresses `opened` if the blob is compressed, and compares its hash with the id.
  Result<ByteView> decode(const BlobLocation& place, BlobType type, const BlobId& id,
                          ByteView opened, Bytes& scratch, SealedFrom from) const;
  Error damaged(const BlobLocation& place, BlobType type, const BlobId& id, SealedFrom from,
                std::string_view why) const;
  Result<SharedBlob> unseal(const BlobLocation& place, BlobType type, const BlobId& id,
                            Bytes sealed, SealedFrom from) const;
  std::optional<Bytes> read_cached(const BlobLocation& place, BlobType type) const;
  Result<SharedBlob> load_from(const BlobLocation& place, BlobType type, const BlobId& id,
                               Deadline by);
  Result<SharedBlob> load_from_any(const std::vector<BlobLocation>& places, BlobType type,
                                   const BlobId& id, Deadline by);

  Result<bool> refresh_index(Deadline by, IndexWatch* watch);
  // Every place of the blob: those by headers of packs first, which are right wherever they differ.
  std::vector<BlobLocation> find_all(BlobType type, const BlobId& id);
  // The header of a pack, from the cache or the storage.
  Result<std::vector<IndexedBlob>> load_header(const StoredPack& pack, Deadline by);
  std::optional<Bytes> cached_header(const StoredPack& pack);
  // Reads headers that may say where the blob is: of the packs that the index names for it; then of those
  // that it does not name whole; then, if it has proved wrong about the blob, of all packs.
  enum class HeaderStep { kNamed, kNotNamed, kAll };
  static constexpr std::array kHeaderSteps{HeaderStep::kNamed, HeaderStep::kNotNamed,
                                           HeaderStep::kAll};
  Status read_headers(HeaderStep step, BlobType type, const BlobId& id, Deadline by);
  // Whether a header that was read contradicts what the index says of the blob.
  bool is_index_wrong(BlobType type, const BlobId& id);
  // The blob from where only headers have it; `why` it could not be read elsewhere.
  Result<SharedBlob> load_by_headers(BlobType type, const BlobId& id, const Error& why,
                                     Deadline by);
  void tell_wrong_index(const BlobLocation& right, BlobType type, const BlobId& id);

  const std::shared_ptr<WriteGate> storage;
  const SealKey key;
  const std::string key_name;
  const Bytes key_file;  // as they are in the repository, for the cache
  const Bytes config_file;
  const Config config;
  std::shared_ptr<RepositoryCache> cache;
  std::shared_ptr<SealedSource> source;  // uses the storage
  std::shared_ptr<SecondRepository> second;
  std::function<void(const Snapshot&)> on_snapshot;
  std::atomic<bool> offline = false;
  RepositoryIndex index;
  std::atomic<std::uint64_t> index_changes = 1;
  std::atomic<bool> has_told_wrong_index = false;
  std::unique_ptr<HeaderIndex> headers;  // last: its thread uses what is above
};

}  // namespace restree
