// What a restore does once the contents of files are there: links, special files, folders.
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <functional>

#include "repo/base/log.h"
#include "repo/format/node_name.h"
#include "repo/restorer/restorer.h"
#include "repo/restorer/unexpected_entries.h"

namespace restree {
namespace {

bool is_same_file(int folder_a, const std::string& name_a, int folder_b,
                  const std::string& name_b) {
  struct stat a {};
  struct stat b {};
  return ::fstatat(folder_a, name_a.c_str(), &a, AT_SYMLINK_NOFOLLOW) == 0 &&
         ::fstatat(folder_b, name_b.c_str(), &b, AT_SYMLINK_NOFOLLOW) == 0 &&
         a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// -1 and errno if it fails; EEXIST if something of that name is there.
using MakeEntry = std::function<int(const char* name)>;

std::string unused_name() {
  static std::atomic<unsigned> count = 0;
  return fmt::format(".restree-{}-{}", ::getpid(), count++);
}

// Makes an entry. An old entry of that name is replaced if it may be and is not a folder with
// entries: the new one is first made under another name, so that the old one stays if that fails.
Status make_in_place(int folder, const std::string& name, bool may_replace,
                     const std::string& doing, const MakeEntry& make) {
  if (make(name.c_str()) == 0) return {};
  if (errno != EEXIST || !may_replace) return errno_error(errno, doing);
  const std::string beside = unused_name();
  if (make(beside.c_str()) != 0) return errno_error(errno, doing);
  const auto take_place = [&] {
    return ::renameat(folder, beside.c_str(), folder, name.c_str()) == 0;
  };
  if (take_place()) return {};
  if (errno == EISDIR && ::unlinkat(folder, name.c_str(), AT_REMOVEDIR) == 0 && take_place()) {
    return {};
  }
  const int failure = errno;
  ::unlinkat(folder, beside.c_str(), 0);
  return errno_error(failure, "remove what is in its place");
}

Status make_special(int folder, const std::string& name, bool may_replace, const Node& node) {
  if (node.type == NodeType::kSymlink && holds_zero_byte(node.link_target)) {
    return Error(ErrorKind::kUnsupported, "make it: no link's target can hold a zero byte, as " +
                                              log::quoted(node.link_target) + " does");
  }
  return make_in_place(folder, name, may_replace, "make it", [&](const char* as) {
    constexpr mode_t kOwnerOnly = 0600;
    switch (node.type) {
      case NodeType::kSymlink:
        return ::symlinkat(std::string(node.link_target).c_str(), folder, as);
      case NodeType::kBlockDevice:
        return ::mknodat(folder, as, S_IFBLK | kOwnerOnly, node.device);
      case NodeType::kCharDevice:
        return ::mknodat(folder, as, S_IFCHR | kOwnerOnly, node.device);
      case NodeType::kFifo:
        return ::mknodat(folder, as, S_IFIFO | kOwnerOnly, 0);
      case NodeType::kFile:
      case NodeType::kDirectory:
      case NodeType::kSocket:
        break;
    }
    return 0;
  });
}

}  // namespace

Status Restorer::make_links() {
  for (std::uint32_t i = 0; i < files_.size(); ++i) {
    if (files_[i].fate != Fate::kLink) continue;
    RETURN_IF_ERROR(stop_if_asked());
    const PlannedItem& item = plan_->files()[i];
    if (folders_->state(item.folder) == TargetFolders::State::kFailed) continue;
    const Result<bool> may = may_overwrite(item);
    if (may && !*may) {
      tell(RestoreAction::kUnchanged, RestoredKind::kFile, item, 0);
      continue;
    }
    const Status made = may ? make_link(i) : Status(may.error());
    if (made) {
      tell(RestoreAction::kRestored, RestoredKind::kOther, item, 0);
    } else {
      fail(plan_->location(item), made.error());
    }
  }
  return {};
}

// Its metadata is that of the first name.
Status Restorer::make_link(std::uint32_t number) {
  if (options_.dry_run) return {};
  const PlannedItem& item = plan_->files()[number];
  const PlannedFile& first_file = files_[files_[number].first_name];
  const PlannedItem& first = plan_->files()[files_[number].first_name];
  const bool is_whole = first_file.fate == Fate::kMetadata ||
                        (first_file.fate == Fate::kWrite && !first_file.task->failed());
  if (!is_whole) {
    return Error(ErrorKind::kNotFound, "not restored; the file whose other name it is, " +
                                           plan_->location(first) + ", could not be restored");
  }
  ASSIGN_OR_RETURN(const TargetFolders::Handle from, folders_->open(first.folder));
  ASSIGN_OR_RETURN(const TargetFolders::Handle to, folders_->open(item.folder));
  const std::string first_name(first.node->name);
  const std::string name(item.node->name);
  if (is_same_file(from->get(), first_name, to->get(), name)) return {};
  const bool may_replace = folders_->state(item.folder) == TargetFolders::State::kExisting;
  return make_in_place(
      to->get(), name, may_replace, "link it to " + target_files_->path(first),
      [&](const char* as) { return ::linkat(from->get(), first_name.c_str(), to->get(), as, 0); });
}

Status Restorer::make_others() {
  for (const PlannedItem& item : plan_->others()) {
    RETURN_IF_ERROR(stop_if_asked());
    if (folders_->state(item.folder) == TargetFolders::State::kFailed) continue;
    const Result<bool> may = may_overwrite(item);
    if (may && !*may) {
      tell(RestoreAction::kUnchanged, RestoredKind::kFile, item, 0);
      continue;
    }
    const Status made = may ? make_other(item) : Status(may.error());
    if (!made) fail(plan_->location(item), made.error());
  }
  return {};
}

Status Restorer::make_other(const PlannedItem& item) {
  if (!options_.dry_run) {
    ASSIGN_OR_RETURN(const TargetFolders::Handle folder, folders_->open(item.folder));
    const bool may_replace = folders_->state(item.folder) == TargetFolders::State::kExisting;
    RETURN_IF_ERROR(
        make_special(folder->get(), std::string(item.node->name), may_replace, *item.node));
  }
  tell(RestoreAction::kRestored, RestoredKind::kOther, item, 0);
  if (options_.dry_run) return {};
  return target_files_->set_metadata(item);
}

// Children before their parents: work in a folder changes its time, and a folder may get a mode
// without write permission only once nothing more has to be written there.
Status Restorer::finish_folders() {
  for (auto i = static_cast<std::uint32_t>(plan_->folders().size()); i-- > 0;) {
    RETURN_IF_ERROR(stop_if_asked());
    const PlannedFolder& planned = plan_->folders()[i];
    const TargetFolders::State state = folders_->state(i);
    if (!planned.needed || state == TargetFolders::State::kFailed) continue;
    Status status;
    if (options_.remove_unexpected && state == TargetFolders::State::kExisting) {
      status = remove_unexpected(i);
    }
    if (i > 0 && status && !options_.dry_run) {
      const auto folder = folders_->open(i);
      status =
          folder ? metadata_.apply((*folder)->get(), *planned.node, {}) : Status(folder.error());
    }
    if (!status) {
      fail(plan_->location(i), status.error());
    } else if (i > 0) {
      ++figures_.items_restored;
      if (options_.tell_items) {
        listener_.item(RestoreAction::kRestored, RestoredKind::kOther, plan_->location(i), 0);
      }
    }
  }
  return {};
}

Status Restorer::remove_unexpected(std::uint32_t folder) {
  const PlannedFolder& planned = plan_->folders()[folder];
  // If it is not known which entries belong here, none can be called unexpected.
  if (!planned.complete) return {};
  ASSIGN_OR_RETURN(const TargetFolders::Handle handle, folders_->open(folder));
  ASSIGN_OR_RETURN(const std::vector<std::string> entries,
                   entries_of(*handle, folders_->path(folder)));
  for (const std::string& entry : entries) {
    RETURN_IF_ERROR(stop_if_asked());
    if (planned.tree->find(entry) != nullptr) continue;
    const std::string location = (folder == 0 ? "" : plan_->location(folder)) + "/" + entry;
    if (options_.select && !options_.select(location, false).selected) continue;
    const std::string path = folders_->path(folder) + "/" + entry;
    RETURN_IF_ERROR(
        remove_entry(*handle, entry, path, options_.dry_run, [this](const std::string& removed) {
          ++figures_.items_deleted;
          if (options_.tell_items) {
            listener_.item(RestoreAction::kDeleted, RestoredKind::kOther, removed, 0);
          }
        }));
  }
  return {};
}

}  // namespace restree
