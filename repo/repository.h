// An opened restic repository: its keys, its index, its snapshots and its blobs, for reading.
//
// Ownership: shares the storage and the cache; owns keys and index.
// Threads:   any.
// Limits:    index: see index.h. load() holds one blob, and its sealed form while it is opened.
// Errors:    open: kNoRepository, kWrongPassword, kDenied, kCorrupt, kUnsupported,
//            kUnavailable.
// Key:       only the repository and its index use it. master_key_json() alone gives a copy away,
//            for the command that prints it; add_key() stores it under another password, and
//            add_key_in() does so for a second repository that is to have the same.
// Format:    restic's design document, versions 1 and 2.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/blob_source.h"
#include "repo/crypto/secret.h"
#include "repo/format/config.h"
#include "repo/format/snapshot.h"
#include "repo/header_index.h"
#include "repo/new_key.h"
#include "repo/repository_cache.h"
#include "repo/repository_index.h"
#include "repo/sealed_source.h"
#include "repo/storage/decorators/write_gate.h"
#include "repo/storage/storage.h"

namespace restree {

class SecondRepository;

// Where sealed bytes come from, which decides what follows their check: bytes from the storage are
// kept in the cache if they are authentic; bytes from the cache are reported to it if they are not;
// bytes from elsewhere do not concern the cache.
enum class SealedFrom { kStorage, kCache, kElsewhere };

class Repository final : public BlobSource {
 public:
  // Tries `password` on every key file, the one whose id starts with `key_hint` first.
  static Result<std::unique_ptr<Repository>> open(std::shared_ptr<Storage> storage,
                                                  const Secret& password,
                                                  const std::string& key_hint, Deadline by);
  // The same from the config, key, index and snapshot files that the cache holds, for as long as
  // the storage cannot be reached; the cache is used as by use_cache(). kNoRepository,
  // kWrongPassword, kCorrupt: the cache lacks a file that is needed, or the key file of this
  // password.
  static Result<std::unique_ptr<Repository>> open_cached(std::shared_ptr<Storage> storage,
                                                         std::shared_ptr<RepositoryCache> cache,
                                                         const Secret& password,
                                                         const std::string& key_hint);
  ~Repository() override;

  // From now on, packs, index files and snapshots are read from the cache where it has them. Which
  // files exist, the storage is still asked first. Must be called once, before anything is read.
  void use_cache(std::shared_ptr<RepositoryCache> cache);
  // From now on, load() reads from `source` what the cache lacks. Must be called once, before
  // anything is read.
  void use_source(std::shared_ptr<SealedSource> source);
  // From now on, load() and size_anywhere() ask `second` for blobs that are lost or damaged here.
  // Must be called once, before anything is read.
  void use_second(std::shared_ptr<SecondRepository> second);

  // From now on, blobs that the index does not name, or names wrongly, are looked for in the headers of
  // packs; if `settings` say so, these are all that is believed, and refresh_index() reads them, by the
  // patience that `settings` have, however long it takes together. For callers that only read. Must be
  // called once, before anything is read.
  void use_headers(HeaderIndex::Settings settings);

  // From now on, `watch` receives every snapshot that is loaded or saved, from several threads. Must be
  // called once, before anything is read.
  void watch_snapshots(std::function<void(const Snapshot&)> watch);

  // True if the repository was opened from the cache and the storage has not listed anything since.
  // Until it does, a listing that the storage cannot give names the files in the cache.
  bool is_offline() const;

  const Config& config() const;
  // The config file as it lies in the repository, sealed.
  ByteView config_file() const;
  // The name of the key file that the password has opened.
  const std::string& key_name() const;
  // The master key as the key files hold it: only for the command that prints it.
  Secret master_key_json() const;
  Storage& storage() const;
  // Every change of the repository passes through it.
  WriteGate& write_gate() const;

  // The JSON inside an index, snapshot or lock file, whose hash has been compared with its name.
  Result<Bytes> load_unpacked(const FileName& file, Deadline by);
  // A file as it lies on the storage, sealed, whose hash has been compared with its name: any but the
  // config. If they differ, it is read once more. kCorrupt: they differ again.
  Result<Bytes> load_sealed(const FileName& file, Deadline by);
  // Seals and writes such a file; returns its name.
  Result<std::string> save_unpacked(FileType type, ByteView json, Deadline by);

  // Adds a key file for `password`, which was read back and opened.
  Result<StoredKey> add_key(const Secret& password, const NewKey& wanted, Deadline by);
  // Writes a key file for this repository's master key to another repository's storage.
  Result<StoredKey> add_key_in(Storage& other, const Secret& password, const NewKey& wanted,
                               Deadline by) const;
  // Whether both have one master key: what is sealed in one can then be opened in the other.
  bool has_key_of(const Repository& other) const;
  // Removes a key file, from the cache too: its password then opens neither.
  Status remove_key(const std::string& name, Deadline by);

