#include "repo/copier/copier.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

namespace restree {
namespace {

constexpr std::chrono::minutes kBatchTime{5};
constexpr std::uint64_t kBatchPacks = 100;

BulkOptions bulk_options(const CopyOptions& options) {
  BulkOptions bulk;
  bulk.threads = options.read_threads;
  bulk.patience = options.patience;
  bulk.stop = options.stop;
  return bulk;
}

// Whether other snapshots may be copied all the same.
bool is_of_one_snapshot(ErrorKind kind) {
  return kind == ErrorKind::kCorrupt || kind == ErrorKind::kNotFound;
}

}  // namespace

bool ends_batch(std::uint64_t stored_bytes, Deadline::Clock::duration elapsed,
                std::size_t pack_bytes) {
  return elapsed >= kBatchTime || stored_bytes >= kBatchPacks * pack_bytes;
}

Copier::Copier(Repository& source, Repository& destination, const CopyOptions& options,
               CopyListener& listener)
    : source_(source),
      destination_(destination),
      options_(options),
      listener_(listener),
      writer_(destination, options.writer, options.stop),
      blobs_(source, writer_, bulk_options(options), listener) {
  if (SameKeyCopy::is_possible(source, destination)) {
    same_key_.emplace(source, writer_, blobs_, bulk_options(options), listener);
  }
}

Result<std::size_t> Copier::copy(std::vector<Snapshot> wanted, const std::vector<Snapshot>& there) {
  there_ = CopiedSnapshots(there);
  std::ranges::sort(wanted, [](const Snapshot& a, const Snapshot& b) {
    return std::tie(a.time, a.id) < std::tie(b.time, b.id);
  });
  const Status copied = copy_all(wanted);
  const Status saved = save_batch();
  if (copied && saved) return left_out_;
  // Indexes the packs stored so far, so that the next run need not store them again.
  const Status kept = saved ? Status() : writer_.finish_early();
  Error error = copied ? saved.error() : copied.error();
  if (!kept) return std::move(error).with("not all that was copied is indexed");
  return error;
}

Status Copier::plan(const std::vector<Snapshot>& wanted) {
  std::vector<std::optional<BlobId>> roots;
  for (const Snapshot& source : wanted) {
    roots.push_back(there_.find(source) ? std::nullopt : std::optional(source.tree));
  }
  const auto count =
      std::ranges::count_if(roots, [](const auto& root) { return root.has_value(); });
  if (count == 0) return {};
  listener_.same_key(static_cast<std::size_t>(count));
  return same_key_->plan(roots);
}

Status Copier::copy_all(const std::vector<Snapshot>& wanted) {
  if (same_key_) RETURN_IF_ERROR(plan(wanted));
  for (CopyTurn turn = 0; turn < wanted.size(); ++turn) {
    const Snapshot& source = wanted[turn];
    if (options_.stop.stop_requested()) return Error(ErrorKind::kCancelled, "interrupted");
    if (const auto copy = there_.find(source)) {
      listener_.skipped(source, *copy);
      continue;
    }
    RETURN_IF_ERROR(copy_one(source, turn));
    const auto elapsed = Deadline::Clock::now() - batch_begun_;
    if (ends_batch(writer_.figures().stored_bytes - stored_bytes_, elapsed,
                   options_.writer.pack_bytes)) {
      RETURN_IF_ERROR(save_batch());
    }
  }
  return {};
}

Status Copier::copy_one(const Snapshot& source, CopyTurn turn) {
  listener_.begun(source);
  Status copied = same_key_ ? same_key_->copy(turn, source.tree) : blobs_.copy(source.tree);
  if (copied) {
    listener_.copied();
    batch_.push_back(source);
    return {};
  }
  // An error of the writer has the same kinds, and is about all that follows.
  if (writer_.failure() || !is_of_one_snapshot(copied.error().kind())) return copied;
  listener_.left_out(source, copied.error());
  ++left_out_;
  return {};
}

Status Copier::save_batch() {
  RETURN_IF_ERROR(writer_.flush());
  stored_bytes_ = writer_.figures().stored_bytes;
  batch_begun_ = Deadline::Clock::now();
  const std::vector<Snapshot> batch = std::exchange(batch_, {});
  if (!batch.empty()) listener_.saving(batch.size());
  for (const Snapshot& source : batch) {
    ASSIGN_OR_RETURN(const Snapshot copy, save(source));
    listener_.saved(source.id, copy.id);
    there_.add(copy);
  }
  return {};
}

Result<Snapshot> Copier::save(const Snapshot& source) {
  const Deadline by = Deadline::after(options_.writer.patience);
  if (same_key_) {
    const FileName file{FileType::kSnapshot, source.id.hex()};
    ASSIGN_OR_RETURN(const Bytes sealed,
                     source_.load_sealed(file, Deadline::after(options_.patience)));
    RETURN_IF_ERROR(destination_.storage().write(file, sealed, by));
    return source;
  }
  Snapshot copy = copied_form(source);
  ASSIGN_OR_RETURN(copy.id, destination_.save_snapshot(copy, by));
  return copy;
}

}  // namespace restree
