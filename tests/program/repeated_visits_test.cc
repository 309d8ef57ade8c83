#include "program/repeated_visits.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "repo/base/log.h"
#include "repo/identity.h"
#include "tests/support/environment.h"
#include "tests/support/files.h"
#include "tests/support/memory_repository.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

namespace fs = std::filesystem;

using testing::Environment;
using ::testing::HasSubstr;
using testing::RepositoryBuilder;
using ::testing::SizeIs;
using testing::soon;
using testing::value_of;

// A program that has opened the repository, and goes on.
struct Program {
  explicit Program(const std::shared_ptr<Storage>& storage) {
    repository = value_of(Repository::open(visits.record().decorator()(storage),
                                           Secret(std::string(testing::kPassword)), "", soon()));
    visits.record().watch(*repository, {.address = "/srv/backup"});
  }
  void look() {
    for (const SnapshotId& id : value_of(repository->list_snapshots(soon()))) {
      if (loaded.insert(id).second) value_of(repository->load_snapshot(id, soon()));
    }
    value_of(repository->refresh_index(soon()));
  }
  void look_and_keep() {
    look();
    visits.keep();
  }
  std::vector<JournalEntry> journal() { return value_of(visits.record().open_journal()).entries(); }

  std::set<SnapshotId> loaded = {};
  std::unique_ptr<Repository> repository;
  RepeatedVisits visits{"mount"};  // outlived by what it has put in front of the storage
};

class RepeatedVisitsTest : public ::testing::Test {
 protected:
  RepeatedVisitsTest() {
    environment_.set("XDG_STATE_HOME", state().string());
    tree_ = builder_.add_tree({testing::file_node("file", {builder_.add_data("content")}, 7)});
    for (const char* day : {"01", "02", "03"}) {
      add_snapshot("2026-09-" + std::string(day) + "T03:00:05Z");
    }
    builder_.finish();
  }
  fs::path state() const { return folder_.path() / "state"; }
  void add_snapshot(const std::string& time = format_timestamp(wall_clock_now())) {
    ids_.push_back(builder_.add_snapshot(tree_, {.time = time}));
  }
  // By somebody else.
  void remove(const std::string& id) {
    for (const auto& file : value_of(storage_->list(FileType::kSnapshot, soon()))) {
      if (file.name.starts_with(id))
        ASSERT_OK(storage_->remove({FileType::kSnapshot, file.name}, soon()));
    }
  }

  testing::TempDir folder_;
  Environment environment_;
  std::shared_ptr<MemoryStorage> storage_ = std::make_shared<MemoryStorage>();
  RepositoryBuilder builder_{storage_};
  BlobId tree_;
  std::vector<std::string> ids_;
};

TEST_F(RepeatedVisitsTest, TheFirstOneFindsNothing) {
  Program mount(storage_);
  EXPECT_EQ(mount.visits.findings(), std::nullopt) << "nothing is known yet";
  mount.look_and_keep();
  EXPECT_EQ(mount.visits.findings(), 0U);
  const std::vector<JournalEntry> journal = mount.journal();
  ASSERT_THAT(journal, SizeIs(1));
  EXPECT_EQ(journal[0].command, "mount");
  EXPECT_THAT(journal[0].snapshots.added, SizeIs(3));
  EXPECT_THAT(journal[0].details, SizeIs(3));
}

TEST_F(RepeatedVisitsTest, WithoutNewsTheJournalIsLeftAlone) {
  Program mount(storage_);
  EXPECT_TRUE(mount.visits.record().has_news());
  mount.look_and_keep();
  const std::string path = value_of(mount.visits.record().open_journal()).path();
  const FileStamp before = stamp_of(path);
  for (int i = 0; i < 3; ++i) {
    mount.look();
    EXPECT_FALSE(mount.visits.record().has_news());
    EXPECT_FALSE(mount.visits.record().have_others_written());
    mount.visits.keep();
  }
  EXPECT_EQ(stamp_of(path), before);
}

