#include "repo/checker/pack_check.h"

#include <fmt/core.h>

#include "repo/crypto/seal.h"
#include "repo/crypto/sha256.h"
#include "repo/format/pack_header.h"

namespace restree {
namespace {

constexpr std::uint64_t kLengthBytes = 4;

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

void check_header(Repository& repository, MutableByteView file, const CheckedPacks& packs,
                  std::uint32_t number, std::vector<std::string>& wrong) {
  if (file.size() < kLengthBytes) return wrong.emplace_back("file is too short"), void();
  const std::size_t length = load_u32le(file.data() + file.size() - kLengthBytes);
  if (length > file.size() - kLengthBytes || length < kSealOverheadBytes) {
    wrong.push_back(fmt::format("header length {} is not possible", length));
    return;
  }
  const std::size_t payload = memory_size(file.size() - kLengthBytes - length);
  const auto opened = repository.open_sealed(file.subspan(payload, length));
  if (!opened) {
    wrong.push_back("header: " + opened.error().message());
    return;
  }
  const auto header = parse_pack_header(*opened, payload);
  if (!header) {
    wrong.push_back("header: " + header.error().message());
    return;
  }
  compare_header(*header, packs, number, wrong);
}

void check_blobs(Repository& repository, MutableByteView file, const CheckedPacks& packs,
                 std::uint32_t number, std::vector<std::string>& wrong) {
  Bytes scratch;
  std::uint64_t end_of_last = 0;
  bool has_gaps = false;
  for (const std::uint32_t position : packs.entries(number)) {
    const IndexEntry& entry = packs.index().entries()[position];
    has_gaps |= entry.offset != end_of_last;
    end_of_last = std::uint64_t{entry.offset} + entry.length;
    if (end_of_last > file.size()) {
      wrong.push_back(fmt::format("blob {}: lies beyond the end of the file", entry.id.hex()));
      continue;
    }
    const auto opened = repository.open_blob({.pack = packs.id(number),
                                              .offset = entry.offset,
                                              .length = entry.length,
                                              .raw_length = entry.raw_length},
                                             entry.type(), entry.id,
                                             file.subspan(entry.offset, entry.length), scratch);
    if (!opened) wrong.push_back(opened.error().message());
  }
  if (has_gaps) wrong.emplace_back("index for pack contains gaps / overlapping blobs");
}

Result<std::vector<std::string>> check_once(Repository& repository, const CheckedPacks& packs,
                                            std::uint32_t number, Deadline by) {
  std::vector<std::string> wrong;
  Result<Bytes> file = repository.storage().read_all({FileType::kPack, packs.id(number).hex()}, by);
  if (!file) {
    const ErrorKind kind = file.error().kind();
    if (kind == ErrorKind::kUnavailable || kind == ErrorKind::kCancelled) return file.error();
    wrong.push_back(file.error().message());
    return wrong;
  }
  const PackId hash{.bytes = sha256(*file)};
  if (hash != packs.id(number)) wrong.push_back("unexpected pack id " + hash.hex());
  check_blobs(repository, file->view(), packs, number, wrong);
  check_header(repository, file->view(), packs, number, wrong);
  return wrong;
}

}  // namespace

Result<std::vector<std::string>> check_pack(Repository& repository, const CheckedPacks& packs,
                                            std::uint32_t number, Deadline by) {
  ASSIGN_OR_RETURN(std::vector<std::string> wrong, check_once(repository, packs, number, by));
  if (wrong.empty()) return wrong;
  // Read once more: the connection or the memory may have been at fault.
  ASSIGN_OR_RETURN(std::vector<std::string> again, check_once(repository, packs, number, by));
  if (!again.empty()) return again;
  for (std::string& line : wrong) line += " (but correct when it was read again)";
  return wrong;
}

}  // namespace restree
