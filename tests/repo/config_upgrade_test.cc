#include "repo/config_upgrade.h"

#include <filesystem>
#include <string>

#include "tests/support/files.h"
#include "tests/support/memory_repository.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;
using testing::MemoryRepository;
using testing::soon;
using testing::value_of;

class ConfigUpgrade : public ::testing::Test {
 protected:
  Status upgrade() { return upgrade_config(*value_of(files_.try_open()), kept(), soon()); }
  std::string kept() const { return (dir_.path() / "folder" / "config").string(); }
  bool is_kept() const { return std::filesystem::exists(kept()); }
  std::string config_file() {
    return std::string(
        as_text(value_of(files_.storage().read_all({FileType::kConfig, ""}, soon()))));
  }
  Config config() { return value_of(files_.try_open())->config(); }
  // From now on no config can be written.
  void fail_writes() {
    files_.storage().watch_writes([](const FileName& file) -> Status {
      if (file.type != FileType::kConfig) return {};
      return Error(ErrorKind::kDenied, "no permission to write");
    });
  }

  testing::TempDir dir_;
  MemoryRepository files_{1};
};

TEST_F(ConfigUpgrade, ChangesTheVersionAndNothingElse) {
  const Config before = config();
  EXPECT_OK(upgrade());
  EXPECT_EQ(config().version, 2U);
  EXPECT_EQ(config().id, before.id);
  EXPECT_EQ(config().chunker_polynomial, before.chunker_polynomial);
  EXPECT_FALSE(is_kept());
}

TEST_F(ConfigUpgrade, ARepositoryOfVersion2IsLeftAlone) {
  EXPECT_OK(upgrade());
  const std::string before = config_file();
  const Status again = upgrade();
  ASSERT_THAT(again, FailsWith(ErrorKind::kUnsupported));
  EXPECT_EQ(again.error().message(),
            "repository has version 2, only upgrades from version 1 are supported");
  EXPECT_EQ(config_file(), before);
}

TEST_F(ConfigUpgrade, AConfigThatCannotBeStoredChangesNothing) {
  const std::string before = config_file();
  fail_writes();
  const Status failed = upgrade();
  ASSERT_THAT(failed, FailsWith(ErrorKind::kDenied));
  EXPECT_THAT(failed.error().for_people(), HasSubstr("The repository has its old config"));
  EXPECT_EQ(config_file(), before);
  EXPECT_FALSE(is_kept());
}

TEST_F(ConfigUpgrade, WithoutACopyNothingIsWritten) {
  testing::write_file(dir_.path() / "folder", "in the way");
  fail_writes();
  const Status failed = upgrade();
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().for_people(), HasSubstr("Nothing was changed"));
  EXPECT_EQ(config().version, 1U);
}

// A server whose replacing of a file is not atomic.
TEST_F(ConfigUpgrade, AConfigThatWasLostMeanwhileIsPutBack) {
  const std::string before = config_file();
  int writes = 0;
  files_.storage().watch_writes([&](const FileName& file) -> Status {
    if (file.type != FileType::kConfig || ++writes > 1) return {};
    EXPECT_OK(files_.storage().remove(file, soon()));
    return Error(ErrorKind::kDenied, "no space left");
  });
  EXPECT_THAT(upgrade(), FailsWith(ErrorKind::kDenied));
  EXPECT_EQ(config_file(), before);
  EXPECT_FALSE(is_kept());
}

TEST_F(ConfigUpgrade, IfItCannotBePutBackTheMessageNamesTheCopy) {
  const std::string before = config_file();
  files_.storage().watch_writes([&](const FileName& file) -> Status {
    if (file.type != FileType::kConfig) return {};
    static_cast<void>(files_.storage().remove(file, soon()));
    return Error(ErrorKind::kDenied, "no space left");
  });
  const Status failed = upgrade();
  ASSERT_THAT(failed, FailsWith(ErrorKind::kDenied));
  EXPECT_THAT(failed.error().message(), HasSubstr(kept()));
  EXPECT_EQ(testing::read_file(kept()), before);
}

}  // namespace
}  // namespace restree
