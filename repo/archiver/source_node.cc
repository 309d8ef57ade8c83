#include "repo/archiver/source_node.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include "repo/system/xattr_at.h"

namespace restree {
namespace {

constexpr std::size_t kFirstListBytes = 1024;
constexpr std::size_t kFirstValueBytes = 1024;
constexpr mode_t kPermissionBits = 07777;

Timestamp timestamp_of(const struct timespec& time) {
  return {time.tv_sec, static_cast<std::uint32_t>(time.tv_nsec)};
}

// Calls `read(buffer, size)` with buffers that grow until the answer fits; -1 and errno otherwise.
template <class Read>
ssize_t read_growing(std::string& buffer, std::size_t first_bytes, Read read) {
  buffer.resize(first_bytes);
  for (;;) {
    const ssize_t size = read(buffer.data(), buffer.size());
    if (size >= 0) {
      buffer.resize(static_cast<std::size_t>(size));
      return size;
    }
    if (errno != ERANGE) return -1;
    const ssize_t wanted = read(nullptr, 0);
    if (wanted < 0) return -1;
    buffer.resize(static_cast<std::size_t>(wanted) + kFirstListBytes);
  }
}

void read_xattr(const XattrsAt& xattrs, const char* name, const std::string& path,
                SourceNode& node) {
  std::string value;
  const ssize_t size = read_growing(value, kFirstValueBytes, [&](char* buffer, std::size_t room) {
    return xattrs.get(name, buffer, room);
  });
  if (size >= 0) {
    node.xattrs.push_back({name, std::move(value), true});
  } else if (errno == ENODATA || errno == ENOTSUP) {
    node.xattrs.push_back({name, {}, false});
  } else {
    node.complaints.push_back(
        errno_error(errno, fmt::format("read the extended attribute {} of {}", name, path)));
  }
}

// The order is that of the kernel, as in restic.
void read_xattrs(const SourcePlace& place, const std::string& path, SourceNode& node) {
  // Most files have no extended attributes: then one call is enough and no memory is allocated.
  const XattrsAt xattrs(place.folder_fd, place.name);
  std::array<char, kFirstListBytes> first;
  ssize_t size = xattrs.list(first.data(), first.size());
  std::string list;
  if (size > 0) list.assign(first.data(), static_cast<std::size_t>(size));
  if (size < 0 && errno == ERANGE) {
    size = read_growing(list, 2 * kFirstListBytes,
                        [&](char* buffer, std::size_t room) { return xattrs.list(buffer, room); });
  }
  if (size < 0) {
    if (errno == ENOTSUP || errno == ENODATA) return;
    node.complaints.push_back(errno_error(errno, "list the extended attributes of " + path));
    return;
  }
  if (list.empty()) return;
  for (std::size_t at = 0; at < list.size(); at += std::strlen(list.c_str() + at) + 1) {
    read_xattr(xattrs, list.c_str() + at, path, node);
  }
}

Result<std::string> read_link(const SourcePlace& place, const std::string& path) {
  std::string target(PATH_MAX, 0);
  const ssize_t size =
      ::readlinkat(place.folder_fd, place.name.c_str(), target.data(), target.size());
  if (size < 0) return errno_error(errno, "read the symbolic link " + path);
  target.resize(static_cast<std::size_t>(size));
  return target;
}

}  // namespace

std::optional<NodeType> node_type(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return NodeType::kFile;
    case S_IFDIR:
      return NodeType::kDirectory;
    case S_IFLNK:
      return NodeType::kSymlink;
    case S_IFBLK:
      return NodeType::kBlockDevice;
    case S_IFCHR:
      return NodeType::kCharDevice;
    case S_IFIFO:
      return NodeType::kFifo;
    default:
      return std::nullopt;
  }
}

Result<SourceNode> read_source_node(const SourcePlace& place, const struct stat& attributes,
                                    std::string name, const std::string& path, bool with_atime,
                                    OwnerNames& owners) {
  const auto type = node_type(attributes.st_mode);
  if (!type) return Error(ErrorKind::kUnsupported, path + " is of a type that no snapshot holds");
  SourceNode node;
  node.name = std::move(name);
  node.type = *type;
  node.attributes = attributes;
  node.with_atime = with_atime;
  node.user = owners.user(attributes.st_uid);
  node.group = owners.group(attributes.st_gid);
  if (*type == NodeType::kSymlink) {
    ASSIGN_OR_RETURN(node.link_target, read_link(place, path));
  }
  read_xattrs(place, path, node);
  return node;
}

Node SourceNode::view(std::vector<ExtendedAttribute>& xattr_views) const {
  xattr_views.clear();
  for (const Xattr& xattr : xattrs) {
    xattr_views.push_back({xattr.name, xattr.value, xattr.has_value});
  }
  const bool is_device = type == NodeType::kBlockDevice || type == NodeType::kCharDevice;
  const bool has_links = is_device || type == NodeType::kFile || type == NodeType::kSymlink;
  const Timestamp mtime = timestamp_of(attributes.st_mtim);
  return Node{.name = name,
              .type = type,
              .has_mode = true,
              .permissions = static_cast<std::uint16_t>(attributes.st_mode & kPermissionBits),
              .uid = attributes.st_uid,
              .gid = attributes.st_gid,
              .mtime = mtime,
              .atime = with_atime ? timestamp_of(attributes.st_atim) : mtime,
              .ctime = timestamp_of(attributes.st_ctim),
              .inode = attributes.st_ino,
              .device_id = attributes.st_dev,
              .size = type == NodeType::kFile ? size : 0,
              .links = has_links ? attributes.st_nlink : 0,
              .device = is_device ? attributes.st_rdev : 0,
              .link_target = link_target,
              .user = user,
              .group = group,
              .content = content,
              .xattrs = xattr_views,
              .subtree = subtree};
}

}  // namespace restree
