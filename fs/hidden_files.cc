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

std::optional<HiddenFiles::Version> HiddenFiles::version(std::uint64_t inode) const {
  if (!is_virtual(inode)) return std::nullopt;  // of most calls, which need no lock for that
  for (const Entry& entry : entries_) {
    if (entry.file.size_bytes) continue;
    auto versions = entry.versions.lock();
    const auto found = std::ranges::find(*versions, inode, &Version::inode);
    if (found != versions->end()) return *found;
  }
  return std::nullopt;
}

std::uint64_t HiddenFiles::newest_version(Entry& entry) {
  const std::string now = entry.file.content();
  auto versions = entry.versions.lock();
  if (!versions->empty() && as_text(versions->back().content->view()) == now) {
    return versions->back().inode;
  }
  Version made;
  made.number = versions->empty() ? 1 : versions->back().number + 1;
  made.inode = inode_of(entry.file.name + "\n" + std::to_string(made.number));
  ::clock_gettime(CLOCK_REALTIME, &made.made);
  made.content = std::make_shared<const Bytes>(Bytes::copy_of(as_bytes(now)));
  versions->push_back(std::move(made));
  if (versions->size() > kKeptVersions) versions->pop_front();
  return versions->back().inode;
}

bool HiddenFiles::holds(std::uint64_t inode) const {
  return inode == kFolder || entry(inode) != nullptr || version(inode).has_value();
}

std::optional<std::uint64_t> HiddenFiles::find(std::uint64_t directory, std::string_view name) {
  if (directory == Namespace::kRootInode && name == kFolderName) return kFolder;
  if (directory != kFolder) return std::nullopt;
  for (Entry& entry : entries_) {
    if (entry.file.name != name) continue;
    return entry.file.size_bytes ? entry.inode : newest_version(entry);
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
  if (inode == kFolder) {
    shown.st_mode = S_IFDIR | (0555 & ~ownership_.umask);
    return found;
  }
  shown.st_mode = S_IFREG | (0444 & ~ownership_.umask);
  if (const std::optional<Version> version = this->version(inode)) {
    shown.st_size = static_cast<off_t>(version->content->size());
    shown.st_mtim = version->made;
    found.lasting = true;     // but the name
    found.by_process = true;  // leads to another one as soon as there is one
  } else {
    const Entry* const file = entry(inode);
    shown.st_size = file == nullptr ? 0 : static_cast<off_t>(file->file.size_bytes.value_or(0));
    ::clock_gettime(CLOCK_REALTIME, &shown.st_mtim);
    found.momentary = true;
  }
  shown.st_blocks = (shown.st_size + 511) / 512;
  shown.st_atim = shown.st_ctim = shown.st_mtim;
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

Result<SharedBlob> HiddenFiles::content(std::uint64_t inode, std::uint64_t offset) {
  if (std::optional<Version> version = this->version(inode)) return std::move(version->content);
  const auto file = std::ranges::find(entries_, inode, &Entry::inode);
  if (file == entries_.end()) return Error(ErrorKind::kInvalid, "only files can be read");
  SharedBlob content;
  if (offset > 0) content = *file->last_read.lock();
  if (content == nullptr) {
    const std::string made = file->file.content();
    assert(!file->file.size_bytes || made.size() == *file->file.size_bytes);
    content = std::make_shared<const Bytes>(Bytes::copy_of(as_bytes(made)));
    *file->last_read.lock() = content;
  }
  return content;
}

Result<FileSlices> HiddenFiles::read(std::uint64_t inode, std::uint64_t offset, std::size_t size) {
  ASSIGN_OR_RETURN(SharedBlob content, this->content(inode, offset));
  FileSlices slices;
  if (offset >= content->size()) return slices;
  const ByteView rest = content->view().subspan(memory_size(offset));
  slices.views.push_back(rest.first(std::min(size, rest.size())));
  slices.blobs.push_back(std::move(content));
  return slices;
}

std::optional<std::uint64_t> HiddenFiles::seek(std::uint64_t inode, std::uint64_t offset,
                                               bool data) const {
  if (inode == kFolder || !holds(inode)) return std::nullopt;
  const auto size = static_cast<std::uint64_t>(show(inode).attributes.st_size);
  if (offset >= size) return std::nullopt;
  return data ? offset : size;
}

}  // namespace restree
