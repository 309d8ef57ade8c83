// The extended attributes that a mount shows, and the ACLs among them.
#include <span>
#include <utility>

#include "fs/inode_numbers.h"
#include "fs/kernel_attributes.h"
#include "fs/mount.h"
#include "fs/shown_acl.h"

namespace restree {
namespace {

std::span<const ExtendedAttribute> xattrs_of(const Node* node) {
  return node == nullptr ? std::span<const ExtendedAttribute>() : node->xattrs;
}

}  // namespace

Result<std::vector<std::string>> Mount::attribute_names(std::uint64_t inode) {
  AttributeList list;
  RETURN_IF_ERROR(
      with_node(inode, [&](const Node* node) { list = listed_attributes(xattrs_of(node)); }));
  if (!list.left_out.empty()) {
    // A snapshot of another system may hold thousands.
    failures_.say_once("attribute", inode, list.left_out + " (others like it are not named)");
  }
  std::erase_if(list.names, [&](const std::string& name) {
    return is_hidden_by_umask(name, options_.ownership.umask);
  });
  return std::move(list.names);
}

Result<std::optional<std::string>> Mount::attribute(std::uint64_t inode, std::string_view name) {
  std::optional<std::string> value;
  RETURN_IF_ERROR(with_node(inode, [&](const Node* node) {
    for (const ExtendedAttribute& attribute : xattrs_of(node)) {
      if (attribute.name != name || objection_to_attribute(attribute)) continue;
      value = std::string(attribute.value);
    }
  }));
  if (is_hidden_by_umask(name, options_.ownership.umask)) value.reset();
  if (value) apply_umask_to_acl(name, *value, options_.ownership.umask);
  return value;
}

Status Mount::with_node(std::uint64_t inode, const std::function<void(const Node*)>& use) {
  const Deadline by = deadline();
  if (hidden_files_.holds(inode)) {
    use(nullptr);
    return {};
  }
  if (!is_virtual(inode)) {
    ASSIGN_OR_RETURN(const Located located, locate(inode, by));
    use(&located.node);
    return {};
  }
  ASSIGN_OR_RETURN(const auto node, virtual_node(inode));
  if (node->kind != VirtualNode::Kind::kSnapshot || !node->without_leading_path) {
    use(nullptr);
    return {};
  }
  ASSIGN_OR_RETURN(const std::uint32_t number, view_of(*node, by));
  const std::shared_ptr<const SnapshotView> shown = views_.at(number);
  const auto& own = shown->own;
  use(own ? &own->node : nullptr);
  return {};
}

}  // namespace restree
