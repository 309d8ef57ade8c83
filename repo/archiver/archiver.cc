#include "repo/archiver/archiver.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>

#include "repo/archiver/archive_tally.h"
#include "repo/archiver/folder_work.h"
#include "repo/archiver/link_watch.h"
#include "repo/archiver/source_folder.h"
#include "repo/archiver/work_stack.h"
#include "repo/base/thread_pool.h"
#include "repo/format/tree_writer.h"

namespace restree {
namespace {

using SteadyClock = std::chrono::steady_clock;

// A large directory is divided into pieces of work of this many entries.
constexpr std::size_t kEntriesAtOnce = 256;
constexpr std::chrono::minutes kLoadTimeout{15};

bool is_explicit(const TargetNode* target) { return target != nullptr && target->is_explicit; }

class Archiver {
 public:
  Archiver(const ArchiveParts& parts, const ArchiveOptions& options, std::stop_token stop)
      : parts_(parts),
        options_(options),
        stop_(std::move(stop)),
        tally_(parts.events),
        pool_(options.chunk_threads, 1),
        files_(parts.writer, parts.chunker, pool_,
               [this](std::uint64_t count) { parts_.events.on_bytes_read(count); }) {}

  Result<ArchiveResult> run(const TargetNode& targets, const std::optional<BlobId>& tree_before);

 private:
  using Folder = std::shared_ptr<FolderWork>;

  bool is_over() const { return stop_.stop_requested() || parts_.writer.failure().has_value(); }
  std::shared_ptr<const Tree> load_before(const std::optional<BlobId>& id, const std::string& path);

  Result<SourceNode> read_node(const SourcePlace& place, const struct stat& attributes,
                               const std::string& name, const std::string& path);

  void begin_folder(const Folder& folder);
  Status open_folder(FolderWork& folder);
  Status list_entries(FolderWork& folder);
  void save_entries(const Folder& folder, std::size_t begin, std::size_t end);
  // Returns the work for a subdirectory; null if the entry is finished already.
  Folder save_entry(const Folder& folder, std::size_t slot);
  Folder make_subfolder(const Folder& folder, std::size_t slot);
  void save_file(const Folder& folder, std::size_t slot, const struct stat& attributes);
  void save_special(const Folder& folder, std::size_t slot, const struct stat& attributes);
  bool reuse_content(const Node& before, SourceNode& node);
  void part_from_another(SourceNode& node, const std::string& path);
  void finish_entry(Folder folder);
  bool finish_folder(FolderWork& folder);

