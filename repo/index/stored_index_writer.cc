#include "repo/index/stored_index_writer.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "repo/crypto/random.h"
#include "repo/index/id_order.h"
#include "repo/system/file_io.h"

namespace restree {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{256} * kStoredPieceBytes;
constexpr std::uint64_t kBlobsBetweenQuestions = 1 << 14;

// Numbers for the packs of all indexes together.
class PackNumbers {
 public:
  std::vector<std::uint32_t> number(const std::vector<PackId>& packs) {
    std::vector<std::uint32_t> numbers;
    numbers.reserve(packs.size());
    for (const PackId& pack : packs) {
      const auto next = static_cast<std::uint32_t>(packs_.size());
      const auto [known, is_new] = numbers_.try_emplace(pack, next);
      if (is_new) packs_.push_back(pack);
      numbers.push_back(known->second);
    }
    return numbers;
  }
  const std::vector<PackId>& packs() const { return packs_; }

 private:
  std::vector<PackId> packs_;
  std::unordered_map<PackId, std::uint32_t> numbers_;
};

// The entries of one index, in order, with the packs' common numbers.
class EntryStream {
 public:
  EntryStream(const Index& index, PackNumbers& packs)
      : rest_(index.entries()), numbers_(packs.number(index.packs())) {}
  EntryStream(const StoredIndex& stored, PackNumbers& packs)
      : stored_(&stored),
        block_(std::make_unique<StoredBlock>()),
        numbers_(packs.number(stored.packs())) {}

  // Makes the next entry the current one; false: there are no more.
  Result<bool> advance() {
    while (rest_.empty()) {
      if (stored_ == nullptr || next_block_ == stored_->block_count()) return false;
      ASSIGN_OR_RETURN(rest_, stored_->read_block(next_block_++, *block_));
    }
    current_ = rest_.front();
    rest_ = rest_.subspan(1);
    if (current_.pack_number() >= numbers_.size()) {
      return Error(ErrorKind::kCorrupt,
                   "the stored index is damaged: it does not name the pack of a blob");
    }
    current_.pack_and_type =
        numbers_[current_.pack_number()] | (current_.pack_and_type & IndexEntry::kTreeBit);
    return true;
  }
  const IndexEntry& current() const { return current_; }

 private:
  const StoredIndex* stored_ = nullptr;
  std::size_t next_block_ = 0;
  std::unique_ptr<StoredBlock> block_;
  std::span<const IndexEntry> rest_;
  std::vector<std::uint32_t> numbers_;
  IndexEntry current_{};
};

bool comes_before(const IndexEntry& a, const IndexEntry& b) {
  const int order = compare_ids(a.id, b.id);
  return order != 0 ? order < 0 : a.type() < b.type();
}

class StoredIndexFile {
 public:
  StoredIndexFile(int fd, const SealKey& key) : fd_(fd), key_(key) {
    buffer_.reserve(kBufferBytes);
  }

  Status begin() { return fill_random(head_.file_id); }

  Status add(const IndexEntry& entry) {
    if (block_entries_ == 0) first_.push_back(sort_prefix(entry.id));
    block_.entries[block_entries_++] = entry;
    ++head_.entries;
    head_.sealed_bytes += entry.length;
    if (entry.pack_number() >= pack_ends_.size()) pack_ends_.resize(entry.pack_number() + 1);
    std::uint32_t& pack_end = pack_ends_[entry.pack_number()];
    pack_end = std::max(pack_end, entry.offset + entry.length);
    return block_entries_ == block_.entries.size() ? end_block() : Status();
  }

  // The head is written last: until then the file cannot be opened.
  Status end(const std::vector<PackId>& packs, const std::vector<IndexId>& files) {
    if (block_entries_ != 0) RETURN_IF_ERROR(end_block());
    head_.packs = static_cast<std::uint32_t>(packs.size());
    head_.blocks = static_cast<std::uint32_t>(first_.size());
    head_.files = static_cast<std::uint32_t>(files.size());
    pack_ends_.resize(packs.size());
    RETURN_IF_ERROR(flush());
    RETURN_IF_ERROR(write_tables(packs, files));
    if (::ftruncate(fd_, static_cast<off_t>(offset_)) != 0) return trouble(errno);
    std::array<std::byte, kStoredPlainBytes> plain{};
    std::memcpy(plain.data(), &head_, sizeof head_);
    ASSIGN_OR_RETURN(const Bytes sealed, seal(key_, plain));
    offset_ = 0;
    return write(sealed);
  }

 private:
  Status end_block() {
    block_.head = {.file_id = head_.file_id,
                   .number = static_cast<std::uint32_t>(first_.size() - 1),
                   .entries = static_cast<std::uint32_t>(block_entries_)};
    std::fill(block_.entries.begin() + static_cast<std::ptrdiff_t>(block_entries_),
              block_.entries.end(), IndexEntry{});
    block_entries_ = 0;
    const std::size_t at = buffer_.size();
    buffer_.resize(at + kStoredPieceBytes);
    RETURN_IF_ERROR(seal_into(key_, std::as_bytes(std::span(&block_, 1)),
                              MutableByteView(buffer_).subspan(at)));
    return buffer_.size() >= kBufferBytes ? flush() : Status();
  }

