#include "repo/archiver/node_change.h"

#include <algorithm>
#include <tuple>

namespace restree {
namespace {

bool is_same_time(const Timestamp& before, const struct timespec& now) {
  return before.seconds == now.tv_sec &&
         before.nanoseconds == static_cast<std::uint32_t>(now.tv_nsec);
}

bool has_xattr(std::span<const ExtendedAttribute> xattrs, const ExtendedAttribute& wanted) {
  return std::any_of(xattrs.begin(), xattrs.end(), [&](const ExtendedAttribute& xattr) {
    return xattr.name == wanted.name && xattr.value == wanted.value;
  });
}

bool are_same_xattrs(std::span<const ExtendedAttribute> a, std::span<const ExtendedAttribute> b) {
  return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](const ExtendedAttribute& one) {
           return has_xattr(b, one);
         });
}

auto plain_fields(const Node& node) {
  return std::tie(node.name, node.type, node.permissions, node.uid, node.gid, node.mtime,
                  node.atime, node.ctime, node.inode, node.device_id, node.size, node.links,
                  node.device, node.link_target, node.user, node.group, node.subtree);
}

}  // namespace

bool is_content_unchanged(const Node& before, const struct stat& now, const ChangeDetection& how) {
  return before.type == NodeType::kFile && before.size == static_cast<std::uint64_t>(now.st_size) &&
         is_same_time(before.mtime, now.st_mtim) &&
         (how.ignore_ctime || how.ignore_inode || is_same_time(before.ctime, now.st_ctim)) &&
         (how.ignore_inode || before.inode == now.st_ino);
}

bool is_same_node(const Node& a, const Node& b) {
  return plain_fields(a) == plain_fields(b) && std::ranges::equal(a.content, b.content) &&
         are_same_xattrs(a.xattrs, b.xattrs);
}

}  // namespace restree
