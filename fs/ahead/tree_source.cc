#include "fs/ahead/tree_source.h"

#include <utility>

namespace restree {
namespace {

Result<SharedCompactTree> load_compact(BlobSource& blobs, const BlobId& id, Deadline by) {
  ASSIGN_OR_RETURN(const SharedBlob blob, blobs.load(BlobType::kTree, id, by));
  Result<SharedCompactTree> tree = CompactTree::parse(*blob);
  if (!tree) return std::move(tree).error().with("tree " + id.hex());
  return tree;
}

// The tree to show under this id, as load_tree() of repo/tree_loading.h has it.
Result<SharedCompactTree> load_shown(BlobSource& blobs, const BlobId& id, Deadline by) {
  ASSIGN_OR_RETURN(SharedCompactTree tree, load_compact(blobs, id, by));
  if (const auto& stand_in = tree->stand_in()) return load_compact(blobs, *stand_in, by);
  return tree;
}

}  // namespace

TreeSource::TreeSource(BlobSource& blobs, std::size_t budget_bytes,
                       std::shared_ptr<const Outages> outages)
    : blobs_(blobs),
      trees_(
          budget_bytes, [](const CompactTree& tree) { return tree.memory_bytes(); },
          Keeping::kInUse, std::move(outages)) {}

Result<SharedCompactTree> TreeSource::load(const BlobId& id, Deadline by) {
  return trees_.get(id, by, [&] { return load_shown(blobs_, id, by); });
}

}  // namespace restree
