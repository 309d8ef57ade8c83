#include "repo/unindexed_packs.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/base/log.h"
#include "repo/base/thread_pool.h"
#include "repo/crypto/seal.h"
#include "repo/format/pack_header.h"
#include "repo/pending_index.h"

namespace restree {
namespace {

constexpr std::size_t kParallelPacks = 8;
// The length behind the header.
constexpr std::size_t kLengthBytes = 4;
// What the first read asks for: the header of most packs of large files.
constexpr std::size_t kFirstReadBytes = 4096;
constexpr std::size_t kMostHeaderBytes = 16 << 20;

struct ListedPack {
  PackId id;
  std::uint64_t size_bytes;
};

Result<std::vector<ListedPack>> unindexed_packs(Repository& repository, Deadline by) {
  ASSIGN_OR_RETURN(const std::vector<ListedFile> files,
                   repository.storage().list(FileType::kPack, by));
  const std::vector<PackId> indexed = repository.indexed_packs();
  std::vector<ListedPack> packs;
  for (const ListedFile& file : files) {
    const auto id = PackId::parse(file.name);
    if (!id || std::binary_search(indexed.begin(), indexed.end(), *id)) continue;
    packs.push_back({*id, file.size_bytes});
  }
  return packs;
}

}  // namespace

Result<std::vector<IndexedBlob>> load_pack_header(Repository& repository, const PackId& pack,
                                                  std::uint64_t size_bytes, Deadline by) {
  const auto damaged = [&](std::string_view why) {
    return Error(ErrorKind::kCorrupt, fmt::format("pack {}: {}", pack.hex(), why));
  };
  const FileName file{FileType::kPack, pack.hex()};
  const auto read_end = [&](std::uint64_t length) {
    return repository.storage().read(file, {size_bytes - length, length}, by);
  };
  if (size_bytes < kLengthBytes + kSealOverheadBytes) return damaged("it is too short");
  ASSIGN_OR_RETURN(Bytes end, read_end(std::min<std::uint64_t>(size_bytes, kFirstReadBytes)));
  const std::size_t header_bytes = load_u32le(end.data() + end.size() - kLengthBytes);
  if (header_bytes < kSealOverheadBytes || header_bytes > kMostHeaderBytes ||
      header_bytes > size_bytes - kLengthBytes) {
    return damaged("what stands at its end is not the length of a header");
  }
  if (header_bytes + kLengthBytes > end.size()) {
    ASSIGN_OR_RETURN(end, read_end(header_bytes + kLengthBytes));
  }
  const ByteView sealed = end.view().last(header_bytes + kLengthBytes).first(header_bytes);
  Bytes header(header_bytes - kSealOverheadBytes);
  if (const Status opened = repository.open_into(sealed, header.view()); !opened) {
    return damaged(opened.error().message());
  }
  return parse_pack_header(header, size_bytes - kLengthBytes - header_bytes);
}

Result<AdoptedPacks> adopt_unindexed_packs(Repository& repository, Deadline by) {
  ASSIGN_OR_RETURN(const std::vector<ListedPack> packs, unindexed_packs(repository, by));
  PendingIndex index(repository);
  Guarded<AdoptedPacks> adopted;
  RETURN_IF_ERROR(parallel_for(packs.size(), kParallelPacks, [&](std::size_t i) -> Status {
    const ListedPack& pack = packs[i];
    auto blobs = load_pack_header(repository, pack.id, pack.size_bytes, by);
    if (!blobs) {
      const ErrorKind kind = blobs.error().kind();
      if (kind != ErrorKind::kCorrupt && kind != ErrorKind::kUnsupported) return blobs.error();
      log::info("left as it is: {}", blobs.error().message());
      return {};
    }
    {
      auto sum = adopted.lock();
      ++sum->packs;
      sum->blobs += blobs->size();
      sum->bytes += pack.size_bytes;
    }
    return index.add({pack.id, std::move(*blobs)}, by);
  }));
  RETURN_IF_ERROR(index.save(by));
  if (adopted.lock()->packs > 0) RETURN_IF_ERROR(repository.refresh_index(by));
  return *adopted.lock();
}

}  // namespace restree
