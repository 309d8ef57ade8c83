#include "repo/journal/journal_entry.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/journal/journal_world.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using testing::FailsWith;
using testing::journal_id;
using testing::value_of;

JournalEntry full_entry() {
  JournalEntry entry{.kind = EntryKind::kVisit, .time = -5, .command = "snapshots"};
  entry.config = SeenConfig{.hash = journal_id(1), .version = 2};
  entry.wrote_config = true;
  entry.earlier_here = RepositoryId();
  entry.keys = {.listed = true, .added = {journal_id(2)}};
  entry.indexes = {.listed = true, .gone = {journal_id(3), journal_id(4)}};
  entry.snapshots = {.listed = false, .written = {journal_id(5)}, .removed = {journal_id(6)}};
  SeenSnapshot one{.id = journal_id(7), .time = 1'767'225'600, .tree = journal_id(8)};
  one.original = journal_id(9);
  one.has_parent = true;
  one.host = "host";
  one.tags = {"a", ""};
  one.paths = {"/srv"};
  one.figures = SeenFigures{1, 2, 3, 4, 5, ~0ULL};
  entry.details = {one, SeenSnapshot{.id = journal_id(10)}};
  entry.index = SeenIndex{.packs = 11, .blobs = 12};
  entry.missing = SeenMissing{.packs = 13,
                              .snapshots = {journal_id(14)},
                              .unreadable = {journal_id(15)},
                              .silent = {{journal_id(16), 17}}};
  return entry;
}

TEST(JournalEntry, IsReadAsItWasWritten) {
  for (const JournalEntry& entry : {JournalEntry(), full_entry()}) {
    EXPECT_EQ(value_of(parse_journal_entry(as_bytes(write_journal_entry(entry)))), entry);
  }
}

TEST(JournalEntry, ACondensedOneHasTimesForEachFile) {
  JournalEntry entry{.kind = EntryKind::kFrom};
  entry.keys.added = {journal_id(1)};
  entry.snapshots.gone = {journal_id(2)};
  entry.times = {{1, 2, kNoTime, true}, {3, kNoTime, 4, false}};
  EXPECT_EQ(value_of(parse_journal_entry(as_bytes(write_journal_entry(entry)))), entry);
  entry.times.pop_back();
  EXPECT_THAT(parse_journal_entry(as_bytes(write_journal_entry(entry))),
              FailsWith(ErrorKind::kCorrupt));
}

TEST(JournalEntry, OneThatIsCutOffAnywhereIsCorrupt) {
  const std::string whole = write_journal_entry(full_entry());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THAT(parse_journal_entry(as_bytes(whole.substr(0, size))),
                FailsWith(ErrorKind::kCorrupt))
        << size;
  }
  EXPECT_THAT(parse_journal_entry(as_bytes(whole + "x")), FailsWith(ErrorKind::kCorrupt));
}

// Neither a crash nor memory for what cannot follow.
TEST(JournalEntry, AByteThatIsAnotherIsReadOrRefused) {
  const std::string whole = write_journal_entry(full_entry());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string other = whole;
    other[i] = '\xff';
    const auto entry = parse_journal_entry(as_bytes(other));
    if (entry) {
      EXPECT_LE(entry->details.size(), 2U);
    }
  }
}

// Which knew nothing of changes without a trace.
TEST(JournalEntry, OneOfTheFirstVersionIsReadAsItWasWritten) {
  JournalEntry entry = full_entry();
  entry.missing->silent.clear();
  std::string bytes = write_journal_entry(entry);
  bytes[0] = 1;
  // The empty lists of `silent` and of `times` are the last eight bytes; the first version has one of them.
  bytes.resize(bytes.size() - 4);
  EXPECT_EQ(value_of(parse_journal_entry(as_bytes(bytes))), entry);
}

TEST(JournalEntry, OneOfALaterVersionIsUnsupported) {
  std::string later = write_journal_entry({});
  later[0] = 3;
  EXPECT_THAT(parse_journal_entry(as_bytes(later)), FailsWith(ErrorKind::kUnsupported));
}

TEST(SeenSnapshot, TakesNoMoreOfASnapshotThanAJournalKeeps) {
  Snapshot snapshot;
  snapshot.hostname = std::string(10'000, 'h');
  snapshot.paths.assign(1000, std::string(10'000, 'p'));
  const SeenSnapshot seen = seen_snapshot(snapshot);
  JournalEntry entry;
  entry.details = {seen};
  EXPECT_EQ(value_of(parse_journal_entry(as_bytes(write_journal_entry(entry)))), entry);
}

}  // namespace
}  // namespace restree