  // Seals `plain` into `sealed`, which is kSealOverheadBytes longer.
  Status seal_into(ByteView plain, MutableByteView sealed) const;
  // Opens `sealed` into `plain`. kCorrupt: it does not authenticate.
  Status open_into(ByteView sealed, MutableByteView plain) const;
  // The same piece by piece: see seal.h.
  Status open_in_pieces(ByteView sealed, MutableByteView piece,
                        const std::function<Status(ByteView)>& take) const;

  // Brings the index up to date with the index files there are: only new ones are read, and none
  // if the set of files has not changed. One caller works, others wait for it. A damaged index file
  // is skipped with a log line; its blobs are then missing. True if the index changed.
  Result<bool> refresh_index(Deadline by) { return refresh_index(by, nullptr); }
  // The same; `watch` receives the content of each index file that is read, from several threads.
  Result<bool> refresh_index(Deadline by, IndexWatch* watch);
  // The index as loaded by a refresh with a watch and by those after it. A blob may be in more than
  // one part.
  std::vector<std::shared_ptr<const Index>> index_parts() const;

  // The first place where the index has a blob; nullopt if no index names it.
  std::optional<BlobLocation> find_blob(BlobType type, const BlobId& id) const;
  // Every place where the index has it.
  std::vector<BlobLocation> find_blobs(BlobType type, const BlobId& id) const;
  // The plaintext of a blob whose sealed bytes the caller has read from a pack, many at a time.
  // `sealed` is consumed (decrypted in place); the view lies in it or in `scratch`, which grows as
  // needed. kCorrupt: MAC, compression or hash; the message names blob and pack.
  Result<ByteView> open_blob(const BlobLocation& place, BlobType type, const BlobId& id,
                             MutableByteView sealed, Bytes& scratch,
                             SealedFrom from = SealedFrom::kElsewhere) const;
  // The sealed bytes of a blob if the cache has them: for open_blob(), as kCache.
  std::optional<Bytes> read_cached(const BlobLocation& place, BlobType type) const;
  // True if the cache probably has these bytes, which costs less to find out than reading them.
  bool is_cached(const BlobLocation& place, BlobType type) const;

  // Authenticates and decrypts in place what was sealed with the repository's key; returns the part
  // that is plaintext now. For pack headers. kCorrupt: it does not authenticate.
  Result<MutableByteView> open_sealed(MutableByteView sealed) const;

  // The plain size of a blob; nullopt if no index names it.
  std::optional<std::uint32_t> blob_size(BlobType type, const BlobId& id) const;
  // The same; but for what no index names here, headers of packs are read, and the second repository is
  // asked, which may have to be opened first.
  std::optional<std::uint32_t> size_anywhere(BlobType type, const BlobId& id) const;
  // For a file whose blobs do not come to its size: reads the headers of the packs where the index has
  // them, which count from then on. True if any size is another one now.
  bool correct_sizes(std::span<const BlobId> content) const;
  // Every pack that the index names, each once, in order.
  std::vector<PackId> indexed_packs() const;
  // The same, each with the length that its blobs need at least.
  std::vector<PackExtent> indexed_pack_extents() const;
  IndexFigures index_figures() const;
  // Index files that are there and could not be read, each with the reason.
  RepositoryIndex::DamagedFiles damaged_index_files() const;

  // If no index names the blob, or its packs are gone or damaged, the index is refreshed once (a
  // prune or a repair may have moved the blob) before that is an error. A read that does not
  // authenticate is repeated once, and then tried in the other packs that should hold the blob, and where
  // headers of packs have it (use_headers()). What is lost or damaged all the same comes from the second
  // repository, if there is one.
  Result<SharedBlob> load(BlobType type, const BlobId& id, Deadline by) override;

  Result<std::vector<ListedFile>> list_files(FileType type, Deadline by);
  Result<std::vector<SnapshotId>> list_snapshots(Deadline by);
  Result<Snapshot> load_snapshot(const SnapshotId& id, Deadline by);
  // Writes it as a new file, whatever its `id`; returns the new one's.
  Result<SnapshotId> save_snapshot(const Snapshot& snapshot, Deadline by);
  // The snapshot in the content of such a file, which the caller has kept, and checked by its hash.
  Result<Snapshot> open_snapshot(const SnapshotId& id, Bytes sealed) const;

 private:
  struct State;
  explicit Repository(std::unique_ptr<State> state);
  static Result<std::unique_ptr<Repository>> open_from(Storage& files,
                                                       std::shared_ptr<Storage> storage,
                                                       const Secret& password,
                                                       const std::string& key_hint, Deadline by);
  // load() without a second repository.
  Result<SharedBlob> load_here(BlobType type, const BlobId& id, Deadline by);
  std::unique_ptr<State> state_;
};

}  // namespace restree
