#include "repo/copier/copier.h"

#include <string>
#include <vector>

#include "repo/crypto/sha256.h"
#include "tests/copier/copier_fixture.h"

namespace restree {
namespace {

using ::testing::Contains;
using testing::CopierTest;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::FailsWith;
using testing::file_node;
using testing::folder_node;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MemoryRepository;
using ::testing::Pair;
using ::testing::SizeIs;
using testing::soon;
using ::testing::StartsWith;
using testing::value_of;
using testing::WatchedStorage;

TEST_F(CopierTest, CopiesSnapshotsWithAllThatIsBelowThemTheOldestFirst) {
  const std::string later = snapshot(tree_of("two"), "2026-02-01T00:00:00Z");
  const std::string first = snapshot(tree_of("one"), "2026-01-01T00:00:00Z");
  source().finish();
  EXPECT_EQ(value_of(copy()), 0U);
  EXPECT_THAT(events_.words,
              ElementsAre("begin " + first, "begin " + later, "save " + first, "save " + later));
  EXPECT_THAT(events_.batches, ElementsAre(2));
  EXPECT_THAT(contents(), ElementsAre("(folder:(file:oneone))", "(folder:(file:twotwo))"));
}

TEST_F(CopierTest, TheFormatsVersionsMayDiffer) {
  snapshot(tree_of("one"), "2026-01-01T00:00:00Z");
  source().finish();
  make_destination({.version = 1});
  EXPECT_EQ(value_of(copy()), 0U);
  EXPECT_THAT(contents(), ElementsAre("(folder:(file:oneone))"));
}

TEST_F(CopierTest, ASecondRunReadsNoPackAndWritesNothing) {
  const std::string id = snapshot(tree_of("one"), "2026-01-01T00:00:00Z");
  source().finish();
  value_of(copy());
  const auto reads = count_reads();
  destination_->watch_writes([](const FileName& file) -> Status {
    return Error(ErrorKind::kDenied, "written: " + file.name);
  });
  EXPECT_EQ(value_of(copy()), 0U);
  EXPECT_THAT(events_.words, ElementsAre("skip " + id));
  EXPECT_THAT(*reads->lock(), IsEmpty());
}

TEST_F(CopierTest, EachBlobIsReadOnceHoweverManySnapshotsHaveIt) {
  const BlobId shared = source().add_data("shared");
  const BlobId folder = source().add_tree({file_node("a", {shared, shared}, 12)});
  for (const std::string month : {"01", "02", "03"}) {
    const BlobId own = source().add_data("of month " + month);
    snapshot(source().add_tree({file_node("b", {own, shared}, 16), folder_node("c", folder),
                                folder_node("d", folder)}),
             "2026-" + month + "-01T00:00:00Z");
  }
  source().finish();
  const auto reads = count_reads();
  EXPECT_EQ(value_of(copy()), 0U);
  EXPECT_THAT(*reads->lock(), SizeIs(1 + 1 + 3 + 3));
  EXPECT_THAT(*reads->lock(), Each(Pair(::testing::_, 1)));
  EXPECT_THAT(contents(), SizeIs(3));
}

TEST_F(CopierTest, OnlyWhatTheDestinationLacksIsReadAndCounted) {
  snapshot(tree_of("one"), "2026-01-01T00:00:00Z");
  source().finish();
  value_of(copy());
  const BlobId added = source().add_data("new");
  const BlobId root =
      source().add_tree({file_node("more", {added}, 3), folder_node("folder", tree_of("one"))});
  snapshot(root, "2026-02-01T00:00:00Z");
  source().finish();
  const auto reads = count_reads();
  EXPECT_EQ(value_of(copy()), 0U);
  EXPECT_EQ(events_.figures.blobs, 2U) << "a tree and its file";
  EXPECT_EQ(events_.figures.packs, 2U);
  EXPECT_EQ(events_.packs_copied, 2U);
  EXPECT_THAT(*reads->lock(), Contains(Pair(source().pack_names_of(added).front().name, 1)));
  const auto one = source().pack_names_of(BlobId{sha256(as_bytes(std::string("one")))});
  for (const FileName& pack : one) {
    EXPECT_THAT(*reads->lock(), ::testing::Not(Contains(::testing::Key(pack.name))));
  }
}

TEST_F(CopierTest, ContentOfNodesThatCannotBeShownIsCopiedToo) {
  const BlobId data = source().add_data("of tomorrow");
  const BlobId below = source().add_tree({file_node("x", {data}, 11)});
  snapshot(source().add_tree({R"({"name":"n","type":"future","content":[")" + data.hex() +
                              R"("],"subtree":")" + below.hex() + "\"}"}),
           "2026-01-01T00:00:00Z");
  source().finish();
  EXPECT_EQ(value_of(copy()), 0U);
  const auto there = open_destination();
  EXPECT_OK(there->load(BlobType::kData, data, soon()));
  EXPECT_OK(there->load(BlobType::kTree, below, soon()));
}

