#include "repo/restorer/restorer.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include <cerrno>

#include "repo/base/thread_pool.h"

namespace restree {
namespace {

Error interrupted() {
  return Error(ErrorKind::kCancelled, "interrupted")
      .hinting("The same command again goes on from here.");
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
  if (options_.stop.stop_requested()) return interrupted();
  return {};
}

Status Restorer::restore(const BlobId& tree) {
  const auto on_error = [this](const std::string& location, Error error) { fail(location, error); };
  ASSIGN_OR_RETURN(plan_,
                   RestorePlan::make(repository_, tree, options_.select, bulk_options(), on_error));
  for (std::size_t i = 1; i < plan_->folders().size(); ++i) {
    figures_.items_total += plan_->folders()[i].selected ? 1 : 0;
  }
  figures_.items_total += plan_->others().size();

  folders_.emplace(*plan_, target_, options_.dry_run);
  RETURN_IF_ERROR(folders_->make_all(on_error));
  target_files_.emplace(*folders_, metadata_,
                        TargetFiles::Options{.sparse = options_.sparse,
                                             .remove_unexpected = options_.remove_unexpected});
  RETURN_IF_ERROR(decide_files());
  RETURN_IF_ERROR(write_files());
  RETURN_IF_ERROR(set_metadata_of_unchanged());
  RETURN_IF_ERROR(make_links());
  RETURN_IF_ERROR(make_others());
  return finish_folders();
}

// --- What becomes of each file

// Names of one inode share the content of the first.
void Restorer::find_links() {
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint32_t> first_names;
  for (std::uint32_t i = 0; i < files_.size(); ++i) {
    const Node& node = *plan_->files()[i].node;
    if (node.links <= 1) continue;
    const auto [at, is_first] = first_names.try_emplace({node.inode, node.device_id}, i);
    if (is_first) continue;
    files_[i].fate = Fate::kLink;
    files_[i].first_name = at->second;
    ++figures_.items_total;
  }
}

Status Restorer::decide_files() {
  files_ = std::vector<PlannedFile>(plan_->files().size());
  find_links();
  // Files that are there are read and hashed here, so on all processors.
  return parallel_for(files_.size(), options_.threads, [this](std::size_t i) -> Status {
    RETURN_IF_ERROR(stop_if_asked());
    if (files_[i].fate != Fate::kLink) decide(static_cast<std::uint32_t>(i));
    return {};
  });
}

void Restorer::decide(std::uint32_t number) {
  const PlannedItem& item = plan_->files()[number];
  PlannedFile& file = files_[number];
  const std::uint64_t size = item.node->size;
  if (folders_->state(item.folder) == TargetFolders::State::kFailed) return;
  std::optional<ExistingFile> existing;
  if (folders_->state(item.folder) == TargetFolders::State::kExisting) {
    const Result<bool> may = may_overwrite(item);
    if (!may) return fail(plan_->location(item), may.error());
    if (!*may) return tell(RestoreAction::kUnchanged, RestoredKind::kFile, item, size);
    if (const auto folder = folders_->open(item.folder)) {
      existing = look_at_existing(**folder, std::string(item.node->name), *item.node, repository_,
                                  options_.overwrite == Overwrite::kIfChanged, options_.stop);
    }
  }
  if (existing && existing->complete()) {
    file.fate = Fate::kMetadata;
    return tell(RestoreAction::kUnchanged, RestoredKind::kFile, item, size);
  }
  ++figures_.items_total;
  figures_.bytes_total += size;
  if (options_.dry_run) {
    figures_.bytes_restored += size;
    return tell(existing ? RestoreAction::kUpdated : RestoreAction::kRestored, RestoredKind::kFile,
                item, size);
  }
  file.fate = Fate::kWrite;
  file.task = std::make_unique<FileTask>();
  file.task->item = item;
  // Other names must keep their content; the file is written anew, beside them.
  if (existing && !existing->is_linked) file.task->existing = std::move(existing);
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

// --- Contents

Status Restorer::write_files() {
  BulkLoader loader(repository_, BlobType::kData, bulk_options());
  std::vector<std::uint32_t> without_blobs;
  for (std::uint32_t i = 0; i < files_.size(); ++i) {
    if (files_[i].fate != Fate::kWrite) continue;
    want_blobs(i, loader);
    if (files_[i].task->missing == 0) without_blobs.push_back(i);
  }
  RETURN_IF_ERROR(parallel_for(without_blobs.size(), options_.threads, [&](std::size_t i) {
    finish_file(*files_[without_blobs[i]].task);
    return target_files_->target_is_full() ? Status(interrupted()) : stop_if_asked();
  }));
  return loader.run([this](std::span<const BlobUse> uses, const Result<ByteView>& blob) {
    return write_blob(uses, blob);
  });
}

void Restorer::want_blobs(std::uint32_t number, BulkLoader& loader) {
  FileTask& task = *files_[number].task;
  const std::span<const BlobId> content = task.item.node->content;
  std::uint64_t position = 0;
  std::uint32_t missing = 0;
  for (std::size_t i = 0; i < content.size(); ++i) {
    const auto size = repository_.blob_size(BlobType::kData, content[i]);
    if (!size && i + 1 < content.size()) {
      // Without its size it is not known where the others belong.
      fail_task(task, Error(ErrorKind::kCorrupt,
                            fmt::format("data blob {} is in no index", content[i].hex()))
                          .hinting("`check` tells what else is damaged."));
      break;
    }
    if (task.existing && i < task.existing->matches.size() && task.existing->matches[i]) {
      figures_.bytes_restored += size.value_or(0);
    } else {
      loader.want(content[i], number, position);
      ++missing;
    }
    position += size.value_or(0);
  }
  task.missing = missing;
}

Status Restorer::write_blob(std::span<const BlobUse> uses, const Result<ByteView>& blob) {
  for (const BlobUse& use : uses) {
    RETURN_IF_ERROR(stop_if_asked());
    FileTask& task = *files_[use.tag].task;
    if (blob) {
      const Status written = target_files_->write(task, use.position, *blob);
      figures_.bytes_restored += blob->size();
      if (!written) {
        fail_task(task, written.error());
        if (target_files_->target_is_full()) {
          return Error(written.error())
              .hinting("Make room; the same command again goes on from here.");
        }
      }
    } else {
      fail_task(task,
                Error(blob.error()).with(fmt::format("no content from byte {} on", use.position)));
    }
    if (--task.missing == 0) finish_file(task);
  }
  return {};
}

// The first error of a file is told; the rest is most often the same again.
void Restorer::fail_task(FileTask& task, const Error& error) {
  if (!task.failed.exchange(true)) fail(plan_->location(task.item), error);
}

void Restorer::finish_file(FileTask& task) {
  const bool failed = task.failed;
  const Status finished = target_files_->finish(task);
  if (failed) return;  // what lacks content is not counted as restored
  if (!finished) fail_task(task, finished.error());
  tell(task.existing ? RestoreAction::kUpdated : RestoreAction::kRestored, RestoredKind::kFile,
       task.item, task.item.node->size);
}

Status Restorer::set_metadata_of_unchanged() {
  if (options_.dry_run) return {};
  return parallel_for(files_.size(), options_.threads, [this](std::size_t i) -> Status {
    if (files_[i].fate != Fate::kMetadata) return {};
    RETURN_IF_ERROR(stop_if_asked());
    const PlannedItem& item = plan_->files()[i];
    const Status status = target_files_->set_metadata(item);
    if (!status) fail(plan_->location(item), status.error());
    return {};
  });
}

Result<std::uint64_t> Restorer::verify() {
  std::atomic<std::uint64_t> right = 0;
  const Status read = parallel_for(files_.size(), options_.threads, [&](std::size_t i) -> Status {
    if (files_[i].fate != Fate::kWrite) return {};
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
                                            : "it is no file that can be read"));
    }
    return {};
  });
  if (!read) return read.error();
  return right.load();
}

}  // namespace restree
