// repair plan, repair all, repair quarantine, and --from-repo, --second and --quarantine of the others.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <regex>
#include <string>
#include <vector>

#include "repo/storage/memory_storage.h"
#include "tests/support/files.h"
#include "tests/support/two_snapshots.h"

namespace restree {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Outcome;
using ::testing::SizeIs;
using testing::soon;
using testing::value_of;

// Two repositories with the same files, the second at the location "second", and the storage in which
// the first keeps what it removes.
class RepairAll : public ::testing::Test {
 protected:
  RepairAll() {
    runner_.put("second", borrowed(second_.memory.storage()));
    runner_.put("memory/quarantine", kept_);
    testing::write_file(runner_.folder() / "from", testing::kPassword);
  }
  static std::shared_ptr<Storage> borrowed(Storage& storage) {
    return {&storage, [](Storage*) {}};
  }

  Outcome run(const std::vector<std::string>& words) const { return runner_.run(words); }
  // With the second repository.
  Outcome run_with_second(std::vector<std::string> words) const {
    words.insert(words.end(), {"--from-repo", "second", "--from-password-file",
                               (runner_.folder() / "from").string()});
    return run(words);
  }
  static std::vector<std::string> names(Storage& storage, FileType type) {
    std::vector<std::string> names;
    for (const ListedFile& file : value_of(storage.list(type, soon()))) names.push_back(file.name);
    return names;
  }
  std::vector<std::string> names(FileType type) {
    return names(repository_.memory.storage(), type);
  }
  void expect_whole() {
    const Outcome checked = run({"check", "--read-data"});
    EXPECT_EQ(checked.code, ExitCode::kSuccess) << checked.out << checked.err;
    EXPECT_THAT(names(FileType::kLock), IsEmpty());
  }
  void lose_data() { repository_.memory.remove_packs_of(repository_.data); }
  void flip(const FileName& file) { repository_.memory.damage(file); }
  // The index says that the first blob lies a byte further than it does.
  void make_index_lie() {
    const std::string name = names(FileType::kIndex).front();
    const FileName file{FileType::kIndex, name};
    const Bytes json = value_of(repository_.memory.open()->load_unpacked(file, soon()));
    const std::string lie =
        std::regex_replace(std::string(as_text(json.view())), std::regex(R"("offset":0)"),
                           R"("offset":1)", std::regex_constants::format_first_only);
    repository_.memory.builder().add_sealed(FileType::kIndex, lie);
    repository_.memory.remove(file);
  }

  testing::TwoSnapshots repository_;
  testing::TwoSnapshots second_;
  const std::shared_ptr<MemoryStorage> kept_ = std::make_shared<MemoryStorage>();
  testing::RestreeRunner runner_{borrowed(repository_.memory.storage())};
};

TEST_F(RepairAll, FindsNothingToDoInAWholeRepository) {
  for (const char* command : {"plan", "all"}) {
    const Outcome done = run({"repair", command, "--read-data"});
    EXPECT_EQ(done.code, ExitCode::kSuccess) << done.err;
    EXPECT_THAT(done.out, HasSubstr("There is nothing to repair.\n"));
  }
  EXPECT_THAT(names(*kept_, FileType::kIndex), IsEmpty());
}

TEST_F(RepairAll, ThePlanSaysWhatHelpsAndWhatIsLostAndChangesNothing) {
  lose_data();
  const auto index = names(FileType::kIndex);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"repair", "plan"}, {"repair", "all", "-n"}}) {
    const Outcome done = run(words);
    EXPECT_EQ(done.code, ExitCode::kFailure);
    EXPECT_THAT(done.out,
                HasSubstr("\n1. Make the index agree with the packs: 1 pack is missing that the "
                          "index names.\n   restree repair index --quarantine repository\n"));
    EXPECT_THAT(done.out, HasSubstr("\n2. Leave out of snapshots what is lost"));
    EXPECT_THAT(done.out, AllOf(HasSubstr("\n    /srv/f"), HasSubstr("/srv/g.txt")));
    EXPECT_THAT(done.out, HasSubstr(repository_.newer));
  }
  EXPECT_EQ(names(FileType::kIndex), index);
  EXPECT_THAT(names(*kept_, FileType::kIndex), IsEmpty());
  EXPECT_THAT(names(FileType::kLock), IsEmpty());
}

