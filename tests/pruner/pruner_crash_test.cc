// A prune that ends after any of its changes, or fails at one: the repository stays whole, and the
// next prune does the rest.
#include <atomic>

#include "tests/pruner/pruned_repository.h"

namespace restree::testing {
namespace {

using ::testing::IsSupersetOf;
using ::testing::SizeIs;

enum class Way {
  kExclusive,
  kSharedAtFirst,  // the lock is exclusive only at the end
  kInRounds,       // there is room for one pack's blobs at a time
};

class PruneCrash : public PrunedRepository, public ::testing::WithParamInterface<Way> {
 protected:
  PruneCrash() {
    is_beside_others_ = GetParam() == Way::kSharedAtFirst;
    is_in_rounds_ = GetParam() == Way::kInRounds;
    // Some packs that stay, some that go, some that are repacked; several index files.
    const FileName first = snapshot({1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, "a");
    const FileName second = snapshot({1, 11, 12, 13, 14}, "b");
    snapshot({2, 3, 5, 6, 11, 13}, "c");
    // And a duplicate.
    memory_.builder().add_data(bytes_of(3));
    memory_.builder().finish();
    forget(first);
    forget(second);
    options_.removes_young = true;
    options_.writer.pack_bytes = kBlobBytes;
    options_.keep_free_bytes = 0;
    options_.bulk.threads = 1;
    options_.removals = 1;
    before_ = all();
  }

  // The repository as it was before the first prune.
  std::shared_ptr<WatchedStorage> copy() const {
    const auto files = std::make_shared<MemoryStorage>();
    for (const auto& [name, content] : before_) {
      EXPECT_OK(files->write(name, as_bytes(content), soon()));
    }
    const auto storage = std::make_shared<WatchedStorage>(files);
    if (is_in_rounds_) storage->say_free(bytes_to_store({2, 2 * kBlobBytes + 100}, kBlobBytes));
    return storage;
  }
  static std::vector<std::string> packs(Storage& storage) {
    std::vector<std::string> names;
    for (const auto& file : value_of(storage.list(FileType::kPack, soon()))) {
      names.push_back(file.name);
    }
    return names;
  }
  std::uint64_t used_bytes(const std::shared_ptr<Storage>& storage) {
    const auto repository = open_at(storage);
    Pruner pruner(*repository, options_);
    EXPECT_OK(prepare(pruner));
    const PruneStatistics& sum = pruner.plan().statistics;
    EXPECT_EQ(sum.remaining_unused_bytes(), 0);
    EXPECT_FALSE(pruner.plan().changes_index()) << "the prune has left something to do";
    return sum.used.blobs;
  }
  // Lets every change fail for which `fails` holds, by its number.
  static void fail_changes(WatchedStorage& storage, const std::function<bool(int)>& fails,
                           std::atomic<int>& changes) {
    const auto watch = [&changes, fails](const FileName&) -> Status {
      if (!fails(changes++)) return {};
      return Error(ErrorKind::kDenied, "killed");
    };
    storage.watch_writes(watch);
    storage.watch_removals(watch);
  }
  // Calls `look` for each number of changes after which the prune can end. Returns how many there are.
  template <class Look>
  int for_each_change(bool only_one_fails, Look look) {
    for (int last = 0;; ++last) {
      const auto storage = copy();
      std::atomic<int> changes = 0;
      fail_changes(
          *storage, [=](int change) { return only_one_fails ? change == last : change >= last; },
          changes);
      static_cast<void>(prune_at(storage));
      storage->watch_writes({});
      storage->watch_removals({});
      look(storage, last);
      if (changes <= last) return last;
    }
  }

  std::map<FileName, std::string> before_;
};

TEST_P(PruneCrash, AfterAnyChangeLeavesAllThatIsUsedAndTheNextPruneDoesTheRest) {
  const int changes = for_each_change(false, [&](const auto& storage, int last) {
    EXPECT_EQ(damage_of(storage), "") << "killed after change " << last;
    EXPECT_OK(prune_at(storage));
    EXPECT_EQ(damage_of(storage), "") << "pruned again after change " << last;
    EXPECT_EQ(used_bytes(storage), 7) << "six of data, and a tree";
  });
  EXPECT_GT(changes, 15) << "the prune has too little to do";
  if (is_in_rounds_) {
    EXPECT_GT(rounds_, 2 * changes) << "all was repacked at once";
  }
}

TEST_P(PruneCrash, AFailureOfAnyOneChangeLeavesAllThatIsUsed) {
  for_each_change(true, [&](const auto& storage, int failed) {
    EXPECT_EQ(damage_of(storage), "") << "change " << failed << " has failed";
    EXPECT_OK(prune_at(storage));
    EXPECT_EQ(damage_of(storage), "");
    EXPECT_EQ(used_bytes(storage), 7);
  });
}

// Killed twice, the second time at another place.
TEST_P(PruneCrash, TwiceLeavesAllThatIsUsed) {
  for_each_change(false, [&](const auto& storage, int last) {
    std::atomic<int> changes = 0;
    fail_changes(
        *storage, [=](int change) { return change >= (last * 7) % 11; }, changes);
    static_cast<void>(prune_at(storage));
    storage->watch_writes({});
    storage->watch_removals({});
    EXPECT_EQ(damage_of(storage), "");
    EXPECT_OK(prune_at(storage));
    EXPECT_EQ(used_bytes(storage), 7);
  });
}

// A read that fails leaves everything as it is, or is borne.
TEST_P(PruneCrash, AFailureOfAnyOneReadLeavesAllThatIsUsed) {
  for (int failed = 0;; ++failed) {
    const auto storage = copy();
    std::atomic<int> reads = 0;
    storage->watch([&](const FileName&) -> Status {
      if (reads++ != failed) return {};
      return Error(ErrorKind::kDenied, "cannot be read");
    });
    const auto opened = Repository::open(storage, Secret(std::string(kPassword)), "", soon());
    if (opened) {
      Pruner pruner(**opened, options_);
      if (prepare(pruner)) static_cast<void>(finish(pruner));
    }
    storage->watch({});
    EXPECT_EQ(damage_of(storage), "") << "read " << failed << " has failed";
    if (reads <= failed) break;
  }
}

INSTANTIATE_TEST_SUITE_P(Ways, PruneCrash,
                         ::testing::Values(Way::kExclusive, Way::kSharedAtFirst, Way::kInRounds),
                         [](const auto& instance) {
                           switch (instance.param) {
                             case Way::kExclusive:
                               return "Exclusive";
                             case Way::kSharedAtFirst:
                               return "SharedAtFirst";
                             case Way::kInRounds:
                               break;
                           }
                           return "InRounds";
                         });

}  // namespace
}  // namespace restree::testing
