#include "repo/checker/pack_check.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "repo/crypto/sha256.h"
#include "repo/pack_file.h"
#include "repo/pack_verifier.h"

namespace restree {
namespace {

bool ends_a_check(const Error& error) {
  return error.kind() == ErrorKind::kUnavailable || error.kind() == ErrorKind::kCancelled;
}

// The header's entries must be those of the index, each at its place.
void compare_header(const std::vector<IndexedBlob>& header, const CheckedPacks& packs,
                    std::uint32_t number, std::vector<std::string>& wrong) {
  const auto positions = packs.entries(number);
  if (header.size() != positions.size()) {
    wrong.push_back(
        fmt::format("the header names {} blobs, the index {}", header.size(), positions.size()));
  }
  std::size_t next = 0;
  for (const IndexedBlob& blob : header) {
    while (next < positions.size() &&
           packs.index().entries()[positions[next]].offset < blob.offset) {
      ++next;
    }
    const IndexEntry* const entry =
        next < positions.size() ? &packs.index().entries()[positions[next]] : nullptr;
    const bool same = entry != nullptr && entry->id == blob.id && entry->type() == blob.type &&
                      entry->offset == blob.offset && entry->length == blob.length &&
                      entry->raw_length == blob.raw_length;
    if (!same) {
      wrong.push_back(
          fmt::format("blob {} is not contained in index or position is incorrect", blob.id.hex()));
    }
  }
}

void check_header(Repository& repository, ByteView file, const CheckedPacks& packs,
                  std::uint32_t number, std::vector<std::string>& wrong) {
  const auto header = blobs_in_pack(repository, file);
  if (!header) return wrong.push_back(header.error().message());
  compare_header(*header, packs, number, wrong);
}

void check_blobs(Repository& repository, MutableByteView file, const CheckedPacks& packs,
                 std::uint32_t number, PackVerdict& verdict) {
  Bytes scratch;
  std::uint64_t end_of_last = 0;
  bool has_gaps = false;
  for (const std::uint32_t position : packs.entries(number)) {
    const IndexEntry& entry = packs.index().entries()[position];
    has_gaps |= entry.offset != end_of_last;
    end_of_last = std::uint64_t{entry.offset} + entry.length;
    if (end_of_last > file.size()) {
      verdict.wrong.push_back(
          fmt::format("blob {}: lies beyond the end of the file", entry.id.hex()));
      verdict.damaged.push_back(position);
      continue;
    }
    const auto opened = repository.open_blob({.pack = packs.id(number),
                                              .offset = entry.offset,
                                              .length = entry.length,
                                              .raw_length = entry.raw_length},
                                             entry.type(), entry.id,
                                             file.subspan(entry.offset, entry.length), scratch);
    if (opened) continue;
    verdict.wrong.push_back(opened.error().message());
    verdict.damaged.push_back(position);
  }
  if (has_gaps) verdict.wrong.emplace_back("index for pack contains gaps / overlapping blobs");
}

// Those that the index has of the pack; nullopt: it does not have all that the file must have, and no more.
std::optional<std::vector<IndexedBlob>> blobs_without_gaps(const CheckedPacks& packs,
                                                           std::uint32_t number) {
  const bool is_possible = packs.size(number) <= most_file_bytes(FileType::kPack);
  if (!is_possible || !packs.has_size(number)) return std::nullopt;
  std::vector<IndexedBlob> blobs;
  std::uint64_t end = 0;
  for (const std::uint32_t position : packs.entries(number)) {
    blobs.push_back(packs.index().entries()[position].blob());
    if (blobs.back().offset != end) return std::nullopt;
    end += blobs.back().length;
  }
  return blobs;
}

// Reads a pack that is probably sound once, a little at a time, and says what is wrong first.
Result<std::vector<std::string>> check_quickly(Repository& repository, const CheckedPacks& packs,
                                               std::uint32_t number,
                                               std::span<const IndexedBlob> blobs, Deadline by) {
  const FileName name{FileType::kPack, packs.id(number).hex()};
  Storage& storage = repository.storage();
  const auto pack = verify_pack(
      repository, blobs, packs.size(number), storage.read_habit().request_bytes,
      [&](Bytes& buffer, ByteRange range) { return storage.read_into(buffer, name, range, by); });
  std::vector<std::string> wrong;
  if (!pack) {
    const ErrorKind kind = pack.error().kind();
    if (kind == ErrorKind::kUnavailable || kind == ErrorKind::kCancelled) return pack.error();
    wrong.push_back(pack.error().message());
    return wrong;
  }
  if (pack->id != packs.id(number)) wrong.push_back("unexpected pack id " + pack->id.hex());
  const auto header = blobs_in_pack(repository, pack->end, packs.size(number) - pack->end.size());
  if (!header) {
    wrong.push_back(header.error().message());
  } else {
    compare_header(*header, packs, number, wrong);
  }
  return wrong;
}

Result<PackVerdict> check_once(Repository& repository, const CheckedPacks& packs,
                               std::uint32_t number, Deadline by) {
  PackVerdict verdict;
  Result<Bytes> file = repository.storage().read_all({FileType::kPack, packs.id(number).hex()}, by);
  if (!file) {
    if (ends_a_check(file.error())) return file.error();
    verdict.wrong.push_back(file.error().message());
    verdict.damaged.assign(packs.entries(number).begin(), packs.entries(number).end());
    return verdict;
  }
  const PackId hash{.bytes = sha256(*file)};
  if (hash != packs.id(number)) verdict.wrong.push_back("unexpected pack id " + hash.hex());
  check_blobs(repository, file->view(), packs, number, verdict);
  check_header(repository, file->view(), packs, number, verdict.wrong);
  return verdict;
}

// Of the blobs that are not where the index has them, those that the pack's own header has elsewhere
// and that are whole there do not count as damaged: it is the index that is wrong.
Status find_misplaced(Repository& repository, const CheckedPacks& packs, std::uint32_t number,
                      Deadline by, PackVerdict& verdict) {
  if (verdict.damaged.empty()) return {};
  const PackId& pack = packs.id(number);
  // Once more, as blobs were opened in place.
  Result<Bytes> file = repository.storage().read_all({FileType::kPack, pack.hex()}, by);
  const auto header =
      file ? blobs_in_pack(repository, *file) : Result<std::vector<IndexedBlob>>(file.error());
  if (!header) return ends_a_check(header.error()) ? Status(header.error()) : Status();
  Bytes scratch;
  for (const IndexedBlob& blob : *header) {
    const auto is_same = [&](std::uint32_t position) {
      const IndexEntry& entry = packs.index().entries()[position];
      return entry.id == blob.id && entry.type() == blob.type;
    };
    if (std::ranges::none_of(verdict.damaged, is_same)) continue;
    Bytes sealed = Bytes::copy_of(file->view().subspan(blob.offset, blob.length));
    const BlobLocation place{
        .pack = pack, .offset = blob.offset, .length = blob.length, .raw_length = blob.raw_length};
    if (!repository.open_blob(place, blob.type, blob.id, sealed.view(), scratch)) continue;
    std::erase_if(verdict.damaged, is_same);
    ++verdict.misplaced;
  }
  return {};
}

}  // namespace

Result<PackVerdict> check_pack(Repository& repository, const CheckedPacks& packs,
                               std::uint32_t number, Deadline by) {
  PackVerdict first;
  if (const auto blobs = blobs_without_gaps(packs, number)) {
    ASSIGN_OR_RETURN(first.wrong, check_quickly(repository, packs, number, *blobs, by));
  } else {
    ASSIGN_OR_RETURN(first, check_once(repository, packs, number, by));
  }
  if (first.wrong.empty()) return first;
  // Read once more: the connection or the memory may have been at fault.
  ASSIGN_OR_RETURN(PackVerdict again, check_once(repository, packs, number, by));
  if (!again.wrong.empty()) {
    RETURN_IF_ERROR(find_misplaced(repository, packs, number, by, again));
    return again;
  }
  for (std::string& line : first.wrong) line += " (but correct when it was read again)";
  return PackVerdict{.wrong = std::move(first.wrong), .damaged = {}};
}

}  // namespace restree
