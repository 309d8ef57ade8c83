// The part of Repository that turns places in packs into blobs.
#include <fmt/core.h>

#include <utility>

#include "repo/crypto/seal.h"
#include "repo/crypto/sha256.h"
#include "repo/format/zstd.h"
#include "repo/repository_state.h"

namespace restree {
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
  const auto is_lost = [](const Result<SharedBlob>& blob) {
    return !blob && is_for_second(blob.error().kind());
  };
  Result<SharedBlob> blob = load_here(type, id, by);
  if (is_lost(blob) && state_->headers != nullptr) {
    blob = state_->load_by_headers(type, id, blob.error(), by);
  }
  if (!is_lost(blob) || state_->second == nullptr) return blob;
  return state_->second->load(type, id, blob.error(), by);
}

Result<SharedBlob> Repository::load_here(BlobType type, const BlobId& id, Deadline by) {
  State& state = *state_;
  Result<SharedBlob> blob = state.load_from_any(state.find_all(type, id), type, id, by);
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
  blob = state.load_from_any(state.find_all(type, id), type, id, by);
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
  return {ErrorKind::kCorrupt, fmt::format("{}: {}", where(place, type, id), why)};
}

Result<ByteView> Repository::State::open_blob(const BlobLocation& place, BlobType type,
                                              const BlobId& id, MutableByteView sealed,
                                              Bytes& scratch, SealedFrom from) const {
  if (const Status status = authenticate(key, sealed); !status) {
    return damaged(place, type, id, from, status.error().message());
  }
  // Before they are decrypted in place. Authentic bytes are worth keeping even if their content
  // proves wrong: they are what the repository has.
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

}  // namespace restree
