#include "repo/storage/storage.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace restree {
namespace {

constexpr std::array<std::string_view, 5> kPlainFolders{"keys", "locks", "snapshots", "index",
                                                        "data"};
constexpr unsigned kPackFolders = 256;

std::string pack_folder(unsigned number) { return fmt::format("data/{:02x}", number); }

}  // namespace

std::string_view directory_of(FileType type) {
  switch (type) {
    case FileType::kConfig:
      return "";
    case FileType::kKey:
      return "keys";
    case FileType::kLock:
      return "locks";
    case FileType::kSnapshot:
      return "snapshots";
    case FileType::kIndex:
      return "index";
    case FileType::kPack:
      return "data";
  }
  return "";
}

std::uint64_t most_file_bytes(FileType type) {
  constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
  switch (type) {
    case FileType::kConfig:
    case FileType::kKey:
    case FileType::kLock:
      return kMiB;
    case FileType::kSnapshot:
      return 64 * kMiB;     // which names half a million paths, and more where it is compressed
    case FileType::kIndex:  // one of ten million blobs stays below
    case FileType::kPack:   // restic's have 128 MiB and a blob at most
      return 1024 * kMiB;
  }
  return 0;
}

Status expect_file_size(const FileName& file, std::uint64_t size_bytes) {
  const std::uint64_t most = most_file_bytes(file.type);
  if (size_bytes <= most) return {};
  return Error(ErrorKind::kCorrupt,
               fmt::format("{} has {} bytes, more than the {} that a file of its kind may have",
                           relative_path(file), size_bytes, most));
}

Error cannot_join(std::string_view description) {
  return {ErrorKind::kUnsupported,
          fmt::format("{} does not put files together by itself", description)};
}

std::string relative_path(const FileName& file) {
  if (file.type == FileType::kConfig) return "config";
  std::string path(directory_of(file.type));
  path += '/';
  if (file.type == FileType::kPack) {
    path += std::string_view(file.name).substr(0, 2);
    path += '/';
  }
  return path += file.name;
}

std::vector<std::string> repository_folders() {
  std::vector<std::string> folders(kPlainFolders.begin(), kPlainFolders.end());
  for (unsigned prefix = 0; prefix < kPackFolders; ++prefix) folders.push_back(pack_folder(prefix));
  return folders;
}

std::vector<std::string> Leftovers::folders() const {
  std::vector<std::string> chosen;
  if (!only_packs) chosen.assign(kPlainFolders.begin(), kPlainFolders.end());
  for (unsigned prefix = part; prefix < kPackFolders; prefix += parts) {
    chosen.push_back(pack_folder(prefix));
  }
  return chosen;
}

bool is_repository_name(std::string_view name) {
  return name.size() == 64 && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool is_temporary_name(std::string_view name) {
  const std::size_t mark = name.find(kTemporaryMark);
  if (mark == std::string_view::npos) return false;
  const std::string_view whole = name.substr(0, mark);
  return is_repository_name(whole) || whole == "config";
}

}  // namespace restree