TEST_F(RepairAll, ThePlanSaysWhatTheSecondRepositoryHas) {
  lose_data();
  const Outcome done = run_with_second({"repair", "plan"});
  EXPECT_THAT(done.out, HasSubstr("\n2. Bring back what is missing from the second repository: 1 "
                                  "blob is missing here.\n   restree repair packs --from-repo "
                                  "second\n"));
  EXPECT_THAT(done.out,
              HasSubstr("\nOf the 1 blobs that they lack, the second repository has 1.\n"));
}

TEST_F(RepairAll, BringsALostPackBackFromTheSecondRepository) {
  const auto snapshots = names(FileType::kSnapshot);
  lose_data();
  const Outcome done = run_with_second({"repair", "all"});
  EXPECT_EQ(done.code, ExitCode::kSuccess) << done.out << done.err;
  EXPECT_THAT(done.out,
              HasSubstr("\n1 blobs (7 B) were brought back, 0 are in neither repository\n"));
  EXPECT_THAT(done.out, HasSubstr("\nThe repository is whole again. Nothing is lost.\n"));
  EXPECT_EQ(names(FileType::kSnapshot), snapshots);
  expect_whole();
}

TEST_F(RepairAll, BringsLostTreesBackAndWhatIsBelowThem) {
  lose_data();
  repository_.memory.remove_packs_of(repository_.before);
  repository_.memory.remove_packs_of(repository_.after);
  const Outcome done = run_with_second({"repair", "all"});
  EXPECT_EQ(done.code, ExitCode::kSuccess) << done.out << done.err;
  EXPECT_THAT(done.out, HasSubstr("\n3 blobs ("));
  expect_whole();
}

TEST_F(RepairAll, WithoutOneMakesTheSnapshotsWholeAndNamesWhatIsLost) {
  const auto before = names(FileType::kSnapshot);
  const auto index = names(FileType::kIndex);
  lose_data();
  const Outcome done = run({"repair", "all"});
  EXPECT_EQ(done.code, ExitCode::kFailure);
  EXPECT_THAT(done.out, HasSubstr("\nThe snapshots were made whole without them.\n"));
  EXPECT_THAT(done.err, HasSubstr("whole again, but what is named above is lost"));
  expect_whole();
  // What was removed is there still.
  EXPECT_EQ(names(*kept_, FileType::kSnapshot), before);
  EXPECT_EQ(names(*kept_, FileType::kIndex), index);
}

TEST_F(RepairAll, MakesADamagedIndexAnewAndKeepsTheOldOne) {
  const FileName index{FileType::kIndex, names(FileType::kIndex).front()};
  flip(index);
  const Outcome plan = run({"repair", "plan"});
  EXPECT_THAT(plan.out, HasSubstr("1 index file is damaged; "));
  EXPECT_THAT(plan.out, HasSubstr("\nNo snapshot loses anything.\n")) << "the packs are whole";
  EXPECT_EQ(names(FileType::kIndex), std::vector<std::string>{index.name});
  EXPECT_THAT(names(FileType::kLock), IsEmpty());
  const Outcome done = run({"repair", "all"});
  EXPECT_EQ(done.code, ExitCode::kSuccess) << done.out << done.err;
  EXPECT_THAT(names(*kept_, FileType::kIndex), ::testing::ElementsAre(index.name));
  expect_whole();
}

