// The part of Mount that is .restree: found by who asks for it, in no listing of the root, so that
// nothing that copies the tree copies it.
//
// `open` is answered with ENOSYS once for all files, so none can be opened past the page cache. The
// kernel believes the size that it was told, and keeps pages until the time of the last change is
// another. So attributes of the status hold for no time, their time is now, and the size never
// changes; the content is made for each read from the beginning.
#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include "fs/inode_numbers.h"
#include "fs/mount.h"
#include "fs/mount_status.h"

namespace restree {
namespace {

// No name of the namespace has a line break.
constexpr std::uint64_t kFolder = virtual_inode(Namespace::kRootInode, "\nhidden");
constexpr std::uint64_t kStatus = virtual_inode(kFolder, "\nstatus");
constexpr std::string_view kFolderName = ".restree";
constexpr std::string_view kStatusName = "status";

}  // namespace

bool Mount::is_hidden(std::uint64_t inode) { return inode == kFolder || inode == kStatus; }

std::optional<std::uint64_t> Mount::find_hidden(std::uint64_t directory, std::string_view name) {
  if (directory == Namespace::kRootInode && name == kFolderName) return kFolder;
  if (directory == kFolder && name == kStatusName) return kStatus;
  return std::nullopt;
}

Mount::Found Mount::show_hidden(std::uint64_t inode) const {
  const Ownership& ownership = options_.ownership;
  Found found{inode, {}, false};
  struct stat& shown = found.attributes;
  shown.st_ino = inode;
  shown.st_nlink = 1;
  shown.st_uid = ownership.uid.value_or(ownership.mounted_by_uid);
  shown.st_gid = ownership.gid.value_or(ownership.mounted_by_gid);
  shown.st_blksize = kPreferredIoBytes;
  if (inode == kFolder) {
    shown.st_mode = S_IFDIR | (0555 & ~ownership.umask);
    return found;
  }
  shown.st_mode = S_IFREG | (0444 & ~ownership.umask);
  shown.st_size = static_cast<off_t>(status_bytes());
  shown.st_blocks = (shown.st_size + 511) / 512;
  ::clock_gettime(CLOCK_REALTIME, &shown.st_mtim);
  shown.st_atim = shown.st_ctim = shown.st_mtim;
  found.momentary = true;
  return found;
}

Status Mount::list_hidden(std::uint64_t offset, Listing& listing) {
  struct Entry {
    std::string_view name;
    std::uint64_t inode;
    mode_t type;
  };
  constexpr std::array<Entry, 3> kEntries{{{".", kFolder, S_IFDIR},
                                           {"..", Namespace::kRootInode, S_IFDIR},
                                           {kStatusName, kStatus, S_IFREG}}};
  for (std::uint64_t i = offset; i < kEntries.size() && listing.has_room(kEntries[i].name); ++i) {
    listing.add(kEntries[i].name, kEntries[i].inode, kEntries[i].type, std::nullopt, i + 1);
  }
  return {};
}

Result<Mount::Slices> Mount::read_hidden(std::uint64_t inode, std::uint64_t offset,
                                         std::size_t size) {
  if (inode != kStatus) return Error(ErrorKind::kInvalid, "only files can be read");
  SharedBlob content;
  if (offset > 0) content = *status_.lock();
  if (content == nullptr) {
    content = std::make_shared<const Bytes>(Bytes::copy_of(as_bytes(status_json(status()))));
    *status_.lock() = content;
  }
  Slices slices;
  if (offset >= content->size()) return slices;
  slices.views.push_back(
      content->view().subspan(offset).first(std::min<std::size_t>(size, content->size() - offset)));
  slices.blobs.push_back(std::move(content));
  return slices;
}

std::optional<std::uint64_t> Mount::seek_hidden(std::uint64_t inode, std::uint64_t offset,
                                                bool data) {
  if (inode != kStatus || offset >= status_bytes()) return std::nullopt;
  return data ? offset : status_bytes();
}

MountStatus Mount::status() const {
  MountStatus status;
  if (options_.more_status) options_.more_status(status);
  if (const auto listed = *listed_.lock()) status.listed = listed;
  status.reads = reads_;
  status.served_bytes = served_bytes_;
  status.errors = errors_;
  status.inodes = inodes_.size();
  const IndexFigures index = repository_.index_figures();
  status.index_blobs = index.blobs;
  status.index_bytes = index.memory_bytes;
  add_memory_use(status);
  return status;
}

}  // namespace restree
