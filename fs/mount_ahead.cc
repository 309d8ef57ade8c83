// The part of Mount that says what readers will want next.
//
// Twice: far ahead, sealed bytes are fetched, as many as keep the line busy; near ahead, blobs are
// decoded, as many as keep the processors busy. A local repository needs only the second.
#include <algorithm>
#include <span>
#include <utility>

#include "fs/inode_numbers.h"
#include "fs/mount.h"

namespace restree {
namespace {

// Reading ahead into the next files of a directory stops at this many bytes a time, and leaves
// large files to those who read them.
constexpr std::uint64_t kSiblingBytes = 4 << 20;
// A way up through more directories than this is not looked at.
constexpr std::size_t kMostSteps = 16;

}  // namespace

void Mount::read_ahead(std::uint64_t inode, const Located& file, const FileLayout& layout,
                       std::uint64_t begin, std::uint64_t end) {
  if (begin == 0 && end == layout.size()) {
    if (is_small_file(*file.node)) read_ahead_siblings(inode, file);
    return;
  }
  if (options_.fetcher != nullptr) {
    const Ahead far = far_readers_.note(inode, begin, end, options_.fetcher->window_bytes());
    fetch_ahead(blobs_between(*file.node, layout, far));
  }
  // No further than the prefetcher takes: what it leaves out is not told to it again.
  const Ahead near = file_readers_.note(inode, begin, end, prefetcher_.budget_bytes());
  prefetcher_.want(blobs_between(*file.node, layout, near));
}

std::vector<Prefetcher::Wanted> Mount::blobs_between(const Node& node, const FileLayout& layout,
                                                     Ahead ahead) {
  std::vector<Prefetcher::Wanted> wanted;
  for (std::uint64_t offset = ahead.begin; offset < std::min(ahead.end, layout.size());) {
    const FileLayout::Piece piece = layout.piece_at(offset);
    if (piece.placed) wanted.push_back({node.content[piece.blob], piece.length});
    offset = piece.file_offset + piece.length;
  }
  return wanted;
}

void Mount::read_ahead_siblings(std::uint64_t inode, const Located& file) {
  const std::uint64_t position = file.place.position;
  const Ahead ahead = directory_readers_.note(file.place.parent, position, position + 1);
  if (ahead.end <= ahead.begin) return;
  std::vector<Prefetcher::Wanted> wanted;
  const std::span<const Node> nodes = file.tree->nodes();
  std::uint64_t bytes = 0;
  bool leaves = ahead.end >= nodes.size();
  for (std::uint64_t i = ahead.begin; i < std::min<std::uint64_t>(ahead.end, nodes.size()); ++i) {
    const Node& node = nodes[i];
    leaves = leaves || node.type == NodeType::kDirectory;
    if (!is_small_file(node)) continue;
    bytes += node.size;
    if (bytes > kSiblingBytes) break;
    wanted.push_back({node.content.front(), node.size});
  }
  fetch_ahead(wanted);
  prefetcher_.want(wanted);
  if (!leaves) return;
  // To hide a round trip it takes what is read during one; decoding a little is enough where there
  // is none.
  const std::size_t worth = options_.fetcher != nullptr ? options_.fetcher->window_bytes() / 2 : 0;
  const std::size_t most = std::max(worth, WalkAhead::kDecoded);
  walker_.try_submit(
      [this, way = way_to(inode, kMostSteps).steps, most] { walk_ahead_.go_on(way, most); });
}

void Mount::fetch_ahead(std::span<const Prefetcher::Wanted> wanted) {
  if (options_.fetcher == nullptr || wanted.empty()) return;
  std::vector<BlobLocation> places;
  for (const Prefetcher::Wanted& blob : wanted) {
    if (blobs_.knows(BlobType::kData, blob.id)) continue;
    const auto place = repository_.find_blob(BlobType::kData, blob.id);
    if (place && !repository_.is_cached(*place, BlobType::kData)) places.push_back(*place);
  }
  options_.fetcher->want(places, BlobType::kData);
}

// Who lists a directory often goes on into those below it.
void Mount::fetch_trees_below(const Tree& tree) {
  if (options_.fetcher == nullptr) return;
  std::vector<BlobLocation> places;
  for (const Node& node : tree.nodes()) {
    if (!node.subtree || trees_.peek(*node.subtree) != nullptr) continue;
    const auto place = repository_.find_blob(BlobType::kTree, *node.subtree);
    if (place && !repository_.is_cached(*place, BlobType::kTree)) places.push_back(*place);
  }
  options_.fetcher->want(places, BlobType::kTree);
}

}  // namespace restree
