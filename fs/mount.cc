#include "fs/mount.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "fs/inode_numbers.h"
#include "repo/base/log.h"
#include "repo/format/node_name.h"

namespace restree {
namespace {

// How the memory that a user allows is shared out, in sixteenths. Bytes on their way to readers
// take memory twice, sealed and plain. A far storage needs memory for bytes that are under way, and
// less for decoded blobs.
struct Shares {
  std::size_t blobs, trees, layouts, read_ahead;
};
constexpr Shares kNearShares{.blobs = 7, .trees = 3, .layouts = 1, .read_ahead = 4};
constexpr Shares kFarShares{.blobs = 5, .trees = 2, .layouts = 1, .read_ahead = 2};
// Room for one chunk of the largest size with its sealed form, and for another one that is read
// meanwhile.
constexpr std::size_t kLeastRoom = 24 << 20;
constexpr std::size_t kFetchedDataShare = 5;
constexpr std::size_t kFetchedTreeShare = 1;

const Shares& shares(const MountOptions& options) {
  return options.fetcher != nullptr ? kFarShares : kNearShares;
}

BlobRoom::Options room_options(Repository& repository, const MountOptions& options) {
  const Shares& share = shares(options);
  const std::size_t allowed = options.memory_bytes / 16 * (share.blobs + share.read_ahead);
  return {.budget_bytes = std::max(allowed, kLeastRoom),
          .sealed_bytes = [&repository](const BlobId& id) -> std::size_t {
            const auto place = repository.find_blob(BlobType::kData, id);
            return place ? place->length : 0;
          },
          .outages = options.outages};
}

// Monitoring raises the alarm over a file system without free room. How much the storage has is not
// known here, so the figures say that there is plenty.
constexpr std::uint64_t kUnknownFreeBytes = std::uint64_t{1} << 50;
constexpr std::uint64_t kUnknownFreeFiles = 1'000'000'000;

Error no_such_inode() { return {ErrorKind::kNotFound, "no such file (any more)"}; }

// A blob or file that is not found in the repository is damage of an entry that is shown, never the
// absence of that entry.
Error as_damage(Error error) {
  if (error.kind() != ErrorKind::kNotFound) return error;
  return {ErrorKind::kCorrupt, error.message()};
}

// The files in .restree: a new file is a new row here.
std::vector<HiddenFiles::File> hidden_files(const Mount& mount) {
  const auto status = [&mount] { return status_json(mount.status()); };
  const auto problems = [&mount] { return mount.problems().as_json_lines(); };
  return {{.name = "status", .size_bytes = status_bytes(), .content = status},
          {.name = "problems", .size_bytes = std::nullopt, .content = problems}};
}

}  // namespace

Mount::Mount(Repository& repository, MountOptions options)
    : repository_(repository),
      options_(std::move(options)),
      blobs_(repository, room_options(repository, options_)),
      trees_(repository, options_.memory_bytes / 16 * shares(options_).trees, options_.outages),
      layouts_(
          options_.memory_bytes / 16 * shares(options_).layouts,
          [&repository](const BlobId& id) { return repository.size_anywhere(BlobType::kData, id); },
          [&repository](std::span<const BlobId> content) {
            return repository.correct_sizes(content);
          }),
      followed_links_(options_.processes != nullptr ? options_.processes
                                                    : std::make_shared<SystemProcesses>()),
      snapshots_(repository, options_.names),
      views_(trees_),
      failures_([this](std::uint64_t inode) { return describe(inode); }),
      hidden_files_(hidden_files(*this), options_.ownership),
      views_ahead_(views_, options_.time_limit),
      reading_ahead_(repository, blobs_, trees_,
                     {.fetcher = options_.fetcher,
                      .threads = options_.read_ahead_threads,
                      .budget_bytes = options_.memory_bytes / 16 * shares(options_).read_ahead,
                      .time_limit = options_.time_limit}) {}

PackPieces::Budgets fetch_budgets(std::size_t memory_bytes) {
  return {.data_bytes = memory_bytes / 16 * kFetchedDataShare,
          .tree_bytes = memory_bytes / 16 * kFetchedTreeShare};
}

Result<std::unique_ptr<Mount>> Mount::open(Repository& repository, MountOptions options) {
  std::unique_ptr<Mount> mount(new Mount(repository, std::move(options)));
  RETURN_IF_ERROR(repository.refresh_index(mount->deadline()));
  RETURN_IF_ERROR(mount->snapshots_.load(mount->deadline()));
  mount->note_unreadable_files();
  mount->snapshots_.publish();
  return mount;
}

Result<Mount::Changes> Mount::refresh() {
  const Deadline by = deadline();
  RETURN_IF_ERROR(snapshots_.load(by));
  RETURN_IF_ERROR(repository_.refresh_index(by));
  if (repository_.is_offline()) {
    return Error(ErrorKind::kUnavailable, "the repository is still out of reach");
  }
  note_unreadable_files();
  return snapshots_.publish();
}

Result<std::uint32_t> Mount::view_of(const VirtualNode& node, Deadline by) {
  Result<std::uint32_t> number = views_.number_of(node, by);
  if (number) return number;
  return fail(as_damage(std::move(number).error()), node.inode, "open snapshot");
}

Result<Mount::Directory> Mount::directory_of(std::uint64_t inode, Deadline by) {
  if (is_virtual(inode)) {
    ASSIGN_OR_RETURN(const auto node, virtual_node(inode));
    if (node->kind != VirtualNode::Kind::kSnapshot) return no_such_inode();
    ASSIGN_OR_RETURN(const std::uint32_t number, view_of(*node, by));
    return Directory{views_.at(number)->tree, number};
  }
  const std::optional<Inodes::Known> known = inodes_.find(inode);
  if (!known) return no_such_inode();
  if (known->subtree.is_null()) {
    return fail(Error(ErrorKind::kCorrupt, "the backup names no tree for this directory"), inode,
                "read directory");
  }
  return Directory{known->subtree, known->place.view};
}

Result<SharedCompactTree> Mount::load_tree(std::uint64_t directory, const BlobId& tree,
                                           Deadline by) {
  Result<SharedCompactTree> loaded = trees_.load(tree, by);
  if (!loaded) return fail(as_damage(std::move(loaded).error()), directory, "read directory");
  for (const std::string& remark : (*loaded)->remarks()) {
    failures_.say_once(tree.hex() + remark, directory, remark);
    note_problem(directory, remark);
  }
  return loaded;
}

Result<Mount::Located> Mount::locate(std::uint64_t inode, Deadline by) {
  const std::optional<Inodes::Known> known = inodes_.find(inode);
  if (!known) return no_such_inode();
  const Place place = known->place;
  const std::optional<BlobId> tree_id = tree_around(place);
  if (!tree_id) return no_such_inode();
  ASSIGN_OR_RETURN(SharedCompactTree tree, load_tree(place.parent, *tree_id, by));
  const Node node = tree->nodes()[place.position];
  return Located{*tree_id, std::move(tree), node, place};
}

std::optional<BlobId> Mount::tree_around(const Place& place) const {
  if (is_virtual(place.parent)) return views_.at(place.view)->tree;
  const std::optional<Inodes::Known> parent = inodes_.find(place.parent);
  if (!parent) return std::nullopt;
  return parent->subtree;
}

Mount::Way Mount::way_to(std::uint64_t inode, std::size_t most_steps) const {
  Way way{inode, {}};
  while (!is_virtual(way.top) && way.steps.size() < most_steps) {
    const std::optional<Inodes::Known> known = inodes_.find(way.top);
    if (!known) break;
    const std::optional<BlobId> tree = tree_around(known->place);
    if (!tree) break;
    way.steps.push_back({*tree, known->place.position});
    way.top = known->place.parent;
  }
  std::ranges::reverse(way.steps);
  return way;
}

Mount::Whereabouts Mount::whereabouts(std::uint64_t inode) const {
  const Way way = way_to(inode, std::numeric_limits<std::size_t>::max());
  if (!is_virtual(way.top)) return {.is_forgotten = true};
  Whereabouts found;
  for (const WalkAhead::Step& step : way.steps) {
    const SharedCompactTree tree = trees_.peek(step.tree);
    found.below += '/';
    found.below += tree == nullptr ? std::string_view("?") : tree->nodes().name(step.position);
  }
  const auto node = virtual_node(way.top);
  found.is_forgotten = !node;
  if (!node) return found;
  found.snapshot = (*node)->snapshot;
  found.top = (*node)->path;
  if (found.snapshot != nullptr && (*node)->without_leading_path) {
    for (const std::string& step : common_folder(found.snapshot->paths)) {
      found.backed_up += '/' + step;
    }
  }
  found.backed_up += found.below.empty() && found.backed_up.empty() ? "/" : found.below;
  return found;
}

std::string Mount::describe(std::uint64_t inode) const {
  const Whereabouts where = whereabouts(inode);
  if (where.is_forgotten) {
    return where.below.empty() ? "a forgotten file"
                               : "a forgotten snapshot, path " + log::quoted(where.below);
  }
  const std::string path = log::quoted(where.top + where.below);
  if (where.snapshot == nullptr) return "path " + path;
  return fmt::format("snapshot {}, path {}", where.snapshot->id.short_hex(), path);
}

Error Mount::fail(Error error, std::uint64_t inode, std::string_view doing) {
  if (error.kind() == ErrorKind::kCorrupt) note_problem(inode, error.message());
  return failures_.report(std::move(error), inode, doing);
}

void Mount::note_problem(std::uint64_t inode, std::string what) {
  const Whereabouts where = whereabouts(inode);
  if (where.snapshot == nullptr) return;
  problems_.met({.app = app_of(*where.snapshot),
                 .snapshot = where.snapshot->id.short_hex(),
                 .path = where.backed_up,
                 .what = std::move(what)});
}

void Mount::note_unreadable_files() {
  std::vector<Problem> files;
  for (const auto& [id, why] : snapshots_.unreadable()) {
    files.push_back({.path = "snapshots/" + id.hex(), .what = why});
  }
  for (const auto& [name, why] : repository_.damaged_index_files()) {
    files.push_back({.path = "index/" + name, .what = why});
  }
  problems_.set_files(std::move(files));
}

std::uint64_t Mount::number_of(std::uint64_t directory, const Directory& where, const Node& node,
                               std::uint32_t position) const {
  if (node.links <= 1 || node.type == NodeType::kDirectory) {
    return entry_inode(directory, position);
  }
  // All names of one file have its inode and device. A file that changed while the backup ran was
  // recorded differently under its names; size, time and content keep these apart, so that no
  // reader gets the bytes of one name under another.
  std::uint64_t hash = mix64(views_.at(where.view)->root_inode ^ mix64(node.inode));
  hash = mix64(hash ^ mix64(node.device_id + 1));
  hash = mix64(hash ^ node.size ^
               mix64(static_cast<std::uint64_t>(node.mtime.seconds) + node.mtime.nanoseconds));
  for (const BlobId& blob : node.content) hash = mix64(hash ^ blob.prefix64());
  return hash & ~kVirtualBit;
}

Mount::Found Mount::show(const BlobId& tree, std::uint32_t position, const Node& node,
                         std::uint64_t inode) {
  std::uint64_t size = 0;
  std::uint64_t zero_blobs = 0;
  if (node.type == NodeType::kFile && !node.content.empty()) {
    const auto layout = layouts_.layout_of(tree, position, node);
    size = layout->size();
    zero_blobs = layout->zero_blobs();
  }
  return {inode, attributes_of(node, inode, size, options_.ownership, zero_blobs), true};
}

Mount::Found Mount::take(std::uint64_t directory, const Directory& where, const Node& node,
                         std::uint32_t position) {
  const bool link_group = node.links > 1 && node.type != NodeType::kDirectory;
  BlobId subtree;
  if (node.type == NodeType::kDirectory && node.subtree) subtree = *node.subtree;
  const std::uint64_t inode =
      inodes_.remember(number_of(directory, where, node, position),
                       {directory, position, where.view}, link_group, subtree);
  return show(where.tree, position, node, inode);
}

bool Mount::is_own_ancestor(std::uint64_t directory, const BlobId& subtree) {
  while (!is_virtual(directory)) {
    const std::optional<Inodes::Known> known = inodes_.find(directory);
    if (!known) return false;
    if (known->subtree == subtree) return true;
    if (is_virtual(known->place.parent)) return views_.at(known->place.view)->tree == subtree;
    directory = known->place.parent;
  }
  return false;
}

Result<std::optional<Mount::Found>> Mount::lookup(std::uint64_t directory, std::string_view name,
                                                  pid_t thread) {
  if (const auto hidden = hidden_files_.find(directory, name)) {
    return std::optional(hidden_files_.show(*hidden));
  }
  const Deadline by = deadline();
  if (is_virtual(directory)) {
    const SnapshotList::Published now = snapshots_.newest();
    const VirtualNode* parent = now.space->find(directory);
    if (parent != nullptr && parent->kind == VirtualNode::Kind::kDirectory) {
      const VirtualNode* child = now.space->child(*parent, name);
      if (child == nullptr) return std::optional<Found>();
      return take_virtual(now, *child, thread, by);
    }
  }
  ASSIGN_OR_RETURN(const Directory where, directory_of(directory, by));
  ASSIGN_OR_RETURN(const SharedCompactTree tree, load_tree(directory, where.tree, by));
  const std::optional<std::uint32_t> position = tree->find(name);
  if (!position) return std::optional<Found>();
  const Node node = tree->nodes()[*position];
  if (node.subtree && is_own_ancestor(directory, *node.subtree)) {
    return fail(Error(ErrorKind::kCorrupt, fmt::format("directory {} contains itself (tree {})",
                                                       log::quoted(name), node.subtree->hex())),
                directory, "look up");
  }
  return std::optional(take(directory, where, node, *position));
}

bool Mount::lasting_absence(std::uint64_t directory) const {
  if (!is_virtual(directory)) return true;
  const auto node = virtual_node(directory);
  return node && (*node)->kind == VirtualNode::Kind::kSnapshot;
}

void Mount::forget(std::uint64_t inode, std::uint64_t count) {
  is_virtual(inode) ? known_nodes_.forget(inode, count) : inodes_.forget(inode, count);
}

Result<Mount::Found> Mount::attributes(std::uint64_t inode) {
  if (hidden_files_.holds(inode)) return hidden_files_.show(inode);
  const Deadline by = deadline();
  if (is_virtual(inode)) {
    const std::uint32_t generation = snapshots_.newest().generation;
    ASSIGN_OR_RETURN(const auto node, virtual_node(inode));
    return show_virtual(*node, generation, by);
  }
  ASSIGN_OR_RETURN(const Located located, locate(inode, by));
  return show(located.tree_id, located.place.position, located.node, inode);
}

Result<std::string> Mount::link_target(std::uint64_t inode) {
  if (is_virtual(inode)) {
    ASSIGN_OR_RETURN(const auto node, virtual_node(inode));
    if (node->kind != VirtualNode::Kind::kSymlink) {
      return Error(ErrorKind::kInvalid, "not a symbolic link");
    }
    return node->target;
  }
  ASSIGN_OR_RETURN(const Located located, locate(inode, deadline()));
  if (located.node.type != NodeType::kSymlink) {
    return Error(ErrorKind::kInvalid, "not a symbolic link");
  }
  if (holds_zero_byte(located.node.link_target)) {
    // The kernel would show only the part before the zero byte.
    return fail(Error(ErrorKind::kCorrupt,
                      "the target holds a zero byte: " + log::quoted(located.node.link_target)),
                inode, "read link");
  }
  return std::string(located.node.link_target);
}

struct statvfs Mount::figures() const {
  const IndexFigures index = repository_.index_figures();
  struct statvfs shown {};
  shown.f_bsize = shown.f_frsize = kPreferredIoBytes;
  const fsblkcnt_t used = index.sealed_bytes / kPreferredIoBytes + 1;
  shown.f_bfree = shown.f_bavail = kUnknownFreeBytes / kPreferredIoBytes;
  shown.f_blocks = used + shown.f_bfree;
  shown.f_ffree = shown.f_favail = kUnknownFreeFiles;
  shown.f_files = index.blobs + shown.f_ffree;
  shown.f_namemax = 255;
  return shown;
}

MountStatus Mount::status() const {
  MountStatus status;
  if (options_.more_status) options_.more_status(status);
  if (const auto listed = snapshots_.listed()) status.listed = listed;
  status.reads = reads_;
  status.given_files = given_files_;
  status.served_bytes = served_bytes_;
  status.given_up_bytes = blobs_.figures().given_up_bytes;
  status.errors = failures_.count();
  status.problems = problems_.count();
  status.inodes = inodes_.size();
  const IndexFigures index = repository_.index_figures();
  status.index_blobs = index.blobs;
  status.index_bytes = index.memory_bytes;
  add_memory_use(status);
  return status;
}

}  // namespace restree