// The repair of the index is only pretended, to see what is behind it.
TEST_F(RepairAll, ThePlanSaysWhatIsLostThoughTheIndexIsDamaged) {
  flip({FileType::kIndex, names(FileType::kIndex).front()});
  lose_data();
  const Outcome plan = run({"repair", "plan"});
  EXPECT_EQ(plan.code, ExitCode::kFailure);
  EXPECT_THAT(plan.out, HasSubstr("\n1. Make the index agree with the packs: 1 index file is "));
  EXPECT_THAT(plan.out, HasSubstr("\n2. Leave out of snapshots what is lost"));
  EXPECT_THAT(plan.out, AllOf(HasSubstr("\n    /srv/f"), HasSubstr("/srv/g.txt")));
  EXPECT_EQ(names(FileType::kIndex).size(), 1U);
}

TEST_F(RepairAll, BelievesThePackWhereTheIndexLies) {
  make_index_lie();
  const Outcome done = run({"repair", "all", "--read-data"});
  EXPECT_EQ(done.code, ExitCode::kSuccess) << done.out << done.err;
  EXPECT_THAT(done.out, HasSubstr("1 pack is not as the index says"));
  expect_whole();
}

TEST_F(RepairAll, SavesWhatIsWholeInADamagedPackAndTakesTheRestFromTheSecond) {
  const FileName pack = repository_.memory.builder().pack_names_of(repository_.data).front();
  flip(pack);
  EXPECT_EQ(run({"repair", "all"}).code, ExitCode::kSuccess) << "its content was not looked at";
  const Outcome done = run_with_second({"repair", "all", "--read-data"});
  EXPECT_EQ(done.code, ExitCode::kSuccess) << done.out << done.err;
  EXPECT_THAT(names(*kept_, FileType::kPack), ::testing::ElementsAre(pack.name));
  expect_whole();
}

TEST_F(RepairAll, TakesADamagedSnapshotFileAwayAndNamesIt) {
  const FileName file{FileType::kSnapshot, names(FileType::kSnapshot).front()};
  flip(file);
  const Outcome done = run({"repair", "all"});
  EXPECT_EQ(done.code, ExitCode::kFailure);
  EXPECT_THAT(done.out, HasSubstr("\n  " + file.name + "\n`restree recover` finds"));
  EXPECT_THAT(names(*kept_, FileType::kSnapshot), ::testing::ElementsAre(file.name));
  EXPECT_THAT(names(FileType::kSnapshot), SizeIs(1));
  expect_whole();
}

TEST_F(RepairAll, BringsADamagedSnapshotBackFromACopyOfIt) {
  const FileName file{FileType::kSnapshot, names(FileType::kSnapshot).front()};
  const auto before = value_of(
      repository_.memory.open()->load_snapshot(value_of(SnapshotId::parse(file.name)), soon()));
  second_.memory.builder().add_snapshot(before.tree,
                                        {.time = "2026-09-01T00:00:00Z", .original = file.name});
  flip(file);
  const Outcome done = run_with_second({"repair", "all"});
  EXPECT_EQ(done.code, ExitCode::kSuccess) << done.out << done.err;
  EXPECT_THAT(done.out,
              HasSubstr("\nsnapshot " + file.name.substr(0, 8) + " was brought back as "));
  EXPECT_THAT(names(FileType::kSnapshot), SizeIs(2));
  EXPECT_THAT(names(*kept_, FileType::kSnapshot), ::testing::ElementsAre(file.name));
  expect_whole();
}

TEST_F(RepairAll, TheQuarantineIsListedAndEmptied) {
  flip({FileType::kIndex, names(FileType::kIndex).front()});
  run({"repair", "all"});
  const std::string name = names(*kept_, FileType::kIndex).front();
  const Outcome listed = run({"repair", "quarantine"});
  EXPECT_EQ(listed.code, ExitCode::kSuccess) << listed.err;
  EXPECT_THAT(listed.out, HasSubstr("index    " + name + " "));
  EXPECT_THAT(listed.out, HasSubstr("\n1 files, "));
  EXPECT_EQ(run({"repair", "quarantine", "--remove"}).code, ExitCode::kSuccess);
  EXPECT_THAT(names(*kept_, FileType::kIndex), IsEmpty());
  EXPECT_THAT(run({"repair", "quarantine"}).out, HasSubstr("0 files, 0 B in the folder"));
}

