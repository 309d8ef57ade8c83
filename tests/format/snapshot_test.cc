#include "repo/format/snapshot.h"

#include <string>

#include "repo/crypto/sha256.h"
#include "repo/format/unpacked.h"
#include "tests/format/master_key.h"
#include "tests/format/vectors.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::value_of;

constexpr std::string_view kTree =
    R"("tree":"8b154ab5f8b85c2a32d2edb6253bbdc4d8a6079ab87cdd53e6c730d8efce342a")";
constexpr std::string_view kTime = R"("time":"2015-03-01T12:00:00.5+01:00")";

Result<Snapshot> parse_fields(std::string_view fields) {
  return parse_snapshot(SnapshotId{}, as_bytes("{" + std::string(fields) + "}"));
}
Result<Snapshot> parse_with(std::string_view fields) {
  return parse_fields(std::string(kTime) + "," + std::string(kTree) + "," + std::string(fields));
}

TEST(Snapshot, OfARealRepositoryIsRead) {
  Bytes file = testing::from_hex_text(vectors::kSnapshotFile);
  EXPECT_EQ(to_hex(sha256(file)), vectors::kSnapshotId);
  const Bytes json = value_of(open_unpacked(testing::master_key(), std::move(file)));
  EXPECT_EQ(as_text(json), vectors::kSnapshot);
  const SnapshotId id = value_of(SnapshotId::parse(vectors::kSnapshotId));
  const Snapshot snapshot = value_of(parse_snapshot(id, json));
  EXPECT_EQ(snapshot.id, id);
  EXPECT_EQ(snapshot.time, parse_timestamp("2024-07-01T14:30:00Z"));
  EXPECT_EQ(snapshot.tree, BlobId::parse(vectors::kTreeId));
  EXPECT_THAT(snapshot.paths, ElementsAre("/srv/vec"));
  EXPECT_EQ(snapshot.hostname, "h");
  EXPECT_EQ(snapshot.username, "root");
  EXPECT_THAT(snapshot.tags, ElementsAre("t1", "<t2>"));
  EXPECT_EQ(snapshot.program_version, "restic 0.19.1");
  EXPECT_EQ(snapshot.parent, std::nullopt);
  EXPECT_EQ(snapshot.original, std::nullopt);
}

TEST(Snapshot, IsWrittenAsItWasRead) {
  const auto rewritten = [](std::string_view json) {
    return write_snapshot(value_of(parse_snapshot(SnapshotId{}, as_bytes(json))));
  };
  EXPECT_EQ(rewritten(vectors::kSnapshot), vectors::kSnapshot);
  const std::string full =
      "{" + std::string(kTime) + R"(,"parent":")" + std::string(vectors::kSnapshotId) + "\"," +
      std::string(kTree) +
      R"(,"paths":["/a","/a"],"hostname":"h","username":"u","uid":1,"gid":4294967295,)"
      R"("excludes":["*.o"],"tags":["t"],"original":")" +
      std::string(vectors::kSnapshotId) + R"(","program_version":"p"})";
  EXPECT_EQ(rewritten(full), full);
}

TEST(Snapshot, KeepsFieldsOfOtherPrograms) {
  const std::string summary = R"({"backup_start":"2015-03-01T12:00:00Z",)"
                              R"("backup_end":"2015-03-01T12:00:00Z","files_new":1,)"
                              R"("files_changed":0,"files_unmodified":0,"dirs_new":0,)"
                              R"("dirs_changed":0,"dirs_unmodified":0,"data_blobs":0,)"
                              R"("tree_blobs":0,"data_added":0,"data_added_packed":0,)"
                              R"("total_files_processed":0,"total_bytes_processed":0,)"
                              R"("total_duration":1.5,"command":"a \"b\""})";
  const std::string full = "{" + std::string(kTime) + "," + std::string(kTree) +
                           R"(,"paths":[],"summary":)" + summary +
                           R"(,"label":"x\u003c","delete":{"After":["t", {"a":[]}]},"n":null})";
  Snapshot snapshot = value_of(parse_snapshot(SnapshotId{}, as_bytes(full)));
  EXPECT_EQ(write_snapshot(snapshot), full);
  JsonWriter shown;
  append_snapshot_fields(snapshot, shown.begin_object());
  EXPECT_THAT(shown.json(), Not(HasSubstr("label")));
  EXPECT_THAT(shown.json(), Not(HasSubstr("total_duration")));
}

