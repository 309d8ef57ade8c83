#include "repo/repository.h"

#include <fmt/core.h>

#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <new>
#include <set>
#include <thread>
#include <utility>

#include "repo/base/guarded.h"
#include "repo/base/log.h"
#include "repo/base/thread_pool.h"
#include "repo/crypto/seal.h"
#include "repo/crypto/sha256.h"
#include "repo/format/index_file.h"
#include "repo/format/key.h"
#include "repo/format/unpacked.h"
#include "repo/format/zstd.h"
#include "repo/repository_keys.h"

namespace restree {
namespace {

// Index and snapshot files are small and far away: several at once hide the round trips.
constexpr std::size_t kParallelFiles = 8;
// A listing that changes while it is read (a prune at work) is read again this often.
constexpr int kListingAttempts = 4;
// Each part is one more look for every blob that is not in the first.
constexpr std::size_t kMostIndexParts = 6;

using IndexParts = std::vector<std::shared_ptr<const Index>>;

struct LoadedIndex {
  std::shared_ptr<const IndexParts> parts = std::make_shared<IndexParts>();
  std::set<std::string> files;
};

// At most one refresh runs; whoever else wants one waits for the next to begin and to end, since
// the running one may have listed the files too early to see what this caller is after.
struct RefreshTurn {
  std::uint64_t begun = 0;
  std::uint64_t ended = 0;
  Result<bool> last = false;
};

}  // namespace

struct Repository::State {
  State(std::shared_ptr<Storage> from, OpenedKey opened, Bytes its_config_file, Config its_config)
      : storage(std::make_shared<WriteGate>(std::move(from))),
        key(std::move(opened.master)),
        key_name(std::move(opened.name)),
        key_file(std::move(opened.file)),
        config_file(std::move(its_config_file)),
        config(its_config) {}

  // A file whose name is the hash of its bytes. A mismatch is read once more: the line, not the
  // file, may have been at fault.
  Result<Bytes> read_verified(const FileName& file, Deadline by);
  std::optional<Bytes> read_cached(const FileName& file) const;
  // The JSON inside an index or snapshot file.
  Result<Bytes> read_unpacked(const FileName& file, Deadline by);

  Result<bool> refresh_index_now(Deadline by, IndexWatch* watch);
  Result<std::shared_ptr<const Index>> load_index_files(const std::vector<std::string>& names,
                                                        Deadline by, IndexWatch* watch);

  std::shared_ptr<const IndexParts> index_parts() const { return index.lock()->parts; }
  std::vector<BlobLocation> locations_of(BlobType type, const BlobId& id) const;
  Result<ByteView> open_blob(const BlobLocation& place, BlobType type, const BlobId& id,
                             MutableByteView sealed, Bytes& scratch, SealedFrom from) const;
  Result<SharedBlob> unseal(const BlobLocation& place, BlobType type, const BlobId& id,
                            Bytes sealed, SealedFrom from) const;
  std::optional<Bytes> read_cached(const BlobLocation& place, BlobType type) const;
  Result<SharedBlob> load_from(const BlobLocation& place, BlobType type, const BlobId& id,
                               Deadline by);
  Result<SharedBlob> load_from_any(const std::vector<BlobLocation>& places, BlobType type,
                                   const BlobId& id, Deadline by);

