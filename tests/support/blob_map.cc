#include "tests/support/blob_map.h"

#include <map>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "repo/format/snapshot.h"
#include "repo/format/tree.h"
#include "tests/support/need.h"

namespace restree::testing {
namespace {

using Places = std::map<BlobId, BlobPlace>;

Places all_places(const Restic& restic) {
  Places places;
  std::istringstream names(restic.run_ok({"list", "index", "--no-lock"}));
  std::string name;
  while (names >> name) {
    const std::string json = restic.run_ok({"cat", "index", name, "--no-lock"});
    const Status parsed = parse_index_file(as_bytes(json), [&](const PackId& pack, auto blobs) {
      for (const IndexedBlob& blob : blobs) {
        const std::string hex = pack.hex();
        places[blob.id] = {
            .id = blob.id,
            .file_offset = 0,
            .plain_length = blob.raw_length != 0 ? blob.raw_length : blob.length - 32,
            .pack = pack,
            .pack_path = restic.repository() / "data" / hex.substr(0, 2) / hex,
            .pack_offset = blob.offset};
      }
    });
    if (!parsed) throw std::runtime_error(parsed.error().message());
  }
  return places;
}

std::shared_ptr<const Tree> load_tree(const Restic& restic, const BlobId& id) {
  return need(Tree::parse(as_bytes(restic.run_ok({"cat", "blob", id.hex(), "--no-lock"}))));
}

BlobId root_of(const Restic& restic, const std::string& snapshot) {
  const std::string json = restic.run_ok({"cat", "snapshot", snapshot, "--no-lock"});
  return need(parse_snapshot(SnapshotId{}, as_bytes(json))).tree;
}

}  // namespace

std::vector<BlobPlace> chunks_of(const Restic& restic, const std::string& snapshot,
                                 const std::filesystem::path& path) {
  const Places places = all_places(restic);
  const auto tree = load_tree(restic, tree_of(restic, snapshot, path.parent_path()).id);
  const Node* node = tree->find(path.filename().string());
  if (node == nullptr) throw std::runtime_error("not in the snapshot: " + path.string());
  std::vector<BlobPlace> chunks;
  std::uint64_t offset = 0;
  for (const BlobId& id : node->content) {
    BlobPlace place = places.at(id);
    place.file_offset = offset;
    offset += place.plain_length;
    chunks.push_back(std::move(place));
  }
  return chunks;
}

BlobPlace tree_of(const Restic& restic, const std::string& snapshot,
                  const std::filesystem::path& path) {
  BlobId id = root_of(restic, snapshot);
  for (const auto& component : path.relative_path()) {
    const auto tree = load_tree(restic, id);
    const Node* node = tree->find(component.string());
    if (node == nullptr) throw std::runtime_error("not in the snapshot: " + path.string());
    id = node->subtree.value();
  }
  return all_places(restic).at(id);
}

}  // namespace restree::testing
