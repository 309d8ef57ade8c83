// restree audit, and what other commands leave for it
#include <gmock/gmock.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/memory_repository.h"
#include "tests/support/restree.h"

namespace restree {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Outcome;
using testing::RestreeRunner;
using testing::soon;
using testing::value_of;

using Strings = std::vector<std::string>;

class AuditCommand : public ::testing::Test {
 protected:
  AuditCommand() {
    tree_ = builder_.add_tree({testing::file_node("file", {builder_.add_data("content")}, 7)});
    for (const char* day : {"01", "02", "03"}) ids_.push_back(add_snapshot(day));
    builder_.finish();
  }
  std::string add_snapshot(const std::string& day, const std::string& month = "2026-09-") {
    return builder_.add_snapshot(tree_, {.time = month + day + "T03:00:05Z"});
  }
  Outcome run(const Strings& words) const { return runner_.run(words); }
  Outcome audit(Strings words = {}) const {
    words.insert(words.begin(), "audit");
    return runner_.run(words);
  }
  // With the password in that file.
  Outcome run_as(const std::string& file, Strings words) const {
    words.insert(words.begin(), {"-r", "memory", "--password-file", path(file)});
    return runner_.run_bare(words);
  }
  std::string path(const std::string& file) const { return (runner_.folder() / file).string(); }
  void lose_config() { ASSERT_OK(storage_->remove({FileType::kConfig, ""}, soon())); }
  void expect_no_finding() const {
    const Outcome quiet = audit({"-v"});
    EXPECT_EQ(quiet.code, ExitCode::kSuccess) << quiet.out << quiet.err;
    EXPECT_THAT(quiet.out, Not(HasSubstr("innocent"))) << "not even a remark";
  }
  std::string whole_id(const std::string& id) {
    for (const auto& file : value_of(storage_->list(FileType::kSnapshot, soon()))) {
      if (file.name.starts_with(id)) return file.name;
    }
    return "";
  }
  // By somebody else.
  void remove(const std::string& id) {
    ASSERT_OK(storage_->remove({FileType::kSnapshot, whole_id(id)}, soon()));
  }

