#include "repo/index/stored_index.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "repo/index/id_order.h"
#include "repo/system/file_io.h"

namespace restree {
namespace {

Error damaged(std::string_view what) {
  return {ErrorKind::kCorrupt, "the stored index is damaged: " + std::string(what)};
}

Status read_exactly(int fd, std::uint64_t offset, MutableByteView into) {
  const ReadCount read = read_at(fd, offset, into);
  if (read.error != 0) return errno_error(read.error, "read the stored index");
  if (!read.is_all_of(into)) return damaged("it ends early");
  return {};
}

// Reads the piece at `offset` and opens it into `plain`.
Status read_piece(int fd, const SealKey& key, std::uint64_t offset, MutableByteView plain) {
  std::array<std::byte, kStoredPieceBytes> sealed;
  RETURN_IF_ERROR(read_exactly(fd, offset, sealed));
  return open_into(key, sealed, plain);
}

// Takes the next `count` values off the front.
template <class T>
std::vector<T> take(ByteView& bytes, std::size_t count) {
  std::vector<T> values(count);
  const std::size_t size = count * sizeof(T);
  if (count != 0) std::memcpy(values.data(), bytes.data(), size);
  bytes = bytes.subspan(size);
  return values;
}

}  // namespace

Result<std::shared_ptr<const StoredIndex>> StoredIndex::open(UniqueFd fd, const SealKey& key) {
  const std::shared_ptr<StoredIndex> index(new StoredIndex(std::move(fd), key));
  RETURN_IF_ERROR(index->read_head());
  RETURN_IF_ERROR(index->read_tables());
  return std::shared_ptr<const StoredIndex>(index);
}

Status StoredIndex::read_head() {
  std::array<std::byte, kStoredPlainBytes> plain;
  RETURN_IF_ERROR(read_piece(fd_.get(), key_, 0, plain));
  std::memcpy(&head_, plain.data(), sizeof head_);
  if (head_.magic != StoredIndexHead::kMagic) return damaged("another format or byte order");
  if (!std::in_range<std::size_t>(head_.entries)) return damaged("too large for this processor");
  // An authentic head is as it was written. But it says how much memory to take, so it is compared
  // with the size of the file.
  struct stat attributes {};
  if (::fstat(fd_.get(), &attributes) != 0) return errno_error(errno, "stat the stored index");
  const std::uint64_t size = stored_block_offset(head_.blocks) +
                             stored_tables_bytes(head_.packs, head_.blocks, head_.files);
  if (static_cast<std::uint64_t>(attributes.st_size) != size) return damaged("its size is wrong");
  return {};
}

Status StoredIndex::read_tables() {
  Bytes sealed(stored_tables_bytes(head_.packs, head_.blocks, head_.files));
  RETURN_IF_ERROR(read_exactly(fd_.get(), stored_block_offset(head_.blocks), sealed.view()));
  ASSIGN_OR_RETURN(const ByteView opened, open_in_place(key_, sealed.view()));
  ByteView rest = opened;
  if (take<StoredFileId>(rest, 1).front() != head_.file_id) return damaged("its tables do not fit");
  packs_ = take<PackId>(rest, head_.packs);
  pack_ends_ = take<std::uint32_t>(rest, head_.packs);
  first_ = take<std::uint64_t>(rest, head_.blocks);
  files_ = take<IndexId>(rest, head_.files);
  return {};
}

Result<std::span<const IndexEntry>> StoredIndex::read_block(std::size_t number,
                                                            StoredBlock& block) const {
  RETURN_IF_ERROR(read_piece(fd_.get(), key_, stored_block_offset(number),
                             std::as_writable_bytes(std::span(&block, 1))));
  if (block.head.file_id != head_.file_id || block.head.number != number ||
      block.head.entries > block.entries.size()) {
    return damaged("a block is not the one that should be there");
  }
  return std::span<const IndexEntry>(block.entries).first(block.head.entries);
}

Result<std::shared_ptr<const StoredBlock>> StoredIndex::block(std::size_t number) const {
  const std::size_t place = number % kKeptBlocks;
  {
    auto kept = kept_.lock();
    if (kept->empty()) kept->resize(std::min(kKeptBlocks, block_count()));
    const auto& here = (*kept)[place];
    if (here != nullptr && here->head.number == number) return here;
  }
  auto block = std::make_shared<StoredBlock>();
  RETURN_IF_ERROR(read_block(number, *block));
  (*kept_.lock())[place] = block;
  return std::shared_ptr<const StoredBlock>(std::move(block));
}

Result<std::vector<BlobLocation>> StoredIndex::find_all(BlobType type, const BlobId& id) const {
  std::vector<BlobLocation> places;
  const std::uint64_t prefix = sort_prefix(id);
  // The block before the first one that begins with this prefix, or a later one, may hold the blob.
  auto number = static_cast<std::size_t>(std::ranges::lower_bound(first_, prefix) - first_.begin());
  if (number > 0) --number;
  for (; number < first_.size() && first_[number] <= prefix; ++number) {
    ASSIGN_OR_RETURN(const auto found, block(number));
    for (const IndexEntry& entry : std::span(found->entries).first(found->head.entries)) {
      if (entry.id != id || entry.type() != type) continue;
      const std::uint32_t pack = entry.pack_number();
      if (pack >= packs_.size()) return damaged("it does not name the pack of a blob");
      places.push_back(
          {packs_[pack], entry.offset, entry.length, entry.raw_length, pack_ends_[pack]});
    }
  }
  return places;
}

std::size_t StoredIndex::memory_bytes() const {
  std::size_t kept_bytes = 0;
  {
    auto kept = kept_.lock();
    const auto is_there = [](const auto& block) { return block != nullptr; };
    kept_bytes =
        kept->capacity() * sizeof(kept->front()) +
        static_cast<std::size_t>(std::ranges::count_if(*kept, is_there)) * sizeof(StoredBlock);
  }
  return sizeof(StoredIndex) + kept_bytes + packs_.capacity() * sizeof(PackId) +
         pack_ends_.capacity() * sizeof(std::uint32_t) + first_.capacity() * sizeof(std::uint64_t) +
         files_.capacity() * sizeof(IndexId);
}

}  // namespace restree
