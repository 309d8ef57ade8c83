#include "fs/ahead/reading_ahead.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace restree {
namespace {

// Of plain bytes that are decoded.
constexpr ForwardReader::Limits kDecodedAhead{
    .first_window = 1 << 20, .largest_window = 16 << 20, .slack = 1 << 20};
// Of sealed bytes that are fetched; the line says how many are worth it. Bytes that are decoded
// ahead are no longer under way, so with few steps hardly anything was, half a window later.
constexpr ForwardReader::Limits kFetchedAhead{
    .first_window = 2 << 20, .largest_window = 64 << 20, .slack = 1 << 20, .steps = 8};
// Many readers share what may be loaded ahead. Those whose share is less than this load nothing
// ahead: together they keep line and processors busy without.
constexpr std::size_t kLeastShare = 1 << 20;
// Counted in files.
constexpr ForwardReader::Limits kFilesAhead{.first_window = 2, .largest_window = 32, .slack = 4};

// Reading ahead into the next files of a directory stops at this many bytes a time, and leaves
// large files alone until they are read.
constexpr std::uint64_t kSiblingBytes = 4 << 20;

std::uint64_t share_of(std::uint64_t window, const ForwardReader::Limits& limits,
                       std::size_t readers) {
  const std::uint64_t share = std::max(window, limits.first_window) / readers;
  return share >= kLeastShare ? share : 0;
}

std::vector<Prefetcher::Wanted> blobs_between(const ReadingAhead::File& file, const Node& node,
                                              const FileLayout& layout, Ahead ahead) {
  std::vector<Prefetcher::Wanted> wanted;
  for (std::uint64_t offset = ahead.begin; offset < std::min(ahead.end, layout.size());) {
    const FileLayout::Piece piece = layout.piece_at(offset);
    if (piece.placed) {
      wanted.push_back({.id = node.content[piece.blob],
                        .size_bytes = memory_size(piece.length),
                        .reader = file.inode,
                        .offset = piece.file_offset});
    }
    offset = piece.file_offset + piece.length;
  }
  return wanted;
}

// The next small files of a directory, and whether a reader that goes on will soon be in another
// directory, below or beside this one.
struct FilesInOrder {
  std::vector<Prefetcher::Wanted> wanted;
  bool leaves = false;
};
FilesInOrder files_between(const CompactTree& tree, Ahead ahead) {
  const CompactTree::Nodes nodes = tree.nodes();
  FilesInOrder next;
  next.leaves = ahead.end >= nodes.size();
  std::uint64_t bytes = 0;
  for (std::uint64_t i = ahead.begin; i < std::min<std::uint64_t>(ahead.end, nodes.size()); ++i) {
    const Node node = nodes[memory_size(i)];
    next.leaves = next.leaves || node.type == NodeType::kDirectory;
    if (!is_small_file(node)) continue;
    bytes += node.size;
    if (bytes > kSiblingBytes) break;
    next.wanted.push_back({node.content.front(), memory_size(node.size)});
  }
  return next;
}

}  // namespace

ReadingAhead::ReadingAhead(Repository& repository, BlobRoom& blobs, TreeSource& trees,
                           const Options& options)
    : repository_(repository),
      blobs_(blobs),
      trees_(trees),
      fetcher_(options.fetcher),
      fetched_readers_(kFetchedAhead),
      decoded_readers_(kDecodedAhead),
      directory_readers_(kFilesAhead),
      prefetcher_(blobs, options.threads, options.budget_bytes, options.time_limit),
      walk_ahead_(trees,
                  {.fetch = [this](WalkAhead::Files files) { fetch_files(files); },
                   .decode = [this](WalkAhead::Files files) { prefetcher_.want(files); }},
                  options.time_limit),
      walker_(1, kMostWalks) {}

bool ReadingAhead::file_is_read(const File& file, const FileLayout& layout, std::uint64_t begin,
                                std::uint64_t end, const Way& way) {
  if (begin != 0 || end != layout.size()) {
    return bytes_are_read(file, layout, begin, end);
  }
  if (is_small_file(file.tree->nodes()[file.position])) {
    small_files_are_read(file, file.position, way);
  }
  return false;
}

