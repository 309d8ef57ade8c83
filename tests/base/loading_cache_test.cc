#include "repo/base/loading_cache.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/gate.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using testing::FailsWith;
using testing::Gate;
using testing::value_of;

// Counts lookups of keys. They happen under the cache's lock, so a thread that was counted here and
// finds a load under way is certain to wait for it before the load can end.
struct CountedHash {
  std::size_t operator()(int key) const {
    ++looks;
    return std::hash<int>()(key);
  }
  static inline std::atomic<int> looks = 0;
};
using Cache = LoadingCache<int, std::string, CountedHash>;

Deadline soon() { return Deadline::after(std::chrono::seconds(60)); }

class LoadingCacheTest : public ::testing::Test {
 protected:
  // Loads a text of `size` bytes.
  Result<Cache::Shared> get(int key, std::size_t size = 10) {
    return cache_.get(key, soon(), [&]() -> Result<Cache::Shared> {
      ++loads_;
      return std::make_shared<const std::string>(size, 'x');
    });
  }
  Result<Cache::Shared> fail(int key, ErrorKind kind, Deadline by = soon()) {
    return cache_.get(key, by, [&]() -> Result<Cache::Shared> {
      ++loads_;
      return Error(kind, "as the test wants it");
    });
  }
  // How often get() has to load.
  int loads_for(int key) {
    const int before = loads_;
    EXPECT_OK(get(key));
    return loads_ - before;
  }

