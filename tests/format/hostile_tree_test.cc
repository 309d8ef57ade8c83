#include <string>

#include "repo/format/tree.h"
#include "tests/format/parsed_tree.h"
#include "tests/format/vectors.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::value_of;

std::string node(const std::string& name, const std::string& type = "file") {
  return R"({"name":")" + name + R"(","type":")" + type + R"("})";
}
std::string tree_of(const std::string& nodes) { return R"({"nodes":[)" + nodes + "]}"; }

TEST(HostileTree, LosesTheNodesWhoseNamesNoDirectoryCanHold) {
  for (const char* name : {"", ".", "..", "/", "a/b", "../../etc/passwd", R"(a\\x00b)", R"(\\x2f)",
                           R"(\u002f)", R"(\\q)", R"(\")", R"(a\u0000)"}) {
    const auto tree = parsed(tree_of(node("good") + "," + node(name)));
    EXPECT_THAT(tree->nodes(), SizeIs(1)) << name;
    EXPECT_NE(tree->find("good"), nullptr);
    EXPECT_THAT(tree->refused(), SizeIs(1)) << name;
  }
}

TEST(HostileTree, CannotForgeLinesOfTheLog) {
  const auto tree = parsed(tree_of(node(R"(x/\\n\\x1b[31mfake)")));
  ASSERT_THAT(tree->refused(), SizeIs(1));
  EXPECT_THAT(tree->refused()[0], HasSubstr(R"(x/\x0a\x1b[31mfake)"));
}

TEST(HostileTree, LosesNodesWithoutNameOrKnownType) {
  const auto tree =
      parsed(tree_of(R"({},{"type":"file"},{"name":"a"},{"name":null,"type":"file"},)" +
                     node("b", "irregular") + "," + node("c", "") + "," + node("d", "File")));
  EXPECT_THAT(tree->nodes(), IsEmpty());
  EXPECT_THAT(tree->refused(), SizeIs(7));
}

TEST(HostileTree, ShowsTheFirstOfSeveralNodesOfOneName) {
  const auto tree = parsed(
      tree_of(node("b") + "," + node("a", "dir") + "," + node("a") + "," + node("a", "fifo")));
  ASSERT_THAT(tree->nodes(), SizeIs(2));
  EXPECT_EQ(tree->find("a")->type, NodeType::kDirectory);
  EXPECT_THAT(tree->refused(), SizeIs(2));
}

TEST(HostileTree, IsSortedByUnsignedBytes) {
  const auto tree = parsed(tree_of(node(R"(\\xff)") + "," + node("é") + "," + node("b") + "," +
                                   node("a") + "," + node("aa")));
  std::vector<std::string_view> names;
  for (const Node& each : tree->nodes()) names.push_back(each.name);
  EXPECT_THAT(names, ElementsAre("a", "aa", "b", "é", "\xff"));
}

TEST(HostileTree, KeepsOnlyALimitedNumberOfLinesAboutItself) {
  std::string nodes = node("..");
  for (int i = 1; i < 1000; ++i) nodes += "," + node("..");
  const auto tree = parsed(tree_of(nodes));
  ASSERT_THAT(tree->refused(), SizeIs(21));
  EXPECT_EQ(tree->refused().back(), "and 980 more");
  const auto huge = parsed(tree_of(node(std::string(1 << 20, '/'))));
  EXPECT_LT(huge->refused()[0].size(), 2000u);
}

TEST(HostileTree, OfTheWrongShapeIsCorrupt) {
  for (const char* json : {"",
                           " ",
                           "null",
                           "5",
                           "\"nodes\"",
                           "[]",
                           "{}",
                           "{",
                           R"({"nodes"})",
                           R"({"nodes":})",
                           R"({"nodes":5})",
                           R"({"nodes":{}})",
                           R"({"nodes":[5]})",
                           R"({"nodes":["a"]})",
                           R"({"nodes":[[]]})",
                           R"({"nodes":[{]})",
                           R"({"nodes":[}})",
                           R"({"nodes":[{}})",
                           R"({"nodes":[{}]]})",
                           R"({"nodes":[{},]})",
                           R"({"nodes":[,{}]})",
                           R"({"nodes":[{} {}]})",
                           R"({"nodes":[],})",
                           R"({"nodes":[{"name":"a","type":"file"]}})",
                           R"({"nodes":[{"name" "a"}]})",
                           R"({"nodes":[{"name":5}]})",
                           R"({"nodes":[{"name":nul}]})",
                           R"({"nodes":[{"name":"a"b}]})",
                           R"({"nodes":[{"content":"x"}]})",
                           R"({"nodes":[{"content":["x"]}]})",
                           R"({"nodes":[{"mtime":"now"}]})",
                           R"({"nodes":[{"mtime":5}]})",
                           R"({"nodes":[{"linktarget_raw":"?"}]})",
                           R"({"nodes":[]}x)",
                           R"({"nodes":[]}{"nodes":[]})",
                           R"({"nodes":[]}})",
                           "{\"nodes\":[{\"name\":\"\x01\"}]}",
                           "{\"nodes\":[{\"name\":\"\xff\"}]}"}) {
    EXPECT_THAT(Tree::parse(as_bytes(json)), FailsWith(ErrorKind::kCorrupt)) << json;
  }
}

TEST(HostileTree, CutShortAnywhereIsCorrupt) {
  const std::string json = vectors::tree_blob();
  for (std::size_t size = 0; size < json.size() - 1; ++size) {
    EXPECT_THAT(Tree::parse(as_bytes(json).first(size)), FailsWith(ErrorKind::kCorrupt)) << size;
  }
}

TEST(HostileTree, MayNestUnknownFieldsDeeply) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_OK(Tree::parse(as_bytes(R"({"x":)" + deep + R"(,"nodes":[]})")));
  EXPECT_THAT(Tree::parse(as_bytes(R"({"nodes":)" + deep + "}")), FailsWith(ErrorKind::kCorrupt));
}

TEST(HostileTree, OfManyNodesAndContentIdsIsReadWhole) {
  std::string ids = R"("2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881")";
  for (int doubling = 0; doubling < 17; ++doubling) ids += "," + ids;
  std::string nodes = R"({"name":"","type":"file"})";
  for (int i = 0; i < 100'000; ++i) nodes += "," + node(std::to_string(i));
  nodes += R"(,{"name":"large","type":"file","content":[)" + ids + "]}";
  const auto tree = parsed(tree_of(nodes));
  EXPECT_THAT(tree->nodes(), SizeIs(100'001));
  EXPECT_THAT(tree->find("large")->content, SizeIs(1 << 17));
  EXPECT_EQ(tree->find("large")->content.back().hex(), vectors::kDataBlobId);
}

}  // namespace
}  // namespace restree
