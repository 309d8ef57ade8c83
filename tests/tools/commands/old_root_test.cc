// Snapshots of / by the first restic, whose root tree holds one folder that is named "/".
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/temp_dir.h"
#include "tests/support/two_snapshots.h"

namespace restree {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class OldRoot : public ::testing::Test {
 protected:
  OldRoot() {
    auto& builder = repository_.memory.builder();
    old_ = builder.add_snapshot(
        builder.add_tree({testing::folder_node("/", repository_.before)}),
        {.time = "2026-09-03T00:00:00Z", .paths = {"/"}, .tags = {}, .hostname = "h"});
    new_ = builder.add_snapshot(
        repository_.after,
        {.time = "2026-09-04T00:00:00Z", .paths = {"/"}, .tags = {}, .hostname = "h"});
    builder.finish();
  }
  std::string out(const std::vector<std::string>& words) { return repository_.out(words); }

  testing::TwoSnapshots repository_;
  std::string old_;
  std::string new_;
};

TEST_F(OldRoot, IsListedAndSearchedAndCounted) {
  EXPECT_EQ(out({"ls", old_, "-q"}), "/f\n");
  EXPECT_THAT(out({"find", "-s", old_, "f"}), HasSubstr("/f\n"));
  EXPECT_EQ(out({"stats", "--json", old_}),
            "{\"total_size\":7,\"total_file_count\":1,\"snapshots_count\":1}\n");
  EXPECT_THAT(out({"diff", old_, new_}), HasSubstr("+    /g.txt\n"));
}

TEST_F(OldRoot, IsDumpedAndRestored) {
  EXPECT_EQ(out({"dump", old_, "/f"}), "content");
  EXPECT_THAT(out({"dump", old_, "/"}), AllOf(HasSubstr("ustar"), HasSubstr("content")));
  const testing::TempDir target;
  out({"restore", old_, "--target", target.path().string()});
  EXPECT_EQ(testing::read_file(target.path() / "f"), "content");
}

TEST_F(OldRoot, IsNoDamage) { EXPECT_THAT(out({"check"}), HasSubstr("no errors were found")); }

}  // namespace
}  // namespace restree
