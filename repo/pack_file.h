// The blobs of a pack file, by the header at its end.
//
// Threads: any.
// Limits:  load_pack_header() holds the header and the bytes of one request.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "repo/base/bytes.h"
#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/format/id.h"
#include "repo/format/index_file.h"
#include "repo/storage/storage.h"

namespace restree {

class Repository;

struct StoredPack {
  PackId id;
  std::uint64_t size_bytes;
};

// The packs of a listing, in order. Other files in their place are left out. Some servers give no sizes
// in a listing: then all sizes are 0.
std::vector<StoredPack> packs_in(const std::vector<ListedFile>& listed);
bool have_sizes(const std::vector<StoredPack>& packs);

// What the header at the end of the file says. kCorrupt: it is no header, or does not authenticate.
// The blobs themselves are not looked at, so `file` may lack the first `missing_bytes` of the file.
Result<std::vector<IndexedBlob>> blobs_in_pack(const Repository& repository, ByteView file,
                                               std::uint64_t missing_bytes = 0);

// The header of a pack, from its end: two reads at most, mostly one.
Result<std::vector<IndexedBlob>> load_pack_header(Repository& repository, const StoredPack& pack,
                                                  Deadline by);
// The same in two steps: what stands at the end of the pack, from where its header begins; and what that
// says. `open` authenticates and decrypts, as Repository::open_into().
using OpenSealed = std::function<Status(ByteView sealed, MutableByteView plain)>;
Result<Bytes> load_pack_end(Storage& storage, const StoredPack& pack, Deadline by);
Result<std::vector<IndexedBlob>> blobs_at_end(const StoredPack& pack, ByteView end,
                                              const OpenSealed& open);

}  // namespace restree
