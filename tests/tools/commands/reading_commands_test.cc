// snapshots, ls, cat, list, dump: what they print of a repository in memory.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "repo/storage/memory_storage.h"
#include "tests/support/two_snapshots.h"

namespace restree {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Outcome;
using testing::RestreeRunner;
using ::testing::StartsWith;

class ReadingCommands : public ::testing::Test {
 protected:
  Outcome run(const std::vector<std::string>& words) { return repository_.run(words); }
  std::string out(const std::vector<std::string>& words) { return repository_.out(words); }

  testing::TwoSnapshots repository_;
  const BlobId& data_ = repository_.data;
  const BlobId& inner_ = repository_.after;
  const std::string& old_ = repository_.older;
  const std::string& new_ = repository_.newer;
};

TEST_F(ReadingCommands, SnapshotsAreATableTheNewestLast) {
  const std::string table = out({"snapshots"});
  EXPECT_LT(table.find(old_), table.find(new_));
  EXPECT_THAT(table, HasSubstr("one         a=1,b       /srv\n"));
  EXPECT_THAT(table, EndsWith("\n2 snapshots\n"));
}

TEST_F(ReadingCommands, SnapshotsCanBeFilteredNamedAndLimited) {
  EXPECT_THAT(out({"snapshots", "--host", "one"}), Not(HasSubstr(new_)));
  EXPECT_THAT(out({"snapshots", "--tag", "b,a=1"}), Not(HasSubstr(new_)));
  EXPECT_THAT(out({"snapshots", "latest"}), Not(HasSubstr(old_)));
  EXPECT_THAT(out({"snapshots", "--latest", "1"}), AllOf(HasSubstr(old_), HasSubstr(new_)));
  EXPECT_THAT(out({"snapshots", "-g", "", "--latest", "1", "--host="}), HasSubstr(old_));
}

TEST_F(ReadingCommands, AnUnknownSnapshotIsIgnoredInAList) {
  const Outcome outcome = run({"snapshots", "nope", old_, "--json"});
  EXPECT_EQ(outcome.code, ExitCode::kSuccess);
  EXPECT_EQ(outcome.err, "Ignoring \"nope\": no matching ID found for prefix \"nope\"\n");
  EXPECT_THAT(outcome.out, HasSubstr("\"short_id\":\"" + old_ + "\"}]\n"));
}

TEST_F(ReadingCommands, SnapshotsAsJsonHaveTheirFieldsAndIds) {
  EXPECT_THAT(out({"snapshots", "--json", "--host", "one"}),
              StartsWith(R"([{"time":"2026-09-01T00:00:00Z","tree":")"));
  EXPECT_EQ(out({"snapshots", "--json", "--host", "none"}), "[]\n");
}

TEST_F(ReadingCommands, GroupsAsJsonHaveNullForPropertiesNotGroupedBy) {
  EXPECT_THAT(
      out({"snapshots", "--json", "--group-by", "host"}),
      StartsWith(R"([{"group_key":{"hostname":"one","paths":null,"tags":null},"snapshots":[{)"));
}

TEST_F(ReadingCommands, LsPrintsEveryPath) {
  EXPECT_EQ(out({"ls", "latest", "-q"}), "/srv\n/srv/f\n/srv/g.txt\n");
  EXPECT_THAT(out({"ls", old_}), StartsWith("snapshot " + old_ + " of [/srv] at "));
  EXPECT_EQ(out({"ls", "latest:srv", "-q"}), "/f\n/g.txt\n");
  EXPECT_EQ(out({"ls", "latest", "/srv/f", "-q"}), "/srv/f\n");
  EXPECT_EQ(out({"ls", "latest", "/", "-q"}), "/srv\n");
  EXPECT_EQ(out({"ls", "latest", "/", "-q", "--recursive"}), "/srv\n/srv/f\n/srv/g.txt\n");
}

TEST_F(ReadingCommands, LsSorts) {
  EXPECT_EQ(out({"ls", "latest", "-q", "--sort", "size", "--reverse"}),
            "/srv/g.txt\n/srv/f\n/srv\n");
  EXPECT_EQ(out({"ls", "latest", "-q", "-s", "extension"}), "/srv\n/srv/f\n/srv/g.txt\n");
}

TEST_F(ReadingCommands, LsAsJsonIsALineForEachNode) {
  const std::string json = out({"ls", "latest", "--json"});
  EXPECT_THAT(json, HasSubstr(R"("message_type":"snapshot","struct_type":"snapshot"})"));
  EXPECT_THAT(json, HasSubstr(R"({"name":"f","type":"file","path":"/srv/f","uid":7,"gid":0,)"
                              R"("size":7,"mode":420,"permissions":"-rw-r--r--","mtime":")"));
}

TEST_F(ReadingCommands, LsOfAMissingSnapshotOrFolderFails) {
  EXPECT_EQ(run({"ls"}).code, ExitCode::kFailure);
  EXPECT_EQ(run({"ls", "nope"}).err, "Fatal: no matching ID found for prefix \"nope\"\n");
  EXPECT_EQ(run({"ls", "latest:no"}).err, "Fatal: path /no: not found\n");
  EXPECT_EQ(run({"ls", "latest", "srv"}).code, ExitCode::kFailure);
}

TEST_F(ReadingCommands, CatPrintsJsonIndentedAndBlobsAsTheyAre) {
  EXPECT_THAT(out({"cat", "config"}), StartsWith("{\n  \"version\": 1,\n  \"id\": \""));
  EXPECT_THAT(out({"cat", "snapshot", old_}),
              StartsWith("{\n  \"time\": \"2026-09-01T00:00:00Z\""));
  EXPECT_EQ(out({"cat", "blob", data_.hex()}), "content");
  EXPECT_THAT(out({"cat", "tree", new_ + ":srv"}), StartsWith("{\"nodes\":[{\"name\":\"f\""));
  EXPECT_THAT(out({"cat", "masterkey"}), StartsWith("{\n  \"mac\": {\n    \"k\": \""));
}

TEST_F(ReadingCommands, CatNamesTheArgumentsThatItNeeds) {
  EXPECT_EQ(run({"cat"}).err, "Fatal: type not specified\n");
  EXPECT_EQ(run({"cat", "blob"}).err, "Fatal: ID not specified\n");
  EXPECT_THAT(run({"cat", "dog"}).err, HasSubstr("invalid type \"dog\", must be one of [config|"));
  EXPECT_THAT(run({"cat", "blob", "abc"}).err, HasSubstr("unable to parse ID"));
  EXPECT_EQ(run({"cat", "snapshot", "latest"}).code, ExitCode::kFailure);
}

TEST_F(ReadingCommands, DumpWritesEachFileWithItsOwnContentWhateverItsInodeNumber) {
  repository_.add_links();
  const std::string tar = out({"dump", "latest", "/"});
  const std::string first = tar.substr(tar.find("one file") + 1);
  EXPECT_THAT(first, HasSubstr("one file"));
  EXPECT_THAT(first, HasSubstr("another"));
}

TEST_F(ReadingCommands, ListPrintsIds) {
  EXPECT_THAT(out({"list", "snapshots"}), AllOf(HasSubstr(old_), HasSubstr(new_)));
  EXPECT_THAT(out({"list", "blobs"}), HasSubstr("data " + data_.hex() + "\n"));
  EXPECT_THAT(out({"list", "blobs"}), HasSubstr("tree " + inner_.hex() + "\n"));
  EXPECT_THAT(out({"list", "locks"}), IsEmpty());
  EXPECT_EQ(run({"list"}).code, ExitCode::kFailure);
  EXPECT_EQ(run({"list", "hats"}).code, ExitCode::kFailure);
}

TEST_F(ReadingCommands, ExitCodesTellHowOpeningTheRepositoryFailed) {
  RestreeRunner runner{std::make_shared<MemoryStorage>()};
  EXPECT_EQ(runner.run({"snapshots"}).code, ExitCode::kNoRepository);
  EXPECT_THAT(runner.run({"snapshots"}).err,
              AllOf(StartsWith("Fatal: repository does not exist"),
                    HasSubstr("Is there a repository at the following location?\n")));
  testing::write_file(runner.folder() / "wrong", "wrong");
  RestreeRunner reader(std::shared_ptr<Storage>(&repository_.memory.storage(), [](Storage*) {}));
  const std::string file = (runner.folder() / "wrong").string();
  const Outcome denied = reader.run({"snapshots", "-p", file, "--json"});
  EXPECT_EQ(denied.code, ExitCode::kWrongPassword);
  EXPECT_THAT(denied.err, StartsWith(R"({"message_type":"exit_error","code":12,"message":)"
                                     R"("Fatal: wrong password or no key found)"));
}

TEST_F(ReadingCommands, LsWritesWhatNcduReads) {
  const std::string file = R"({"name":"f","asize":7,"dsize":512,"dev":)";
  const std::string all = out({"ls", "--ncdu", old_});
  EXPECT_THAT(all, StartsWith(R"([1, 2, {"time":"2026-09-01T00:00:00Z","tree":")"));
  EXPECT_THAT(all, HasSubstr("}, [{\"name\":\"/\"},\n  [\n    {\"name\":\"srv\","));
  EXPECT_THAT(all, HasSubstr(",\n    " + file));
  EXPECT_THAT(all, HasSubstr(R"("notreg":false,"uid":7,"gid":0,"mode":420,"mtime":)"));
  EXPECT_THAT(all, EndsWith("}\n  ]\n]\n]\n"));
  EXPECT_EQ(out({"ls", "--ncdu", old_, "/srv", "--recursive"}), all);
  const std::string folder_alone = out({"ls", "--ncdu", old_ + ":/srv", "/nowhere"});
  EXPECT_THAT(folder_alone, EndsWith("[{\"name\":\"/\"}\n]\n]\n"));
}

TEST_F(ReadingCommands, LsForNcduTakesNoOtherOrder) {
  const auto error = [&](const std::vector<std::string>& words) { return run(words).err; };
  EXPECT_THAT(error({"ls", "--ncdu", "--json", old_}),
              HasSubstr("only either '--json' or '--ncdu' can be specified"));
  EXPECT_THAT(error({"ls", "--ncdu", "--sort", "size", old_}),
              HasSubstr("--sort and --ncdu are mutually exclusive"));
  EXPECT_THAT(error({"ls", "--ncdu", "--reverse", old_}),
              HasSubstr("--reverse and --ncdu are mutually exclusive"));
}

}  // namespace
}  // namespace restree