  const std::shared_ptr<WriteGate> storage;
  const SealKey key;
  const std::string key_name;
  const Bytes key_file;  // as they are in the repository, for the cache
  const Bytes config_file;
  const Config config;
  std::shared_ptr<RepositoryCache> cache;
  std::shared_ptr<SealedSource> source;  // uses the storage
  Guarded<LoadedIndex> index;
  Guarded<RefreshTurn> turn;
  std::condition_variable turn_ended;
};

namespace {

// Every pack that they name, each once, in order.
std::vector<PackId> packs_of(const IndexParts& parts) {
  std::vector<PackId> packs;
  for (const auto& part : parts) {
    packs.insert(packs.end(), part->packs().begin(), part->packs().end());
  }
  std::sort(packs.begin(), packs.end());
  packs.erase(std::unique(packs.begin(), packs.end()), packs.end());
  return packs;
}

SealedPlace sealed_place(const BlobLocation& place, BlobType type) {
  return {
      .pack = place.pack, .type = type, .range = {.offset = place.offset, .length = place.length}};
}

// How messages name a blob.
std::string where(const BlobLocation& place, BlobType type, const BlobId& id) {
  return fmt::format("{} blob {} in pack {}", to_string(type), id.hex(), place.pack.hex());
}

}  // namespace

Result<std::unique_ptr<Repository>> Repository::open(std::shared_ptr<Storage> storage,
                                                     const Secret& password,
                                                     const std::string& key_hint, Deadline by) {
  ASSIGN_OR_RETURN(Bytes config_file, read_config_file(*storage, by));
  ASSIGN_OR_RETURN(OpenedKey key, find_master_key(*storage, password, key_hint, by));
  Bytes opened = Bytes::copy_of(config_file);
  Result<MutableByteView> config_json = open_in_place(key.master, opened.view());
  if (!config_json) {
    return std::move(config_json).error().with("config file of " + storage->description());
  }
  Result<Config> config = parse_config(*config_json);
  if (!config) return std::move(config).error().with("config file of " + storage->description());
  return std::unique_ptr<Repository>(new Repository(std::make_unique<State>(
      std::move(storage), std::move(key), std::move(config_file), *config)));
}

Repository::Repository(std::unique_ptr<State> state) : state_(std::move(state)) {}
Repository::~Repository() = default;

void Repository::use_cache(std::shared_ptr<RepositoryCache> cache) {
  State& state = *state_;
  state.cache = std::move(cache);
  const auto keep = [&](const FileName& file, ByteView content) {
    const std::optional<Bytes> kept = state.cache->read(file);
    if (!kept || as_text(*kept) != as_text(content)) state.cache->keep(file, content);
  };
  keep({FileType::kConfig, ""}, state.config_file);
  keep({FileType::kKey, state.key_name}, state.key_file);
}

void Repository::use_source(std::shared_ptr<SealedSource> source) {
  state_->source = std::move(source);
}

const Config& Repository::config() const { return state_->config; }
const std::string& Repository::key_name() const { return state_->key_name; }
Secret Repository::master_key_json() const { return write_master_key(state_->key); }
Storage& Repository::storage() const { return *state_->storage; }
WriteGate& Repository::write_gate() const { return *state_->storage; }

Result<Bytes> Repository::load_unpacked(const FileName& file, Deadline by) {
  return state_->read_unpacked(file, by);
}

Result<std::string> Repository::save_unpacked(FileType type, ByteView json, Deadline by) {
  ASSIGN_OR_RETURN(const Bytes sealed, seal_unpacked(state_->key, state_->config.version, json));
  std::string name = to_hex(sha256(sealed));
  RETURN_IF_ERROR(state_->storage->write({type, name}, sealed, by));
  if (state_->cache != nullptr && type != FileType::kLock)
    state_->cache->keep({type, name}, sealed);
  return name;
}

Status Repository::seal_into(ByteView plain, MutableByteView sealed) const {
  return restree::seal_into(state_->key, plain, sealed);
}

Status Repository::open_into(ByteView sealed, MutableByteView plain) const {
  return restree::open_into(state_->key, sealed, plain);
}

std::optional<Bytes> Repository::State::read_cached(const FileName& file) const {
  if (cache == nullptr || file.type == FileType::kLock) return std::nullopt;
  std::optional<Bytes> bytes = cache->read(file);
  if (!bytes || to_hex(sha256(*bytes)) == file.name) return bytes;
  cache->reject(file);
  return std::nullopt;
}

Result<Bytes> Repository::State::read_verified(const FileName& file, Deadline by) {
  if (std::optional<Bytes> bytes = read_cached(file)) return std::move(*bytes);
  for (int attempt = 1;; ++attempt) {
    ASSIGN_OR_RETURN(Bytes bytes, storage->read_all(file, by));
    if (to_hex(sha256(bytes)) == file.name) {
      if (cache != nullptr && file.type != FileType::kLock) cache->keep(file, bytes);
      return bytes;
    }
    if (attempt == 2) {
      return Error(ErrorKind::kCorrupt, fmt::format("{}/{} is damaged: its hash is not its name",
                                                    storage->description(), relative_path(file)));
    }
  }
}

Result<Bytes> Repository::State::read_unpacked(const FileName& file, Deadline by) {
  ASSIGN_OR_RETURN(Bytes bytes, read_verified(file, by));
  Result<Bytes> json = open_unpacked(key, std::move(bytes));
  if (!json) {
    return std::move(json).error().with(storage->description() + "/" + relative_path(file));
  }
  return json;
}

Result<bool> Repository::refresh_index(Deadline by, IndexWatch* watch) {
  State& state = *state_;
  {
    auto turn = state.turn.lock();
    const std::uint64_t mine = turn->begun + 1;
    while (turn->begun != turn->ended) {
      if (state.turn_ended.wait_until(turn.mutex_lock(), by.when()) == std::cv_status::timeout) {
        return Error(ErrorKind::kUnavailable,
                     "load index of " + state.storage->description() + ": no answer in time");
      }
      if (turn->ended >= mine) return turn->last;
    }
    ++turn->begun;
  }
  // Whatever happens, the turn ends: others wait for it.
  Result<bool> changed = Error(ErrorKind::kLocalIo, "out of memory while loading the index");
  try {
    changed = state.refresh_index_now(by, watch);
  } catch (const std::bad_alloc&) {
    log::error("{}", changed.error().message());
  }
  {
    auto turn = state.turn.lock();
    turn->ended = turn->begun;
    turn->last = changed;
  }
  state.turn_ended.notify_all();
  return changed;
}

Result<bool> Repository::State::refresh_index_now(Deadline by, IndexWatch* watch) {
  for (int attempt = 1;; ++attempt) {
    ASSIGN_OR_RETURN(const std::vector<ListedFile> listed, storage->list(FileType::kIndex, by));
    std::set<std::string> files;
    for (const ListedFile& file : listed) files.insert(file.name);

    const LoadedIndex before = *index.lock();
    if (files == before.files) return false;

    // Files that went mean that packs went: what they told must not be asked any more.
    const bool only_more =
        std::includes(files.begin(), files.end(), before.files.begin(), before.files.end()) &&
        before.parts->size() < kMostIndexParts;
    std::vector<std::string> wanted;
    if (only_more) {
      std::set_difference(files.begin(), files.end(), before.files.begin(), before.files.end(),
                          std::back_inserter(wanted));
    } else {
      wanted.assign(files.begin(), files.end());
    }
    Result<std::shared_ptr<const Index>> loaded = load_index_files(wanted, by, watch);
    if (!loaded && loaded.error().kind() == ErrorKind::kNotFound && attempt < kListingAttempts) {
      continue;  // replaced by a prune between the listing and the reading
    }
    RETURN_IF_ERROR(loaded);

    auto parts = std::make_shared<IndexParts>();
    if (only_more) *parts = *before.parts;
    parts->push_back(std::move(*loaded));
    std::vector<std::string> names(files.begin(), files.end());
    {
      auto now = index.lock();
      now->parts = std::move(parts);
      now->files = std::move(files);
    }
    if (cache != nullptr) {
      cache->retain_indexed(std::move(names), [&] { return packs_of(*index_parts()); });
    }
    return true;
  }
}

Result<std::shared_ptr<const Index>> Repository::State::load_index_files(
    const std::vector<std::string>& names, Deadline by, IndexWatch* watch) {
  IndexBuilder builder;
  RETURN_IF_ERROR(parallel_for(names.size(), kParallelFiles, [&](std::size_t i) -> Status {
    const FileName file{FileType::kIndex, names[i]};
    Result<Bytes> json = read_unpacked(file, by);
    Status parsed;
    if (json) {
      parsed = parse_index_file(*json, [&](const PackId& pack, auto blobs) {
        builder.add(pack, blobs);
        if (watch != nullptr) watch->pack(names[i], pack, blobs);
      });
    } else {
      parsed = std::move(json).error();
    }
    if (parsed) return {};
    const ErrorKind kind = parsed.error().kind();
    if (kind != ErrorKind::kCorrupt && kind != ErrorKind::kUnsupported) return parsed;
    if (watch != nullptr) {
      watch->damaged(names[i], parsed.error());
      return {};
    }
    log::error("index file {} of {} is left out, and what only it names is missing: {}", names[i],
               storage->description(), parsed.error().message());
    return {};
  }));
  const std::size_t threads = std::max(1U, std::thread::hardware_concurrency());
  return std::move(builder).build(threads);
}

std::optional<BlobLocation> Repository::find_blob(BlobType type, const BlobId& id) const {
  const std::shared_ptr<const IndexParts> parts = state_->index_parts();
  for (const auto& part : *parts) {
    if (const auto place = part->find(type, id)) return place;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> Repository::blob_size(BlobType type, const BlobId& id) const {
  const auto place = find_blob(type, id);
  if (!place) return std::nullopt;
  return place->blob_bytes();
}

std::vector<std::shared_ptr<const Index>> Repository::index_parts() const {
  return *state_->index_parts();
}

Result<MutableByteView> Repository::open_sealed(MutableByteView sealed) const {
  return open_in_place(state_->key, sealed);
}

Result<ByteView> Repository::open_blob(const BlobLocation& place, BlobType type, const BlobId& id,
                                       MutableByteView sealed, Bytes& scratch,
                                       SealedFrom from) const {
  return state_->open_blob(place, type, id, sealed, scratch, from);
}

std::optional<Bytes> Repository::read_cached(const BlobLocation& place, BlobType type) const {
  return state_->read_cached(place, type);
}

bool Repository::is_cached(const BlobLocation& place, BlobType type) const {
  return state_->cache != nullptr && state_->cache->has(sealed_place(place, type));
}

std::vector<PackId> Repository::indexed_packs() const { return packs_of(*state_->index_parts()); }

Repository::IndexFigures Repository::index_figures() const {
  IndexFigures figures{};
  const std::shared_ptr<const IndexParts> parts = state_->index_parts();
  for (const auto& part : *parts) {
    figures.blobs += part->blob_count();
    figures.packs += part->pack_count();
    figures.sealed_bytes += part->sealed_bytes();
    figures.memory_bytes += part->memory_bytes();
  }
  return figures;
}

std::vector<BlobLocation> Repository::State::locations_of(BlobType type, const BlobId& id) const {
  std::vector<BlobLocation> places;
  const std::shared_ptr<const IndexParts> parts = index_parts();
  for (const auto& part : *parts) {
    std::vector<BlobLocation> found = part->find_all(type, id);
    places.insert(places.end(), found.begin(), found.end());
  }
  return places;
}

Result<SharedBlob> Repository::load(BlobType type, const BlobId& id, Deadline by) {
  State& state = *state_;
  Result<SharedBlob> blob = state.load_from_any(state.locations_of(type, id), type, id, by);
  if (blob || blob.error().kind() == ErrorKind::kUnavailable) return blob;

  // Not in the index, its pack gone, or damaged: a backup or a prune may have put it elsewhere.
  const Result<bool> changed = refresh_index(by);
  const bool was_there = blob.error().kind() == ErrorKind::kCorrupt;
  if (!changed && !was_there) return changed.error();
  if (was_there && !changed.value_or(false)) return blob;
  // Also if nothing changed just now: another reader's refresh may have brought it.
  blob = state.load_from_any(state.locations_of(type, id), type, id, by);
  if (blob || blob.error().kind() != ErrorKind::kNotFound) return blob;
  return Error(ErrorKind::kCorrupt, blob.error().message());
}

// kNotFound only if no pack is left to ask.
Result<SharedBlob> Repository::State::load_from_any(const std::vector<BlobLocation>& places,
                                                    BlobType type, const BlobId& id, Deadline by) {
  std::optional<Error> damage;
  std::optional<Error> missing;
  for (const BlobLocation& place : places) {
    Result<SharedBlob> blob = load_from(place, type, id, by);
    if (!blob && blob.error().kind() == ErrorKind::kCorrupt) blob = load_from(place, type, id, by);
    if (blob) return blob;
    if (blob.error().kind() == ErrorKind::kNotFound) {
      missing = std::move(blob).error();
    } else if (blob.error().kind() == ErrorKind::kUnavailable) {
      return blob;
    } else {
      damage = std::move(blob).error();
    }
  }
  if (damage) return std::move(*damage);
  if (missing) return std::move(*missing);
  return Error(ErrorKind::kNotFound, fmt::format("{} blob {} is in no index of {}", to_string(type),
                                                 id.hex(), storage->description()));
}

Result<ByteView> Repository::State::open_blob(const BlobLocation& place, BlobType type,
                                              const BlobId& id, MutableByteView sealed,
                                              Bytes& scratch, SealedFrom from) const {
  const auto damaged = [&](std::string_view why) {
    if (from == SealedFrom::kCache) cache->reject(sealed_place(place, type));
    return Error(ErrorKind::kCorrupt, fmt::format("{}: {}", where(place, type, id), why));
  };
  if (sealed.size() < kSealOverheadBytes) return damaged("its index entry is too short");
  if (const Status status = authenticate(key, sealed); !status) {
    return damaged(status.error().message());
  }
  // Before they are decrypted in place. What is authentic is what the repository has, right or not.
  if (from == SealedFrom::kStorage && cache != nullptr) {
    cache->keep(sealed_place(place, type), sealed);
  }
  const Result<MutableByteView> opened = decrypt_authenticated(key, sealed);
  if (!opened) return damaged(opened.error().message());
  ByteView plain = *opened;
  if (place.raw_length != 0) {
    if (scratch.size() < place.raw_length) scratch = Bytes(place.raw_length);
    const MutableByteView raw = scratch.view().first(place.raw_length);
    if (const Status status = decompress_into(*opened, raw); !status) {
      return damaged(status.error().message());
    }
    plain = raw;
  }
  if (sha256(plain) != id.bytes) return damaged("its content does not have the hash it should");
  return plain;
}

std::optional<Bytes> Repository::State::read_cached(const BlobLocation& place,
                                                    BlobType type) const {
  if (cache == nullptr) return std::nullopt;
  return cache->read(sealed_place(place, type));
}

Result<SharedBlob> Repository::State::load_from(const BlobLocation& place, BlobType type,
                                                const BlobId& id, Deadline by) {
  if (std::optional<Bytes> sealed = read_cached(place, type)) {
    Result<SharedBlob> blob = unseal(place, type, id, std::move(*sealed), SealedFrom::kCache);
    if (blob) return blob;
  }
  Result<Bytes> read = source != nullptr
                           ? source->read(place, type, by)
                           : storage->read({FileType::kPack, place.pack.hex()},
                                           {.offset = place.offset, .length = place.length}, by);
  if (!read) return std::move(read).error().with(where(place, type, id));
  Result<SharedBlob> blob = unseal(place, type, id, std::move(*read), SealedFrom::kStorage);
  if (!blob && source != nullptr) source->reject(place);
  return blob;
}

Result<SharedBlob> Repository::State::unseal(const BlobLocation& place, BlobType type,
                                             const BlobId& id, Bytes sealed,
                                             SealedFrom from) const {
  Bytes scratch;
  RETURN_IF_ERROR(open_blob(place, type, id, sealed.view(), scratch, from));
  if (place.raw_length != 0) return std::make_shared<const Bytes>(std::move(scratch));
  sealed.remove_prefix(kSealIvBytes);
  sealed.remove_suffix(kSealMacBytes);
  return std::make_shared<const Bytes>(std::move(sealed));
}

Result<std::vector<SnapshotId>> Repository::list_snapshots(Deadline by) {
  ASSIGN_OR_RETURN(const std::vector<ListedFile> files,
                   state_->storage->list(FileType::kSnapshot, by));
  std::vector<SnapshotId> ids;
  std::vector<std::string> names;
  for (const ListedFile& file : files) {
    if (const auto id = SnapshotId::parse(file.name)) ids.push_back(*id);
    names.push_back(file.name);
  }
  if (state_->cache != nullptr) state_->cache->retain_snapshots(std::move(names));
  return ids;
}

Result<Snapshot> Repository::load_snapshot(const SnapshotId& id, Deadline by) {
  ASSIGN_OR_RETURN(const Bytes json, state_->read_unpacked({FileType::kSnapshot, id.hex()}, by));
  Result<Snapshot> snapshot = parse_snapshot(id, json);
  if (!snapshot) return std::move(snapshot).error().with("snapshot " + id.hex());
  return snapshot;
}

}  // namespace restree