  std::shared_ptr<MemoryStorage> storage_ = std::make_shared<MemoryStorage>();
  testing::RepositoryBuilder builder_{storage_};
  RestreeRunner runner_{storage_};
  BlobId tree_;
  Strings ids_;
};

TEST_F(AuditCommand, TheFirstVisitComparesWithNothing) {
  const Outcome first = audit();
  EXPECT_EQ(first.code, ExitCode::kSuccess) << first.err;
  EXPECT_THAT(first.out, AllOf(HasSubstr("this is the first visit"), HasSubstr("nothing was")));
  EXPECT_THAT(first.err, IsEmpty());
  EXPECT_THAT(audit().out, HasSubstr("compared with what this machine has seen since"));
}

TEST_F(AuditCommand, ASnapshotThatSomebodyRemovedIsFoundUntilItIsAccepted) {
  audit();
  remove(ids_.back());
  const Outcome found = audit();
  EXPECT_EQ(found.code, ExitCode::kIncomplete);
  EXPECT_THAT(found.out,
              AllOf(HasSubstr("1 snapshot is gone"), HasSubstr("alarm"), HasSubstr(ids_.back()),
                    HasSubstr("innocent: "), HasSubstr("guilty: "), HasSubstr("next: ")));
  EXPECT_EQ(audit().code, ExitCode::kIncomplete);
  EXPECT_EQ(audit({"--accept"}).code, ExitCode::kSuccess);
  EXPECT_EQ(audit().code, ExitCode::kSuccess);
}

TEST_F(AuditCommand, OtherCommandsHaveSeenWhatIsGone) {
  for (const Strings& command : {Strings{"snapshots"}, Strings{"check"}}) {
    const std::string id = add_snapshot("07");
    run(command);
    remove(id);
    EXPECT_THAT(audit().out, HasSubstr(id)) << command.front();
    audit({"--accept"});
  }
}

TEST_F(AuditCommand, WhatWasRemovedHereIsNoFinding) {
  audit();
  ASSERT_EQ(run({"forget", ids_[0], ids_[2]}).code, ExitCode::kSuccess);
  ASSERT_EQ(run({"tag", "--add", "kept", ids_[1]}).code, ExitCode::kSuccess);
  ASSERT_EQ(run({"prune"}).code, ExitCode::kSuccess);
  ASSERT_EQ(run({"forget", "--undo", ids_[0]}).code, ExitCode::kSuccess);
  expect_no_finding();
}

TEST_F(AuditCommand, APolicyExplainsWhatAnotherMachineForgets) {
  audit();
  remove(ids_[0]);
  EXPECT_THAT(audit().out, HasSubstr("warning"));
  const Outcome explained = audit({"--keep-last", "2", "-v"});
  EXPECT_EQ(explained.code, ExitCode::kSuccess);
  EXPECT_THAT(explained.out, HasSubstr("gone, as the policy says"));
  EXPECT_THAT(audit({"--keep-last", "3"}).out, HasSubstr("although the policy keeps them"));
}

TEST_F(AuditCommand, AKeyThatSomebodyAddedIsFoundAndOneOfOurOwnIsNot) {
  audit();
  testing::write_file(runner_.folder() / "new", "another");
  ASSERT_EQ(run({"key", "add", "--new-password-file", (runner_.folder() / "new").string()}).code,
            ExitCode::kSuccess);
  EXPECT_EQ(audit().code, ExitCode::kSuccess);
  builder_.add_key("intruder");
  EXPECT_THAT(audit().out, HasSubstr("1 key is new"));
}

TEST_F(AuditCommand, OtherPasswordsOfOurOwnAreNoFinding) {
  const std::string other = builder_.add_key("another");
  testing::write_file(path("new"), "new");
  audit();
  ASSERT_EQ(run({"key", "remove", other}).code, ExitCode::kSuccess);
  expect_no_finding();
  ASSERT_EQ(run({"key", "passwd", "--new-password-file", path("new")}).code, ExitCode::kSuccess);
  const Outcome after = run_as("new", {"audit", "-v"});
  EXPECT_EQ(after.code, ExitCode::kSuccess) << after.out;
  EXPECT_THAT(after.out, Not(HasSubstr("innocent")));
}

TEST_F(AuditCommand, AMigrationOfOurOwnIsNoFinding) {
  audit();
  ASSERT_EQ(run({"migrate", "upgrade_repo_v2"}).code, ExitCode::kSuccess);
  expect_no_finding();
}

// Its id is another one then, and what was seen under the id before is still known.
TEST_F(AuditCommand, AConfigThatWasMadeAnewHereIsNoFindingAndHidesNone) {
  audit();
  lose_config();
  EXPECT_THAT(run({"snapshots"}).out, HasSubstr(ids_[0])) << "read without a config";
  ASSERT_EQ(run({"repair", "config"}).code, ExitCode::kSuccess);
  expect_no_finding();
  remove(ids_[0]);
  lose_config();
  ASSERT_EQ(run({"repair", "config"}).code, ExitCode::kSuccess);
  const Outcome found = audit();
  EXPECT_THAT(found.out, AllOf(HasSubstr("1 snapshot is gone"), HasSubstr(ids_[0]),
                               Not(HasSubstr("config")), Not(HasSubstr("another repository"))));
}

TEST_F(AuditCommand, ARescueKeyThatWasPutBackHereIsNoFinding) {
  testing::write_file(path("rescue-password"), "rescue");
  ASSERT_EQ(
      run({"rescue-key", "export", "--new-password-file", path("rescue-password"), path("rescue")})
          .code,
      ExitCode::kSuccess);
  ASSERT_EQ(run({"rescue-key", "export", "--paper", path("paper")}).code, ExitCode::kSuccess);
  audit();
  ASSERT_EQ(run_as("rescue-password", {"rescue-key", "import", path("rescue")}).code,
            ExitCode::kSuccess);
  expect_no_finding();
  lose_config();
  run({"snapshots"});
  ASSERT_EQ(
      run({"rescue-key", "import", "--new-password-file", path("rescue-password"), path("paper")})
          .code,
      ExitCode::kSuccess);
  expect_no_finding();
}

TEST_F(AuditCommand, AConfigThatSomebodyElseMadeAnewIsFound) {
  audit();
  lose_config();
  testing::Environment elsewhere;
  elsewhere.set("XDG_STATE_HOME", path("another-machine"));
  ASSERT_EQ(run({"repair", "config"}).code, ExitCode::kSuccess);
  elsewhere.set("XDG_STATE_HOME", path("state"));
  EXPECT_THAT(audit().out, HasSubstr("another repository was at this address before"));
}

TEST_F(AuditCommand, ARepositoryThatWasMadeHereIsNoOther) {
  audit();
  const auto empty = std::make_shared<MemoryStorage>();
  runner_.put("memory", empty);
  ASSERT_EQ(run({"init"}).code, ExitCode::kSuccess);
  expect_no_finding();
}

TEST_F(AuditCommand, DatesInTheFutureAndPastAreFound) {
  audit();
  const std::string future = add_snapshot("01", "2099-01-");
  const std::string past = add_snapshot("01", "2001-01-");
  EXPECT_THAT(audit().out, AllOf(HasSubstr("dated in the future"), HasSubstr(future),
                                 HasSubstr("dated before they can"), HasSubstr(past)));
}

TEST_F(AuditCommand, FilesThatSomebodyWithoutThePasswordAddedAreFound) {
  audit();
  const std::string index = builder_.add_file(FileType::kIndex, as_bytes("not an index file"));
  const std::string snapshot = builder_.add_file(FileType::kSnapshot, as_bytes("no snapshot"));
  EXPECT_THAT(audit().out, AllOf(HasSubstr("2 snapshot or index files cannot be read"),
                                 HasSubstr(index.substr(0, 8)), HasSubstr(snapshot.substr(0, 8))));
}

TEST_F(AuditCommand, PacksThatAreGoneAreFound) {
  audit();
  ASSERT_OK(storage_->remove(builder_.pack_names_of(tree_).front(), soon()));
  EXPECT_THAT(audit().out, HasSubstr("1 pack that the index names cannot be found"));
}

TEST_F(AuditCommand, AnIndexThatIsGoneIsFound) {
  audit();
  for (const auto& file : value_of(storage_->list(FileType::kIndex, soon()))) {
    ASSERT_OK(storage_->remove({FileType::kIndex, file.name}, soon()));
  }
  EXPECT_THAT(audit().out, AllOf(HasSubstr("1 index file is gone, and none came instead"),
                                 HasSubstr("3 snapshots have a root that no index names")));
}

TEST_F(AuditCommand, AnotherRepositoryAtTheAddressIsFound) {
  audit();
  const auto others = std::make_shared<MemoryStorage>();
  testing::RepositoryBuilder other(others);
  const FileName config{FileType::kConfig, ""};
  std::string json = R"({"version":1,"id":")" + std::string(64, 'e') +
                     R"(","chunker_polynomial":"3da3358b4dc173"})";
  other.finish();
  ASSERT_OK(others->remove(config, soon()));
  const std::string sealed = other.add_sealed(FileType::kSnapshot, json);
  const FileName written{FileType::kSnapshot, sealed};
  ASSERT_OK(others->write(config, value_of(others->read_all(written, soon())), soon()));
  ASSERT_OK(others->remove(written, soon()));
  runner_.put("memory", others);
  const Outcome found = audit();
  EXPECT_EQ(found.code, ExitCode::kIncomplete) << found.err;
  EXPECT_THAT(found.out, HasSubstr("another repository was at this address before"));
}

