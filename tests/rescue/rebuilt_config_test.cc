#include "repo/rescue/rebuilt_config.h"

#include <string>

#include "repo/chunker/polynomial.h"
#include "repo/rescue/witness.h"
#include "tests/rescue/lost_files.h"
#include "tests/support/memory_repository.h"

namespace restree {
namespace {

using testing::FailsWith;
using testing::kConfigFile;
using testing::kPassword;
using testing::MemoryRepository;
using testing::soon;
using testing::value_of;

class RebuiltConfigTest : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  RebuiltConfigTest() {
    builder().add_snapshot(builder().add_tree({}));
    builder().finish();
  }
  testing::RepositoryBuilder& builder() { return files_.builder(); }
  Result<RebuiltConfig> rebuild(const std::string& password = kPassword) {
    return rebuild_config(files_.storage(), Secret(std::string(password)), "", soon());
  }

  MemoryRepository files_{GetParam()};
};

TEST_P(RebuiltConfigTest, OpensTheRepositoryAgain) {
  files_.remove(kConfigFile);
  EXPECT_FALSE(files_.try_open());
  const RebuiltConfig rebuilt = value_of(rebuild());
  EXPECT_TRUE(rebuilt.is_lost);
  EXPECT_TRUE(is_irreducible(rebuilt.config.chunker_polynomial));
  ASSERT_OK(files_.storage().write(kConfigFile, rebuilt.file, soon()));
  const auto repository = files_.open();
  EXPECT_EQ(repository->config().id, rebuilt.config.id);
  EXPECT_EQ(value_of(repository->list_snapshots(soon())).size(), 1U);
}

TEST_P(RebuiltConfigTest, HasTheSameIdEachTime) {
  files_.remove(kConfigFile);
  const RepositoryId id = value_of(rebuild()).config.id;
  EXPECT_EQ(value_of(rebuild()).config.id, id);
  EXPECT_FALSE(id.is_null());
  const auto other = testing::another_repository();
  ASSERT_OK(other->remove(kConfigFile, soon()));
  EXPECT_NE(value_of(rebuild_config(*other, Secret(std::string(kPassword)), "", soon())).config.id,
            id);
}

TEST_P(RebuiltConfigTest, IsNotNeededWhereTheConfigIsWhole) {
  EXPECT_FALSE(value_of(rebuild()).is_lost);
  files_.damage(kConfigFile);
  EXPECT_TRUE(value_of(rebuild()).is_lost);
}

TEST_P(RebuiltConfigTest, AWrongPasswordIsSaidToBeWrong) {
  files_.remove(kConfigFile);
  EXPECT_THAT(rebuild("wrong"), FailsWith(ErrorKind::kWrongPassword));
}

TEST_P(RebuiltConfigTest, DamagedSnapshotsAreNoWitnesses) {
  files_.remove(kConfigFile);
  for (const FileType type : {FileType::kSnapshot, FileType::kIndex}) {
    for (const ListedFile& file : value_of(files_.storage().list(type, soon()))) {
      EXPECT_OK(rebuild());
      files_.damage({type, file.name});
    }
  }
  EXPECT_THAT(rebuild(), FailsWith(ErrorKind::kNoRepository));
}

INSTANTIATE_TEST_SUITE_P(OfVersion, RebuiltConfigTest, ::testing::Values(1U, 2U));

TEST(RebuiltVersion, IsThatOfTheFiles) {
  for (const std::uint32_t version : {1U, 2U}) {
    MemoryRepository files(version);
    const auto repository = files.open();
    Snapshot snapshot;
    snapshot.paths = {"/"};
    ASSERT_OK(repository->save_snapshot(snapshot, soon()));
    files.remove(kConfigFile);
    EXPECT_EQ(value_of(rebuild_config(files.storage(), Secret(std::string(kPassword)), "", soon()))
                  .config.version,
              version);
  }
}

}  // namespace
}  // namespace restree
