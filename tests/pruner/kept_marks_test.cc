// What a prune has found out to be in use, kept for the next one.
#include "repo/pruner/kept_marks.h"

#include <gmock/gmock.h>

#include <optional>

#include "tests/pruner/planned.h"
#include "tests/pruner/pruned_repository.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;
using testing::value_of;

class KeptMarksTest : public ::testing::Test {
 protected:
  static IndexedBlob blob(std::uint64_t number, BlobType type = BlobType::kData) {
    return {blob_id(number), type, static_cast<std::uint32_t>(number * 100), 100, 200};
  }
  static std::shared_ptr<const Index> index_of(
      const std::vector<std::pair<std::uint64_t, std::vector<IndexedBlob>>>& packs) {
    IndexBuilder builder;
    for (const auto& [number, blobs] : packs) builder.add(pack_id(number), blobs);
    return std::move(builder).build(1);
  }
  static std::vector<bool> marks_on(const WholeIndex& index,
                                    const std::vector<std::pair<BlobType, std::uint64_t>>& used) {
    std::vector<bool> marks(index.blob_count());
    for (const auto& [type, number] : used) marks[*index.position(type, blob_id(number))] = true;
    return marks;
  }
  static SnapshotId snapshot(unsigned char number) {
    SnapshotId id;
    id.bytes[0] = std::byte{number};
    return id;
  }
};

TEST_F(KeptMarksTest, ComeBackAsTheyWere) {
  const auto index = index_of({{1, {blob(1), blob(2), blob(3)}}, {2, {blob(4, BlobType::kTree)}}});
  const auto used = marks_on(index, {{BlobType::kData, 1}, {BlobType::kTree, 4}});
  const Bytes bytes = write_marks(collect_marks({snapshot(2), snapshot(1)}, used, index));
  const KeptMarks marks = value_of(parse_marks(bytes));
  EXPECT_THAT(marks.snapshots, ElementsAre(snapshot(1), snapshot(2)));
  EXPECT_EQ(apply_marks(marks, index), used);
}

// Packs were repacked, and one more blob was stored.
TEST_F(KeptMarksTest, AreForAnyIndexThatHasTheBlobs) {
  const auto index = index_of({{1, {blob(1), blob(2)}}, {2, {blob(2), blob(3)}}});
  const KeptMarks marks =
      collect_marks({}, marks_on(index, {{BlobType::kData, 1}, {BlobType::kData, 2}}), index);
  const auto later = index_of({{7, {blob(5), blob(2)}}, {8, {blob(1)}}});
  EXPECT_EQ(apply_marks(marks, later),
            marks_on(later, {{BlobType::kData, 1}, {BlobType::kData, 2}}));
}

TEST_F(KeptMarksTest, AreOfNoUseIfTheIndexLacksAnyOfThem) {
  const auto index = index_of({{1, {blob(1), blob(2)}}});
  const KeptMarks marks =
      collect_marks({}, marks_on(index, {{BlobType::kData, 1}, {BlobType::kData, 2}}), index);
  EXPECT_EQ(apply_marks(marks, index_of({{1, {blob(1)}}})), std::nullopt);
  // One of another kind is not it.
  EXPECT_EQ(apply_marks(marks, index_of({{1, {blob(1), blob(2, BlobType::kTree)}}})), std::nullopt);
}

TEST_F(KeptMarksTest, OtherBytesAreRefused) {
  const auto index = index_of({{1, {blob(1), blob(2)}}});
  const Bytes bytes =
      write_marks(collect_marks({snapshot(1)}, marks_on(index, {{BlobType::kData, 2}}), index));
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_THAT(parse_marks(bytes.view().first(length)), FailsWith(ErrorKind::kCorrupt)) << length;
  }
  std::string more(as_text(bytes));
  EXPECT_THAT(parse_marks(as_bytes(more + "x")), FailsWith(ErrorKind::kCorrupt));
  std::string other = more;
  other[0] = 'x';
  EXPECT_THAT(parse_marks(as_bytes(other)), FailsWith(ErrorKind::kCorrupt));
  // A number that would take all memory.
  std::string many = more;
  for (std::size_t i = 8; i < 16; ++i) many[i] = '\xff';
  EXPECT_THAT(parse_marks(as_bytes(many)), FailsWith(ErrorKind::kCorrupt));
}

}  // namespace

// --- prunes that keep them ------------------------------------------------------------------------

