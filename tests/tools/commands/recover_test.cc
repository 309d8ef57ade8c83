// restree recover
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/support/locks.h"
#include "tests/support/two_snapshots.h"

namespace restree {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Outcome;
using ::testing::SizeIs;
using testing::soon;
using testing::value_of;

class Recover : public ::testing::Test {
 protected:
  std::vector<ListedFile> snapshots() {
    return value_of(repository_.memory.storage().list(FileType::kSnapshot, soon()));
  }
  FileName snapshot_file(const std::string& short_id) {
    for (const ListedFile& file : snapshots()) {
      if (file.name.starts_with(short_id)) return {FileType::kSnapshot, file.name};
    }
    return {FileType::kSnapshot, ""};
  }

  testing::TwoSnapshots repository_;
};

TEST_F(Recover, MakesOneSnapshotOfAllRoots) {
  for (const std::string& id : {repository_.older, repository_.newer}) {
    repository_.memory.remove(snapshot_file(id));
  }
  EXPECT_THAT(repository_.out({"recover"}),
              HasSubstr("\nfound 2 unreferenced roots\nsaved new snapshot "));
  EXPECT_THAT(snapshots(), SizeIs(1));
  EXPECT_THAT(repository_.out({"ls", "latest"}),
              AllOf(HasSubstr("/srv/g.txt\n"), HasSubstr("/srv/f")));
  EXPECT_THAT(repository_.out({"snapshots"}), AllOf(HasSubstr("recovered"), HasSubstr("/recover")));
  EXPECT_EQ(repository_.run({"check", "--read-data"}).code, ExitCode::kSuccess);
  EXPECT_THAT(testing::lock_names(repository_.memory.storage()), IsEmpty());
}

TEST_F(Recover, WithoutRootsWritesNoSnapshot) {
  EXPECT_THAT(repository_.out({"recover"}),
              HasSubstr("\nfound 0 unreferenced roots\nno snapshot to write.\n"));
  EXPECT_EQ(repository_.out({"recover", "-q"}), "\nfound 0 unreferenced roots\n");
  EXPECT_THAT(snapshots(), SizeIs(2));
}

// restic ends with a crash here.
TEST_F(Recover, WhatASnapshotHoldsThatCannotBeReadIsRecovered) {
  repository_.memory.damage(snapshot_file(repository_.older));
  const Outcome done = repository_.run({"recover"});
  EXPECT_EQ(done.code, ExitCode::kSuccess) << done.err;
  EXPECT_THAT(done.err,
              AllOf(HasSubstr(repository_.older), HasSubstr("what it holds is recovered")));
  EXPECT_THAT(done.out, HasSubstr("\nfound 1 unreferenced roots\nsaved new snapshot "));
}

TEST_F(Recover, WhatLacksIsNamedByItsPlaceInTheNewSnapshot) {
  repository_.memory.remove(snapshot_file(repository_.newer));
  repository_.memory.remove_packs_of(repository_.after);
  const Outcome done = repository_.run({"recover"});
  EXPECT_EQ(done.code, ExitCode::kSuccess) << done.err;
  EXPECT_THAT(done.out, HasSubstr("/srv\": replaced with empty directory\nsaved new snapshot "));
  EXPECT_EQ(repository_.run({"check", "--read-data"}).code, ExitCode::kSuccess);
}

}  // namespace
}  // namespace restree
