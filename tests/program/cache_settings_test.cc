#include "program/cache_settings.h"

#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <string>

#include "cache/disk_cache.h"
#include "tests/support/environment.h"
#include "tests/support/memory_repository.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

namespace fs = std::filesystem;
using testing::FailsWith;
using testing::MemoryRepository;
using testing::soon;
using testing::TempDir;
using testing::value_of;

Result<CacheSettings> settings_of(const std::string& word) {
  CacheSettings settings;
  const auto* option = find_option(cache_limit_options(), word);
  if (option == nullptr) return Error(ErrorKind::kNotFound, word);
  RETURN_IF_ERROR(apply_option(*option, word, settings));
  return settings;
}

CacheLimits limits_of(const std::string& word) { return value_of(settings_of(word)).limits; }

TEST(CacheSettings, SizesAreReadWithTheirUnits) {
  EXPECT_EQ(CacheSettings().limits.size_bytes, std::uint64_t{10} << 30);
  EXPECT_EQ(limits_of("cache_size=1M").size_bytes, 1U << 20);
  EXPECT_EQ(limits_of("cache_size=2T").size_bytes, std::uint64_t{2} << 40);
}

TEST(CacheSettings, TheFreeSpaceIsASizeOrAPartOfTheDisk) {
  EXPECT_EQ(CacheSettings().limits.least_free_percent, 10U);
  EXPECT_EQ(limits_of("cache_min_free=25%").least_free_percent, 25U);
  EXPECT_EQ(limits_of("cache_min_free=25%").least_free_bytes, 0U);
  EXPECT_EQ(limits_of("cache_min_free=3G").least_free_bytes, std::uint64_t{3} << 30);
  EXPECT_EQ(limits_of("cache_min_free=3G").least_free_percent, 0U);
  EXPECT_EQ(limits_of("cache_min_free=0").least_free_bytes, 0U);
}

TEST(CacheSettings, ATextThatIsNotASizeIsRefused) {
  for (const char* word : {"cache_size=", "cache_size=1K", "cache_size=10%", "cache_size=x",
                           "cache_min_free=101%", "cache_min_free=%", "cache_min_free=-1"}) {
    EXPECT_THAT(settings_of(word), FailsWith(ErrorKind::kInvalid)) << word;
  }
}

class CachePlaceTest : public ::testing::Test {
 protected:
  CachePlaceTest() {
    for (const char* name : {"RESTIC_CACHE_DIR", "XDG_CACHE_HOME", "HOME"}) set(name, std::nullopt);
  }
  void set(const std::string& name, const std::optional<std::string>& value) {
    environment_.set(name, value);
  }
  static std::string base(const std::string& folder = "") {
    return value_of(cache_base({.folder = folder, .off = false, .limits = {}}));
  }

 private:
  testing::Environment environment_;
};

TEST_F(CachePlaceTest, IsWhereTheFirstOfItsSourcesSays) {
  EXPECT_TRUE(base().ends_with("/.cache/restree")) << base();  // of the user's home
  set("HOME", "/home/u");
  EXPECT_EQ(base(), "/home/u/.cache/restree");
  set("XDG_CACHE_HOME", "/var/xdg");
  EXPECT_EQ(base(), "/var/xdg/restree");
  set("RESTIC_CACHE_DIR", "/var/restic/");
  EXPECT_EQ(base(), "/var/restic/restree");
  EXPECT_EQ(base("/srv/cache"), "/srv/cache/restree");
  EXPECT_EQ(base("relative"), (fs::current_path() / "relative/restree").string());
}

TEST_F(CachePlaceTest, ALocalRepositoryHasNoneUnlessAFolderIsNamed) {
  EXPECT_FALSE(find_cache({}, false));
  EXPECT_TRUE(find_cache({}, true));
  EXPECT_TRUE(find_cache({.folder = "/srv/cache", .off = false, .limits = {}}, false));
  EXPECT_FALSE(find_cache({.folder = "/srv/cache", .off = true, .limits = {}}, false));
  set("RESTIC_CACHE_DIR", "/var/restic");
  EXPECT_FALSE(find_cache({}, false));
}

TEST(AttachedCache, IsNamedByTheRepositorysId) {
  const TempDir dir;
  const MemoryRepository memory;
  const auto repository = value_of(memory.try_open());
  const std::string base = (dir.path() / "restree").string();
  EXPECT_NE(attach_cache(*repository, {base, {}}), nullptr);
  EXPECT_TRUE(fs::exists(fs::path(base) / repository->config().id.hex()));
}

TEST(AttachedCache, ThatMayNotBeUsedIsDoneWithout) {
  const TempDir dir;
  MemoryRepository memory;
  const BlobId blob = memory.builder().add_data("content");
  memory.builder().finish();
  const auto repository = value_of(memory.try_open());
  const fs::path base = dir.path() / "restree";
  fs::create_directory(base);
  fs::permissions(base, fs::perms::all);
  EXPECT_EQ(attach_cache(*repository, {base.string(), {}}), nullptr);
  value_of(repository->refresh_index(soon()));
  EXPECT_OK(repository->load(BlobType::kData, blob, soon()));
  EXPECT_TRUE(fs::is_empty(base));
}

}  // namespace
}  // namespace restree