TEST(Snapshot, HasItsSummary) {
  const Snapshot snapshot = value_of(parse_snapshot(SnapshotId{}, as_bytes(vectors::kSnapshot)));
  const SnapshotSummary summary = value_of(snapshot.summary);
  EXPECT_EQ(summary.files_new, 14u);
  EXPECT_EQ(summary.data_added_packed, 1149u);
  EXPECT_EQ(summary.backup_end.offset_seconds, -12600);
}

TEST(Snapshot, OfTheFirstVersionsHasFewFields) {
  const Snapshot snapshot = value_of(parse_fields(std::string(kTime) + "," + std::string(kTree)));
  EXPECT_EQ(snapshot.time, parse_timestamp("2015-03-01T11:00:00.5Z"));
  EXPECT_THAT(snapshot.paths, IsEmpty());
  EXPECT_THAT(snapshot.tags, IsEmpty());
  EXPECT_EQ(snapshot.uid, 0u);
}

TEST(Snapshot, TakesNullForAbsent) {
  const Snapshot snapshot = value_of(parse_with(
      R"("paths":null,"tags":null,"hostname":null,"parent":null,"excludes":null,"uid":null)"));
  EXPECT_THAT(snapshot.paths, IsEmpty());
  EXPECT_EQ(snapshot.parent, std::nullopt);
}

TEST(Snapshot, WithoutTimeOrTreeIsCorrupt) {
  EXPECT_THAT(parse_fields(kTime), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(parse_fields(kTree), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(parse_fields(std::string(kTime) + R"(,"tree":null)"), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(parse_fields(std::string(kTree) + R"(,"time":"yesterday")"),
              FailsWith(ErrorKind::kCorrupt));
}

TEST(Snapshot, KeepsTheLastOfARepeatedField) {
  EXPECT_EQ(value_of(parse_with(R"("hostname":"a","hostname":"b")")).hostname, "b");
  EXPECT_THAT(value_of(parse_with(R"("tags":["a"],"tags":["b","c"])")).tags, ElementsAre("b", "c"));
}

TEST(Snapshot, KnowsAFieldWhoseNameIsWrittenWithEscapes) {
  EXPECT_EQ(value_of(parse_with(R"("host\u006eame":"a")")).hostname, "a");
}

TEST(Snapshot, ResolvesEveryEscapeOfJson) {
  EXPECT_EQ(
      value_of(parse_with(R"("hostname":"\"\\\/\b\f\n\r\t\u00e9\u20ac\ud83d\ude00")")).hostname,
      "\"\\/\b\f\n\r\té€😀");
}

TEST(Snapshot, ReplacesHalfASurrogatePairAsGoDoes) {
  EXPECT_EQ(value_of(parse_with(R"("hostname":"a\ud83d")")).hostname, "a\uFFFD");
  EXPECT_EQ(value_of(parse_with(R"("hostname":"\ude00b")")).hostname, "\uFFFDb");
  EXPECT_EQ(value_of(parse_with(R"("hostname":"\ud83dx\ud83d\u0041")")).hostname, "\uFFFDx\uFFFDA");
}

TEST(Snapshot, WithABadStringIsCorrupt) {
  for (const char* text : {R"("\x41")", R"("\u12")", R"("\u12g4")", R"("\ud83d\u12")", "5", "{}",
                           "\"a\nb\"", "\"\xff\"", "'a'"}) {
    EXPECT_THAT(parse_with(R"("hostname":)" + std::string(text)), FailsWith(ErrorKind::kCorrupt))
        << text;
  }
}

TEST(Snapshot, OwnerIdsReachToTheirLimitAndNotPastIt) {
  EXPECT_EQ(value_of(parse_with(R"("uid":4294967295)")).uid, 4294967295u);
  EXPECT_THAT(parse_with(R"("uid":4294967296)"), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(parse_with(R"("gid":-1)"), FailsWith(ErrorKind::kCorrupt));
}

}  // namespace
}  // namespace restree
