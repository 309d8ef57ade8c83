#include "repo/format/link_identity.h"

#include <span>

namespace restree {

std::optional<LinkIdentity> LinkIdentity::of(const Node& node) {
  if (node.links <= 1 || node.inode == 0 || node.type == NodeType::kDirectory) return std::nullopt;
  return LinkIdentity{.device = node.device_id,
                      .inode = node.inode,
                      .size = node.size,
                      .type = node.type,
                      .content = sha256(std::as_bytes(node.content))};
}

}  // namespace restree
