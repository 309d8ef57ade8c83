#include "repo/dumper/dump_queue.h"

#include <utility>

namespace restree {

DumpQueue::DumpQueue(Repository& repository, const BulkOptions& bulk)
    : repository_(repository), bulk_(bulk) {
  for (std::size_t i = 0; i < bulk_.threads; ++i) {
    loaders_.emplace_back([this] { load_batches(); });
  }
}

DumpQueue::~DumpQueue() { abandon(); }

void DumpQueue::abandon() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
}

bool DumpQueue::push(DumpEntry entry) {
  std::unique_lock lock(mutex_);
  const bool is_blob = entry.blob != nullptr;
  const std::uint64_t bytes = is_blob ? entry.size : 0;
  changed_.wait(lock, [&] {
    return ending_ || queue_.empty() ||
           (queue_.size() < kMostEntries && bytes_ + bytes <= kMostBytes);
  });
  if (ending_) return false;
  auto waiting = std::make_shared<Waiting>();
  waiting->entry = std::move(entry);
  waiting->ready = !is_blob;
  bytes_ += bytes;
  if (is_blob) to_load_.push_back(waiting);
  queue_.push_back(std::move(waiting));
  lock.unlock();
  changed_.notify_all();
  return true;
}

void DumpQueue::close(Status status) {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    status_ = std::move(status);
  }
  changed_.notify_all();
}

Result<std::optional<DumpEntry>> DumpQueue::take() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return queue_.empty() ? closed_ : queue_.front()->ready; });
  if (queue_.empty()) {
    RETURN_IF_ERROR(status_);
    return std::optional<DumpEntry>();
  }
  std::optional<DumpEntry> entry = std::move(queue_.front()->entry);
  queue_.pop_front();
  if (entry->blob != nullptr) bytes_ -= entry->size;
  lock.unlock();
  changed_.notify_all();
  return entry;
}

DumpQueue::Batch DumpQueue::next_batch(std::unique_lock<std::mutex>& lock) {
  changed_.wait(lock, [&] { return ending_ || !to_load_.empty() || closed_; });
  Batch batch;
  if (ending_) return batch;
  std::uint64_t bytes = 0;
  while (!to_load_.empty() && batch.size() < kBatchEntries && bytes < kBatchBytes) {
    bytes += to_load_.front()->entry.size;
    batch.push_back(std::move(to_load_.front()));
    to_load_.pop_front();
  }
  return batch;
}

void DumpQueue::load_batches() {
  for (;;) {
    Batch batch;
    {
      std::unique_lock lock(mutex_);
      batch = next_batch(lock);
    }
    if (batch.empty()) return;
    load(batch);
    {
      const std::lock_guard lock(mutex_);
      for (const auto& waiting : batch) waiting->ready = true;
    }
    changed_.notify_all();
  }
}

void DumpQueue::load(const Batch& batch) {
  BulkOptions alone = bulk_;
  alone.threads = 1;
  BulkLoader loader(repository_, BlobType::kData, alone);
  for (std::uint32_t i = 0; i < batch.size(); ++i) {
    batch[i]->entry.content = Error(ErrorKind::kCancelled, "interrupted");
    loader.want(*batch[i]->entry.blob, i);
  }
  const Status status =
      loader.run([&](std::span<const BlobUse> uses, const Result<ByteView>& blob) -> Status {
        for (const BlobUse& use : uses) {
          Result<Bytes>& content = batch[use.tag]->entry.content;
          if (blob) {
            content = Bytes::copy_of(*blob);
          } else {
            content = blob.error();
          }
        }
        return {};
      });
  if (status) return;
  for (const auto& waiting : batch) {
    if (!waiting->entry.content) waiting->entry.content = status.error();
  }
}

}  // namespace restree
