// What a restore does once the contents of files are there: links, special files, folders.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "repo/base/log.h"
#include "repo/format/node_name.h"
#include "repo/restorer/restorer.h"
#include "repo/restorer/target_place.h"
#include "repo/restorer/unexpected_entries.h"

namespace restree {
namespace {

Status make_special(const UniqueFd& folder, const std::string& name, const Node& node) {
  if (node.type == NodeType::kSymlink && holds_zero_byte(node.link_target)) {
    return Error(ErrorKind::kUnsupported, "make it: no link's target can hold a zero byte, as " +
                                              log::quoted(node.link_target) + " does");
  }
  constexpr mode_t kOwnerOnly = 0600;
  int result = 0;
  switch (node.type) {
    case NodeType::kSymlink:
      result = ::symlinkat(std::string(node.link_target).c_str(), folder.get(), name.c_str());
      break;
    case NodeType::kBlockDevice:
      result = ::mknodat(folder.get(), name.c_str(), S_IFBLK | kOwnerOnly, node.device);
      break;
    case NodeType::kCharDevice:
      result = ::mknodat(folder.get(), name.c_str(), S_IFCHR | kOwnerOnly, node.device);
      break;
    case NodeType::kFifo:
      result = ::mknodat(folder.get(), name.c_str(), S_IFIFO | kOwnerOnly, 0);
      break;
    case NodeType::kFile:
    case NodeType::kDirectory:
    case NodeType::kSocket:
      break;
  }
  if (result != 0) return errno_error(errno, "make it");
  return {};
}

// Whether `name` in `folder` leads to this file.
bool leads_to(const UniqueFd& folder, const std::string& name, const EntryIdentity& file) {
  struct stat attributes {};
  return ::fstatat(folder.get(), name.c_str(), &attributes, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISREG(attributes.st_mode) && is_same_entry(folder.get(), attributes, file);
}

}  // namespace

// A folder that this restore has made is private itself until it is finished, and empty. In any
// other the entry is made in a private folder, and then moved to its place, whole.
Status Restorer::make_entry(const PlannedItem& item, const MakeEntry& make) {
  const std::string name(item.node->name);
  ASSIGN_OR_RETURN(const TargetFolders::Handle folder, folders_->open(item.folder));
  RETURN_IF_ERROR(shared_names_->check(item.folder, *folder, name));
  if (folders_->state(item.folder) == TargetFolders::State::kMade) return make(*folder, name);
  ASSIGN_OR_RETURN(const UniqueFd* const inside, workplace_in(item.folder));
  Status done = make(*inside, name);
  if (done) {
    done = take_place(*inside, name, *folder, name, target_files_->path(item),
                      options_.remove_unexpected);
  }
  if (!done) ::unlinkat(inside->get(), name.c_str(), 0);
  return done;
}

Result<const UniqueFd*> Restorer::workplace_in(std::uint32_t folder) {
  if (!workplace_ || workplace_->folder != folder) {
    workplace_.reset();
    ASSIGN_OR_RETURN(TargetFolders::Handle around, folders_->open(folder));
    ASSIGN_OR_RETURN(PrivateFolder inside,
                     PrivateFolder::make(*around, folders_->path(folder), folders_->own_entries()));
    workplace_.emplace(folder, std::move(around), std::move(inside));
  }
  return &workplace_->inside.fd();
}

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
  const bool is_filled = options_.incomplete == Incomplete::kFillWithZeros &&
                         first_file.fate == Fate::kWrite && first_file.task->is_begun();
  if (!is_whole && !is_filled) {
    return Error(ErrorKind::kNotFound, "not restored; the file whose other name it is, " +
                                           plan_->location(first) + ", could not be restored");
  }
  const EntryIdentity file = first_file.kept ? *first_file.kept : first_file.task->identity();
  ASSIGN_OR_RETURN(const TargetFolders::Handle from, folders_->open(first.folder));
  ASSIGN_OR_RETURN(const TargetFolders::Handle to, folders_->open(item.folder));
  if (leads_to(*to, std::string(item.node->name), file)) return {};
  const auto link = [&](const UniqueFd& folder, const std::string& name) -> Status {
    const std::string first_name(first.node->name);
    if (::linkat(from->get(), first_name.c_str(), folder.get(), name.c_str(), 0) != 0) {
      return errno_error(errno, "link it to " + target_files_->path(first));
    }
    if (leads_to(folder, name, file)) return {};
    ::unlinkat(folder.get(), name.c_str(), 0);
    return Error(ErrorKind::kLocalIo, "not linked to " + target_files_->path(first) +
                                          ", which is another file than the one restored");
  };
  RETURN_IF_ERROR(make_entry(item, link));
  if (is_whole) return {};
  listener_.lost(plan_->location(item), item.node->size, lost_ranges(files_[number].first_name));
  return Error(ErrorKind::kCorrupt,
               "incomplete, as " + plan_->location(first) + ", of which it is another name");
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
  workplace_.reset();
  return {};
}

Status Restorer::make_other(const PlannedItem& item) {
  Status metadata;
  if (!options_.dry_run) {
    Status made = make_entry(item, [&](const UniqueFd& folder, const std::string& name) -> Status {
      RETURN_IF_ERROR(make_special(folder, name, *item.node));
      metadata = metadata_.apply_in(folder, name, *item.node);
      return {};
    });
    if (!made) return made;
  }
  tell(RestoreAction::kRestored, RestoredKind::kOther, item, 0);
  if (!metadata) return std::move(metadata).error().with(target_files_->path(item));
  return {};
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
      if (folder) folders_->note_owner(i, **folder);
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