TEST_F(RepairAll, AFolderCanKeepWhatIsRemoved) {
  lose_data();
  const std::string name = names(FileType::kIndex).front();
  const std::string folder = (runner_.folder() / "kept").string();
  EXPECT_EQ(run({"repair", "index", "--quarantine", folder}).code, ExitCode::kSuccess);
  EXPECT_TRUE(std::filesystem::exists(folder + "/index/" + name));
  EXPECT_THAT(run({"repair", "quarantine", "--quarantine", folder}).out, HasSubstr(name));
  EXPECT_THAT(names(*kept_, FileType::kIndex), IsEmpty());
}

TEST_F(RepairAll, EachStepAloneTakesASecondRepositoryToo) {
  for (const char* command : {"index", "packs", "snapshots"}) {
    for (const std::string option : {"--from", "--second"}) {
      testing::TwoSnapshots damaged;
      damaged.memory.remove_packs_of(damaged.data);
      testing::RestreeRunner runner(borrowed(damaged.memory.storage()));
      runner.put("second", borrowed(second_.memory.storage()));
      const Outcome done =
          runner.run({"repair", command, option == "--from" ? "--from-repo" : option, "second",
                      option + "-password-file", (runner_.folder() / "from").string()});
      EXPECT_EQ(done.code, ExitCode::kSuccess) << command << done.err;
      EXPECT_THAT(done.out, HasSubstr("1 blobs (7 B) were brought back")) << command << option;
      EXPECT_TRUE(damaged.memory.open()->load(BlobType::kData, damaged.data, soon())) << command;
    }
  }
}

TEST_F(RepairAll, RefusesTwoSecondRepositories) {
  const Outcome done = run_with_second({"repair", "plan", "--second", "second"});
  EXPECT_EQ(done.code, ExitCode::kFailure);
  EXPECT_THAT(done.err, HasSubstr("two second repositories are named"));
}

TEST_F(RepairAll, OfSnapshotsRemovesADamagedFileThatIsNamed) {
  const std::string name = names(FileType::kSnapshot).front();
  flip({FileType::kSnapshot, name});
  EXPECT_THAT(run({"repair", "snapshots", "--forget", "-n", name}).out,
              HasSubstr("would remove unreadable snapshot " + name.substr(0, 8)));
  EXPECT_THAT(names(FileType::kSnapshot), SizeIs(2));
  EXPECT_EQ(run({"repair", "snapshots", "--forget", "--quarantine", "repository", name}).code,
            ExitCode::kSuccess);
  EXPECT_THAT(names(FileType::kSnapshot), Not(::testing::Contains(name)));
  EXPECT_THAT(names(*kept_, FileType::kSnapshot), ::testing::ElementsAre(name));
  expect_whole();
}

TEST_F(RepairAll, SpeaksJsonInLinesOfTheirOwn) {
  lose_data();
  const Outcome plan = run({"repair", "plan", "--json"});
  EXPECT_THAT(plan.out, ::testing::StartsWith(
                            R"({"message_type":"repair_plan","whole":false,"data_read":false,)"));
  EXPECT_THAT(plan.out, HasSubstr(R"("steps":[{"step":"index","why":"1 pack is missing)"));
  EXPECT_THAT(plan.out, HasSubstr(R"("paths":["/srv/f","/srv/g.txt"],"path_count":2)"));
  const Outcome done = run({"repair", "all", "--json"});
  EXPECT_THAT(done.out, HasSubstr(R"({"message_type":"repair_summary","whole":true,)"
                                  R"("nothing_lost":false,"blobs_retrieved":0,)"));
  EXPECT_EQ(std::ranges::count(done.out, '\n'), 2) << done.out;
}

}  // namespace
}  // namespace restree