  Cache cache_{10'000, [](const std::string& text) { return text.size(); }};
  std::atomic<int> loads_ = 0;
};

TEST_F(LoadingCacheTest, LoadsOnce) {
  const auto first = value_of(get(1));
  EXPECT_EQ(value_of(get(1)), first);
  EXPECT_EQ(loads_, 1);
  EXPECT_EQ(cache_.weight(), 10U);
  EXPECT_TRUE(cache_.knows(1));
  EXPECT_FALSE(cache_.knows(2));
}

TEST_F(LoadingCacheTest, PeeksWithoutLoading) {
  EXPECT_EQ(cache_.peek(1), nullptr);
  const auto loaded = value_of(get(1));
  EXPECT_EQ(cache_.peek(1), loaded);
  EXPECT_FALSE(fail(2, ErrorKind::kCorrupt).has_value());
  EXPECT_EQ(cache_.peek(2), nullptr);
}

TEST_F(LoadingCacheTest, DropsTheLeastRecentlyUsedValue) {
  for (int key = 0; key < 10; ++key) EXPECT_OK(get(key, 1000));
  EXPECT_OK(get(0));         // used again
  EXPECT_OK(get(10, 1000));  // evicts 1
  EXPECT_TRUE(cache_.knows(0));
  EXPECT_FALSE(cache_.knows(1));
  EXPECT_TRUE(cache_.knows(2));
  EXPECT_EQ(cache_.weight(), 10'000U);
}

TEST_F(LoadingCacheTest, DropsAsManyAsANewOneNeeds) {
  for (int key = 0; key < 10; ++key) EXPECT_OK(get(key, 1000));
  EXPECT_OK(get(10, 9500));
  EXPECT_EQ(cache_.weight(), 9500U);
  for (int key = 0; key < 10; ++key) EXPECT_FALSE(cache_.knows(key));
}

TEST_F(LoadingCacheTest, HandsOutAValueHeavierThanTheBudgetAndKeepsTheOthers) {
  EXPECT_OK(get(1));
  EXPECT_EQ(value_of(get(2, 10'001))->size(), 10'001U);
  EXPECT_FALSE(cache_.knows(2));
  EXPECT_TRUE(cache_.knows(1));
  EXPECT_EQ(cache_.weight(), 10U);
}

TEST_F(LoadingCacheTest, DroppedValuesLiveOnWithTheirReaders) {
  const auto kept = value_of(get(1, 9000));
  EXPECT_OK(get(2, 9000));
  EXPECT_FALSE(cache_.knows(1));
  EXPECT_EQ(kept->size(), 9000U);
}

TEST_F(LoadingCacheTest, ReadersOfOneKeyShareOneLoad) {
  Gate gate;
  std::vector<std::jthread> readers;
  std::atomic<int> served = 0;
  const auto read = [&] {
    const auto text = cache_.get(1, soon(), [&]() -> Result<Cache::Shared> {
      ++loads_;
      gate.pass();
      return std::make_shared<const std::string>("shared");
    });
    if (*value_of(text) == "shared") ++served;
  };
  for (int i = 0; i < 8; ++i) readers.emplace_back(read);
  gate.wait_for_arrivals(1);
  EXPECT_TRUE(cache_.knows(1));
  EXPECT_EQ(cache_.peek(1), nullptr);
  EXPECT_EQ(loads_for(2), 1) << "another key has to wait";
  loads_ = 1;
  gate.open();
  readers.clear();
  EXPECT_EQ(loads_, 1);
  EXPECT_EQ(served, 8);
}

TEST_F(LoadingCacheTest, RemembersDamageForAMoment) {
  EXPECT_THAT(fail(1, ErrorKind::kCorrupt), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(get(1), FailsWith(ErrorKind::kCorrupt));
  EXPECT_EQ(loads_, 1);
}

TEST_F(LoadingCacheTest, RemembersAnOutageForAMomentOnly) {
  EXPECT_THAT(fail(1, ErrorKind::kUnavailable), FailsWith(ErrorKind::kUnavailable));
  const auto end = Deadline::Clock::now() + Cache::kOutageMemory;
  std::size_t refused = 0;
  while (!get(1)) {
    ++refused;
    std::this_thread::yield();
  }
  EXPECT_GT(refused, 0U);
  EXPECT_GE(Deadline::Clock::now(), end - std::chrono::milliseconds(50));
  EXPECT_EQ(loads_, 2);
}

class AfterAnOutage : public ::testing::Test {
 protected:
  Result<Cache::Shared> get(int key, const std::function<Result<Cache::Shared>()>& load) {
    return cache_.get(key, soon(), load);
  }
  static Result<Cache::Shared> fail(ErrorKind kind) { return Error(kind, "as the test wants it"); }
  static Result<Cache::Shared> succeed() { return std::make_shared<const std::string>("there"); }

  std::shared_ptr<Outages> outages_ = std::make_shared<Outages>();
  Cache cache_{10'000, [](const std::string& text) { return text.size(); }, Keeping::kWithinBudget,
               outages_};
};

TEST_F(AfterAnOutage, ItsFailuresAreForgottenAtOnce) {
  EXPECT_FALSE(get(1, [] { return fail(ErrorKind::kUnavailable); }));
  outages_->note_end();
  EXPECT_OK(get(1, succeed));
}

TEST_F(AfterAnOutage, ALoadThatBeganInItSaysNothingOfTheTimeAfterIt) {
  EXPECT_FALSE(get(1, [&] {
    outages_->note_end();
    return fail(ErrorKind::kUnavailable);
  }));
  EXPECT_OK(get(1, succeed));
}

TEST_F(AfterAnOutage, DamageIsStillRemembered) {
  const auto begin = Deadline::Clock::now();
  EXPECT_FALSE(get(1, [] { return fail(ErrorKind::kCorrupt); }));
  outages_->note_end();
  const auto again = get(1, succeed);
  if (Deadline::Clock::now() < begin + Cache::kDamageMemory) {
    EXPECT_THAT(again, FailsWith(ErrorKind::kCorrupt));
  }
}

TEST_F(LoadingCacheTest, RemembersFailuresWithinItsBudget) {
  for (int key = 0; key < 1000; ++key) {
    EXPECT_THAT(fail(key, ErrorKind::kCorrupt), FailsWith(ErrorKind::kCorrupt));
  }
  EXPECT_LE(cache_.weight(), 10'000U);
  EXPECT_FALSE(cache_.knows(0));
  EXPECT_TRUE(cache_.knows(999));
}

// One reader has begun a load, which does not end before the test lets it.
class BesideALoad : public LoadingCacheTest {
 protected:
  void begin(Result<Cache::Shared> outcome) {
    loader_ = std::jthread([this, outcome = std::move(outcome)] {
      static_cast<void>(cache_.get(1, soon(), [&]() -> Result<Cache::Shared> {
        gate_.pass();
        return outcome;
      }));
    });
    gate_.wait_for_arrivals(1);
  }
  // Lets the load end once `reader` waits for it.
  void land_beside(const std::function<void()>& reader) {
    const int before = CountedHash::looks;
    std::jthread waiting(reader);
    while (CountedHash::looks == before) std::this_thread::yield();
    gate_.open();
  }
  Gate gate_;
  std::jthread loader_;
};

TEST_F(BesideALoad, AReaderWaitsNoLongerThanItsDeadline) {
  begin(std::make_shared<const std::string>("late"));
  const auto text = cache_.get(1, Deadline::after({}), [&]() -> Result<Cache::Shared> {
    ADD_FAILURE() << "must not load beside the other";
    return Error(ErrorKind::kCorrupt, "");
  });
  EXPECT_THAT(text, FailsWith(ErrorKind::kUnavailable));
  gate_.open();
  EXPECT_EQ(*value_of(get(1)), "late");
}

TEST_F(BesideALoad, AReaderWithMoreTimeTriesAgainAfterAnOutage) {
  begin(Error(ErrorKind::kUnavailable, "no time left"));
  land_beside([&] { EXPECT_EQ(value_of(get(1))->size(), 10U); });
  EXPECT_EQ(loads_, 1);
}

TEST_F(BesideALoad, DamageIsSharedWithoutAnotherTry) {
  begin(Error(ErrorKind::kCorrupt, "flipped"));
  land_beside([&] { EXPECT_THAT(get(1), FailsWith(ErrorKind::kCorrupt)); });
  EXPECT_EQ(loads_, 0);
}

TEST_F(BesideALoad, OtherValuesAreNotEvicted) {
  begin(std::make_shared<const std::string>(10, 'x'));
  for (int key = 2; key < 100; ++key) EXPECT_OK(get(key, 1000));
  EXPECT_TRUE(cache_.knows(1));
  gate_.open();
  loader_.join();
  EXPECT_LE(cache_.weight(), 10'000U);
}

TEST_F(LoadingCacheTest, TurnsEveryExceptionOfALoadIntoAFailure) {
  EXPECT_THAT(cache_.get(1, soon(), []() -> Result<Cache::Shared> { throw std::bad_alloc(); }),
              FailsWith(ErrorKind::kLocalIo));
  EXPECT_THAT(
      cache_.get(2, soon(), []() -> Result<Cache::Shared> { throw std::length_error("too long"); }),
      FailsWith(ErrorKind::kLocalIo));
  // No reader waits for ever for a load that ended in this way.
  EXPECT_THAT(get(1), FailsWith(ErrorKind::kLocalIo));
}

TEST_F(LoadingCacheTest, StaysWithinItsBudgetUnderManyReaders) {
  {
    std::vector<std::jthread> readers;
    for (int reader = 0; reader < 8; ++reader) {
      readers.emplace_back([this, reader] {
        for (int i = 0; i < 2000; ++i) {
          const int key = (i * 7 + reader) % 50;
          const auto text = get(key, 400 + static_cast<std::size_t>(key));
          if (value_of(text)->size() != 400 + static_cast<std::size_t>(key)) {
            ADD_FAILURE() << "another key's value";
          }
        }
      });
    }
  }
  EXPECT_LE(cache_.weight(), 10'000U);
  EXPECT_GT(cache_.weight(), 9'000U);
}

// With a budget of 10,000, and values that are needed again and again.
class KeepingWhatIsInUse : public ::testing::Test {
 protected:
  void use(int key, std::size_t size) {
    EXPECT_OK(cache_.get(key, soon(), [&]() -> Result<Cache::Shared> {
      ++loads_[key];
      return std::make_shared<const std::string>(size, 'x');
    }));
  }

  Cache cache_{10'000, [](const std::string& text) { return text.size(); }, Keeping::kInUse};
  std::map<int, int> loads_;
};

TEST_F(KeepingWhatIsInUse, LoadsAValueOnceThatIsHeavierThanTheBudget) {
  for (int i = 0; i < 100; ++i) use(1, 1'000'000);
  EXPECT_EQ(loads_[1], 1);
}

TEST_F(KeepingWhatIsInUse, LoadsItTwiceAtMostWhileOthersAreUsedInBetween) {
  for (int i = 0; i < 100; ++i) {
    use(1, 1'000'000);
    use(2 + i, 500);
  }
  EXPECT_EQ(loads_[1], 2);
}

TEST_F(KeepingWhatIsInUse, KeepsTheBudgetForOthersBesideIt) {
  for (int i = 0; i < 100; ++i) {
    use(1, 1'000'000);
    for (int key = 2; key < 12; ++key) use(key, 900);
  }
  EXPECT_EQ(loads_[1], 2);
  for (int key = 2; key < 12; ++key) EXPECT_LE(loads_[key], 2) << key;
}

TEST_F(KeepingWhatIsInUse, KeepsSeveralHeavyOnesThatTakeTurns) {
  for (int i = 0; i < 100; ++i) {
    for (int key = 1; key <= 4; ++key) use(key, 100'000);
  }
  for (int key = 1; key <= 4; ++key) EXPECT_LE(loads_[key], 2) << key;
}

TEST_F(KeepingWhatIsInUse, LetsGoOfWhatIsUsedNoMore) {
  for (int i = 0; i < 3; ++i) {
    use(1, 50'000);
    use(2, 50'000);
  }
  EXPECT_EQ(cache_.weight(), 100'000U);
  for (int key = 3; key < 600; ++key) use(key, 1'000);
  EXPECT_LE(cache_.weight(), 10'000U);
}

TEST_F(KeepingWhatIsInUse, StaysWithinTheBudgetInAWalkThroughManyValues) {
  for (int round = 0; round < 3; ++round) {
    for (int key = 0; key < 1000; ++key) {
      use(key, 3'000);
      ASSERT_LE(cache_.weight(), 10'000U);
    }
  }
}

TEST_F(KeepingWhatIsInUse, SharesAHeavyValueAmongManyReaders) {
  {
    std::vector<std::jthread> readers;
    for (int reader = 0; reader < 8; ++reader) {
      readers.emplace_back([this, reader] {
        for (int i = 0; i < 1000; ++i) {
          // All others are used once: one that several readers used would be in use as well.
          const int key = i % 3 == 0 ? 0 : i * 8 + reader;
          const std::size_t size = key == 0 ? 500'000 : 400;
          const auto text = cache_.get(key, soon(), [&]() -> Result<Cache::Shared> {
            return std::make_shared<const std::string>(size, 'x');
          });
          if (value_of(text)->size() != size) ADD_FAILURE() << "another key's value";
        }
      });
    }
  }
  EXPECT_LE(cache_.weight(), 510'000U);
}

}  // namespace
}  // namespace restree
