#include "program/repository_opening.h"

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "cache/disk_cache.h"
#include "cache/location_notes.h"
#include "tests/support/files.h"
#include "tests/support/memory_repository.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

namespace fs = std::filesystem;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::kPassword;
using testing::MemoryRepository;
using testing::soon;
using testing::value_of;

// A repository that can be switched off, and the folder of its cache.
class RepositoryOpeningTest : public ::testing::Test {
 protected:
  RepositoryOpeningTest() {
    blob_ = memory_.builder().add_data("content");
    memory_.builder().add_snapshot(memory_.builder().add_tree({}));
    memory_.builder().finish();
    memory_.storage().watch([this](const FileName&) -> Status {
      if (!off_) return {};
      return Error(ErrorKind::kUnavailable, "nas port 22: nobody there");
    });
  }

  RepositoryOpening opening() {
    const std::shared_ptr<Storage> storage(&memory_.storage(), [](Storage*) {});
    // Probes would go through: they ask for a size.
    const BackOff never{std::chrono::hours(1), 1, std::chrono::hours(1)};
    BreakerTiming timing;
    timing.between_probes = never;
    return {.storage = std::make_shared<BreakerStorage>(storage, timing),
            .cache =
                CachePlace{base(),
                           {.size_bytes = 1 << 30, .least_free_bytes = 0, .least_free_percent = 0}},
            .location = "sftp:nas:/backup",
            .key_hint = "",
            .may_be_offline = true};
  }
  static Result<OpenedRepository> open(const RepositoryOpening& opening,
                                       const char* password = kPassword) {
    return open_repository(opening, Secret(std::string(password)), soon());
  }
  // Reads everything while the storage is there, which is not afterwards.
  void fill_cache_and_switch_off(const RepositoryOpening& opening) {
    const OpenedRepository opened = value_of(open(opening));
    EXPECT_FALSE(opened.offline);
    read_all(*opened.repository);
    off_ = true;
  }
  void read_all(Repository& repository) {
    value_of(repository.refresh_index(soon()));
    for (const SnapshotId& id : value_of(repository.list_snapshots(soon()))) {
      EXPECT_OK(repository.load_snapshot(id, soon()));
    }
    EXPECT_OK(repository.load(BlobType::kData, blob_, soon()));
  }
  std::string base() const { return (dir_.path() / "restree").string(); }

  std::atomic<bool> off_ = false;
  testing::TempDir dir_;
  MemoryRepository memory_{2};
  BlobId blob_;
};

TEST_F(RepositoryOpeningTest, OnceItWasReadTheRepositoryOpensWithoutStorage) {
  fill_cache_and_switch_off(opening());
  const RepositoryOpening again = opening();
  const OpenedRepository opened = value_of(open(again));
  ASSERT_TRUE(opened.offline);
  EXPECT_THAT(*opened.offline, HasSubstr("nobody there"));
  EXPECT_THAT(*opened.offline, HasSubstr("as of 2"));
  EXPECT_TRUE(again.storage->figures().is_away);
  read_all(*opened.repository);
}

TEST_F(RepositoryOpeningTest, AServerThatLetsNobodyInIsAskedOnceAndOneThatDoesOnceMore) {
  fill_cache_and_switch_off(opening());
  for (const unsigned connections : {0U, 1U}) {
    bool is_first = true;  // whose answer does not come in time
    memory_.storage().watch([&](const FileName&) -> Status {
      if (!std::exchange(is_first, false)) return {};
      return Error(ErrorKind::kUnavailable, "nas: no answer in time");
    });
    RepositoryOpening again = opening();
    again.connections = std::make_shared<std::atomic<unsigned>>(connections);
    const OpenedRepository opened = value_of(open(again));
    EXPECT_EQ(opened.offline.has_value(), connections == 0);
  }
}

TEST_F(RepositoryOpeningTest, AWrongPasswordIsReportedWithAndWithoutStorage) {
  EXPECT_THAT(open(opening(), "wrong"), FailsWith(ErrorKind::kWrongPassword));
  fill_cache_and_switch_off(opening());
  EXPECT_THAT(open(opening(), "wrong"), FailsWith(ErrorKind::kWrongPassword));
}

