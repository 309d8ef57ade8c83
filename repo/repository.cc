#include "repo/repository.h"

#include <fmt/core.h>

#include <string_view>
#include <utility>

#include "repo/base/restic_words.h"
#include "repo/cached_files.h"
#include "repo/crypto/seal.h"
#include "repo/crypto/sha256.h"
#include "repo/format/key.h"
#include "repo/format/unpacked.h"
#include "repo/repository_keys.h"
#include "repo/repository_state.h"

namespace restree {
namespace {

// Of packs the cache has blobs; locks come and go.
bool is_cached_whole(FileType type) { return type != FileType::kLock && type != FileType::kPack; }

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
  // Without this, a cache whose only key files are damaged would make the password look wrong.
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
  ASSIGN_OR_RETURN(OpenedKey key, find_master_key(files, config_file, password, key_hint, by));
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

void Repository::use_second(std::shared_ptr<SecondRepository> second) {
  state_->second = std::move(second);
}

void Repository::watch_snapshots(std::function<void(const Snapshot&)> watch) {
  state_->on_snapshot = std::move(watch);
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
ByteView Repository::config_file() const { return state_->config_file; }
const std::string& Repository::key_name() const { return state_->key_name; }
Secret Repository::master_key_json() const { return write_master_key(state_->key); }
Storage& Repository::storage() const { return *state_->storage; }
WriteGate& Repository::write_gate() const { return *state_->storage; }

Result<Bytes> Repository::load_unpacked(const FileName& file, Deadline by) {
  return state_->read_unpacked(file, by);
}

Result<Bytes> Repository::load_sealed(const FileName& file, Deadline by) {
  return state_->read_verified(file, by);
}

Result<std::string> Repository::save_unpacked(FileType type, ByteView json, Deadline by) {
  ASSIGN_OR_RETURN(const Bytes sealed, seal_unpacked(state_->key, state_->config.version, json));
  std::string name = to_hex(sha256(sealed));
  RETURN_IF_ERROR(state_->storage->write({type, name}, sealed, by));
  if (state_->cache != nullptr && type != FileType::kLock)
    state_->cache->keep({type, name}, sealed);
  if (type == FileType::kSnapshot && state_->on_snapshot) {
    const auto id = SnapshotId::parse(name);
    const Result<Snapshot> saved = parse_snapshot(id.value_or(SnapshotId()), json);
    if (saved) state_->on_snapshot(*saved);
  }
  return name;
}

Result<StoredKey> Repository::add_key(const Secret& password, const NewKey& wanted, Deadline by) {
  return store_tried_key(*state_->storage, state_->key, password, wanted, by);
}

Result<StoredKey> Repository::add_key_in(Storage& other, const Secret& password,
                                         const NewKey& wanted, Deadline by) const {
  return store_key(other, state_->key, password, wanted, by);
}

bool Repository::has_key_of(const Repository& other) const {
  constexpr std::string_view kProbe = "is it the same key?";
  Result<Bytes> sealed = seal(state_->key, as_bytes(kProbe));
  if (!sealed) return false;
  const auto opened = open_in_place(other.state_->key, sealed->view());
  // The MAC proves only that its part of the key is the same.
  return opened && as_text(*opened) == kProbe;
}

Status Repository::remove_key(const std::string& name, Deadline by) {
  RETURN_IF_ERROR(state_->storage->remove({FileType::kKey, name}, by));
  if (state_->cache != nullptr) state_->cache->forget({FileType::kKey, name});
  return {};
}

Status Repository::seal_into(ByteView plain, MutableByteView sealed) const {
  return restree::seal_into(state_->key, plain, sealed);
}

Status Repository::open_into(ByteView sealed, MutableByteView plain) const {
  return restree::open_into(state_->key, sealed, plain);
}

Status Repository::open_in_pieces(ByteView sealed, MutableByteView piece,
                                  const std::function<Status(ByteView)>& take) const {
  return restree::open_in_pieces(state_->key, sealed, piece, take);
}

std::optional<Bytes> Repository::State::read_cached(const FileName& file) const {
  if (cache == nullptr || !is_cached_whole(file.type)) return std::nullopt;
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
      if (cache != nullptr && is_cached_whole(file.type)) cache->keep(file, bytes);
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

std::vector<std::shared_ptr<const Index>> Repository::index_parts() const {
  return *state_->index.parts();
}

std::vector<PackId> Repository::indexed_packs() const { return state_->index.packs(); }

RepositoryIndex::DamagedFiles Repository::damaged_index_files() const {
  return state_->index.damaged_files();
}

std::vector<PackExtent> Repository::indexed_pack_extents() const {
  return state_->index.pack_extents();
}

Result<MutableByteView> Repository::open_sealed(MutableByteView sealed) const {
  return open_in_place(state_->key, sealed);
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
  const Result<Bytes> json = state_->read_unpacked({FileType::kSnapshot, id.hex()}, by);
  Result<Snapshot> snapshot = json ? parse_snapshot(id, *json) : Result<Snapshot>(json.error());
  if (!snapshot) {
    return std::move(snapshot).error().with(
        fmt::format(restic_words::kFailedToLoadSnapshot.text, id.short_hex()));
  }
  if (state_->on_snapshot) state_->on_snapshot(*snapshot);
  return snapshot;
}

Result<SnapshotId> Repository::save_snapshot(const Snapshot& snapshot, Deadline by) {
  const std::string json = write_snapshot(snapshot);
  ASSIGN_OR_RETURN(const std::string name, save_unpacked(FileType::kSnapshot, as_bytes(json), by));
  const auto id = SnapshotId::parse(name);
  if (!id) return Error(ErrorKind::kInvalid, name + " is not an id");
  return *id;
}

Result<Snapshot> Repository::open_snapshot(const SnapshotId& id, Bytes sealed) const {
  ASSIGN_OR_RETURN(const Bytes json, open_unpacked(state_->key, std::move(sealed)));
  return parse_snapshot(id, json);
}

}  // namespace restree
