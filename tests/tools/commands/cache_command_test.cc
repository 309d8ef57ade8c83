#include <filesystem>
#include <string>

#include "cache/cache_list.h"
#include "tests/support/memory_repository.h"
#include "tests/support/two_snapshots.h"

namespace restree {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::names_in;
using ::testing::Not;
using testing::Outcome;
using testing::TempDir;
using testing::TwoSnapshots;

const std::string kOld(64, '1');
const std::string kNew(64, '2');

class CacheCommand : public ::testing::Test {
 protected:
  // Makes caches, of which one was used 40 days ago.
  void make_caches() {
    for (const std::string& name : {kOld, kNew}) {
      fs::create_directories(base() / name / "data");
      testing::write_file(base() / name / "data" / std::string(64, 'f'), std::string(8192, 'x'));
    }
    testing::write_file(base() / "CACHEDIR.TAG", "tag");
    fs::last_write_time(base() / kOld,
                        fs::file_time_type::clock::now() - std::chrono::hours(40 * 24 + 1));
  }
  Outcome run(std::vector<std::string> words) {
    words.insert(words.end(), {"--cache-dir", dir_.path().string()});
    return repository_.run(words);
  }
  fs::path base() const { return dir_.path() / "restree"; }

  TempDir dir_;
  TwoSnapshots repository_;
};

TEST_F(CacheCommand, ListsThemAsResticDoesAndHowOftenTheyHelped) {
  make_caches();
  const std::string where = base().string();
  EXPECT_EQ(run({"cache"}).out,
            "Repo ID     Last Used    Old  Size         Hits  Pins\n"
            "-----------------------------------------------------\n"
            "1111111111  40 days ago  yes    8.000 KiB\n"
            "2222222222  0 days ago          8.000 KiB\n"
            "-----------------------------------------------------\n"
            "2 cache dirs in " +
                where + "\n");
  EXPECT_EQ(run({"cache", "--no-size", "--max-age", "50"}).out,
            "Repo ID     Last Used    Old  Hits  Pins\n"
            "----------------------------------------\n"
            "1111111111  40 days ago\n"
            "2222222222  0 days ago\n"
            "----------------------------------------\n"
            "2 cache dirs in " +
                where + "\n");
}

TEST_F(CacheCommand, CountsHitsOfAllCommands) {
  for (int i = 0; i < 4; ++i) ASSERT_EQ(run({"ls", repository_.newer}).code, ExitCode::kSuccess);
  EXPECT_THAT(run({"cache", "--no-size"}).out, HasSubstr("  75%\n"));
}

TEST_F(CacheCommand, SaysThatThereAreNoCaches) {
  EXPECT_EQ(run({"cache"}).out, "no cache dirs found, basedir is " + base().string() + "\n");
}

TEST_F(CacheCommand, RemovesOldCaches) {
  make_caches();
  EXPECT_EQ(run({"cache", "--cleanup", "--max-age", "41"}).out, "no old cache dirs found\n");
  EXPECT_EQ(run({"cache", "--cleanup"}).out, "remove 1 old cache directories\n");
  EXPECT_THAT(names_in(base()), ::testing::ElementsAre(kNew, "CACHEDIR.TAG"));
  EXPECT_EQ(run({"cache", "--cleanup"}).out, "no old cache dirs found\n");
}

TEST_F(CacheCommand, DoesNothingWithoutACache) {
  const Outcome outcome = run({"cache", "--no-cache"});
  EXPECT_EQ(outcome.code, ExitCode::kFailure);
  EXPECT_THAT(outcome.err, HasSubstr("the cache is disabled"));
}

TEST_F(CacheCommand, AnyCommandRemovesOldOnesIfAsked) {
  make_caches();
  EXPECT_EQ(run({"snapshots"}).code, ExitCode::kSuccess);
  EXPECT_THAT(names_in(base()), ::testing::Contains(kOld));
  EXPECT_EQ(run({"snapshots", "--cleanup-cache"}).code, ExitCode::kSuccess);
  EXPECT_THAT(names_in(base()), Not(::testing::Contains(kOld)));
  EXPECT_THAT(names_in(base()), ::testing::Contains(kNew));
}

TEST_F(CacheCommand, CommandsThatReadFillOneCacheAndReadFromIt) {
  auto& storage = repository_.memory.storage();
  ASSERT_EQ(run({"dump", repository_.newer, "/srv/f"}).out, "content");
  const std::size_t packs = storage.reads(FileType::kPack);
  const std::size_t indexes = storage.reads(FileType::kIndex);
  EXPECT_EQ(run({"dump", repository_.newer, "/srv/f"}).out, "content");
  EXPECT_EQ(run({"ls", repository_.newer}).code, ExitCode::kSuccess);
  EXPECT_EQ(storage.reads(FileType::kPack), packs);
  EXPECT_EQ(storage.reads(FileType::kIndex), indexes);
  EXPECT_EQ(run({"dump", repository_.newer, "/srv/f", "--no-cache"}).out, "content");
  EXPECT_GT(storage.reads(FileType::kPack), packs);
}

TEST_F(CacheCommand, CheckReadsTheStorageUnlessWithCacheIsGiven) {
  ASSERT_EQ(run({"ls", repository_.newer}).code, ExitCode::kSuccess);
  for (const FileName& pack : repository_.memory.builder().pack_names_of(repository_.after)) {
    repository_.memory.remove(pack);
    ASSERT_OK(
        repository_.memory.storage().write(pack, as_bytes(std::string(300, 'x')), testing::soon()));
  }
  EXPECT_EQ(run({"ls", repository_.newer}).code, ExitCode::kSuccess);
  const Outcome check = run({"check"});
  EXPECT_EQ(check.code, ExitCode::kFailure);
  EXPECT_THAT(check.err, HasSubstr("error for tree " + repository_.after.hex().substr(0, 8)));
  EXPECT_THAT(run({"check", "--with-cache"}).err,
              Not(HasSubstr("error for tree " + repository_.after.hex().substr(0, 8))));
}

}  // namespace
}  // namespace restree
