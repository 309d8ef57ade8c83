#include "repo/tree_loading.h"

#include <fmt/core.h>

#include <utility>

#include "repo/base/log.h"

namespace restree {

Result<SharedTree> parse_tree(const BlobId& id, ByteView json) {
  Result<SharedTree> tree = Tree::parse(json);
  if (!tree) return std::move(tree).error().with("tree " + id.hex());
  return tree;
}

namespace {

Result<SharedTree> load_as_stored(BlobSource& blobs, const BlobId& id, Deadline by) {
  ASSIGN_OR_RETURN(const SharedBlob blob, blobs.load(BlobType::kTree, id, by));
  return parse_tree(id, *blob);
}

}  // namespace

Result<SharedTree> load_tree(BlobSource& blobs, const BlobId& id, Deadline by) {
  return follow_stand_ins(id, [&](const BlobId& one) { return load_as_stored(blobs, one, by); });
}

Result<BlobId> find_root(BlobSource& blobs, const BlobId& root, Deadline by) {
  ASSIGN_OR_RETURN(const SharedTree tree, load_as_stored(blobs, root, by));
  return tree->stand_in().value_or(root);
}

Result<SharedTree> load_whole_tree(BlobSource& blobs, const BlobId& id, Deadline by) {
  ASSIGN_OR_RETURN(SharedTree tree, load_tree(blobs, id, by));
  for (const std::string& line : tree->odd()) log::warning("tree {}: {}", id.short_hex(), line);
  if (tree->objection().empty()) return tree;
  return Error(ErrorKind::kCorrupt, fmt::format("tree {}: {}", id.hex(), tree->objection()));
}

}  // namespace restree