TEST_F(AuditCommand, ForProgramsAllOfItIsOneObject) {
  audit();
  remove(ids_.back());
  const Outcome found = audit({"--json"});
  EXPECT_EQ(found.code, ExitCode::kIncomplete);
  EXPECT_THAT(found.out, AllOf(HasSubstr(R"("message_type":"audit")"),
                               HasSubstr(R"("kind":"vanished-newest","weight":"alarm")"),
                               HasSubstr(R"("to_look_at":1)"), HasSubstr(R"("hostname":"host")")));
  EXPECT_EQ(std::count(found.out.begin(), found.out.end(), '\n'), 1);
}

TEST_F(AuditCommand, ACommandWorksWhereNoJournalCanBeKept) {
  testing::write_file(runner_.folder() / "state", "a file in the place of the folder");
  const Outcome listed = run({"snapshots"});
  EXPECT_EQ(listed.code, ExitCode::kSuccess);
  EXPECT_THAT(listed.err, IsEmpty());
  EXPECT_EQ(audit().code, ExitCode::kFailure);
}

TEST_F(AuditCommand, ADamagedJournalIsSaidWithWhatToDo) {
  run({"snapshots"});
  const std::filesystem::path folder = runner_.folder() / "state/restree/journal";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.is_regular_file()) testing::write_file(entry.path(), "not a journal");
  }
  const Outcome failed = audit();
  EXPECT_EQ(failed.code, ExitCode::kFailure);
  EXPECT_THAT(failed.err, AllOf(HasSubstr("is damaged"), HasSubstr("Move it away")));
  EXPECT_EQ(run({"snapshots"}).code, ExitCode::kSuccess);
}

// Visits of one run of a test are of the same second, so what came later is dated into the future.
TEST_F(AuditCommand, AsOfShowsWhatWasSeenByThen) {
  EXPECT_THAT(run({"snapshots", "--as-of", "2200-01-01"}).err, HasSubstr("had not seen"));
  audit();
  const std::string future = add_snapshot("01", "2201-01-");
  EXPECT_THAT(run({"snapshots"}).out, HasSubstr(future));
  const Outcome then = run({"snapshots", "--as-of", "2200-01-01"});
  EXPECT_EQ(then.code, ExitCode::kSuccess) << then.err;
  EXPECT_THAT(then.out, AllOf(HasSubstr(ids_[0]), HasSubstr(ids_[2]), Not(HasSubstr(future))));
  EXPECT_EQ(run({"dump", "latest", "/file", "--as-of", "2200-01-01"}).out, "content");
  EXPECT_THAT(run({"snapshots", "--as-of", "2020-01-01"}).err, HasSubstr("had not seen"));
  EXPECT_EQ(run({"snapshots", "--as-of", "yesterday"}).code, ExitCode::kFailure);
}

TEST_F(AuditCommand, AsOfIsForCommandsThatOnlyRead) {
  audit();
  for (const Strings& words : {Strings{"forget", "latest"}, Strings{"prune"}, Strings{"check"}}) {
    Strings all = words;
    all.insert(all.end(), {"--as-of", "2200-01-01"});
    EXPECT_THAT(run(all).err, HasSubstr("--as-of is for commands that only read"));
  }
}

}  // namespace
}  // namespace restree