void ReadingAhead::files_are_given(const File& last, std::uint32_t begin, const Way& way) {
  const FilesInOrder given = files_between(*last.tree, {begin, last.position + std::uint64_t{1}});
  fetch_files(given.wanted);
  prefetcher_.want(given.wanted);
  small_files_are_read(last, begin, way);
}

bool ReadingAhead::bytes_are_read(const File& file, const FileLayout& layout, std::uint64_t begin,
                                  std::uint64_t end) {
  const Node node = file.tree->nodes()[file.position];
  const std::size_t readers = decoded_readers_.active();
  if (fetcher_ != nullptr) {
    const std::uint64_t window = share_of(fetcher_->window_bytes(), kFetchedAhead, readers);
    const Ahead far = fetched_readers_.note(file.inode, begin, end, window);
    if (blobs_.is_short()) {
      fetcher_->readers_wait();
    } else {
      fetch_files(blobs_between(file, node, layout, far));
      // To open a pack takes a round trip as well: those of the next window are opened now.
      if (far.end > far.begin) {
        const Ahead later{.begin = far.begin, .end = far.end + window};
        fetcher_->expect(missing_of(blobs_between(file, node, layout, later)));
      }
    }
  }
  // No further than the prefetcher takes: what it leaves out is not announced to it again.
  const Ahead near = decoded_readers_.note(
      file.inode, begin, end, share_of(prefetcher_.budget_bytes(), kDecodedAhead, readers));
  prefetcher_.want(blobs_between(file, node, layout, near));
  if (end >= layout.size()) decoded_readers_.is_through(file.inode);
  return near.goes_on;
}

void ReadingAhead::small_files_are_read(const File& last, std::uint64_t begin, const Way& way) {
  const Ahead ahead =
      directory_readers_.note(last.directory, begin, last.position + std::uint64_t{1});
  if (ahead.end <= ahead.begin) return;
  const FilesInOrder next = files_between(*last.tree, ahead);
  fetch_files(next.wanted);
  prefetcher_.want(next.wanted);
  if (next.leaves) follow_walk(way());
}

void ReadingAhead::follow_walk(std::vector<WalkAhead::Step> way) {
  // To hide a round trip it takes what is read during one; without one, decoding a little is
  // enough.
  const std::size_t worth = fetcher_ != nullptr ? fetcher_->window_bytes() / 2 : 0;
  const std::size_t most = std::max(worth, WalkAhead::kDecoded);
  walker_.try_submit([this, way = std::move(way), most] { walk_ahead_.go_on(way, most); });
}

void ReadingAhead::fetch_files(std::span<const Wanted> wanted) {
  if (fetcher_ == nullptr || wanted.empty()) return;
  fetcher_->want(missing_of(wanted), BlobType::kData);
}

// Where those are that are neither in memory nor in the cache.
std::vector<BlobLocation> ReadingAhead::missing_of(std::span<const Wanted> wanted) {
  std::vector<BlobLocation> places;
  for (const Wanted& blob : wanted) {
    if (blobs_.knows(blob.id)) continue;
    const auto place = repository_.find_blob(BlobType::kData, blob.id);
    if (place && !repository_.is_cached(*place, BlobType::kData)) places.push_back(*place);
  }
  return places;
}

void ReadingAhead::directory_is_listed(const CompactTree& tree) {
  if (fetcher_ == nullptr) return;
  std::vector<BlobLocation> places;
  for (const Node node : tree.nodes()) {
    if (!node.subtree || trees_.peek(*node.subtree) != nullptr) continue;
    const auto place = repository_.find_blob(BlobType::kTree, *node.subtree);
    if (place && !repository_.is_cached(*place, BlobType::kTree)) places.push_back(*place);
  }
  fetcher_->want(places, BlobType::kTree);
}

}  // namespace restree
