// restree forget --undo
#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "repo/repository.h"
#include "tests/support/memory_repository.h"
#include "tests/support/restree.h"

namespace restree {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Outcome;
using testing::RestreeRunner;
using ::testing::SizeIs;
using testing::soon;
using ::testing::UnorderedElementsAre;
using testing::value_of;

using Strings = std::vector<std::string>;

// Three snapshots of one folder, with a file of their own each.
class ForgetUndo : public ::testing::Test {
 protected:
  ForgetUndo() {
    for (const char* day : {"01", "02", "03"}) {
      chunks_.push_back(builder_.add_data("content of " + std::string(day)));
      const BlobId folder = builder_.add_tree({testing::file_node("file", {chunks_.back()}, 13)});
      ids_.push_back(
          builder_.add_snapshot(builder_.add_tree({testing::folder_node("data", folder)}),
                                {.time = "2026-09-" + std::string(day) + "T03:00:05Z"}));
    }
    index_ = builder_.finish();
  }
  Strings short_ids() {
    Strings ids;
    for (const auto& file : value_of(storage_->list(FileType::kSnapshot, soon()))) {
      ids.push_back(file.name.substr(0, 8));
    }
    return ids;
  }
  Outcome forget(Strings words) const {
    words.insert(words.begin(), "forget");
    return runner_.run(words);
  }
  std::string sealed_of(const std::string& id) {
    for (const auto& file : value_of(storage_->list(FileType::kSnapshot, soon()))) {
      const FileName name{FileType::kSnapshot, file.name};
      if (file.name.starts_with(id)) {
        return std::string(as_text(value_of(storage_->read_all(name, soon())).view()));
      }
    }
    return "not there";
  }
  // As a prune leaves it: an index of other data.
  void prune_all() {
    ASSERT_OK(storage_->remove({FileType::kIndex, index_}, soon()));
    builder_.add_data("other data");
    builder_.finish();
  }

  std::shared_ptr<MemoryStorage> storage_ = std::make_shared<MemoryStorage>();
  std::shared_ptr<testing::WatchedStorage> watched_ =
      std::make_shared<testing::WatchedStorage>(storage_);
  testing::RepositoryBuilder builder_{watched_};
  RestreeRunner runner_{watched_};
  std::vector<BlobId> chunks_;
  Strings ids_;  // the oldest first
  std::string index_;
};

TEST_F(ForgetUndo, PutsBackWhatTheLastRunRemovedByteForByte) {
  const std::string before = sealed_of(ids_[1]);
  forget({ids_[0]});
  forget({ids_[1], ids_[2]});
  const Outcome undone = forget({"--undo"});
  EXPECT_EQ(undone.code, ExitCode::kSuccess) << undone.err;
  EXPECT_THAT(undone.out, AllOf(HasSubstr("put back snapshot " + ids_[1] + "\n"),
                                HasSubstr("put back snapshot " + ids_[2] + "\n")));
  EXPECT_THAT(short_ids(), UnorderedElementsAre(ids_[1], ids_[2]));
  EXPECT_EQ(sealed_of(ids_[1]), before);
}

TEST_F(ForgetUndo, GoesBackRunByRun) {
  forget({ids_[0]});
  forget({ids_[1]});
  forget({"--undo"});
  EXPECT_THAT(short_ids(), UnorderedElementsAre(ids_[1], ids_[2]));
  forget({"--undo"});
  EXPECT_THAT(short_ids(), SizeIs(3));
  const Outcome nothing = forget({"--undo"});
  EXPECT_EQ(nothing.code, ExitCode::kFailure);
  EXPECT_THAT(nothing.err, HasSubstr("there is nothing to put back"));
}

TEST_F(ForgetUndo, PutsBackWhatIsNamedOfAnyRun) {
  forget({ids_[0], ids_[1]});
  forget({ids_[2]});
  EXPECT_EQ(forget({"--undo", ids_[0].substr(0, 6)}).code, ExitCode::kSuccess);
  EXPECT_THAT(short_ids(), ElementsAre(ids_[0]));
  const Outcome unknown = forget({"--undo", "nosuch"});
  EXPECT_EQ(unknown.code, ExitCode::kFailure);
  EXPECT_THAT(unknown.err, HasSubstr("no matching ID found for prefix \"nosuch\""));
}

TEST_F(ForgetUndo, PutsBackWhatAPolicyRemoved) {
  forget({"--keep-last", "2"});
  ASSERT_THAT(short_ids(), SizeIs(2));
  forget({"--undo"});
  EXPECT_THAT(short_ids(), SizeIs(3));
}

TEST_F(ForgetUndo, DryRunOnlySaysWhatWouldComeBack) {
  forget({ids_[0]});
  const Outcome outcome = forget({"--undo", "--dry-run"});
  EXPECT_EQ(outcome.out, "would put back snapshot " + ids_[0] + "\n");
  EXPECT_THAT(short_ids(), SizeIs(2));
  forget({"--undo"});
  EXPECT_THAT(short_ids(), SizeIs(3)) << "the copy is still there";
}

TEST_F(ForgetUndo, PrintsEachInJson) {
  forget({ids_[0]});
  EXPECT_THAT(forget({"--undo", "--json"}).out,
              HasSubstr(R"({"message_type":"put_back","snapshot_id":")" + ids_[0]));
}

TEST_F(ForgetUndo, LeavesWhatHasLostItsDataAndNamesIt) {
  forget({ids_[0], ids_[1]});
  prune_all();
  const Outcome outcome = forget({"--undo"});
  EXPECT_EQ(outcome.code, ExitCode::kFailure);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("snapshot " + ids_[0]), HasSubstr("cannot be put back"),
                                 HasSubstr("failed to put back one or more snapshots")));
  EXPECT_THAT(short_ids(), ElementsAre(ids_[2]));
}

// A prune keeps what else is in a pack, so that the trees may outlive a chunk.
TEST_F(ForgetUndo, LooksForEveryChunk) {
  forget({ids_[0]});
  ASSERT_OK(storage_->remove({FileType::kIndex, index_}, soon()));
  const BlobId folder = builder_.add_tree({testing::file_node("file", {chunks_[0]}, 13)});
  builder_.add_tree({testing::folder_node("data", folder)});
  builder_.finish();
  const Outcome outcome = forget({"--undo"});
  EXPECT_EQ(outcome.code, ExitCode::kFailure);
  EXPECT_THAT(outcome.err, HasSubstr("data of /data/file were pruned"));
}

TEST_F(ForgetUndo, TakesNoRulesAndNoFilters) {
  forget({ids_[0]});
  for (const Strings& words :
       {Strings{"--undo", "--keep-last", "1"}, Strings{"--undo", "--host", "h"}}) {
    EXPECT_THAT(forget(words).err, HasSubstr("--undo takes ids of snapshots"));
  }
  EXPECT_THAT(short_ids(), SizeIs(2));
}

TEST_F(ForgetUndo, AForgetThatCanKeepNoCopySaysSoAndGoesOn) {
  testing::write_file(runner_.folder() / "state", "not a folder");
  const Outcome outcome = forget({ids_[0]});
  EXPECT_EQ(outcome.code, ExitCode::kSuccess);
  EXPECT_THAT(outcome.err, HasSubstr("--undo will not be able to put these snapshots back: "));
  EXPECT_THAT(short_ids(), SizeIs(2));
}

}  // namespace
}  // namespace restree
