// The contents of a restore's files, and the end of files whose content cannot be had.
#include <fmt/core.h>

#include <map>
#include <span>
#include <unordered_set>
#include <utility>
#include <vector>

#include "repo/base/thread_pool.h"
#include "repo/crypto/seal.h"
#include "repo/restorer/content_check.h"
#include "repo/restorer/restorer.h"

namespace restree {
namespace {

// Then the blobs behind it were given other places than they have.
bool has_other_size(ByteView blob, const BlobUse& use) {
  if (use.length == 0) return false;  // in no index, when it was asked for
  return blob.size() != (use.raw_length != 0 ? use.raw_length : use.length - kSealOverheadBytes);
}

}  // namespace

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
    files_[number].task->fail(error);
    finish_file(number);
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
    const FileTask& task = *files_[without_blobs[i]].task;
    finish_file(without_blobs[i]);
    return task.failed() && target_files_->target_is_full() ? Status(task.reason())
                                                            : stop_if_asked();
  }));
  return loader.run([this](std::span<const BlobUse> uses, const Result<ByteView>& blob) {
    return write_blob(uses, blob);
  });
}

// Of a blob that is in no index the size is not known, unless it is the only one of its file. The blobs
// between two such ones are passed over, for nothing says where they lie.
Status Restorer::each_blob(const FileTask& task, const VisitBlob& visit) const {
  const Node& node = *task.item.node;
  const std::span<const BlobId> content = node.content;
  const auto size_of = [&](std::size_t i) {
    return repository_.size_anywhere(BlobType::kData, content[i]);
  };
  std::uint64_t position = 0;
  const auto pass = [&](std::size_t i, std::uint64_t size) {
    const bool is_there =
        task.existing && i < task.existing->matches.size() && task.existing->matches[i];
    visit({.id = content[i], .position = position, .size = size, .is_there = is_there});
    position += size;
  };
  std::size_t i = 0;
  for (; i < content.size(); ++i) {
    const auto size = size_of(i);
    if (!size) break;
    pass(i, *size);
  }
  if (i == content.size()) return {};

  const std::size_t first_unknown = i;
  std::size_t last_unknown = i;
  std::uint64_t behind = 0;  // the sizes of those behind it
  for (++i; i < content.size(); ++i) {
    if (const auto size = size_of(i)) {
      behind += *size;
    } else {
      last_unknown = i;
      behind = 0;
    }
  }
  if (behind > node.size || node.size - behind < position) {
    return Error(ErrorKind::kCorrupt,
                 fmt::format("no content from byte {} on: data blob {} is in no index", position,
                             content[first_unknown].hex()))
        .hinting("`check` tells what else is damaged.");
  }
  Status status;
  if (first_unknown == last_unknown) {
    pass(first_unknown, node.size - behind - position);
  } else {
    status = Error(ErrorKind::kCorrupt,
                   fmt::format("no content from byte {} to byte {}: data blob {} is in no index",
                               position, node.size - behind, content[first_unknown].hex()))
                 .hinting("`check` tells what else is damaged.");
    position = node.size - behind;
  }
  for (i = last_unknown + 1; i < content.size(); ++i) pass(i, size_of(i).value_or(0));
  return status;
}

// What no blob that was read covers, in order.
std::vector<LostRange> Restorer::lost_ranges(std::uint32_t number) const {
  const FileTask& task = *files_[number].task;
  std::unordered_set<std::uint64_t> unread;
  {
    const auto all = unread_.lock();
    const auto found = all->find(number);
    if (found != all->end()) unread.insert(found->second.begin(), found->second.end());
  }
  std::vector<LostRange> lost;
  const auto lose = [&](std::uint64_t begin, std::uint64_t end) {
    if (begin >= end) return;
    if (!lost.empty() && lost.back().end == begin) {
      lost.back().end = end;
    } else {
      lost.push_back({begin, end});
    }
  };
  std::uint64_t position = 0;
  // Its error is the reason why the file has failed.
  static_cast<void>(each_blob(task, [&](const WantedBlob& blob) {
    lose(position, blob.position);
    if (unread.contains(blob.position)) lose(blob.position, blob.position + blob.size);
    position = blob.position + blob.size;
  }));
  lose(position, task.item.node->size);
  return lost;
}