TEST_F(RepeatedVisitsTest, EachChangeIsKeptOnce) {
  Program mount(storage_);
  mount.look_and_keep();
  add_snapshot();
  mount.look_and_keep();
  mount.look_and_keep();
  remove(ids_[0]);
  mount.look_and_keep();
  mount.look_and_keep();
  const std::vector<JournalEntry> journal = mount.journal();
  ASSERT_THAT(journal, SizeIs(3));
  EXPECT_THAT(journal[1].snapshots.added, SizeIs(1));
  EXPECT_THAT(journal[1].details, SizeIs(1));
  EXPECT_THAT(journal[2].snapshots.gone, SizeIs(1));
  EXPECT_EQ(mount.visits.findings(), 1U);
}

TEST_F(RepeatedVisitsTest, WhatAnotherProcessAcceptsIsNoFindingAnyMore) {
  Program mount(storage_);
  mount.look_and_keep();
  remove(ids_[0]);
  mount.look_and_keep();
  EXPECT_EQ(mount.visits.findings(), 1U);
  {
    JournalFile journal = value_of(mount.visits.record().open_journal());
    ASSERT_OK(journal.append({.kind = EntryKind::kAccepted, .time = 1}));
  }
  mount.visits.keep();
  EXPECT_EQ(mount.visits.findings(), 0U);
}

// The first of two programs has listed before the second one, and comes to the journal after it.
TEST_F(RepeatedVisitsTest, AnOlderListingDoesNotUndoWhatAnotherProgramHasSeen) {
  Program mount(storage_);
  mount.look_and_keep();
  mount.look();
  add_snapshot();
  // The clock of files may be behind the other one by some milliseconds.
  const auto listed_at = fs::file_time_type::clock::now();
  do testing::write_file(folder_.path() / "clock", "");
  while (fs::last_write_time(folder_.path() / "clock") <= listed_at);
  Program command(storage_);
  command.look_and_keep();
  mount.visits.keep();
  for (const JournalEntry& entry : mount.journal()) EXPECT_TRUE(entry.snapshots.gone.empty());
  mount.look_and_keep();
  EXPECT_EQ(mount.visits.findings(), 0U);
}

TEST_F(RepeatedVisitsTest, TwoProgramsAtOnceLoseNothing) {
  constexpr int kRounds = 20;
  const auto keep_many = [this](std::uint64_t first) {
    Program program(storage_);
    for (int round = 0; round < kRounds; ++round) {
      program.visits.record().note_index({.packs = first + static_cast<std::uint64_t>(round)});
      // Another one may have the file for longer than this one waits.
      while (!program.visits.record().keep("backup")) std::this_thread::yield();
    }
  };
  {
    std::vector<std::jthread> programs;
    for (const std::uint64_t first : {100U, 200U, 300U}) {
      programs.emplace_back([&keep_many, first] { keep_many(first); });
    }
  }
  Program last(storage_);
  std::set<std::uint64_t> seen;
  for (const JournalEntry& entry : last.journal()) {
    if (entry.index) seen.insert(entry.index->packs);
  }
  EXPECT_THAT(seen, SizeIs(3 * kRounds));
}

TEST_F(RepeatedVisitsTest, WhereNothingCanBeKeptThatIsSaidOnce) {
  const std::string log = (folder_.path() / "log").string();
  ASSERT_OK(log::open_file(log));
  testing::write_file(state(), "a file in the place of the folder");
  Program mount(storage_);
  for (int i = 0; i < 3; ++i) mount.look_and_keep();
  EXPECT_EQ(mount.visits.findings(), std::nullopt);
  const std::string said = testing::read_file(log);
  EXPECT_THAT(said, HasSubstr("is not kept for restree audit"));
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
  fs::remove(state());
  mount.look_and_keep();
  EXPECT_EQ(mount.visits.findings(), 0U);
  EXPECT_THAT(testing::read_file(log), HasSubstr("kept for restree audit again"));
}

}  // namespace
}  // namespace restree