TEST_F(RepositoryOpeningTest, WithoutCacheTheStorageIsNeeded) {
  RepositoryOpening without = opening();
  without.cache.reset();
  EXPECT_OK(open(without));
  fill_cache_and_switch_off(opening());
  EXPECT_THAT(open(without), FailsWith(ErrorKind::kUnavailable));
}

TEST_F(RepositoryOpeningTest, ACallerThatDoesNotAcceptTheCacheAloneGetsAnError) {
  fill_cache_and_switch_off(opening());
  RepositoryOpening online = opening();
  online.may_be_offline = false;
  EXPECT_THAT(open(online), FailsWith(ErrorKind::kUnavailable));
}

TEST_F(RepositoryOpeningTest, AnotherLocationHasAnotherCache) {
  fill_cache_and_switch_off(opening());
  RepositoryOpening elsewhere = opening();
  elsewhere.location = "sftp:other:/backup";
  EXPECT_THAT(open(elsewhere), FailsWith(ErrorKind::kUnavailable));
}

TEST_F(RepositoryOpeningTest, AStorageThatRefusesIsNotAway) {
  fill_cache_and_switch_off(opening());
  memory_.storage().watch(
      [](const FileName&) -> Status { return Error(ErrorKind::kDenied, "another host key"); });
  EXPECT_THAT(open(opening()), FailsWith(ErrorKind::kDenied));
}

TEST_F(RepositoryOpeningTest, ACacheThatWasNeverUsedForAListingIsNotEnough) {
  EXPECT_OK(open(opening()));
  off_ = true;
  EXPECT_THAT(open(opening()), FailsWith(ErrorKind::kUnavailable));
}

TEST_F(RepositoryOpeningTest, ADamagedCacheIsNotEnough) {
  fill_cache_and_switch_off(opening());
  for (const fs::path& file : testing::files_below(base())) {
    if (file.filename() == "config") testing::flip_byte(file, 30);
  }
  EXPECT_THAT(open(opening()), FailsWith(ErrorKind::kUnavailable));
}

TEST_F(RepositoryOpeningTest, ANoteThatNamesAnotherRepositoryIsNotBelieved) {
  fill_cache_and_switch_off(opening());
  const std::string id = *noted_repository(base(), opening().location);
  const std::string other(64, 'b');
  fs::copy(fs::path(base()) / id, fs::path(base()) / other, fs::copy_options::recursive);
  ASSERT_OK(note_location(base(), opening().location, other));
  EXPECT_THAT(open(opening()), FailsWith(ErrorKind::kUnavailable));
}

// The cache says which repository was opened, so that a server that is back is not enough.
TEST_F(RepositoryOpeningTest, AnotherRepositoryThatLiesThereAfterwardsIsNotServed) {
  fill_cache_and_switch_off(opening());
  RepositoryOpening again = opening();
  const BackOff soon_again{std::chrono::milliseconds(1), 1, std::chrono::milliseconds(1)};
  const std::shared_ptr<Storage> storage(&memory_.storage(), [](Storage*) {});
  again.storage =
      std::make_shared<BreakerStorage>(storage, BreakerTiming{.between_probes = soon_again});
  const OpenedRepository opened = value_of(open(again));
  ASSERT_TRUE(opened.offline);
  const FileName key{FileType::kKey, opened.repository->key_name()};
  ASSERT_OK(storage->remove(key, soon()));
  ASSERT_OK(storage->write({FileType::kConfig, ""}, as_bytes("of another"), soon()));
  off_ = false;
  const auto why = [&] { return again.storage->read_all(key, soon()).error().message(); };
  const std::string_view expected = "another repository lies there now";
  const Deadline by = soon();
  while (why().find(expected) == std::string::npos && !by.expired()) std::this_thread::yield();
  EXPECT_THAT(why(), HasSubstr(std::string(expected)));
  EXPECT_TRUE(again.storage->figures().is_away);
  read_all(*opened.repository);
}

}  // namespace
}  // namespace restree
