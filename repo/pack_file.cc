#include "repo/pack_file.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "repo/crypto/seal.h"
#include "repo/format/pack_header.h"
#include "repo/repository.h"

namespace restree {
namespace {

// The length behind the header.
constexpr std::size_t kLengthBytes = 4;
// What the first read asks for: the header of most packs of large files.
constexpr std::size_t kFirstReadBytes = 4096;
constexpr std::size_t kMostHeaderBytes = 16 << 20;

std::size_t header_bytes_in(ByteView file) {
  return load_u32le(file.data() + file.size() - kLengthBytes);
}

Error damaged(const StoredPack& pack, std::string_view why) {
  return {ErrorKind::kCorrupt, fmt::format("pack {}: {}", pack.id.hex(), why)};
}

}  // namespace

std::vector<StoredPack> packs_in(const std::vector<ListedFile>& listed) {
  std::vector<StoredPack> packs;
  packs.reserve(listed.size());
  for (const ListedFile& file : listed) {
    if (const auto id = PackId::parse(file.name)) packs.push_back({*id, file.size_bytes});
  }
  std::ranges::sort(packs, {}, &StoredPack::id);
  return packs;
}

bool have_sizes(const std::vector<StoredPack>& packs) {
  return std::ranges::any_of(packs, [](const StoredPack& pack) { return pack.size_bytes > 0; });
}

Result<std::vector<IndexedBlob>> blobs_in_pack(const Repository& repository, ByteView file,
                                               std::uint64_t missing_bytes) {
  if (file.size() < kLengthBytes) return Error(ErrorKind::kCorrupt, "file is too short");
  const std::size_t length = header_bytes_in(file);
  if (length > file.size() - kLengthBytes || length < kSealOverheadBytes) {
    return Error(ErrorKind::kCorrupt, fmt::format("header length {} is not possible", length));
  }
  const std::size_t payload = file.size() - kLengthBytes - length;
  Bytes header(length - kSealOverheadBytes);
  if (Status opened = repository.open_into(file.subspan(payload, length), header.view()); !opened) {
    return std::move(opened).error().with("header");
  }
  auto blobs = parse_pack_header(header, missing_bytes + payload);
  if (!blobs) return std::move(blobs).error().with("header");
  return blobs;
}

Result<std::vector<IndexedBlob>> load_pack_header(Repository& repository, const StoredPack& pack,
                                                  Deadline by) {
  ASSIGN_OR_RETURN(const Bytes end, load_pack_end(repository.storage(), pack, by));
  return blobs_at_end(pack, end, [&](ByteView sealed, MutableByteView plain) {
    return repository.open_into(sealed, plain);
  });
}

Result<Bytes> load_pack_end(Storage& storage, const StoredPack& pack, Deadline by) {
  const FileName file{FileType::kPack, pack.id.hex()};
  const std::uint64_t size_bytes = pack.size_bytes;
  const auto read_end = [&](std::uint64_t length) {
    return storage.read(file, {size_bytes - length, length}, by);
  };
  if (size_bytes < kLengthBytes + kSealOverheadBytes) return damaged(pack, "it is too short");
  ASSIGN_OR_RETURN(Bytes end, read_end(std::min<std::uint64_t>(size_bytes, kFirstReadBytes)));
  const std::size_t header_bytes = header_bytes_in(end);
  if (header_bytes < kSealOverheadBytes || header_bytes > kMostHeaderBytes ||
      header_bytes > size_bytes - kLengthBytes) {
    return damaged(pack, "what stands at its end is not the length of a header");
  }
  const std::size_t wanted = header_bytes + kLengthBytes;
  if (wanted > end.size()) return read_end(wanted);
  end.remove_prefix(end.size() - wanted);
  return end;
}

Result<std::vector<IndexedBlob>> blobs_at_end(const StoredPack& pack, ByteView end,
                                              const OpenSealed& open) {
  if (end.size() < kLengthBytes + kSealOverheadBytes || end.size() > pack.size_bytes) {
    return damaged(pack, "it is too short");
  }
  const ByteView sealed = end.first(end.size() - kLengthBytes);
  Bytes header(sealed.size() - kSealOverheadBytes);
  if (const Status opened = open(sealed, header.view()); !opened) {
    return damaged(pack, opened.error().message());
  }
  auto blobs = parse_pack_header(header, pack.size_bytes - end.size());
  if (!blobs) return std::move(blobs).error().with("pack " + pack.id.hex());
  return blobs;
}

}  // namespace restree