void Restorer::want_blobs(std::uint32_t number, BulkLoader& loader) {
  FileTask& task = *files_[number].task;
  std::vector<WantedBlob> blobs;
  const auto place_them = [&] {
    blobs.clear();
    return each_blob(task, [&](const WantedBlob& blob) { blobs.push_back(blob); });
  };
  Status known = place_them();
  const std::uint64_t end = blobs.empty() ? 0 : blobs.back().position + blobs.back().size;
  const Node& node = *task.item.node;
  if (known && end != node.size && repository_.correct_sizes(node.content)) {
    if (task.existing) task.existing->matches.clear();  // they were looked for in other places
    known = place_them();
  }
  std::uint32_t missing = 0;
  for (const WantedBlob& blob : blobs) {
    if (blob.is_there) {
      figures_.bytes_restored += blob.size;
    } else {
      loader.want(blob.id, number, blob.position);
      ++missing;
    }
  }
  if (!known) task.fail(known.error());
  task.missing = missing;
}

Status Restorer::write_blob(std::span<const BlobUse> uses, const Result<ByteView>& blob) {
  for (const BlobUse& use : uses) {
    RETURN_IF_ERROR(stop_if_asked());
    FileTask& task = *files_[use.tag].task;
    if (!blob) {
      (*unread_.lock())[use.tag].push_back(use.position);
      task.fail(Error(blob.error()).with(fmt::format("no content at byte {}", use.position)));
    } else if (has_other_size(*blob, use)) {
      (*unread_.lock())[use.tag].push_back(use.position);
      task.fail(
          Error(ErrorKind::kCorrupt,
                fmt::format("no content at byte {}: data blob {} has {} bytes, and other ones "
                            "in the index",
                            use.position, use.id->hex(), blob->size()))
              .hinting("`restree repair index --read-all-packs` mends the index."));
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
    if (--task.missing == 0) finish_file(use.tag);
  }
  return {};
}

void Restorer::finish_file(std::uint32_t number) {
  FileTask& task = *files_[number].task;
  if (!task.failed()) {
    if (const Status complete = target_files_->complete(task); !complete) {
      task.fail(complete.error());
    }
  }
  task.finished = true;
  if (task.failed()) return report_failure(number);  // and not counted as restored
  if (const Status finished = target_files_->finish(task); !finished) {
    fail(plan_->location(task.item), finished.error());
  }
  tell(task.existing ? RestoreAction::kUpdated : RestoreAction::kRestored, RestoredKind::kFile,
       task.item, task.item.node->size);
}

void Restorer::report_failure(std::uint32_t number) {
  FileTask& task = *files_[number].task;
  const char* state = "";
  switch (target_files_->give_up(task, options_.incomplete)) {
    case TargetFiles::Left::kAsItWas:
      state = "not restored; the existing one is left as it was";
      break;
    case TargetFiles::Left::kNothing:
      state = "not restored";
      break;
    case TargetFiles::Left::kIncomplete:
      state = options_.incomplete == Incomplete::kFillWithZeros
                  ? "incomplete; what could not be read is zeros"
                  : "incomplete; only the parts that could be read are there";
      break;
    case TargetFiles::Left::kPartlyOverwritten:
      state = "partly overwritten; it has parts of its old content and of the snapshot's";
      break;
  }
  const std::string location = plan_->location(task.item);
  listener_.lost(location, task.item.node->size, lost_ranges(number));
  fail(location, Error(task.reason()).with(state));
}

// Files that were begun are reported by name, since they are not whole. The others are left alone
// and only counted: there may be millions.
Error Restorer::end_early(const Error& reason) {
  std::uint64_t begun = 0;
  std::uint64_t not_begun = 0;
  for (std::uint32_t i = 0; i < files_.size(); ++i) {
    const PlannedFile& file = files_[i];
    if (file.fate == Fate::kLink) ++not_begun;
    if (file.fate != Fate::kWrite || file.task->finished) continue;
    if (file.task->is_begun() || file.task->failed()) {
      ++begun;
      file.task->fail(reason);
      finish_file(i);
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
