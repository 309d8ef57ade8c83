#include "repo/storage/storage.h"

#include <fmt/core.h>

#include <algorithm>

namespace restree {

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
  std::vector<std::string> folders = {"keys", "locks", "snapshots", "index", "data"};
  for (int prefix = 0; prefix < 256; ++prefix)
    folders.push_back(fmt::format("data/{:02x}", prefix));
  return folders;
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