TEST_F(CopierTest, PacksAreStoredBeforeTheIndexAndThatBeforeTheSnapshots) {
  snapshot(tree_of("one"), "2026-01-01T00:00:00Z");
  source().finish();
  Guarded<std::vector<FileType>> written;
  destination_->watch_writes([&](const FileName& file) -> Status {
    written.lock()->push_back(file.type);
    return {};
  });
  value_of(copy());
  EXPECT_THAT(*written.lock(),
              ElementsAre(FileType::kPack, FileType::kPack, FileType::kIndex, FileType::kSnapshot));
}

TEST_F(CopierTest, AfterAnInterruptionOnlyTheTreesAreReadAgain) {
  snapshot(tree_of("one"), "2026-01-01T00:00:00Z");
  source().finish();
  destination_->watch_writes([](const FileName& file) -> Status {
    if (file.type != FileType::kSnapshot) return {};
    return Error(ErrorKind::kUnavailable, "the server is away");
  });
  EXPECT_THAT(copy(), FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(contents(), IsEmpty());
  destination_->watch_writes({});
  const auto reads = count_reads();
  EXPECT_EQ(value_of(copy()), 0U);
  EXPECT_EQ(events_.figures.blobs, 0U);
  EXPECT_THAT(*reads->lock(), SizeIs(2)) << "the trees";
  EXPECT_THAT(contents(), ElementsAre("(folder:(file:oneone))"));
}

TEST_F(CopierTest, WhatIsCopiedBeforeTheSourceGoesAwayIsSaved) {
  const std::string first = snapshot(tree_of("one"), "2026-01-01T00:00:00Z");
  snapshot(tree_of("two"), "2026-02-01T00:00:00Z");
  source().finish();
  const FileName pack =
      source().pack_names_of(BlobId{sha256(as_bytes(std::string("two")))}).front();
  source_.storage().watch([&](const FileName& file) -> Status {
    if (file.name != pack.name) return {};
    return Error(ErrorKind::kUnavailable, "the server is away");
  });
  EXPECT_THAT(copy(), FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(events_.words, Contains("save " + first));
  EXPECT_THAT(contents(), ElementsAre("(folder:(file:oneone))"));
}

TEST_F(CopierTest, ADamagedSnapshotIsLeftOutAndTheOthersAreCopied) {
  const BlobId lost = source().add_data("lost");
  const BlobId folder = source().add_tree({file_node("file", {lost}, 4)});
  const std::string broken =
      snapshot(source().add_tree({folder_node("f", folder)}), "2026-01-01T00:00:00Z");
  const std::string good = snapshot(tree_of("good"), "2026-02-01T00:00:00Z");
  // Another one with the same folder, which the walk has seen by then.
  const std::string same =
      snapshot(source().add_tree({folder_node("g", folder)}), "2026-03-01T00:00:00Z");
  source().finish();
  source_.remove_packs_of(lost);
  EXPECT_EQ(value_of(copy()), 2U);
  EXPECT_THAT(events_.words, ElementsAre("begin " + broken, "leave out " + broken, "begin " + good,
                                         "begin " + same, "leave out " + same, "save " + good));
  EXPECT_THAT(events_.whys, Each(HasSubstr(lost.hex())));
  EXPECT_THAT(contents(), ElementsAre("(folder:(file:goodgood))"));
}

TEST_F(CopierTest, ATreeThatIsNoTreeIsDamage) {
  const std::string id = snapshot(source().add(BlobType::kTree, "no tree"), "2026-01-01T00:00:00Z");
  source().finish();
  EXPECT_EQ(value_of(copy()), 1U);
  EXPECT_THAT(events_.words, ElementsAre("begin " + id, "leave out " + id));
  EXPECT_THAT(events_.whys, ElementsAre(StartsWith("tree ")));
}

TEST_F(CopierTest, AStopEndsItAndSavesNoSnapshotThatIsNotWhole) {
  snapshot(tree_of("one"), "2026-01-01T00:00:00Z");
  source().finish();
  source_.storage().watch([&](const FileName& file) -> Status {
    if (file.type == FileType::kPack) stop_.request_stop();
    return {};
  });
  EXPECT_THAT(copy(), FailsWith(ErrorKind::kCancelled));
  stop_ = std::stop_source();
  EXPECT_THAT(contents(), IsEmpty());
}

TEST_F(CopierTest, AFullDestinationEndsIt) {
  snapshot(tree_of("one"), "2026-01-01T00:00:00Z");
  source().finish();
  destination_->watch_writes(
      [](const FileName&) -> Status { return Error(ErrorKind::kLocalIo, "no space left"); });
  EXPECT_THAT(copy(), FailsWith(ErrorKind::kLocalIo));
}

}  // namespace
}  // namespace restree
