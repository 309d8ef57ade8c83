// The output of find, diff and stats for two snapshots in memory.
#include <gmock/gmock.h>

#include "tests/support/two_snapshots.h"

namespace restree {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Outcome;
using ::testing::StartsWith;

class SearchingCommands : public ::testing::Test {
 protected:
  Outcome run(const std::vector<std::string>& words) { return repository_.run(words); }
  std::string out(const std::vector<std::string>& words) { return repository_.out(words); }

  testing::TwoSnapshots repository_;
  const std::string& old_ = repository_.older;
  const std::string& new_ = repository_.newer;
};

TEST_F(SearchingCommands, FindPrintsMatchesTheNewestSnapshotFirst) {
  const std::string found = out({"find", "f"});
  EXPECT_THAT(found, StartsWith("Found matching entries in snapshot " + new_ + " from "));
  EXPECT_THAT(found, HasSubstr("\n/srv/f\n\nFound matching entries in snapshot " + old_));
  EXPECT_EQ(out({"find", "*.txt", "-q"}), "/srv/g.txt\n");
  EXPECT_EQ(out({"find", "*.TXT", "-q", "-i"}), "/srv/g.txt\n");
  EXPECT_THAT(out({"find", "*.TXT", "-q"}), IsEmpty());
}

TEST_F(SearchingCommands, FindLooksOnlyInTheGivenSnapshotsAndPaths) {
  EXPECT_EQ(out({"find", "f", "-q", "-s", old_}), "/srv/f\n");
  EXPECT_EQ(out({"find", "f", "-q", "--host", "one"}), "/srv/f\n");
  EXPECT_THAT(out({"find", "f", "-q", "--oldest", "2099-01-01"}), IsEmpty());
  EXPECT_EQ(run({"find", "f", "-O", "2026-01-02", "-N", "2026-01-01"}).code, ExitCode::kFailure);
  EXPECT_EQ(run({"find", "f", "-O", "yesterday"}).code, ExitCode::kFailure);
}

TEST_F(SearchingCommands, FindAsJsonIsOneArrayOfSnapshots) {
  const std::string found = out({"find", "f", "--json"});
  EXPECT_THAT(found, StartsWith(R"([{"matches":[{"path":"/srv/f","permissions":"-rw-r--r--",)"
                                R"("type":"file","mode":420,"mtime":")"));
  EXPECT_THAT(found, HasSubstr(R"(}],"hits":1,"snapshot":")" + new_));
  EXPECT_THAT(found, EndsWith("\"}]\n"));
  EXPECT_EQ(out({"find", "none", "--json"}), "[]\n");
}

TEST_F(SearchingCommands, FindKnowsBlobsTreesAndPacks) {
  const std::string blob = repository_.data.hex();
  EXPECT_THAT(out({"find", "--blob", blob.substr(0, 8)}),
              StartsWith("Found blob " + blob + "\n ... in file /srv/f\n     (tree " +
                         repository_.after.hex() + ")\n ... in snapshot " + new_));
  EXPECT_THAT(out({"find", "--tree", repository_.before.hex()}),
              StartsWith("Found tree " + repository_.before.hex() + "\n ... path /srv\n"));
  const std::string pack = repository_.memory.builder().pack_names_of(repository_.data)[0].name;
  EXPECT_THAT(out({"find", "--pack", pack, "--json"}),
              StartsWith(R"([{"object_type":"blob","id":")" + blob + R"(","path":"/srv/f",)" +
                         R"("parent_tree":")"));
  EXPECT_THAT(out({"find", "--blob", blob, "--show-pack-id"}),
              HasSubstr("Object belongs to pack " + pack));
  EXPECT_EQ(run({"find", "--pack", "0123abcd"}).code, ExitCode::kFailure);
  EXPECT_EQ(run({"find", "--pack", "--blob", blob}).code, ExitCode::kFailure);
}

TEST_F(SearchingCommands, FindGoesOnWhereATreeIsDamaged) {
  repository_.memory.remove_packs_of(repository_.after);
  const Outcome outcome = run({"find", "f", "-q"});
  EXPECT_EQ(outcome.code, ExitCode::kSuccess);
  EXPECT_EQ(outcome.out, "/srv/f\n");
  EXPECT_THAT(outcome.err, HasSubstr("Unable to load tree " + repository_.after.hex()));
}

TEST_F(SearchingCommands, DiffMarksAddedAndRemovedFiles) {
  EXPECT_THAT(
      out({"diff", old_, new_}),
      AllOf(StartsWith("comparing snapshot " + old_ + " to " + new_ + ":\n\n"),
            HasSubstr("\n+    /srv/g.txt\n"), HasSubstr("Files:           1 new,     0 rem"),
            HasSubstr("Tree Blobs:      2 new,     2 removed\n")));
  EXPECT_THAT(out({"diff", new_ + ":srv", old_ + ":srv"}), HasSubstr("\n-    /g.txt\n"));
  EXPECT_THAT(out({"diff", old_, old_}), Not(HasSubstr("/srv")));
  EXPECT_EQ(run({"diff", old_}).code, ExitCode::kFailure);
  EXPECT_EQ(run({"diff", old_, "latest"}).code, ExitCode::kFailure);
}

TEST_F(SearchingCommands, DiffAsJsonIsALineForEachChangeAndOneForAll) {
  EXPECT_THAT(
      out({"diff", "--json", old_, new_}),
      StartsWith("{\"message_type\":\"change\",\"path\":\"/srv/g.txt\",\"modifier\":\"+\"}\n"
                 "{\"message_type\":\"statistics\",\"source_snapshot\":\"" +
                 old_ + "\",\"target_snapshot\":\"" + new_ +
                 "\",\"changed_files\":0,\"added\":{\"files\":1,\"dirs\":0,"));
}

TEST_F(SearchingCommands, DiffDistinguishesContentMetadataTypeAndBitrot) {
  auto& builder = repository_.memory.builder();
  const BlobId other = builder.add_data("other");
  const auto snapshot_of = [&](const std::vector<std::string>& nodes) {
    return builder.add_snapshot(builder.add_tree(nodes));
  };
  const BlobId& data = repository_.data;
  const std::string a = snapshot_of({testing::file_node("bitrot", {data}, 7),
                                     testing::file_node("content", {data}, 7),
                                     testing::file_node("mode", {data}, 7, ",\"mode\":420"),
                                     testing::file_node("type", {data}, 7)});
  const std::string b = snapshot_of({testing::file_node("bitrot", {other}, 7),
                                     testing::file_node("content", {other}, 5),
                                     testing::file_node("mode", {data}, 7, ",\"mode\":384"),
                                     testing::folder_node("type", repository_.before)});
  builder.finish();
  const std::string changes = out({"diff", a, b});
  EXPECT_THAT(changes, HasSubstr("\nM?   /bitrot\nM    /content\nT    /type/\n"));
  EXPECT_THAT(out({"diff", "--metadata", a, b}), HasSubstr("\nU    /mode\n"));
}

TEST_F(SearchingCommands, StatsCountTheNamesOfAFileOnceAndAnotherFileWithItsNumberToo) {
  repository_.add_links();
  EXPECT_EQ(out({"stats", "--json", "latest"}),
            "{\"total_size\":15,\"total_file_count\":3,\"snapshots_count\":1}\n");
}

TEST_F(SearchingCommands, StatsCountInTheirModes) {
  EXPECT_EQ(out({"stats", "--json", "latest"}),
            "{\"total_size\":21,\"total_file_count\":3,\"snapshots_count\":1}\n");
  EXPECT_EQ(out({"stats", "--json", "--mode", "blobs-per-file", "latest"}),
            "{\"total_size\":14,\"total_file_count\":2,\"total_blob_count\":2,"
            "\"snapshots_count\":1}\n");
  EXPECT_THAT(out({"stats", "--json", "--mode", "raw-data"}),
              HasSubstr("\"total_blob_count\":5,\"snapshots_count\":2}"));
  EXPECT_THAT(out({"stats"}), HasSubstr("     Snapshots processed:  2\n"));
  EXPECT_EQ(run({"stats", "--mode", "weight"}).code, ExitCode::kFailure);
}

}  // namespace
}  // namespace restree
