#include "repo/repository.h"

#include <fmt/core.h>

#include <atomic>
#include <utility>

#include "repo/cached_files.h"
#include "repo/crypto/seal.h"
#include "repo/crypto/sha256.h"
#include "repo/format/key.h"
#include "repo/format/unpacked.h"
#include "repo/format/zstd.h"
#include "repo/repository_keys.h"

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
             .description = storage->description()},
            key) {}

  // A file whose name is the hash of its bytes. A mismatch is read once more: the line, not the
  // file, may have been at fault.
  Result<Bytes> read_verified(const FileName& file, Deadline by);
  std::optional<Bytes> read_cached(const FileName& file) const;
  // The JSON inside an index or snapshot file.
  Result<Bytes> read_unpacked(const FileName& file, Deadline by);

  Result<RepositoryListing> list(FileType type, Deadline by);

  Result<ByteView> open_blob(const BlobLocation& place, BlobType type, const BlobId& id,
                             MutableByteView sealed, Bytes& scratch, SealedFrom from) const;
  // Decompresses what was decrypted, where it is compressed, and compares its hash.
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

  const std::shared_ptr<WriteGate> storage;
  const SealKey key;
  const std::string key_name;
  const Bytes key_file;  // as they are in the repository, for the cache
  const Bytes config_file;
  const Config config;
  std::shared_ptr<RepositoryCache> cache;
  std::shared_ptr<SealedSource> source;  // uses the storage
  std::atomic<bool> offline = false;
  RepositoryIndex index;
};

namespace {

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
  Storage& files = *storage;
  return open_from(files, std::move(storage), password, key_hint, by);
}

Result<std::unique_ptr<Repository>> Repository::open_cached(std::shared_ptr<Storage> storage,
                                                            std::shared_ptr<RepositoryCache> cache,
                                                            const Secret& password,
                                                            const std::string& key_hint) {
  CachedFiles files(*cache, storage->description());
  // Whose file is not whole any more may have the right password all the same.
  ASSIGN_OR_RETURN(const std::vector<ListedFile> keys,
                   files.list(FileType::kKey, Deadline::never()));
  if (keys.empty()) {
    return Error(ErrorKind::kNoRepository, files.description() + " has no key file");
  }
  ASSIGN_OR_RETURN(auto repository,
                   open_from(files, std::move(storage), password, key_hint, Deadline::never()));
  repository->use_cache(std::move(cache));
  repository->state_->offline = true;
  return repository;
}

Result<std::unique_ptr<Repository>> Repository::open_from(Storage& files,
                                                          std::shared_ptr<Storage> storage,
                                                          const Secret& password,
                                                          const std::string& key_hint,
                                                          Deadline by) {
  ASSIGN_OR_RETURN(Bytes config_file, read_config_file(files, by));
  ASSIGN_OR_RETURN(OpenedKey key, find_master_key(files, password, key_hint, by));
  Bytes opened = Bytes::copy_of(config_file);
  Result<MutableByteView> config_json = open_in_place(key.master, opened.view());
  if (!config_json) {
    return std::move(config_json).error().with("config file of " + files.description());
  }
  Result<Config> config = parse_config(*config_json);
  if (!config) return std::move(config).error().with("config file of " + files.description());
  return std::unique_ptr<Repository>(new Repository(std::make_unique<State>(
      std::move(storage), std::move(key), std::move(config_file), *config)));
}

Repository::Repository(std::unique_ptr<State> state) : state_(std::move(state)) {}
Repository::~Repository() = default;

