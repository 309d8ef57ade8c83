#include "repo/journal/journal_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tests/journal/journal_world.h"
#include "tests/support/files.h"
#include "tests/support/matchers.h"
#include "tests/support/memory_repository.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;
using testing::Journal;
using testing::journal_id;
using testing::JournalWorld;
using testing::kDay;
using testing::MemoryRepository;
using testing::read_file;
using ::testing::SizeIs;
using testing::soon;
using testing::value_of;
using testing::write_file;

JournalEntry entry_at(std::int64_t time) { return {.time = time, .command = "backup"}; }

class JournalFileTest : public ::testing::Test {
 protected:
  JournalFileTest() {
    files_.builder().finish();
    repository_ = files_.open();
  }
  Result<JournalFile> open() const { return JournalFile::open(path_, *repository_, soon()); }
  std::vector<JournalEntry> entries() const { return value_of(open()).entries(); }
  void append(std::int64_t time) const {
    JournalFile journal = value_of(open());
    ASSERT_OK(journal.append(entry_at(time)));
  }

  testing::TempDir folder_;
  const std::string path_ = (folder_.path() / "state/journal/id").string();
  MemoryRepository files_;
  std::unique_ptr<Repository> repository_;
};

TEST_F(JournalFileTest, IsMadeWhereItIsMissingForItsOwnerOnly) {
  EXPECT_THAT(entries(), IsEmpty());
  struct stat attributes {};
  ASSERT_EQ(::stat(path_.c_str(), &attributes), 0);
  EXPECT_EQ(attributes.st_mode & 0777, 0600U);
}

TEST_F(JournalFileTest, KeepsEntriesInTheirOrderAndSealed) {
  append(1);
  append(2);
  EXPECT_THAT(entries(), ElementsAre(entry_at(1), entry_at(2)));
  EXPECT_EQ(read_file(path_).find("backup"), std::string::npos);
}

TEST_F(JournalFileTest, ACutOffEntryIsLeftOutAndReplaced) {
  append(1);
  const std::size_t first = read_file(path_).size();
  append(2);
  const std::string whole = read_file(path_);
  for (std::size_t size = first + 1; size < whole.size(); ++size) {
    write_file(path_, whole.substr(0, size));
    const JournalFile journal = value_of(open());
    ASSERT_THAT(journal.entries(), ElementsAre(entry_at(1))) << size;
    EXPECT_EQ(journal.bytes_left_out(), size - first);
  }
  append(3);
  EXPECT_THAT(entries(), ElementsAre(entry_at(1), entry_at(3)));
}

TEST_F(JournalFileTest, AnEntryOfWhichThePagesWereNeverWrittenIsLeftOut) {
  append(1);
  const std::size_t first = read_file(path_).size();
  append(2);
  std::string torn = read_file(path_);
  std::fill(torn.begin() + static_cast<std::ptrdiff_t>(first) + 4, torn.end(), '\0');
  write_file(path_, torn);
  EXPECT_THAT(entries(), ElementsAre(entry_at(1)));
}

TEST_F(JournalFileTest, DamageInTheMiddleIsSaid) {
  append(1);
  const std::size_t first = read_file(path_).size();
  append(2);
  std::string damaged = read_file(path_);
  damaged[first - 1] = static_cast<char>(damaged[first - 1] ^ 1);
  write_file(path_, damaged);
  EXPECT_THAT(open(), FailsWith(ErrorKind::kCorrupt));
}

TEST_F(JournalFileTest, AnEntryThatWasTakenOutIsSaid) {
  value_of(open());
  const std::string head = read_file(path_);
  append(1);
  const std::size_t first = read_file(path_).size();
  append(2);
  write_file(path_, head + read_file(path_).substr(first));
  EXPECT_THAT(open(), FailsWith(ErrorKind::kCorrupt));
}

TEST_F(JournalFileTest, WhatIsNotAJournalIsRefused) {
  for (const char* content : {"", "restree journal 2\n", "x"}) {
    value_of(open());
    write_file(path_, content);
    EXPECT_THAT(open(), FailsWith(ErrorKind::kCorrupt)) << content;
    std::filesystem::remove(path_);
  }
  std::filesystem::create_directory(path_);
  EXPECT_FALSE(open());
}

TEST_F(JournalFileTest, OneProcessAtATimeHasIt) {
  std::optional<JournalFile> first(value_of(open()));
  EXPECT_THAT(JournalFile::open(path_, *repository_, Deadline::after(std::chrono::seconds(0))),
              FailsWith(ErrorKind::kUnavailable));
  first.reset();
  EXPECT_OK(open());
}

// Prunes that replace thousands of index files, so that few visits make a large file.
TEST_F(JournalFileTest, ALargeOneIsCondensedWhereNobodyHasToLookAtIt) {
  JournalWorld world;
  world.back_up("db", "/srv");
  KnownState state;
  JournalFile journal = value_of(open());
  constexpr int kVisits = 25;
  for (int day = 0; day < kVisits; ++day) {
    world.now += kDay;
    world.indexes.clear();
    for (int i = 0; i < 5000; ++i) world.indexes.insert(world.next_id());
    const JournalEntry entry = changes_since(state, world.visit());
    ASSERT_OK(journal.append(entry));
    state.apply(entry);
  }
  EXPECT_LT(journal.entries().size(), kVisits);
  KnownState again;
  for (const JournalEntry& entry : journal.entries()) again.apply(entry);
  EXPECT_EQ(again.indexes.present, state.indexes.present);
  EXPECT_EQ(again.indexes.gone, state.indexes.gone);
  EXPECT_EQ(again.details, state.details);
}

TEST(CondensedEntries, StopsBeforeTheFirstThatSomebodyHasToLookAt) {
  JournalWorld world;
  Journal journal;
  for (int day = 0; day < 10; ++day) {
    world.now += kDay;
    world.back_up("db", "/srv");
    if (day == 5) world.snapshots.erase(world.of("db").front());
    journal.keep(world.visit());
  }
  const std::vector<JournalEntry> fewer = condensed_entries(journal.entries());
  EXPECT_THAT(fewer, SizeIs(6)) << "one for five, and five";
  Journal again;
  for (const JournalEntry& entry : fewer) again.add(entry);
  EXPECT_EQ(again.kinds(), journal.kinds());
  journal.accept(world.now);
  EXPECT_THAT(condensed_entries(journal.entries()), SizeIs(1));
}

}  // namespace
}  // namespace restree