namespace testing {
namespace {

class PruneGoesOn : public PrunedRepository {
 protected:
  PruneGoesOn() {
    options_.read_marks = [this]() -> std::optional<Bytes> {
      if (!kept_) return std::nullopt;
      return Bytes::copy_of(as_bytes(*kept_));
    };
    options_.keep_marks = [this](ByteView sealed) { kept_ = std::string(as_text(sealed)); };
  }
  // How many trees were read to make a plan, which must be right.
  std::uint64_t trees_read() {
    const auto repository = open_at(shared());
    Pruner pruner(*repository, options_);
    EXPECT_OK(prepare(pruner));
    known_before_ = pruner.known_before();
    PruneOptions anew = options_;
    anew.read_marks = {};
    anew.keep_marks = {};
    const auto other = open_at(shared());
    Pruner walked(*other, anew);
    EXPECT_OK(prepare(walked));
    EXPECT_EQ(pruner.plan().copies.size(), walked.plan().copies.size());
    EXPECT_EQ(pruner.plan().statistics.used.blobs, walked.plan().statistics.used.blobs);
    return pruner.trees();
  }

  std::optional<std::string> kept_;
  std::size_t known_before_ = 0;
};

TEST_F(PruneGoesOn, WithoutWalkingThroughTheTreesAgain) {
  fill();
  snapshot({5, 6}, "more");
  EXPECT_EQ(trees_read(), 2U);
  EXPECT_EQ(trees_read(), 0U);
  EXPECT_EQ(known_before_, 2U);
  EXPECT_OK(prune());
  EXPECT_EQ(damage_of(shared()), "");
  // The index is another one by now.
  EXPECT_EQ(trees_read(), 0U);
}

TEST_F(PruneGoesOn, WalkingOnlyThroughWhatHasCome) {
  fill();
  EXPECT_EQ(trees_read(), 1U);
  snapshot({5, 7, 8}, "new");
  EXPECT_EQ(trees_read(), 1U);
  EXPECT_EQ(known_before_, 1U);
  EXPECT_EQ(trees_read(), 0U);
}

TEST_F(PruneGoesOn, FromTheBeginningIfASnapshotIsGone) {
  fill();
  const FileName more = snapshot({5, 7, 8}, "more");
  EXPECT_EQ(trees_read(), 2U);
  forget(more);
  EXPECT_EQ(trees_read(), 1U);
  EXPECT_EQ(known_before_, 0U);
  EXPECT_OK(prune());
  EXPECT_FALSE(has(7));
}

TEST_F(PruneGoesOn, FromTheBeginningIfWhatWasKeptIsDamaged) {
  fill();
  EXPECT_EQ(trees_read(), 1U);
  (*kept_)[kept_->size() / 2] = static_cast<char>((*kept_)[kept_->size() / 2] ^ 1);
  EXPECT_EQ(trees_read(), 1U);
  EXPECT_EQ(trees_read(), 0U);
  kept_ = "";
  EXPECT_EQ(trees_read(), 1U);
}

// The first prune is cut off after some of its packs.
TEST_F(PruneGoesOn, WithoutCopyingAgainWhatWasCopied) {
  blobs_a_pack_ = 4;
  std::vector<unsigned> all;
  std::vector<unsigned> most;
  for (unsigned i = 0; i < 32; ++i) {
    all.push_back(i);
    if (i % 4 < 3) most.push_back(i);
  }
  const FileName old = snapshot(all, "all");
  snapshot(most, "most");
  forget(old);
  options_.writer.pack_bytes = 2 * kBlobBytes;
  options_.bulk.threads = 1;
  options_.writer.uploads = 1;
  std::size_t stored = 0;
  memory_.storage().watch_writes([&](const FileName& file) -> Status {
    if (file.type == FileType::kPack && ++stored > 5) {
      return Error(ErrorKind::kDenied, "the line is cut");
    }
    return {};
  });
  EXPECT_THAT(prune(), FailsWith(ErrorKind::kDenied));
  memory_.storage().watch_writes({});
  EXPECT_EQ(damage_of(shared()), "");

  const auto repository = open_at(shared());
  Pruner pruner(*repository, options_);
  EXPECT_OK(prepare(pruner));
  EXPECT_EQ(pruner.plan().copies.size(), 24U - 5U * 2U);
  EXPECT_EQ(pruner.trees(), 0U);
  EXPECT_OK(finish(pruner));
  EXPECT_EQ(blob_count(), 24U + 1U);
  EXPECT_EQ(damage_of(shared()), "");
}

}  // namespace
}  // namespace testing
}  // namespace restree
