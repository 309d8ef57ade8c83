#include "repo/checker/checked_packs.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "repo/base/restic_words.h"
#include "repo/format/pack_header.h"

namespace restree {
namespace {

std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ (value >> 31)) * 0x9e3779b97f4a7c15U;
  return value ^ (value >> 29);
}

// A hash that does not depend on the order of the blobs.
std::uint64_t content_hash(std::span<const IndexedBlob> blobs) {
  std::uint64_t sum = blobs.size();
  for (const IndexedBlob& blob : blobs) {
    const std::uint64_t place = std::uint64_t{blob.offset} << 32 | blob.length;
    const std::uint64_t kind =
        std::uint64_t{blob.raw_length} << 1 | (blob.type == BlobType::kTree ? 1U : 0U);
    sum += mixed(blob.id.prefix64() ^ mixed(place ^ mixed(kind)));
  }
  return sum;
}

std::uint64_t bytes_in_pack(const IndexEntry& entry) {
  return entry.length + pack_header_entry_bytes(entry.blob());
}

}  // namespace

void CheckedPacks::pack(const std::string& file, const PackId& pack,
                        std::span<const IndexedBlob> blobs) {
  const std::uint64_t content = content_hash(blobs);
  auto read = read_.lock();
  const auto [at, is_new] = read->described.try_emplace(pack);
  Described& known = at->second;
  if (is_new) {
    known.content = content;
    known.file = file;
  } else {
    known.other_files.push_back(file);
    known.differs |= known.content != content;
  }
}

void CheckedPacks::damaged(const std::string& file, const Error& error) {
  read_.lock()->damaged_files.push_back(fmt::format(
      "{}: {}", fmt::format(restic_words::kErrorLoadingIndex.text, file), error.message()));
}

void CheckedPacks::take_index(std::shared_ptr<const Index> index, CheckListener& listener,
                              CheckFindings& findings) {
  index_ = std::move(index);
  Read read = std::exchange(*read_.lock(), {});
  const std::span<const IndexEntry> entries = index_->entries();
  sizes_.assign(index_->pack_count(), kPackOverheadBytes);
  has_size_.assign(index_->pack_count(), false);
  contents_ = PackContents(*index_);
  std::vector<std::uint8_t> types(index_->pack_count(), 0);
  for (const IndexEntry& entry : entries) {
    const std::uint32_t number = entry.pack_number();
    sizes_[number] += bytes_in_pack(entry);
    types[number] =
        static_cast<std::uint8_t>(types[number] | (entry.type() == BlobType::kTree ? 2 : 1));
  }
  for (std::uint32_t number = 0; number < count(); ++number) {
    const Described& described = read.described[id(number)];
    if (described.differs) {
      ++findings.errors;
      findings.damaged = true;
      findings.broken_packs.insert(id(number));
      listener.error(fmt::format("pack {} has different data in indexes: {} {}", id(number).hex(),
                                 described.file, fmt::join(described.other_files, " ")));
    } else if (!described.other_files.empty()) {
      findings.duplicate_packs = true;
      listener.hint(fmt::format("pack {} contained in several indexes: {} {}", id(number).hex(),
                                described.file, fmt::join(described.other_files, " ")));
    }
    if (types[number] == 3) {
      findings.mixed_packs = true;
      listener.hint(
          fmt::format("pack {} contains a mix of tree and data blobs", id(number).short_hex()));
    }
  }
  for (const std::string& text : read.damaged_files) {
    ++findings.errors;
    ++findings.damaged_index_files;
    findings.damaged = findings.index_damaged = true;
    listener.error("error: " + text);
  }
}

void CheckedPacks::note_lost_part(std::uint32_t number, std::uint64_t size_bytes,
                                  Damage& damage) const {
  for (const std::uint32_t position : entries(number)) {
    const IndexEntry& entry = index_->entries()[position];
    if (std::uint64_t{entry.offset} + entry.length > size_bytes) damage.add_place(position);
  }
}

Status CheckedPacks::compare_with_storage(Storage& storage, Deadline by, CheckListener& listener,
                                          CheckFindings& findings, Damage& damage) {
  ASSIGN_OR_RETURN(const std::vector<ListedFile> files, storage.list(FileType::kPack, by));
  std::unordered_map<PackId, std::uint64_t> stored;
  for (const ListedFile& file : files) {
    if (const auto id = PackId::parse(file.name)) stored.emplace(*id, file.size_bytes);
  }
  const auto fail = [&](std::uint32_t number, const std::string& why) {
    ++findings.errors;
    findings.damaged = true;
    listener.error(fmt::format("pack {}: {}", id(number).hex(), why));
  };
  missing_.assign(count(), false);
  for (std::uint32_t number = 0; number < count(); ++number) {
    const auto found = stored.find(id(number));
    if (found == stored.end()) {
      ++findings.missing_packs;
      missing_[number] = true;
      note_lost_part(number, 0, damage);
      fail(number, "does not exist");
      continue;
    }
    has_size_[number] = found->second == size(number);
    if (!has_size(number)) {
      findings.broken_packs.insert(id(number));
      note_lost_part(number, found->second, damage);
      fail(number,
           fmt::format("unexpected file size: got {}, expected {}", found->second, size(number)));
    }
    stored.erase(found);
  }
  for (const auto& [pack, size_bytes] : stored) {
    ++findings.unindexed_packs;
    listener.detail(fmt::format("pack {}: not referenced in any index", pack.hex()));
  }
  return {};
}

}  // namespace restree
