#include "tests/soak/manifest.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "tests/support/files.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;

Sha256Digest digest_of(std::string_view bytes) {
  return sha256({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()});
}

std::vector<Sha256Digest> blocks_of(std::string_view content) {
  std::vector<Sha256Digest> blocks;
  for (std::size_t at = 0; at < content.size(); at += kHashedBlock) {
    blocks.push_back(digest_of(content.substr(at, kHashedBlock)));
  }
  return blocks;
}

ManifestEntry entry_of(const fs::path& path) {
  struct stat attributes {};
  if (::lstat(path.c_str(), &attributes) != 0) {
    throw std::system_error(errno, std::generic_category(), "lstat " + path.string());
  }
  ManifestEntry entry{.mode = attributes.st_mode,
                      .mtime = static_cast<std::int64_t>(attributes.st_mtim.tv_sec)};
  if (S_ISLNK(entry.mode)) entry.target = fs::read_symlink(path);
  if (S_ISREG(entry.mode)) {
    const std::string content = read_file(path);
    entry.size = content.size();
    entry.blocks = blocks_of(content);
  }
  return entry;
}

std::string difference(const ManifestEntry& wanted, const ManifestEntry& found) {
  std::string text;
  if (wanted.mode != found.mode) text += " mode";
  if (wanted.mtime != found.mtime) text += " time";
  if (wanted.target != found.target) text += " target";
  if (wanted.size != found.size) {
    text += " size (" + std::to_string(found.size) + " of " + std::to_string(wanted.size) + ")";
  } else if (wanted.blocks != found.blocks) {
    const auto [at, other] = std::ranges::mismatch(wanted.blocks, found.blocks);
    text += " CONTENT of block " + std::to_string(at - wanted.blocks.begin());
  }
  return text;
}

}  // namespace

bool ManifestEntry::is_file() const { return S_ISREG(mode); }
bool ManifestEntry::is_folder() const { return S_ISDIR(mode); }

std::uint64_t ManifestEntry::block_size(std::size_t block) const {
  return std::min(kHashedBlock, size - block * kHashedBlock);
}

bool ManifestEntry::block_is(std::size_t block, std::string_view bytes) const {
  return bytes.size() == block_size(block) && digest_of(bytes) == blocks.at(block);
}

bool ManifestEntry::content_is(std::string_view bytes) const {
  return bytes.size() == size && blocks_of(bytes) == blocks;
}

Manifest take_manifest(const fs::path& root) {
  Manifest manifest;
  manifest.emplace("", entry_of(root));
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    manifest.emplace(entry.path().lexically_relative(root), entry_of(entry.path()));
  }
  return manifest;
}

Manifest part_of(const Manifest& manifest, const std::string& below) {
  if (below.empty()) return manifest;
  Manifest part;
  part.emplace("", manifest.at(below));
  const std::string beginning = below + "/";
  for (auto at = manifest.lower_bound(beginning); at != manifest.end(); ++at) {
    if (!at->first.starts_with(beginning)) break;
    part.emplace(at->first.substr(beginning.size()), at->second);
  }
  return part;
}

std::string differences(const Manifest& manifest, const fs::path& copy) {
  const Manifest found = take_manifest(copy);
  std::string text;
  for (const auto& [path, wanted] : manifest) {
    const auto there = found.find(path);
    const std::string what =
        there == found.end() ? " is missing" : difference(wanted, there->second);
    if (!what.empty()) text.append("'").append(path).append("':").append(what).append("\n");
  }
  for (const auto& [path, entry] : found) {
    if (!manifest.contains(path)) text += "'" + path + "': was never saved\n";
  }
  return text;
}

}  // namespace restree::testing