  Status flush() {
    RETURN_IF_ERROR(write(buffer_));
    buffer_.clear();
    return {};
  }

  Status write_tables(const std::vector<PackId>& packs, const std::vector<IndexId>& files) {
    Bytes sealed(stored_tables_bytes(packs.size(), first_.size(), files.size()));
    const MutableByteView plain =
        sealed.view().subspan(kSealIvBytes, sealed.size() - kSealOverheadBytes);
    std::byte* to = std::copy(head_.file_id.begin(), head_.file_id.end(), plain.data());
    const auto put = [&](ByteView bytes) { to = std::copy(bytes.begin(), bytes.end(), to); };
    put(std::as_bytes(std::span(packs)));
    put(std::as_bytes(std::span(pack_ends_)));
    put(std::as_bytes(std::span(first_)));
    put(std::as_bytes(std::span(files)));
    RETURN_IF_ERROR(seal_into(key_, plain, sealed.view()));
    return write(sealed);
  }

  Status write(ByteView bytes) {
    if (const int error = write_at(fd_, offset_, bytes); error != 0) return trouble(error);
    offset_ += bytes.size();
    return {};
  }

  static Error trouble(int error) { return errno_error(error, "write the stored index"); }

  int fd_;
  const SealKey& key_;
  std::uint64_t offset_ = stored_block_offset(0);
  StoredIndexHead head_{};
  std::vector<std::uint32_t> pack_ends_;
  std::vector<std::uint64_t> first_;
  StoredBlock block_{};
  std::size_t block_entries_ = 0;
  std::vector<std::byte> buffer_;
};

// Takes the entries of the lowest id and type off all streams, each place once.
Result<std::span<const IndexEntry>> take_lowest(std::vector<EntryStream>& streams,
                                                std::vector<IndexEntry>& group) {
  group.clear();
  if (streams.empty()) return std::span<const IndexEntry>();
  const auto lowest = std::ranges::min_element(
      streams, [](const auto& a, const auto& b) { return comes_before(a.current(), b.current()); });
  const IndexEntry wanted = lowest->current();
  for (std::size_t i = static_cast<std::size_t>(lowest - streams.begin()); i < streams.size();) {
    const IndexEntry& entry = streams[i].current();
    if (entry.id != wanted.id || entry.type() != wanted.type()) {
      ++i;
      continue;
    }
    group.push_back(entry);
    ASSIGN_OR_RETURN(const bool has_more, streams[i].advance());
    if (!has_more) streams.erase(streams.begin() + static_cast<std::ptrdiff_t>(i));
  }
  std::ranges::sort(group, [](const IndexEntry& a, const IndexEntry& b) {
    return std::tie(a.pack_and_type, a.offset, a.length, a.raw_length) <
           std::tie(b.pack_and_type, b.offset, b.length, b.raw_length);
  });
  group.erase(std::ranges::unique(group).begin(), group.end());
  return std::span<const IndexEntry>(group);
}

}  // namespace

std::uint64_t IndexesToStore::blob_count() const {
  std::uint64_t sum = stored != nullptr ? stored->blob_count() : 0;
  for (const auto& part : parts) sum += part->blob_count();
  return sum;
}

std::uint64_t IndexesToStore::most_bytes() const {
  std::uint64_t packs = stored != nullptr ? stored->packs().size() : 0;
  for (const auto& part : parts) packs += part->pack_count();
  const std::uint64_t blocks = stored_blocks_of(blob_count());
  return stored_block_offset(blocks) + stored_tables_bytes(packs, blocks, files.size());
}

Status write_stored_index(int fd, const SealKey& key, const IndexesToStore& what,
                          const std::function<Status()>& go_on) {
  PackNumbers packs;
  std::vector<EntryStream> streams;
  if (what.stored != nullptr) streams.emplace_back(*what.stored, packs);
  for (const auto& part : what.parts) streams.emplace_back(*part, packs);
  for (auto stream = streams.begin(); stream != streams.end();) {
    ASSIGN_OR_RETURN(const bool has_one, stream->advance());
    stream = has_one ? stream + 1 : streams.erase(stream);
  }
  StoredIndexFile file(fd, key);
  RETURN_IF_ERROR(file.begin());
  std::vector<IndexEntry> group;
  for (std::uint64_t count = 0;; ++count) {
    if (count % kBlobsBetweenQuestions == 0) RETURN_IF_ERROR(go_on());
    ASSIGN_OR_RETURN(const auto entries, take_lowest(streams, group));
    if (entries.empty()) break;
    for (const IndexEntry& entry : entries) RETURN_IF_ERROR(file.add(entry));
  }
  return file.end(packs.packs(), what.files);
}

}  // namespace restree