  const ArchiveParts& parts_;
  const ArchiveOptions& options_;
  const std::stop_token stop_;
  OwnerNames owners_;
  WorkStack stack_;
  ArchiveTally tally_;
  Guarded<std::optional<BlobId>> root_tree_;
  ThreadPool pool_;
  FileSaver files_;
  LinkWatch links_;
};

Result<ArchiveResult> Archiver::run(const TargetNode& targets,
                                    const std::optional<BlobId>& tree_before) {
  auto root = std::make_shared<FolderWork>();
  root->target = &targets;
  root->before = load_before(tree_before, "/");
  stack_.push([this, root = std::move(root)] { begin_folder(root); });
  {
    std::vector<std::jthread> workers;
    start_threads(workers, std::max<std::size_t>(options_.workers, 1) - 1,
                  [this] { stack_.run(); });
    stack_.run();
  }
  stack_.rethrow_failure();
  if (stop_.stop_requested()) return Error(ErrorKind::kCancelled, "stopped");
  if (auto failure = parts_.writer.failure()) return std::move(*failure);
  const std::optional<BlobId> tree = *root_tree_.lock();
  if (!tree) return Error(ErrorKind::kInvalid, "snapshot is empty");
  ArchiveResult result = tally_.result();
  result.tree = *tree;
  return result;
}

// If the tree cannot be loaded, its files are only read again.
std::shared_ptr<const Tree> Archiver::load_before(const std::optional<BlobId>& id,
                                                  const std::string& path) {
  if (!id) return nullptr;
  const auto blob = parts_.blobs.load(BlobType::kTree, *id, Deadline::after(kLoadTimeout));
  if (!blob) {
    tally_.complain(path, blob.error());
    return nullptr;
  }
  auto tree = Tree::parse(**blob);
  if (!tree) tally_.complain(path, tree.error());
  return tree ? *tree : nullptr;
}

Result<SourceNode> Archiver::read_node(const SourcePlace& place, const struct stat& attributes,
                                       const std::string& name, const std::string& path) {
  ASSIGN_OR_RETURN(SourceNode node,
                   read_source_node(place, attributes, name, path, options_.with_atime, owners_));
  // Of a FIFO restic does not know how many names it has.
  const bool has_one_name = node.type == NodeType::kDirectory ||
                            (node.type != NodeType::kFifo && attributes.st_nlink == 1);
  if (options_.device_for_links_only && has_one_name) node.attributes.st_dev = 0;
  return node;
}

// --- directories --------------------------------------------------------------------------------

void Archiver::begin_folder(const Folder& folder) {
  if (is_over()) return;
  folder->begun = SteadyClock::now();
  Status begun;
  if (folder->parent) begun = open_folder(*folder);
  if (begun) begun = list_entries(*folder);
  if (!begun) {
    // A directory that vanished after its parent was listed counts as never having existed.
    if (begun.error().kind() != ErrorKind::kNotFound || is_explicit(folder->target)) {
      tally_.complain(folder->source_path, begun.error());
    }
    if (folder->parent) finish_entry(folder->parent);
    return;
  }
  folder->nodes.resize(folder->entries.size());
  if (folder->own_before != nullptr && folder->own_before->type == NodeType::kDirectory) {
    folder->before = load_before(folder->own_before->subtree, folder->source_path);
  }
  // One more than the number of entries, so that the directory cannot finish while its entries are
  // still being handed out.
  folder->unfinished = folder->entries.size() + 1;
  const std::size_t whole = folder->entries.size() > 2 * kEntriesAtOnce ? kEntriesAtOnce : 0;
  if (whole == 0) {
    save_entries(folder, 0, folder->entries.size());
  } else {
    // Pushed in reverse, so that the first piece ends on top of the stack.
    for (std::size_t end = folder->entries.size(); end > 0;) {
      const std::size_t begin = (end - 1) / whole * whole;
      stack_.push([this, folder, begin, end] { save_entries(folder, begin, end); });
      end = begin;
    }
  }
  finish_entry(folder);
}

Status Archiver::open_folder(FolderWork& folder) {
  // A folder above a target is opened through symbolic links, as the path to the target is.
  const bool is_on_the_way = folder.target != nullptr && !folder.target->is_target;
  struct stat attributes {};
  if (is_on_the_way) {
    if (::stat(folder.place.name.c_str(), &attributes) != 0) {
      return errno_error(errno, "stat " + folder.source_path);
    }
  } else {
    ASSIGN_OR_RETURN(folder.fd, open_source_folder(folder.place, folder.source_path));
    if (::fstat(folder.fd.get(), &attributes) != 0) {
      return errno_error(errno, "stat " + folder.source_path);
    }
  }
  ASSIGN_OR_RETURN(folder.own,
                   read_node(folder.place, attributes, folder.parent->entries[folder.slot].name,
                             folder.source_path));
  for (const Error& error : folder.own.complaints) {
    if (is_on_the_way && error.kind() == ErrorKind::kDenied) continue;
    tally_.complain(folder.source_path, error);
  }
  return {};
}

Status Archiver::list_entries(FolderWork& folder) {
  if (folder.fd) {
    ASSIGN_OR_RETURN(auto names, names_in_folder(folder.fd, folder.source_path));
    parts_.filter.thin_out(folder.fd, folder.source_path, names);
    folder.entries.reserve(names.size());
    for (std::string& name : names) folder.entries.push_back({std::move(name), nullptr});
  }
  if (folder.target == nullptr) return {};
  // A target takes precedence over an entry of the directory with the same name.
  for (const TargetNode& child : folder.target->children) {
    const auto at = std::lower_bound(
        folder.entries.begin(), folder.entries.end(), child.name,
        [](const FolderWork::Entry& entry, const std::string& name) { return entry.name < name; });
    if (at != folder.entries.end() && at->name == child.name) {
      at->target = &child;
    } else {
      folder.entries.insert(at, {child.name, &child});
    }
  }
  return {};
}

void Archiver::save_entries(const Folder& folder, std::size_t begin, std::size_t end) {
  std::vector<Folder> subfolders;
  for (std::size_t slot = begin; slot < end; ++slot) {
    if (is_over()) return;
    if (auto subfolder = save_entry(folder, slot)) subfolders.push_back(std::move(subfolder));
  }
  for (auto subfolder = subfolders.rbegin(); subfolder != subfolders.rend(); ++subfolder) {
    stack_.push([this, work = std::move(*subfolder)] { begin_folder(work); });
  }
}

// The thread that finishes a directory's last entry finishes the directory, and then possibly its
// parent in the same way.
void Archiver::finish_entry(Folder folder) {
  while (folder && folder->unfinished.fetch_sub(1) == 1) {
    if (is_over() || !finish_folder(*folder)) return;
    folder = folder->parent;
  }
}

bool Archiver::finish_folder(FolderWork& folder) {
  TreeWriter writer;
  std::vector<ExtendedAttribute> views;
  bool is_empty = true;
  for (const auto& node : folder.nodes) {
    if (!node) continue;
    is_empty = false;
    if (const Status added = writer.append(node->view(views)); !added) {
      tally_.complain(folder.source_path, added.error());
    }
  }
  folder.nodes.clear();
  if (!folder.parent && is_empty) return false;
  const std::string json = writer.finish();
  const auto saved = parts_.writer.save(BlobType::kTree, as_bytes(json));
  if (!saved) return false;
  if (!folder.parent) {
    *root_tree_.lock() = saved->id;
    return true;
  }
  folder.own.subtree = saved->id;
  AddedSizes added;
  added.add(*saved, json.size());
  tally_.report(folder.parent->snapshot_path_of(folder.parent->entries[folder.slot]), folder.own,
                change_of(folder.own, folder.own_before), added, folder.begun);
  folder.parent->nodes[folder.slot] = std::move(folder.own);
  folder.fd.reset();
  return true;
}

// --- entries of directories ---------------------------------------------------------------------

Archiver::Folder Archiver::save_entry(const Folder& folder, std::size_t slot) {
  const FolderWork::Entry& entry = folder->entries[slot];
  const SourcePlace place = folder->place_of(entry);
  const bool is_on_the_way = entry.target != nullptr && !entry.target->is_target;
  const bool is_named = is_explicit(entry.target);
  // Checked before the entry is touched: users may exclude a path because touching it fails or
  // hangs.
  if (!is_named && !parts_.filter.wants_path(folder->source_path_of(entry))) {
    finish_entry(folder);
    return nullptr;
  }
  struct stat attributes {};
  if (::fstatat(place.folder_fd, place.name.c_str(), &attributes,
                is_on_the_way ? 0 : AT_SYMLINK_NOFOLLOW) != 0) {
    // An entry that vanished since the directory was listed counts as never having existed.
    if (errno != ENOENT || is_named) {
      const std::string path = folder->source_path_of(entry);
      tally_.complain(path, errno_error(errno, "stat " + path));
    }
    finish_entry(folder);
    return nullptr;
  }
  const auto type = node_type(attributes.st_mode);
  if (!type || (!is_named && !parts_.filter.wants(folder->source_path_of(entry), attributes))) {
    finish_entry(folder);
    return nullptr;
  }
  if (*type == NodeType::kDirectory) return make_subfolder(folder, slot);
  if (*type == NodeType::kFile) {
    save_file(folder, slot, attributes);
  } else {
    save_special(folder, slot, attributes);
  }
  finish_entry(folder);
  return nullptr;
}

Archiver::Folder Archiver::make_subfolder(const Folder& folder, std::size_t slot) {
  const FolderWork::Entry& entry = folder->entries[slot];
  auto subfolder = std::make_shared<FolderWork>();
  subfolder->parent = folder;
  subfolder->slot = slot;
  subfolder->source_path = folder->source_path_of(entry);
  subfolder->snapshot_path = folder->snapshot_path_of(entry);
  subfolder->place = folder->place_of(entry);
  subfolder->target = entry.target;
  subfolder->parent_before = folder->before;
  if (folder->before) subfolder->own_before = folder->before->find(entry.name);
  return subfolder;
}

void Archiver::save_special(const Folder& folder, std::size_t slot, const struct stat& attributes) {
  const FolderWork::Entry& entry = folder->entries[slot];
  const auto begun = SteadyClock::now();
  const std::string path = folder->source_path_of(entry);
  auto node = read_node(folder->place_of(entry), attributes, entry.name, path);
  if (!node) return tally_.complain(path, node.error());
  for (const Error& error : node->complaints) tally_.complain(path, error);
  const Node* before = folder->before ? folder->before->find(entry.name) : nullptr;
  tally_.report(folder->snapshot_path_of(entry), *node, change_of(*node, before), {}, begun);
  folder->nodes[slot] = std::move(*node);
}

void Archiver::save_file(const Folder& folder, std::size_t slot, const struct stat& attributes) {
  const FolderWork::Entry& entry = folder->entries[slot];
  const auto begun = SteadyClock::now();
  const std::string path = folder->source_path_of(entry);
  const SourcePlace place = folder->place_of(entry);
  const Node* before = folder->before ? folder->before->find(entry.name) : nullptr;

  const auto finish = [&](SourceNode node, ItemChange change, const AddedSizes& added) {
    for (const Error& error : node.complaints) tally_.complain(path, error);
    part_from_another(node, path);
    tally_.report(folder->snapshot_path_of(entry), node, change, added, begun);
    folder->nodes[slot] = std::move(node);
  };

  if (before != nullptr && is_content_unchanged(*before, attributes, options_.change_detection)) {
    auto node = read_node(place, attributes, entry.name, path);
    if (!node) return tally_.complain(path, node.error());
    // Whatever else differs, such as a number of its device that is new with each snapshot of a
    // volume, restic counts the file as unmodified.
    if (reuse_content(*before, *node)) return finish(std::move(*node), ItemChange::kUnmodified, {});
    tally_.complain(path, Error(ErrorKind::kCorrupt,
                                "parts of " + path +
                                    " are not in the repository any more; storing the file again"));
  }
  parts_.events.on_file_begun(folder->snapshot_path_of(entry));
  auto file = SourceFile::open(place, path);
  // Reported even if the file has vanished by now: it existed a moment ago, and restic reports it
  // too.
  if (!file) return tally_.complain(path, file.error());
  auto node = read_node(place, file->attributes(), entry.name, path);
  if (!node) return tally_.complain(path, node.error());
  auto content = files_.save(*file);
  if (!content) {
    // The writer's own failure ends everything; it is not the file's.
    if (!parts_.writer.failure()) tally_.complain(path, content.error());
    return;
  }
  node->content = std::move(content->blobs);
  node->size = content->size;
  const ItemChange change = change_of(*node, before);
  finish(std::move(*node), change, content->added);
}

bool Archiver::reuse_content(const Node& before, SourceNode& node) {
  const bool is_all_there =
      std::all_of(before.content.begin(), before.content.end(),
                  [&](const BlobId& id) { return parts_.writer.has(BlobType::kData, id); });
  if (!is_all_there) return false;
  node.content.assign(before.content.begin(), before.content.end());
  node.size = before.size;
  parts_.events.on_bytes_read(before.size);
  return true;
}

// A file that has the inode number of another one counts as the only name of its own, so that no
// program takes the two for one file.
void Archiver::part_from_another(SourceNode& node, const std::string& path) {
  std::vector<ExtendedAttribute> views;
  const auto identity = LinkIdentity::of(node.view(views));
  if (!identity || links_.agrees(*identity)) return;
  node.attributes.st_nlink = 1;
  parts_.events.on_number_reused(path);
}

}  // namespace

Result<ArchiveResult> archive(const ArchiveParts& parts, const ArchiveOptions& options,
                              const TargetNode& targets, const std::optional<BlobId>& tree_before,
                              const std::stop_token& stop) {
  return Archiver(parts, options, stop).run(targets, tree_before);
}

}  // namespace restree
