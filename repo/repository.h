// An opened restic repository: its keys, its index, its snapshots and its blobs, for reading.
//
// Ownership: shares the storage and the cache; owns keys and index.
// Threads:   any.
// Limits:    index: see index.h. load() holds one blob, and its sealed form while it is opened.
// Errors:    open: kNoRepository, kWrongPassword, kDenied, kCorrupt, kUnsupported,
//            kUnavailable.
// Key:       the repository seals and opens with it and lends it to nobody but the index, which it
//            owns; master_key_json() alone gives a copy away, for the command that prints it.
// Format:    restic's design document, versions 1 and 2.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/blob_source.h"
#include "repo/crypto/secret.h"
#include "repo/format/config.h"
#include "repo/format/snapshot.h"
#include "repo/repository_cache.h"
#include "repo/repository_index.h"
#include "repo/sealed_source.h"
#include "repo/storage/decorators/write_gate.h"
#include "repo/storage/storage.h"

namespace restree {

// Where sealed bytes come from, which decides what becomes of them once they were looked at: those
// from the storage are kept in the cache if they are authentic, those from the cache are reported
// to it if they are not, and of others it knows nothing.
enum class SealedFrom { kStorage, kCache, kElsewhere };

class Repository final : public BlobSource {
 public:
  // Tries `password` on every key file, the one whose id starts with `key_hint` first.
  static Result<std::unique_ptr<Repository>> open(std::shared_ptr<Storage> storage,
                                                  const Secret& password,
                                                  const std::string& key_hint, Deadline by);
  // The same from the config, key, index and snapshot files that the cache holds, for as long as
  // the storage cannot be reached; the cache is used as by use_cache(). kNoRepository,
  // kWrongPassword, kCorrupt: the cache does not have what it takes, or not for this password.
  static Result<std::unique_ptr<Repository>> open_cached(std::shared_ptr<Storage> storage,
                                                         std::shared_ptr<RepositoryCache> cache,
                                                         const Secret& password,
                                                         const std::string& key_hint);
  ~Repository() override;

  // From now on, what the cache holds is not asked of the storage: packs, index files and
  // snapshots. Which files there are, the storage is always asked first. Before anything else is
  // read; once.
  void use_cache(std::shared_ptr<RepositoryCache> cache);
  // From now on, load() gets from there what the cache lacks. Before anything else is read; once.
  void use_source(std::shared_ptr<SealedSource> source);

  // Opened from the cache, and since then the storage has listed nothing: until it does, listings
  // are of what the cache has, where the storage gives none.
  bool is_offline() const;

  const Config& config() const;
  // Of the key file that the password has opened.
  const std::string& key_name() const;
  // The master key as the key files hold it: for those who ask to see it, and nobody else.
  Secret master_key_json() const;
  Storage& storage() const;
  // What every change of the repository passes.
  WriteGate& write_gate() const;

  // The JSON inside an index, snapshot or lock file, whose hash has been compared with its name.
  Result<Bytes> load_unpacked(const FileName& file, Deadline by);
  // Seals and writes such a file; its name.
  Result<std::string> save_unpacked(FileType type, ByteView json, Deadline by);

  // Seals `plain` into `sealed`, which is kSealOverheadBytes longer.
  Status seal_into(ByteView plain, MutableByteView sealed) const;
  // Opens what was sealed into `plain`. kCorrupt: it does not authenticate.
  Status open_into(ByteView sealed, MutableByteView plain) const;

  // Brings the index up to date with the index files there are: only new ones are read, and none
  // if the set of files has not changed. One caller works, others wait for it. A damaged index file
  // is skipped with a log line; its blobs are then missing. True if the index changed.
  Result<bool> refresh_index(Deadline by) { return refresh_index(by, nullptr); }
  // The same; `watch` is told what the index files that are read say, by several threads.
  Result<bool> refresh_index(Deadline by, IndexWatch* watch);
  // What a refresh with a watch has loaded, and whatever refreshes have loaded since: in as many
  // parts, of which one may have blobs of another as well.
  std::vector<std::shared_ptr<const Index>> index_parts() const;

  // The first place where the index has a blob; nullopt if no index names it.
  std::optional<BlobLocation> find_blob(BlobType type, const BlobId& id) const;
  // Every place where the index has it.
  std::vector<BlobLocation> find_blobs(BlobType type, const BlobId& id) const;
  // The plaintext of a blob whose sealed bytes were read from a pack: for who reads many at once.
  // `sealed` is consumed (decrypted in place); the view lies in it or in `scratch`, which grows as
  // needed. kCorrupt: MAC, compression or hash; the message names blob and pack.
  Result<ByteView> open_blob(const BlobLocation& place, BlobType type, const BlobId& id,
                             MutableByteView sealed, Bytes& scratch,
                             SealedFrom from = SealedFrom::kElsewhere) const;
  // The sealed bytes of a blob if the cache has them: for open_blob(), as kCache.
  std::optional<Bytes> read_cached(const BlobLocation& place, BlobType type) const;
  // True if the cache seems to have them, which costs less than reading them.
  bool is_cached(const BlobLocation& place, BlobType type) const;

  // Authenticates and decrypts in place what was sealed with the repository's key; the part that is
  // plaintext now. For pack headers. kCorrupt.
  Result<MutableByteView> open_sealed(MutableByteView sealed) const;

  // The plain size of a blob; nullopt if no index names it.
  std::optional<std::uint32_t> blob_size(BlobType type, const BlobId& id) const;
  // Every pack that the index names, each once, in order.
  std::vector<PackId> indexed_packs() const;
  // The same, with the length that each has at least.
  std::vector<PackExtent> indexed_pack_extents() const;
  IndexFigures index_figures() const;

  // A blob that no index names, or whose packs are gone or damaged, makes the index be refreshed
  // once (a prune or a repair may have moved it) before that is an error. A read that does not
  // authenticate is repeated once, and then tried in the other packs that should hold the blob.
  Result<SharedBlob> load(BlobType type, const BlobId& id, Deadline by) override;

  Result<std::vector<ListedFile>> list_files(FileType type, Deadline by);
  Result<std::vector<SnapshotId>> list_snapshots(Deadline by);
  Result<Snapshot> load_snapshot(const SnapshotId& id, Deadline by);

 private:
  struct State;
  explicit Repository(std::unique_ptr<State> state);
  static Result<std::unique_ptr<Repository>> open_from(Storage& files,
                                                       std::shared_ptr<Storage> storage,
                                                       const Secret& password,
                                                       const std::string& key_hint, Deadline by);
  std::unique_ptr<State> state_;
};

}  // namespace restree
