#include "repo/format/tree_writer.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "repo/crypto/sha256.h"
#include "tests/format/vectors.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using testing::FailsWith;
using testing::value_of;

Node file_named(std::string_view name) {
  Node node{};
  node.name = name;
  node.type = NodeType::kFile;
  return node;
}

std::string written(std::span<const Node> nodes, const TimeZone& zone) {
  TreeWriter writer(zone);
  for (const Node& node : nodes) EXPECT_OK(writer.append(node));
  return writer.finish();
}
std::string rewritten(std::string_view json, const TimeZone& zone) {
  return written(value_of(Tree::parse(as_bytes(json)))->nodes(), zone);
}
std::string written(const Node& node, const TimeZone& zone = {}) {
  return written(std::span(&node, 1), zone);
}

// A tree of one node with these fields behind the times and owners, in UTC.
std::string tree_with(std::string_view name_and_type, std::string_view fields) {
  return fmt::format(
      R"({{"nodes":[{{{},"mtime":"1970-01-01T00:00:00Z","atime":"1970-01-01T00:00:00Z",)"
      R"("ctime":"1970-01-01T00:00:00Z","uid":0,"gid":0{}}}]}})"
      "\n",
      name_and_type, fields);
}

// The one time of the vector that its own text does not say: it was in mean solar time.
void set_solar_times(std::vector<Node>& nodes) {
  for (Node& node : nodes) {
    if (node.name == "all7") node.mtime = node.atime = {-2147483647, 0};
  }
}

TEST(TreeWriter, WritesTheTreeOfEveryOddityAsResticDid) {
  const auto tree = value_of(Tree::parse(as_bytes(vectors::tree_blob())));
  std::vector<Node> nodes(tree->nodes().begin(), tree->nodes().end());
  set_solar_times(nodes);
  const std::string blob = written(nodes, TimeZone::named("America/St_Johns"));
  EXPECT_EQ(to_hex(sha256(as_bytes(blob))), vectors::kTreeId) << blob;
}

TEST(TreeWriter, WritesAnEmptyDirectory) {
  TreeWriter writer;
  const std::string blob = writer.finish();
  EXPECT_EQ(blob, "{\"nodes\":[]}\n");
  EXPECT_EQ(to_hex(sha256(as_bytes(blob))), vectors::kEmptyTreeId);
}

TEST(TreeWriter, IsReadyForTheNextTreeWhenOneIsFinished) {
  TreeWriter writer;
  ASSERT_OK(writer.append(file_named("b")));
  writer.finish();
  ASSERT_OK(writer.append(file_named("a")));
  EXPECT_EQ(writer.finish(), written(file_named("a"), TimeZone::local()));
}

TEST(TreeWriter, SameMomentsReadBackWhateverTheZone) {
  const std::string in_utc = rewritten(vectors::tree_blob(), {});
  for (const char* name : {"UTC", "Europe/Berlin", "Asia/Tokyo", "Australia/Adelaide"}) {
    const std::string in_zone = rewritten(vectors::tree_blob(), TimeZone::named(name));
    EXPECT_EQ(rewritten(in_zone, {}), in_utc) << name;
  }
}

TEST(TreeWriter, RefusesNamesThatDoNotAscend) {
  TreeWriter writer;
  EXPECT_THAT(writer.append(file_named("")), FailsWith(ErrorKind::kInvalid));
  ASSERT_OK(writer.append(file_named("b")));
  EXPECT_THAT(writer.append(file_named("a")), FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(writer.append(file_named("b")), FailsWith(ErrorKind::kInvalid));
  EXPECT_OK(writer.append(file_named("\x80")));  // bytes, not signed characters
  EXPECT_EQ(value_of(Tree::parse(as_bytes(writer.finish())))->nodes().size(), 2u);
}

TEST(TreeWriter, WritesAnAttributeThatWasGoneAsNull) {
  const ExtendedAttribute attributes[] = {{"user.gone", {}, false}, {"user.empty", ""}};
  Node node = file_named("f");
  node.xattrs = attributes;
  EXPECT_EQ(
      written(node),
      tree_with(
          R"("name":"f","type":"file")",
          R"(,"extended_attributes":[{"name":"user.gone","value":null},{"name":"user.empty","value":""}],"content":[])"));
  EXPECT_EQ(rewritten(written(node), {}), written(node));
}

TEST(TreeWriter, WritesNoModeWhereThereIsNoBitInIt) {
  Node node = file_named("f");
  node.has_mode = true;
  EXPECT_EQ(written(node), tree_with(R"("name":"f","type":"file")", R"(,"content":[])"));
  node.type = NodeType::kFifo;
  EXPECT_EQ(written(node),
            tree_with(R"("name":"f","type":"fifo","mode":33554432)", R"(,"content":null)"));
}

TEST(TreeWriter, WritesAtimeWhereItIsRecorded) {
  Node node = file_named("f");
  node.atime = {5, 100};
  EXPECT_NE(written(node).find(R"("atime":"1970-01-01T00:00:05.0000001Z")"), std::string::npos);
}

std::string time_in(const char* zone, Timestamp time) {
  std::string text;
  append_timestamp(time, TimeZone::named(zone), text);
  return text;
}

// What restic 0.19.1 wrote of files on tmpfs with these times.
TEST(TreeWriter, BringsYearsThatCannotBeWrittenIntoReach) {
  constexpr Timestamp kYear10001 = {253'433'923'200, 7};
  constexpr Timestamp kLeapDay12000 = {316'521'345'600, 0};
  constexpr Timestamp kBeforeYear0 = {-62'167'219'201, 0};
  constexpr Timestamp kLeapDayBeforeYear0 = {-62'288'308'800, 0};
  const char* const st_johns = "America/St_Johns";
  EXPECT_EQ(time_in(st_johns, kYear10001), "9999-12-31T20:30:00.000000007-03:30");
  EXPECT_EQ(time_in(st_johns, kLeapDay12000), "9999-03-01T08:30:00-03:30");
  EXPECT_EQ(time_in(st_johns, kBeforeYear0), "0000-12-31T20:29:07-03:30");
  EXPECT_EQ(time_in(st_johns, kLeapDayBeforeYear0), "0000-02-29T08:29:08-03:30");
  const char* const berlin = "Europe/Berlin";
  EXPECT_EQ(time_in(berlin, kYear10001), "9999-01-01T01:00:00.000000007+01:00");
  EXPECT_EQ(time_in(berlin, kLeapDay12000), "9999-03-01T13:00:00+01:00");
  EXPECT_EQ(time_in(berlin, kBeforeYear0), "0000-01-01T00:53:27+00:53");
  EXPECT_EQ(time_in(berlin, kLeapDayBeforeYear0), "0000-02-29T12:53:28+00:53");
}

}  // namespace
}  // namespace restree
