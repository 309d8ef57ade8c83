// An index file: which blobs lie where in which packs.
//
// Format: {"supersedes":[id…],"packs":[{"id":…,"blobs":[{"id":…,"type":…,"offset":…,"length":…,
// "uncompressed_length":…}]}]}; repositories of 2015 hold the bare array of packs instead. Pure
// functions; any thread.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/format/id.h"

namespace restree {

struct IndexedBlob {
  BlobId id;
  BlobType type;
  std::uint32_t offset;      // of the sealed bytes, from the start of the pack
  std::uint32_t length;      // sealed
  std::uint32_t raw_length;  // uncompressed; 0 if the blob is not compressed
};

// Calls `visit` once for each pack, in the order of the file; the span lives for the call.
// kCorrupt: not the format above, or a blob that no pack can hold.
using IndexVisitor = std::function<void(const PackId& pack, std::span<const IndexedBlob> blobs)>;
Status parse_index_file(ByteView json, const IndexVisitor& visit);

struct IndexedPack {
  PackId id;
  std::vector<IndexedBlob> blobs;
};
std::string write_index_file(std::span<const IndexedPack> packs);

}  // namespace restree
