#include "repo/pruner/index_files.h"

#include <fmt/core.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "repo/format/index_file.h"
#include "repo/format/pack_header.h"

namespace restree {
namespace {

// As all writers of the format have it.
constexpr std::size_t kFullBlobs = 50'000;
constexpr std::size_t kTooManyBlobs = kFullBlobs + kMostPackEntries;

// The positions of the blobs of some packs, pack by pack.
class BlobsByPack {
 public:
  BlobsByPack(const WholeIndex& index, const std::vector<std::uint32_t>& packs)
      : index_(index), begins_(index.pack_count() + 1, 0) {
    std::vector<bool> wanted(index.pack_count());
    for (const std::uint32_t pack : packs) wanted[pack] = true;
    index.each_entry([&](std::size_t /*position*/, const IndexEntry& entry) {
      if (wanted[entry.pack_number()]) ++begins_[entry.pack_number() + 1];
    });
    for (std::size_t i = 1; i < begins_.size(); ++i) begins_[i] += begins_[i - 1];
    positions_.resize(begins_.back());
    std::vector<std::uint32_t> next(begins_.begin(), begins_.end() - 1);
    index.each_entry([&](std::size_t position, const IndexEntry& entry) {
      const std::uint32_t pack = entry.pack_number();
      if (wanted[pack]) positions_[next[pack]++] = static_cast<std::uint32_t>(position);
    });
  }

  IndexedPack pack(std::uint32_t number) const {
    IndexedPack pack{.id = index_.packs()[number], .blobs = {}};
    for (std::uint32_t i = begins_[number]; i < begins_[number + 1]; ++i) {
      pack.blobs.push_back(index_.entry(positions_[i]).blob());
    }
    std::ranges::sort(pack.blobs, {}, &IndexedBlob::offset);
    return pack;
  }

 private:
  const WholeIndex& index_;
  std::vector<std::uint32_t> begins_;  // of each pack in positions_, and the end
  std::vector<std::uint32_t> positions_;
};

std::unordered_map<PackId, std::uint32_t> numbers_of_packs(const WholeIndex& index) {
  std::unordered_map<PackId, std::uint32_t> numbers;
  for (std::uint32_t i = 0; i < index.pack_count(); ++i) numbers.emplace(index.packs()[i], i);
  return numbers;
}

}  // namespace

void IndexFiles::pack(const std::string& file, const PackId& pack,
                      std::span<const IndexedBlob> blobs) {
  if (blobs.empty()) return;  // it is not in the index either
  auto read = read_.lock();
  IndexFileContent& content = read->files[file];
  content.packs.push_back(pack);
  content.blobs += blobs.size();
}

void IndexFiles::damaged(const std::string& file, const Error& error) {
  read_.lock()->damaged.emplace(file, error.message());
}

Result<IndexFileContents> IndexFiles::take() {
  auto read = read_.lock();
  if (read->damaged.empty()) return std::move(read->files);
  const auto& [file, why] = *read->damaged.begin();
  return Error(ErrorKind::kCorrupt,
               fmt::format("index file {} cannot be read, so what is in use is "
                           "not known: {}",
                           file, why))
      .hinting(
          "Nothing was removed. No backup is lost: `restree repair index` makes a new index from "
          "the packs.");
}

Result<IndexFileContent> read_index_file(Repository& repository, const std::string& name,
                                         const WholeIndex& index, Deadline by) {
  ASSIGN_OR_RETURN(const Bytes json, repository.load_unpacked({FileType::kIndex, name}, by));
  IndexFileContent content;
  bool is_newer = false;
  const auto is_known = [&](const PackId& pack, const IndexedBlob& blob) {
    const std::vector<BlobLocation> places = index.find_all(blob.type, blob.id);
    return std::ranges::any_of(places, [&](const BlobLocation& place) {
      return place.pack == pack && place.offset == blob.offset;
    });
  };
  RETURN_IF_ERROR(parse_index_file(json, [&](const PackId& pack, auto blobs) {
    if (blobs.empty()) return;
    content.packs.push_back(pack);
    content.blobs += blobs.size();
    for (const IndexedBlob& blob : blobs) is_newer |= !is_known(pack, blob);
  }));
  if (!is_newer) return content;
  return Error(ErrorKind::kUnavailable,
               fmt::format("index file {} has appeared while the repository was locked", name))
      .hinting(
          "A program that takes no locks has written it. No pack that an index names was "
          "removed. Run prune again, while no such program is at work.");
}

IndexRewrite plan_index_rewrite(const IndexFileContents& files, const WholeIndex& index,
                                const std::vector<bool>& stays) {
  const auto numbers = numbers_of_packs(index);
  const auto is_known = [&](const PackId& pack) { return numbers.contains(pack); };
  std::vector<std::uint32_t> named(index.pack_count(), 0);
  for (const auto& [name, content] : files) {
    for (const PackId& pack : content.packs) {
      if (is_known(pack)) ++named[numbers.at(pack)];
    }
  }
  const auto is_reason = [&](const PackId& pack) {
    const std::uint32_t number = numbers.at(pack);
    return !stays[number] || named[number] > 1;
  };
  IndexRewrite rewrite;
  std::vector<bool> taken(index.pack_count());
  for (const auto& [name, content] : files) {
    if (!std::ranges::all_of(content.packs, is_known)) continue;
    const bool has_wrong_size = content.blobs < kFullBlobs || content.blobs >= kTooManyBlobs;
    if (!has_wrong_size && std::ranges::none_of(content.packs, is_reason)) continue;
    rewrite.files.push_back(name);
    for (const PackId& pack : content.packs) {
      const std::uint32_t number = numbers.at(pack);
      if (!stays[number] || taken[number]) continue;
      taken[number] = true;
      rewrite.packs.push_back(number);
    }
  }
  return rewrite;
}

std::vector<IndexRewrite> plan_index_steps(const IndexFileContents& files, const WholeIndex& index,
                                           const std::vector<bool>& stays) {
  const auto numbers = numbers_of_packs(index);
  const auto is_known = [&](const PackId& pack) { return numbers.contains(pack); };
  const auto does_stay = [&](const PackId& pack) { return stays[numbers.at(pack)]; };
  std::vector<IndexRewrite> steps;
  for (const auto& [name, content] : files) {
    if (!std::ranges::all_of(content.packs, is_known)) continue;
    if (std::ranges::all_of(content.packs, does_stay)) continue;
    IndexRewrite step{.files = {name}, .packs = {}};
    for (const PackId& pack : content.packs) {
      if (does_stay(pack)) step.packs.push_back(numbers.at(pack));
    }
    std::ranges::sort(step.packs);
    const auto repeated = std::ranges::unique(step.packs);
    step.packs.erase(repeated.begin(), repeated.end());
    steps.push_back(std::move(step));
  }
  return steps;
}

Status write_packs(const WholeIndex& index, const std::vector<std::uint32_t>& packs,
                   const std::function<Status(const std::string& json)>& save) {
  const BlobsByPack by_pack(index, packs);
  std::vector<IndexedPack> due;
  std::size_t blobs = 0;
  for (const std::uint32_t number : packs) {
    due.push_back(by_pack.pack(number));
    blobs += due.back().blobs.size();
    if (blobs < kFullBlobs) continue;
    RETURN_IF_ERROR(save(write_index_file(due)));
    due.clear();
    blobs = 0;
  }
  return due.empty() ? Status() : save(write_index_file(due));
}

}  // namespace restree
