// restree warm
#include <filesystem>
#include <string>

#include "tests/support/memory_repository.h"
#include "tests/support/two_snapshots.h"

namespace restree {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::names_in;
using testing::Outcome;
using testing::TempDir;
using testing::TwoSnapshots;

class WarmCommand : public ::testing::Test {
 protected:
  Outcome run(std::vector<std::string> words) {
    words.insert(words.end(), {"--cache-dir", dir_.path().string()});
    return repository_.run(words);
  }
  std::size_t pack_reads() { return repository_.memory.storage().reads(FileType::kPack); }
  std::vector<std::string> pins() {
    for (const std::string& name : names_in(dir_.path() / "restree")) {
      const fs::path folder = dir_.path() / "restree" / name / "pins";
      if (name.size() == 64 && fs::exists(folder)) return names_in(folder);
    }
    return {};
  }

  TempDir dir_;
  TwoSnapshots repository_;  // of the apps srv and z
};

TEST_F(WarmCommand, BringsAllOfASnapshotIntoTheCache) {
  const Outcome warmed = run({"warm", "z"});
  EXPECT_EQ(warmed.code, ExitCode::kSuccess) << warmed.err;
  EXPECT_THAT(warmed.out, HasSubstr("3 blobs ("));
  EXPECT_THAT(warmed.out, HasSubstr("of snapshot " + repository_.newer + " are in the cache,"));
  const std::size_t reads = pack_reads();
  EXPECT_EQ(run({"dump", repository_.newer, "/srv/g.txt"}).out, "contentcontent");
  EXPECT_EQ(run({"ls", repository_.newer}).code, ExitCode::kSuccess);
  EXPECT_EQ(pack_reads(), reads);
  EXPECT_EQ(run({"warm", "z:latest"}).code, ExitCode::kSuccess);
  EXPECT_EQ(pack_reads(), reads);
  EXPECT_EQ(run({"ls", repository_.older}).code, ExitCode::kSuccess);
  EXPECT_GT(pack_reads(), reads);
  EXPECT_THAT(pins(), IsEmpty());
}

TEST_F(WarmCommand, SpeaksJson) {
  const std::string out = run({"warm", "srv", "--json"}).out;
  EXPECT_THAT(out, HasSubstr(R"({"message_type":"summary","seconds_elapsed":0,"total_blobs":3,)"
                             R"("blobs_done":3,"total_bytes":)"));
  EXPECT_THAT(out, HasSubstr(R"("errors":0})"));
}

TEST_F(WarmCommand, PinsAndLetsGo) {
  EXPECT_THAT(run({"warm", "srv", "--pin"}).out, HasSubstr("and stay there"));
  EXPECT_EQ(run({"warm", "z:" + repository_.newer, "--pin"}).code, ExitCode::kSuccess);
  EXPECT_THAT(pins(), ::testing::SizeIs(2));
  EXPECT_THAT(run({"cache", "--no-size"}).out, HasSubstr("  2\n"));
  EXPECT_EQ(run({"warm", "srv", "--unpin"}).out, "1 snapshot is not pinned any more\n");
  EXPECT_EQ(run({"warm", "srv", "--unpin"}).out, "0 snapshots are not pinned any more\n");
  EXPECT_EQ(run({"warm", "--unpin"}).out, "1 snapshot is not pinned any more\n");
  EXPECT_THAT(pins(), IsEmpty());
}

TEST_F(WarmCommand, APinGoesWithItsSnapshot) {
  ASSERT_EQ(run({"warm", "srv", "--pin"}).code, ExitCode::kSuccess);
  ASSERT_EQ(run({"forget", repository_.older}).code, ExitCode::kSuccess);
  ASSERT_EQ(run({"snapshots"}).code, ExitCode::kSuccess);
  EXPECT_THAT(pins(), IsEmpty());
}

TEST_F(WarmCommand, ReportsFilesThatCannotBeRead) {
  repository_.memory.remove_packs_of(repository_.data);
  const Outcome warmed = run({"warm", "z"});
  EXPECT_EQ(warmed.code, ExitCode::kFailure);
  EXPECT_THAT(warmed.err, HasSubstr("ignoring error for /srv/f: "));
  EXPECT_THAT(warmed.err, HasSubstr("ignoring error for /srv/g.txt: "));
  EXPECT_THAT(warmed.err, HasSubstr("There were 2 errors"));
  const Outcome json = run({"warm", "z", "--json"});
  EXPECT_THAT(json.err, HasSubstr(R"("during":"warm","item":"/srv/f"})"));
}

TEST_F(WarmCommand, ReportsAFolderThatCannotBeRead) {
  repository_.memory.remove_packs_of(repository_.after);
  const Outcome warmed = run({"warm", "z"});
  EXPECT_EQ(warmed.code, ExitCode::kFailure);
  EXPECT_THAT(warmed.err, HasSubstr("ignoring error for /srv: "));
}

TEST_F(WarmCommand, RefusesASnapshotLargerThanTheCache) {
  auto& builder = repository_.memory.builder();
  const BlobId large = builder.add_data(testing::random_bytes(1, 2 << 20));
  const BlobId tree = builder.add_tree({testing::file_node("large", {large}, 2 << 20)});
  builder.add_snapshot(tree, {.time = "2026-09-03T00:00:00Z", .paths = {"/large"}});
  builder.finish();
  const Outcome warmed = run({"warm", "large", "-o", "cache_size=1M"});
  EXPECT_EQ(warmed.code, ExitCode::kFailure);
  EXPECT_THAT(warmed.err, HasSubstr("the snapshot takes 3 MiB, and the cache may take 1 MiB"));
}

TEST_F(WarmCommand, RefusesInvalidArguments) {
  EXPECT_THAT(run({"warm"}).err, HasSubstr("no app is given"));
  EXPECT_THAT(run({"warm", "a", "b"}).err, HasSubstr("only one"));
  EXPECT_THAT(run({"warm", "a", "--pin", "--unpin"}).err, HasSubstr("mutually exclusive"));
  EXPECT_THAT(run({"warm", "nothing"}).err, HasSubstr("Known names: srv, z."));
  EXPECT_THAT(run({"warm", "z", "--no-cache"}).err, HasSubstr("there is no cache to warm"));
}

}  // namespace
}  // namespace restree
