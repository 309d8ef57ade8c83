#include "repo/restorer/restorer.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <map>

#include "repo/base/thread_pool.h"
#include "repo/format/link_identity.h"

namespace restree {
namespace {

bool is_something_there(const UniqueFd& folder, const std::string& name) {
  struct stat attributes {};
  return ::fstatat(folder.get(), name.c_str(), &attributes, AT_SYMLINK_NOFOLLOW) == 0;
}

}  // namespace

Restorer::Restorer(Repository& repository, RestoreOptions options, RestoreListener& listener,
                   std::string target)
    : repository_(repository),
      options_(std::move(options)),
      listener_(listener),
      target_(std::move(target)),
      metadata_(options_.ownership_by_name, options_.select_xattr) {}

Restorer::~Restorer() = default;

BulkOptions Restorer::bulk_options() const {
  BulkOptions bulk;
  bulk.threads = options_.threads;
  bulk.patience = options_.patience;
  bulk.stop = options_.stop;
  return bulk;
}

void Restorer::fail(const std::string& location, const Error& error) {
  ++figures_.errors;
  listener_.error(location, error);
}

void Restorer::tell(RestoreAction action, RestoredKind kind, const PlannedItem& item,
                    std::uint64_t size) {
  if (action == RestoreAction::kUnchanged) {
    ++figures_.items_skipped;
    figures_.bytes_skipped += size;
  } else {
    ++figures_.items_restored;
  }
  if (options_.tell_items) listener_.item(action, kind, plan_->location(item), size);
}

Status Restorer::stop_if_asked() const {
  if (!options_.stop.stop_requested()) return {};
  return Error(ErrorKind::kCancelled, "interrupted")
      .hinting("The same command again goes on from here.");
}

Status Restorer::restore(const BlobId& tree) {
  const auto on_error = [this](const std::string& location, const Error& error) {
    fail(location, error);
  };
  ASSIGN_OR_RETURN(RestorePlan plan,
                   RestorePlan::make(repository_, tree, options_, bulk_options(), on_error));
  plan_ = std::make_unique<const RestorePlan>(std::move(plan));
  for (std::size_t i = 1; i < plan_->folders().size(); ++i) {
    figures_.items_total += plan_->folders()[i].selected ? 1 : 0;
  }
  figures_.items_total += plan_->others().size();

  shared_names_ = std::make_unique<SharedNames>(*plan_, options_.select, target_);
  folders_ = std::make_unique<TargetFolders>(*plan_, *shared_names_, target_, options_.dry_run);
  RETURN_IF_ERROR(folders_->make_all(on_error));
  target_files_ = std::make_unique<TargetFiles>(
      *folders_, metadata_,
      TargetFiles::Options{.sparse = options_.sparse,
                           .remove_unexpected = options_.remove_unexpected});
  RETURN_IF_ERROR(decide_files());
  RETURN_IF_ERROR(write_files());
  RETURN_IF_ERROR(make_links());
  RETURN_IF_ERROR(make_others());
  return finish_folders();
}

// --- What becomes of each file

// Names of one file share the content of the first.
void Restorer::find_links() {
  std::map<LinkIdentity, std::uint32_t> first_names;
  for (std::uint32_t i = 0; i < files_.size(); ++i) {
    const auto identity = LinkIdentity::of(*plan_->files()[i].node);
    if (!identity) continue;
    const auto [at, is_first] = first_names.try_emplace(*identity, i);
    if (is_first) continue;
    files_[i].fate = Fate::kLink;
    files_[i].first_name = at->second;
  }
}

// A first name that stays as it is may have other content, or not exist: then the next name that is
// restored counts as the first.
void Restorer::find_other_first_names() {
  std::map<std::uint32_t, std::uint32_t> others;  // by the first name that stays as it is
  for (std::uint32_t i = 0; i < files_.size(); ++i) {
    PlannedFile& file = files_[i];
    if (file.fate != Fate::kLink || files_[file.first_name].fate != Fate::kLeave) continue;
    if (const auto other = others.find(file.first_name); other != others.end()) {
      file.first_name = other->second;
      continue;
    }
    file.fate = Fate::kLeave;
    decide(i);
    if (file.fate != Fate::kLeave) others.emplace(file.first_name, i);
  }
}

Status Restorer::decide_files() {
  files_ = std::vector<PlannedFile>(plan_->files().size());
  find_links();
  // Existing files are read and hashed here, so all processors are used.
  const Status decided =
      parallel_for(files_.size(), options_.threads, [this](std::size_t i) -> Status {
        RETURN_IF_ERROR(stop_if_asked());
        if (files_[i].fate != Fate::kLink) decide(static_cast<std::uint32_t>(i));
        return {};
      });
  if (!decided) return decided.error();
  find_other_first_names();
  for (const PlannedFile& file : files_) figures_.items_total += file.fate == Fate::kLink ? 1 : 0;
  return {};
}

void Restorer::decide(std::uint32_t number) {
  const PlannedItem& item = plan_->files()[number];
  PlannedFile& file = files_[number];
  const std::uint64_t size = item.node->size;
  if (folders_->state(item.folder) == TargetFolders::State::kFailed) return;
  std::optional<ExistingFile> existing;
  bool replaces = false;
  if (folders_->state(item.folder) == TargetFolders::State::kExisting) {
    const Result<bool> may = may_overwrite(item);
    if (!may) return fail(plan_->location(item), may.error());
    if (!*may) return tell(RestoreAction::kUnchanged, RestoredKind::kFile, item, size);
    if (const auto folder = folders_->open(item.folder)) {
      const Status own = shared_names_->check(item.folder, **folder, std::string(item.node->name));
      if (!own) return fail(plan_->location(item), own.error());
      existing = look_at_existing(**folder, std::string(item.node->name), *item.node, repository_,
                                  options_.overwrite == Overwrite::kIfChanged, options_.stop);
      replaces = existing || is_something_there(**folder, std::string(item.node->name));
    }
  }
  if (existing && existing->complete() && target_files_->may_keep(*existing, item)) {
    file.fate = Fate::kMetadata;
    if (!options_.dry_run) keep(number, *existing);
    return tell(RestoreAction::kUnchanged, RestoredKind::kFile, item, size);
  }
  ++figures_.items_total;
  figures_.bytes_total += size;
  file.fate = Fate::kWrite;
  if (options_.dry_run) {
    figures_.bytes_restored += size;
    return tell(existing ? RestoreAction::kUpdated : RestoreAction::kRestored, RestoredKind::kFile,
                item, size);
  }
  file.task = std::make_unique<FileTask>();
  file.task->item = item;
  file.task->replaces = replaces;
  if (!existing || !target_files_->may_write_into(*existing, item)) return;
  existing->fd.reset();
  file.task->existing = std::move(existing);
}

// By the descriptor through which the content was compared: a moment later the name may lead to
// another file.
void Restorer::keep(std::uint32_t number, const ExistingFile& existing) {
  const PlannedItem& item = plan_->files()[number];
  const Status status = target_files_->set_metadata(existing, item);
  if (!status) fail(plan_->location(item), status.error());
  if (item.node->links < 2) return;
  struct stat attributes {};
  const bool is_known = ::fstat(existing.fd.get(), &attributes) == 0;
  files_[number].kept =
      std::make_unique<EntryIdentity>(is_known ? EntryIdentity::of(attributes) : existing.identity);
}

Result<bool> Restorer::may_overwrite(const PlannedItem& item) {
  if (options_.overwrite == Overwrite::kAlways || options_.overwrite == Overwrite::kIfChanged ||
      folders_->state(item.folder) != TargetFolders::State::kExisting) {
    return true;
  }
  ASSIGN_OR_RETURN(const TargetFolders::Handle folder, folders_->open(item.folder));
  struct stat there {};
  const std::string name(item.node->name);
  if (::fstatat(folder->get(), name.c_str(), &there, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return true;
    return errno_error(errno, "look at " + target_files_->path(item));
  }
  const Timestamp mtime{.seconds = there.st_mtim.tv_sec,
                        .nanoseconds = static_cast<std::uint32_t>(there.st_mtim.tv_nsec)};
  return options_.overwrite == Overwrite::kIfNewer && item.node->mtime > mtime;
}

// --- After it

Result<std::uint64_t> Restorer::verify() {
  std::atomic<std::uint64_t> right = 0;
  const Status read = parallel_for(files_.size(), options_.threads, [&](std::size_t i) -> Status {
    // A file that failed has been reported before.
    if (files_[i].fate != Fate::kWrite || files_[i].task->failed()) return {};
    RETURN_IF_ERROR(stop_if_asked());
    const PlannedItem& item = plan_->files()[i];
    ASSIGN_OR_RETURN(const TargetFolders::Handle folder, folders_->open(item.folder));
    const auto found = look_at_existing(*folder, std::string(item.node->name), *item.node,
                                        repository_, false, options_.stop);
    RETURN_IF_ERROR(stop_if_asked());
    if (found && found->complete()) {
      ++right;
    } else {
      fail(target_files_->path(item),
           Error(ErrorKind::kCorrupt, found ? "its content is not that of the snapshot"
                                            : "it is not a file that can be read"));
    }
    return {};
  });
  if (!read) return read.error();
  return right.load();
}

}  // namespace restree
