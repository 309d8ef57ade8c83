// The contents of a restore's files, and the end of files whose content cannot be had.
#include <fmt/core.h>

#include <map>
#include <utility>

#include "repo/base/thread_pool.h"
#include "repo/restorer/content_check.h"
#include "repo/restorer/restorer.h"

namespace restree {

Status Restorer::write_files() {
  if (options_.dry_run) return {};
  Status written = check_replacements();
  if (written) written = write_contents();
  if (!written) return end_early(written.error());
  return {};
}

// Called before anything that exists in the target is touched.
Status Restorer::check_replacements() {
  ContentCheck check(repository_, bulk_options());
  std::map<std::uint32_t, Error> errors;
  for (std::uint32_t i = 0; i < files_.size(); ++i) {
    if (files_[i].fate != Fate::kWrite || !files_[i].task->replaces) continue;
    const Status known = each_blob(*files_[i].task, [&](const WantedBlob& blob) {
      if (!blob.is_there) check.want(blob.id, i);
    });
    if (!known) errors.emplace(i, known.error());
  }
  ASSIGN_OR_RETURN(auto more_errors, check.run());
  errors.merge(more_errors);
  for (const auto& [number, error] : errors) {
    FileTask& task = *files_[number].task;
    task.fail(error);
    finish_file(task);
  }
  return {};
}

Status Restorer::write_contents() {
  BulkLoader loader(repository_, BlobType::kData, bulk_options());
  std::vector<std::uint32_t> without_blobs;
  for (std::uint32_t i = 0; i < files_.size(); ++i) {
    if (files_[i].fate != Fate::kWrite || files_[i].task->finished) continue;
    want_blobs(i, loader);
    if (files_[i].task->missing == 0) without_blobs.push_back(i);
  }
  RETURN_IF_ERROR(parallel_for(without_blobs.size(), options_.threads, [&](std::size_t i) {
    FileTask& task = *files_[without_blobs[i]].task;
    finish_file(task);
    return task.failed() && target_files_->target_is_full() ? Status(task.reason())
                                                            : stop_if_asked();
  }));
  return loader.run([this](std::span<const BlobUse> uses, const Result<ByteView>& blob) {
    return write_blob(uses, blob);
  });
}

// Ends at a blob whose size is in no index, unless it is the last one: the positions of the blobs
// after it are not known then.
Status Restorer::each_blob(const FileTask& task,
                           const std::function<void(const WantedBlob&)>& visit) const {
  const std::span<const BlobId> content = task.item.node->content;
  std::uint64_t position = 0;
  for (std::size_t i = 0; i < content.size(); ++i) {
    const auto size = repository_.blob_size(BlobType::kData, content[i]);
    if (!size && i + 1 < content.size()) {
      return Error(ErrorKind::kCorrupt,
                   fmt::format("no content from byte {} on: data blob {} is in no index", position,
                               content[i].hex()))
          .hinting("`check` tells what else is damaged.");
    }
    const bool is_there =
        task.existing && i < task.existing->matches.size() && task.existing->matches[i];
    visit({.id = content[i], .position = position, .size = size.value_or(0), .is_there = is_there});
    position += size.value_or(0);
  }
  return {};
}

void Restorer::want_blobs(std::uint32_t number, BulkLoader& loader) {
  FileTask& task = *files_[number].task;
  std::uint32_t missing = 0;
  const Status known = each_blob(task, [&](const WantedBlob& blob) {
    if (blob.is_there) {
      figures_.bytes_restored += blob.size;
    } else {
      loader.want(blob.id, number, blob.position);
      ++missing;
    }
  });
  if (!known) task.fail(known.error());
  task.missing = missing;
}

Status Restorer::write_blob(std::span<const BlobUse> uses, const Result<ByteView>& blob) {
  for (const BlobUse& use : uses) {
    RETURN_IF_ERROR(stop_if_asked());
    FileTask& task = *files_[use.tag].task;
    if (!blob) {
      task.fail(Error(blob.error()).with(fmt::format("no content at byte {}", use.position)));
    } else if (task.may_be_written()) {
      const Status written = target_files_->write(task, use.position, *blob);
      if (written) {
        figures_.bytes_restored += blob->size();
      } else {
        task.fail(written.error());
        if (target_files_->target_is_full()) {
          return Error(written.error())
              .hinting("Make room; the same command again goes on from here.");
        }
      }
    }
    if (--task.missing == 0) finish_file(task);
  }
  return {};
}

void Restorer::finish_file(FileTask& task) {
  if (!task.failed()) {
    if (const Status complete = target_files_->complete(task); !complete) {
      task.fail(complete.error());
    }
  }
  task.finished = true;
  if (task.failed()) return report_failure(task);  // and not counted as restored
  if (const Status finished = target_files_->finish(task); !finished) {
    fail(plan_->location(task.item), finished.error());
  }
  tell(task.existing ? RestoreAction::kUpdated : RestoreAction::kRestored, RestoredKind::kFile,
       task.item, task.item.node->size);
}

void Restorer::report_failure(FileTask& task) {
  const char* state = "";
  switch (target_files_->give_up(task)) {
    case TargetFiles::Left::kAsItWas:
      state = "not restored; the existing one is left as it was";
      break;
    case TargetFiles::Left::kNothing:
      state = "not restored";
      break;
    case TargetFiles::Left::kIncomplete:
      state = "incomplete; only the parts that could be read are there";
      break;
    case TargetFiles::Left::kPartlyOverwritten:
      state = "partly overwritten; it has parts of its old content and of the snapshot's";
      break;
  }
  fail(plan_->location(task.item), Error(task.reason()).with(state));
}

// Files that were begun are reported by name, since they are not whole. The others are left alone
// and only counted: there may be millions.
Error Restorer::end_early(const Error& reason) {
  std::uint64_t begun = 0;
  std::uint64_t not_begun = 0;
  for (PlannedFile& file : files_) {
    if (file.fate == Fate::kLink) ++not_begun;
    if (file.fate != Fate::kWrite || file.task->finished) continue;
    if (file.task->is_begun() || file.task->failed()) {
      ++begun;
      file.task->fail(reason);
      finish_file(*file.task);
    } else {
      ++not_begun;
    }
  }
  const std::string& hint = reason.hint();
  return Error(reason.kind(),
               fmt::format("{}; the restore ended early: files begun and not whole: {}, not begun "
                           "and left as they were: {}",
                           reason.message(), begun, not_begun))
      .hinting(hint.empty() ? "The same command again goes on from here." : hint);
}

}  // namespace restree
