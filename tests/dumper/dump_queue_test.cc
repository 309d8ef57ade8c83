#include "repo/dumper/dump_queue.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/gate.h"
#include "tests/support/memory_repository.h"

namespace restree::testing {
namespace {

// The same as DumpQueue's own, which are private: a change of them is meant to be seen here.
constexpr std::uint64_t kMostBytes = 64 << 20;
constexpr std::size_t kMostEntries = 8192;

class DumpQueueTest : public ::testing::Test {
 protected:
  // To be called after all blobs were added.
  std::unique_ptr<DumpQueue> make(std::size_t threads = 4) {
    repository_.builder().finish();
    opened_ = repository_.open();
    BulkOptions options;
    options.threads = threads;
    return std::make_unique<DumpQueue>(*opened_, options);
  }
  BlobId data(const std::string& content) { return repository_.builder().add_data(content); }
  static DumpEntry item(const std::string& path) {
    DumpEntry entry;
    entry.path = path;
    return entry;
  }
  static DumpEntry blob(const BlobId& id, std::uint64_t size) {
    DumpEntry entry;
    entry.size = size;
    entry.blob = &id;
    return entry;
  }
  static DumpEntry take(DumpQueue& queue) { return value_of(value_of(queue.take())); }
  // The content of the blob that is next.
  static std::string take_content(DumpQueue& queue) {
    return std::string(as_text(value_of(take(queue).content).view()));
  }
  // How many of these entries can be pushed until there is no more room, while none is taken.
  static std::size_t pushed_until_full(DumpQueue& queue, const DumpEntry& entry,
                                       std::size_t expected) {
    std::atomic<std::size_t> pushed = 0;
    {
      const std::jthread pusher([&] {
        while (pushed < 4 * expected) {
          DumpEntry copy = item(entry.path);
          copy.size = entry.size;
          copy.blob = entry.blob;
          if (!queue.push(std::move(copy))) return;
          ++pushed;
          pushed.notify_all();
        }
      });
      for (std::size_t so_far = 0; (so_far = pushed) < expected;) pushed.wait(so_far);
      queue.abandon();
    }
    return pushed;
  }

  MemoryRepository repository_;
  std::unique_ptr<Repository> opened_;
};

TEST_F(DumpQueueTest, EntriesAreTakenAsTheyWerePushed) {
  const BlobId one = data("one");
  const BlobId two = data("two");
  const auto queue = make();
  ASSERT_TRUE(queue->push(item("a")));
  ASSERT_TRUE(queue->push(blob(one, 3)));
  ASSERT_TRUE(queue->push(blob(two, 3)));
  ASSERT_TRUE(queue->push(item("b")));
  queue->close({});
  EXPECT_EQ(take(*queue).path, "a");
  EXPECT_EQ(take_content(*queue), "one");
  EXPECT_EQ(take_content(*queue), "two");
  EXPECT_EQ(take(*queue).path, "b");
  EXPECT_FALSE(value_of(queue->take()).has_value());
}

// The first waits at the gate until the second has been loaded.
TEST_F(DumpQueueTest, ABlobThatIsThereEarlierWaitsForItsTurn) {
  const BlobId late = data("late");
  const BlobId early = data("early");
  const auto queue = make(2);
  Gate late_gate;
  Gate early_gate;
  const FileName late_pack = repository_.builder().pack_names_of(late).front();
  repository_.storage().watch([&](const FileName& file) -> Status {
    if (file == late_pack) {
      late_gate.pass();
    } else {
      early_gate.pass();
    }
    return {};
  });
  // One after the other, so that each is a batch, and a loader's, of its own.
  ASSERT_TRUE(queue->push(blob(late, 4)));
  late_gate.wait_for_arrivals(1);
  ASSERT_TRUE(queue->push(blob(early, 5)));
  early_gate.wait_for_arrivals(1);
  early_gate.open();
  queue->close({});
  late_gate.open();
  EXPECT_EQ(take_content(*queue), "late");
  EXPECT_EQ(take_content(*queue), "early");
}

TEST_F(DumpQueueTest, ABlobsErrorIsTakenInItsPlace) {
  const BlobId whole = data("whole");
  const BlobId damaged = data(std::string(1000, 'd'));
  const auto queue = make();
  for (const FileName& pack : repository_.builder().pack_names_of(damaged)) {
    repository_.damage(pack);
  }
  ASSERT_TRUE(queue->push(blob(damaged, 1000)));
  ASSERT_TRUE(queue->push(blob(whole, 5)));
  queue->close({});
  EXPECT_THAT(take(*queue).content, FailsWith(ErrorKind::kCorrupt));
  EXPECT_EQ(take_content(*queue), "whole");
}

TEST_F(DumpQueueTest, AnErrorOfTheWalkIsTakenLast) {
  const BlobId one = data("one");
  const auto queue = make();
  ASSERT_TRUE(queue->push(blob(one, 3)));
  queue->close(Error(ErrorKind::kCorrupt, "a tree is missing"));
  EXPECT_EQ(take_content(*queue), "one");
  EXPECT_THAT(queue->take(), FailsWith(ErrorKind::kCorrupt));
}

TEST_F(DumpQueueTest, HoldsNoMoreEntriesThanItMay) {
  const auto queue = make();
  EXPECT_EQ(pushed_until_full(*queue, item("a"), kMostEntries), kMostEntries);
}

TEST_F(DumpQueueTest, HoldsNoMoreBytesThanItMay) {
  const BlobId one = data("one");
  const auto queue = make();
  EXPECT_EQ(pushed_until_full(*queue, blob(one, kMostBytes / 8), 8), 8U);
}

TEST_F(DumpQueueTest, ABlobThatIsLargerThanAllRoomPassesAlone) {
  const BlobId one = data("one");
  const auto queue = make();
  EXPECT_EQ(pushed_until_full(*queue, blob(one, 2 * kMostBytes), 1), 1U);
}

TEST_F(DumpQueueTest, TakenEntriesMakeRoom) {
  const BlobId one = data("one");
  const auto queue = make();
  const std::jthread pusher([&] {
    for (int i = 0; i < 50; ++i) {
      if (!queue->push(blob(one, kMostBytes))) return;
    }
    queue->close({});
  });
  for (int i = 0; i < 50; ++i) EXPECT_EQ(take_content(*queue), "one");
  EXPECT_FALSE(value_of(queue->take()).has_value());
}

TEST_F(DumpQueueTest, OnceAbandonedItTakesNothing) {
  const auto queue = make();
  queue->abandon();
  EXPECT_FALSE(queue->push(item("a")));
}

}  // namespace
}  // namespace restree::testing
