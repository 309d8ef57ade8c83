#include "repo/dumper/dump_queue.h"

#include <utility>

#include "repo/base/thread_pool.h"

namespace restree {

DumpQueue::DumpQueue(Repository& repository, BulkOptions bulk)
    : repository_(repository), bulk_(std::move(bulk)) {
  start_some_threads(loaders_, bulk_.threads, [this] { load_batches(); });
}

DumpQueue::~DumpQueue() { abandon(); }

void DumpQueue::abandon() {
  state_.lock()->ending = true;
  changed_.notify_all();
}

bool DumpQueue::push(DumpEntry entry) {
  const bool is_blob = entry.blob != nullptr;
  const std::uint64_t bytes = is_blob ? entry.size : 0;
  auto waiting = std::make_shared<Waiting>();
  waiting->entry = std::move(entry);
  waiting->ready = !is_blob;
  {
    auto state = state_.lock();
    changed_.wait(state.mutex_lock(), [&] {
      return state->ending || state->queue.empty() ||
             (state->queue.size() < kMostEntries && state->bytes + bytes <= kMostBytes);
    });
    if (state->ending) return false;
    state->bytes += bytes;
    if (is_blob) state->to_load.push_back(waiting);
    state->queue.push_back(std::move(waiting));
  }
  changed_.notify_all();
  return true;
}

void DumpQueue::close(Status status) {
  {
    auto state = state_.lock();
    state->closed = true;
    state->status = std::move(status);
  }
  changed_.notify_all();
}

Result<std::optional<DumpEntry>> DumpQueue::take() {
  std::optional<DumpEntry> entry;
  {
    auto state = state_.lock();
    changed_.wait(state.mutex_lock(), [&] {
      return state->queue.empty() ? state->closed : state->queue.front()->ready;
    });
    if (state->queue.empty()) {
      RETURN_IF_ERROR(state->status);
      return entry;
    }
    entry = std::move(state->queue.front()->entry);
    state->queue.pop_front();
    if (entry->blob != nullptr) state->bytes -= entry->size;
  }
  changed_.notify_all();
  return entry;
}

DumpQueue::Batch DumpQueue::next_batch() {
  auto state = state_.lock();
  changed_.wait(state.mutex_lock(),
                [&] { return state->ending || !state->to_load.empty() || state->closed; });
  Batch batch;
  if (state->ending) return batch;
  std::uint64_t bytes = 0;
  while (!state->to_load.empty() && batch.size() < kBatchEntries && bytes < kBatchBytes) {
    bytes += state->to_load.front()->entry.size;
    batch.push_back(std::move(state->to_load.front()));
    state->to_load.pop_front();
  }
  return batch;
}

void DumpQueue::load_batches() {
  for (;;) {
    const Batch batch = next_batch();
    if (batch.empty()) return;
    load(batch);
    {
      auto state = state_.lock();
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
