#include "fs/hidden_files.h"

#include <algorithm>
#include <cassert>
#include <ctime>
#include <memory>
#include <utility>

#include "fs/inode_numbers.h"
#include "fs/namespace.h"

namespace restree {
namespace {

// What the inode numbers are hashes of begins with a line break, which no name of the namespace
// has.
constexpr std::uint64_t kFolder = virtual_inode(Namespace::kRootInode, "\nhidden");

std::uint64_t inode_of(std::string_view name) {
  return virtual_inode(kFolder, "\n" + std::string(name));
}

}  // namespace

HiddenFiles::HiddenFiles(std::vector<File> files, const Ownership& ownership)
    : ownership_(ownership) {
  for (File& file : files) {
    const std::uint64_t inode = inode_of(file.name);
    entries_.emplace_back(std::move(file), inode);
  }
}

const HiddenFiles::Entry* HiddenFiles::entry(std::uint64_t inode) const {
  const auto found = std::ranges::find(entries_, inode, &Entry::inode);
  return found == entries_.end() ? nullptr : &*found;
}

bool HiddenFiles::holds(std::uint64_t inode) const {
  return inode == kFolder || entry(inode) != nullptr;
}

std::optional<std::uint64_t> HiddenFiles::find(std::uint64_t directory,
                                               std::string_view name) const {
  if (directory == Namespace::kRootInode && name == kFolderName) return kFolder;
  if (directory != kFolder) return std::nullopt;
  for (const Entry& entry : entries_) {
    if (entry.file.name == name) return entry.inode;
  }
  return std::nullopt;
}

FoundEntry HiddenFiles::show(std::uint64_t inode) const {
  FoundEntry found{inode, {}, false};
  struct stat& shown = found.attributes;
  shown.st_ino = inode;
  shown.st_nlink = 1;
  shown.st_uid = ownership_.uid.value_or(ownership_.mounted_by_uid);
  shown.st_gid = ownership_.gid.value_or(ownership_.mounted_by_gid);
  shown.st_blksize = kPreferredIoBytes;
  const Entry* const file = entry(inode);
  if (file == nullptr) {
    shown.st_mode = S_IFDIR | (0555 & ~ownership_.umask);
    return found;
  }
  shown.st_mode = S_IFREG | (0444 & ~ownership_.umask);
  shown.st_size = static_cast<off_t>(file->file.size_bytes);
  shown.st_blocks = (shown.st_size + 511) / 512;
  ::clock_gettime(CLOCK_REALTIME, &shown.st_mtim);
  shown.st_atim = shown.st_ctim = shown.st_mtim;
  found.momentary = true;
  return found;
}

void HiddenFiles::list(std::uint64_t offset, EntryListing& listing) const {
  std::uint64_t next = 0;
  const auto add = [&](std::string_view name, std::uint64_t inode, mode_t type) {
    if (next++ < offset) return true;
    if (!listing.has_room(name)) return false;
    listing.add(name, inode, type, std::nullopt, next);
    return true;
  };
  if (!add(".", kFolder, S_IFDIR) || !add("..", Namespace::kRootInode, S_IFDIR)) return;
  for (const Entry& entry : entries_) {
    if (!add(entry.file.name, entry.inode, S_IFREG)) return;
  }
}

Result<FileSlices> HiddenFiles::read(std::uint64_t inode, std::uint64_t offset, std::size_t size) {
  const auto file = std::ranges::find(entries_, inode, &Entry::inode);
  if (file == entries_.end()) return Error(ErrorKind::kInvalid, "only files can be read");
  SharedBlob content;
  if (offset > 0) content = *file->last_read.lock();
  if (content == nullptr) {
    const std::string made = file->file.content();
    assert(made.size() == file->file.size_bytes);
    content = std::make_shared<const Bytes>(Bytes::copy_of(as_bytes(made)));
    *file->last_read.lock() = content;
  }
  FileSlices slices;
  if (offset >= content->size()) return slices;
  const ByteView rest = content->view().subspan(memory_size(offset));
  slices.views.push_back(rest.first(std::min(size, rest.size())));
  slices.blobs.push_back(std::move(content));
  return slices;
}

std::optional<std::uint64_t> HiddenFiles::seek(std::uint64_t inode, std::uint64_t offset,
                                               bool data) const {
  const Entry* const file = entry(inode);
  if (file == nullptr || offset >= file->file.size_bytes) return std::nullopt;
  return data ? offset : file->file.size_bytes;
}

}  // namespace restree