void Repository::use_cache(std::shared_ptr<RepositoryCache> cache) {
  State& state = *state_;
  state.cache = std::move(cache);
  state.index.use_cache(*state.cache);
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

bool Repository::is_offline() const { return state_->offline; }

Result<RepositoryListing> Repository::State::list(FileType type, Deadline by) {
  Result<std::vector<ListedFile>> listed = storage->list(type, by);
  if (listed) offline = false;
  if (listed) return RepositoryListing{std::move(*listed), true};
  if (!offline || listed.error().kind() != ErrorKind::kUnavailable) return listed.error();
  ASSIGN_OR_RETURN(std::vector<ListedFile> cached,
                   CachedFiles(*cache, storage->description()).list(type, by));
  return RepositoryListing{std::move(cached), false};
}

Result<std::vector<ListedFile>> Repository::list_files(FileType type, Deadline by) {
  ASSIGN_OR_RETURN(RepositoryListing listing, state_->list(type, by));
  return std::move(listing.files);
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
  return state_->index.refresh(by, watch);
}

std::vector<std::shared_ptr<const Index>> Repository::index_parts() const {
  return *state_->index.parts();
}

std::optional<BlobLocation> Repository::find_blob(BlobType type, const BlobId& id) const {
  return state_->index.find(type, id);
}

std::optional<std::uint32_t> Repository::blob_size(BlobType type, const BlobId& id) const {
  const auto place = find_blob(type, id);
  if (!place) return std::nullopt;
  return place->blob_bytes();
}

std::vector<PackId> Repository::indexed_packs() const { return state_->index.packs(); }

IndexFigures Repository::index_figures() const { return state_->index.figures(); }

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

Result<SharedBlob> Repository::load(BlobType type, const BlobId& id, Deadline by) {
  State& state = *state_;
  Result<SharedBlob> blob = state.load_from_any(state.index.find_all(type, id), type, id, by);
  if (blob || blob.error().kind() == ErrorKind::kUnavailable) return blob;

  // Not in the index, its pack gone, or damaged: a backup or a prune may have put it elsewhere.
  const Result<bool> changed = refresh_index(by);
  if (state.offline) {
    return Error(ErrorKind::kUnavailable,
                 blob.error().message() + ", as far as the cache knows it");
  }
  const bool was_there = blob.error().kind() == ErrorKind::kCorrupt;
  if (!changed && !was_there) return changed.error();
  if (was_there && !changed.value_or(false)) return blob;
  // Also if nothing changed just now: another reader's refresh may have brought it.
  blob = state.load_from_any(state.index.find_all(type, id), type, id, by);
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

Error Repository::State::damaged(const BlobLocation& place, BlobType type, const BlobId& id,
                                 SealedFrom from, std::string_view why) const {
  if (from == SealedFrom::kCache) cache->reject(sealed_place(place, type));
  return Error(ErrorKind::kCorrupt, fmt::format("{}: {}", where(place, type, id), why));
}

Result<ByteView> Repository::State::open_blob(const BlobLocation& place, BlobType type,
                                              const BlobId& id, MutableByteView sealed,
                                              Bytes& scratch, SealedFrom from) const {
  if (const Status status = authenticate(key, sealed); !status) {
    return damaged(place, type, id, from, status.error().message());
  }
  // Before they are decrypted in place. What is authentic is what the repository has, right or not.
  if (from == SealedFrom::kStorage && cache != nullptr) {
    cache->keep(sealed_place(place, type), Bytes::copy_of(sealed));
  }
  const Result<MutableByteView> opened = decrypt_authenticated(key, sealed);
  if (!opened) return damaged(place, type, id, from, opened.error().message());
  return decode(place, type, id, *opened, scratch, from);
}

Result<ByteView> Repository::State::decode(const BlobLocation& place, BlobType type,
                                           const BlobId& id, ByteView opened, Bytes& scratch,
                                           SealedFrom from) const {
  ByteView plain = opened;
  if (place.raw_length != 0) {
    if (scratch.size() < place.raw_length) scratch = Bytes(place.raw_length);
    const MutableByteView raw = scratch.view().first(place.raw_length);
    if (const Status status = decompress_into(opened, raw); !status) {
      return damaged(place, type, id, from, status.error().message());
    }
    plain = raw;
  }
  if (sha256(plain) != id.bytes) {
    return damaged(place, type, id, from, "its content does not have the hash it should");
  }
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
  if (from == SealedFrom::kStorage && cache != nullptr && sealed.size() >= kSealOverheadBytes) {
    // Not in place: the sealed bytes go to the cache as they are.
    Bytes opened(sealed.size() - kSealOverheadBytes);
    if (const Status status = restree::open_into(key, sealed, opened.view()); !status) {
      return damaged(place, type, id, from, status.error().message());
    }
    cache->keep(sealed_place(place, type), std::move(sealed));
    RETURN_IF_ERROR(decode(place, type, id, opened, scratch, from));
    return std::make_shared<const Bytes>(std::move(place.raw_length != 0 ? scratch : opened));
  }
  RETURN_IF_ERROR(open_blob(place, type, id, sealed.view(), scratch, from));
  if (place.raw_length != 0) return std::make_shared<const Bytes>(std::move(scratch));
  sealed.remove_prefix(kSealIvBytes);
  sealed.remove_suffix(kSealMacBytes);
  return std::make_shared<const Bytes>(std::move(sealed));
}

Result<std::vector<SnapshotId>> Repository::list_snapshots(Deadline by) {
  ASSIGN_OR_RETURN(const RepositoryListing listed, state_->list(FileType::kSnapshot, by));
  std::vector<SnapshotId> ids;
  std::vector<std::string> names;
  for (const ListedFile& file : listed.files) {
    if (const auto id = SnapshotId::parse(file.name)) ids.push_back(*id);
    names.push_back(file.name);
  }
  if (state_->cache != nullptr && listed.is_current) {
    state_->cache->retain_snapshots(std::move(names));
  }
  return ids;
}

Result<Snapshot> Repository::load_snapshot(const SnapshotId& id, Deadline by) {
  ASSIGN_OR_RETURN(const Bytes json, state_->read_unpacked({FileType::kSnapshot, id.hex()}, by));
  Result<Snapshot> snapshot = parse_snapshot(id, json);
  if (!snapshot) return std::move(snapshot).error().with("snapshot " + id.hex());
  return snapshot;
}

}  // namespace restree
