// repair index, repair packs, repair snapshots, and forget --prune.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/support/two_snapshots.h"

namespace restree {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Outcome;
using testing::soon;
using testing::value_of;

class RepairCommand : public ::testing::Test {
 protected:
  std::vector<ListedFile> files(FileType type) {
    return value_of(repository_.memory.storage().list(type, soon()));
  }
  std::string full_id(const std::string& short_id) {
    for (const ListedFile& file : files(FileType::kSnapshot)) {
      if (file.name.starts_with(short_id)) return file.name;
    }
    return {};
  }
  void remove_index() {
    for (const ListedFile& file : files(FileType::kIndex)) {
      repository_.memory.remove({FileType::kIndex, file.name});
    }
  }

  testing::TwoSnapshots repository_;
};

TEST_F(RepairCommand, NamesThePacksAnew) {
  remove_index();
  EXPECT_NE(repository_.run({"check"}).code, ExitCode::kSuccess);
  const Outcome repaired = repository_.run({"repair", "index"});
  EXPECT_EQ(repaired.code, ExitCode::kSuccess) << repaired.err;
  EXPECT_THAT(repaired.out, HasSubstr("old indexes deleted\ndone\n"));
  EXPECT_THAT(repaired.err, HasSubstr("adding pack file to index "));
  EXPECT_EQ(repository_.run({"check", "--read-data"}).code, ExitCode::kSuccess);
  EXPECT_THAT(files(FileType::kLock), IsEmpty());
}

TEST_F(RepairCommand, NamesWhatItRemovesAndAdds) {
  const std::string damaged = files(FileType::kIndex).front().name;
  repository_.memory.damage({FileType::kIndex, damaged});
  const Outcome repaired = repository_.run({"repair", "index", "-q"});
  EXPECT_EQ(repaired.code, ExitCode::kSuccess) << repaired.err;
  EXPECT_THAT(repaired.err, HasSubstr("removing invalid index " + damaged));
}

TEST_F(RepairCommand, HasItsOldNameAndSaysSo) {
  remove_index();
  const Outcome repaired = repository_.run({"rebuild-index", "--read-all-packs"});
  EXPECT_EQ(repaired.code, ExitCode::kSuccess) << repaired.err;
  EXPECT_THAT(repaired.err,
              HasSubstr("Command \"rebuild-index\" is deprecated, Use \"repair index\" instead\n"));
  EXPECT_EQ(repository_.run({"check"}).code, ExitCode::kSuccess);
  EXPECT_THAT(repository_.run({"--help"}).out, Not(HasSubstr("rebuild-index")));
}

TEST_F(RepairCommand, IsHelpByItself) {
  const Outcome help = repository_.run({"repair"});
  EXPECT_EQ(help.code, ExitCode::kSuccess);
  EXPECT_THAT(help.out, HasSubstr("Make the index agree with the packs"));
  EXPECT_THAT(help.out, HasSubstr("Make snapshots whole by leaving out what is lost"));
  EXPECT_THAT(help.out, HasSubstr("Save what is whole in damaged packs"));
}

TEST_F(RepairCommand, MakesSnapshotsWholeAndNamesWhatIsLost) {
  repository_.memory.remove_packs_of(repository_.data);
  EXPECT_THAT(repository_.out({"repair", "snapshots"}), HasSubstr("\nno snapshots were modified\n"))
      << "the index has it";
  repository_.out({"repair", "index"});
  const std::string dry = repository_.out({"repair", "snapshots", "-n"});
  EXPECT_THAT(dry, HasSubstr("\n  file \"/srv/f\": removed missing content\n"));
  EXPECT_THAT(dry, HasSubstr("\nwould save new snapshot\n"));
  EXPECT_THAT(dry, HasSubstr("\nwould modify 2 snapshots\n"));
  const std::string one = repository_.out({"repair", "snapshots", repository_.older});
  EXPECT_THAT(one, HasSubstr("\nmodified 1 snapshots\n"));
  EXPECT_THAT(repository_.out({"snapshots", "--tag", "repaired"}), HasSubstr("1 snapshots"));
  const std::string all = repository_.out({"repair", "snapshots", "--forget"});
  EXPECT_THAT(all, HasSubstr("\nremoved old snapshot " + repository_.newer + "\n"));
  EXPECT_THAT(all, HasSubstr("\n  file \"/srv/g.txt\": removed missing content\n"));
  EXPECT_EQ(repository_.run({"check", "--read-data"}).code, ExitCode::kSuccess);
  EXPECT_THAT(files(FileType::kLock), IsEmpty());
}

TEST_F(RepairCommand, ASnapshotWhoseRootIsLostGoes) {
  const auto tree_of = [&](const std::string& snapshot) {
    const auto repository = repository_.memory.open();
    const SnapshotId id = value_of(SnapshotId::parse(full_id(snapshot)));
    return value_of(repository->load_snapshot(id, soon())).tree;
  };
  repository_.memory.remove_packs_of(tree_of(repository_.newer));
  repository_.memory.remove_packs_of(repository_.before);
  repository_.out({"repair", "index"});
  const std::string said = repository_.out({"repair", "snapshots"});
  EXPECT_THAT(said, HasSubstr("\n  dir \"/srv\": replaced with empty directory\nsaved new"));
  EXPECT_THAT(said, HasSubstr("\n  dir \"/\": not readable\nremoved empty snapshot " +
                              repository_.newer + "\n"));
  EXPECT_EQ(files(FileType::kSnapshot).size(), 2U);
}

TEST_F(RepairCommand, ASnapshotFileThatCannotBeReadGoesIfItIsNamed) {
  const std::string damaged = full_id(repository_.older);
  repository_.memory.damage({FileType::kSnapshot, damaged});
  for (const std::vector<std::string>& call : std::vector<std::vector<std::string>>{
           {"--forget"}, {damaged}, {"latest", "--forget"}, {damaged, "--forget", "-n"}}) {
    std::vector<std::string> words{"repair", "snapshots"};
    words.insert(words.end(), call.begin(), call.end());
    const Outcome kept = repository_.run(words);
    EXPECT_EQ(kept.code, ExitCode::kSuccess) << kept.err;
    EXPECT_EQ(files(FileType::kSnapshot).size(), 2U) << ::testing::PrintToString(call);
  }
  const Outcome removed = repository_.run({"repair", "snapshots", "--forget", damaged});
  EXPECT_EQ(removed.code, ExitCode::kSuccess) << removed.err;
  EXPECT_THAT(removed.err, HasSubstr("failed to load snapshot " + repository_.older));
  EXPECT_THAT(removed.out, HasSubstr("removed unreadable snapshot " + repository_.older + "\n"));
  EXPECT_EQ(repository_.run({"check"}).code, ExitCode::kSuccess);
}

TEST_F(RepairCommand, OfPacksTakesWholeIdsOnly) {
  const auto fails_with = [&](const std::vector<std::string>& ids, const std::string& words) {
    std::vector<std::string> call{"repair", "packs"};
    call.insert(call.end(), ids.begin(), ids.end());
    const Outcome refused = repository_.run(call);
    EXPECT_EQ(refused.code, ExitCode::kFailure);
    EXPECT_THAT(refused.err, HasSubstr(words));
  };
  fails_with({}, "Fatal: no ids specified\n");
  fails_with({"abc"}, "invalid length for ID: \"abc\"\n");
  fails_with({std::string(64, 'z')}, "invalid ID: ");
  const std::string missing(64, 'A');
  fails_with({missing}, std::string(64, 'a'));
  EXPECT_THAT(files(FileType::kLock), IsEmpty());
}

TEST_F(RepairCommand, ForgetPrunesIfThatIsWantedAndAnySnapshotIsGone) {
  const auto packs = files(FileType::kPack).size();
  EXPECT_THAT(repository_.run({"forget", "--prune", "nosuch"}).out, Not(HasSubstr("prune")));
  const Outcome dry = repository_.run({"forget", "--prune", "-n", repository_.older});
  EXPECT_EQ(dry.code, ExitCode::kSuccess) << dry.err;
  EXPECT_THAT(dry.out, HasSubstr("1 snapshots would be removed, running prune dry run\n"));
  EXPECT_EQ(files(FileType::kPack).size(), packs);

  const Outcome pruned =
      repository_.run({"forget", "--prune", "--max-unused", "0", repository_.older});
  EXPECT_EQ(pruned.code, ExitCode::kSuccess) << pruned.err;
  EXPECT_THAT(pruned.out, HasSubstr("1 snapshots have been removed, running prune\n"));
  EXPECT_THAT(pruned.out, HasSubstr("total prune:"));
  EXPECT_EQ(repository_.run({"check", "--read-data"}).code, ExitCode::kSuccess);
  EXPECT_THAT(files(FileType::kLock), IsEmpty());
}

TEST_F(RepairCommand, ForgetChecksTheOptionsOfPruneBeforeItRemovesAnything) {
  const Outcome refused =
      repository_.run({"forget", "--prune", "--max-unused", "nonsense", repository_.older});
  EXPECT_EQ(refused.code, ExitCode::kFailure);
  EXPECT_EQ(files(FileType::kSnapshot).size(), 2U);
}

}  // namespace
}  // namespace restree
