#include <algorithm>
#include <memory>
#include <string>
#include <vector>

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

std::vector<std::string> names_of(const Tree& tree) {
  std::vector<std::string> names;
  for (const Node& each : tree.nodes()) names.emplace_back(each.name);
  return names;
}

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

TEST(HostileTree, ShowsAllNodesOfOneName) {
  const auto tree = parsed(
      tree_of(node("b") + "," + node("a", "dir") + "," + node("a") + "," + node("a", "fifo")));
  ASSERT_THAT(names_of(*tree), ElementsAre("a", "a-1", "a-2", "b"));
  EXPECT_EQ(tree->find("a")->type, NodeType::kDirectory);
  EXPECT_EQ(tree->find("a-1")->type, NodeType::kFile);
  EXPECT_EQ(tree->find("a-2")->type, NodeType::kFifo);
  EXPECT_THAT(
      tree->odd(),
      ElementsAre(HasSubstr(R"("a" appears more than once, and one of them is called "a-1")"),
                  HasSubstr(R"(called "a-2")")));
}

TEST(HostileTree, LeavesTheNameToTheFolderAmongSeveralNodes) {
  const auto tree =
      parsed(tree_of(node("a", "symlink") + "," + node("a", "fifo") + "," + node("a", "dir")));
  ASSERT_THAT(names_of(*tree), ElementsAre("a", "a-1", "a-2"));
  EXPECT_EQ(tree->find("a")->type, NodeType::kDirectory);
  EXPECT_EQ(tree->find("a-1")->type, NodeType::kSymlink);
  EXPECT_EQ(tree->find("a-2")->type, NodeType::kFifo);
}

TEST(HostileTree, GivesNoNameTwiceThatAnotherNodeHas) {
  const std::string long_name(255, 'x');
  const auto tree = parsed(tree_of(node("a") + "," + node("a") + "," + node("a-1") + "," +
                                   node("a-1") + "," + node(long_name) + "," + node(long_name)));
  EXPECT_THAT(names_of(*tree),
              ElementsAre("a", "a-1", "a-1-1", "a-2", std::string(253, 'x') + "-1", long_name));
}

TEST(HostileTree, OfManyNodesOfOneNameShowsThemAll) {
  std::string nodes = node("a");
  for (int i = 1; i < 20'000; ++i) nodes += "," + node("a");
  const auto tree = parsed(tree_of(nodes));
  EXPECT_THAT(tree->nodes(), SizeIs(20'000));
  EXPECT_NE(tree->find("a-19999"), nullptr);
  EXPECT_THAT(tree->odd(), SizeIs(21));
}

// A node "odd" with these fields between two others.
std::shared_ptr<const Tree> beside_others(const std::string& fields) {
  return parsed(
      tree_of(node("a") + R"(,{"name":"odd","type":"file",)" + fields + "}," + node("z")));
}

TEST(HostileTree, ShowsANodeWithoutTheFieldsThatCannotBeRead) {
  for (const char* field : {R"("mtime":"now")",
                            R"("mtime":"+12026-01-01T00:00:00Z")",
                            R"("atime":5)",
                            R"("ctime":"2026-13-01T00:00:00Z")",
                            R"("mode":4294967296)",
                            R"("mode":-1)",
                            R"("uid":4294967296)",
                            R"("gid":-1)",
                            R"("user":5)",
                            R"("user":"\x")",
                            R"("group":["a"])",
                            R"("inode":-1)",
                            R"("inode":1e3)",
                            R"("device_id":18446744073709551616)",
                            R"("size":"5")",
                            R"("size":1.5)",
                            R"("links":{})",
                            R"("linktarget":5)",
                            R"("device":true)",
                            R"("subtree":"x")",
                            R"("extended_attributes":5)",
                            R"("extended_attributes":[5,{"name":5},{"name":"a","value":"?"}])"}) {
    const auto tree = beside_others(field);
    EXPECT_THAT(names_of(*tree), ElementsAre("a", "odd", "z")) << field;
    EXPECT_THAT(tree->odd(), ElementsAre(HasSubstr(R"("odd" has fields that cannot be read: )")))
        << field;
  }
}

TEST(HostileTree, KeepsAllOtherFieldsOfAnOddNode) {
  const auto tree = beside_others(
      R"("mtime":"x","uid":-1,"gid":7,"user":5,"group":"g","links":-2,"mode":420,)"
      R"("extended_attributes":[{"name":5},{"name":"user.a","value":"YQ=="}],)"
      R"("content":["2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"],"size":9)");
  const Node* odd = tree->find("odd");
  ASSERT_NE(odd, nullptr);
  EXPECT_EQ(odd->mtime, Timestamp{});
  EXPECT_EQ(odd->uid, 65534U);  // and not root
  EXPECT_EQ(odd->gid, 7U);
  EXPECT_EQ(odd->user, "");
  EXPECT_EQ(odd->group, "g");
  EXPECT_EQ(odd->permissions, 0644);
  EXPECT_EQ(odd->size, 9U);
  ASSERT_THAT(odd->content, SizeIs(1));
  EXPECT_EQ(odd->content[0].hex(), vectors::kDataBlobId);
  ASSERT_THAT(odd->xattrs, SizeIs(1));
  EXPECT_EQ(odd->xattrs[0].name, "user.a");
  EXPECT_THAT(tree->odd(),
              ElementsAre(HasSubstr("read: mtime, uid, user, links, extended_attributes")));
}

TEST(HostileTree, ShowsContentThatCannotBeReadAsDamagedAndNotAsEmpty) {
  const std::string id(vectors::kDataBlobId);
  for (const std::string& content : {std::string("5"), std::string(R"("x")"),
                                     R"(["x",")" + id + R"("])", R"([")" + id + R"(",7])"}) {
    const auto tree = beside_others(R"("content":)" + content);
    const auto ids = tree->find("odd")->content;
    EXPECT_EQ(std::ranges::count(ids, BlobId{}), 1) << content;
    EXPECT_THAT(tree->odd(), SizeIs(1));
  }
}

TEST(HostileTree, LosesOnlyTheNodeThatCannotBeShownAtAll) {
  for (const char* odd :
       {"5", R"("a")", "[]", R"({"name":5,"type":"file"})", R"({"name":nul,"type":"file"})",
        R"({"name":"x","type":5})", R"({"name":"x","\q":1,"type":"file"})",
        R"({"name":"x","type":"symlink","linktarget":5})",
        R"({"name":"x","type":"symlink","linktarget":"a","linktarget_raw":"?"})",
        R"({"name":"x","type":"dev","device":-1})",
        R"({"name":"x","type":"chardev","device":"7"})"}) {
    const auto tree = parsed(tree_of(node("a") + "," + odd + "," + node("z")));
    EXPECT_THAT(names_of(*tree), ElementsAre("a", "z")) << odd;
    EXPECT_THAT(tree->refused(), SizeIs(1)) << odd;
    EXPECT_THAT(tree->remarks(), ElementsAre(HasSubstr("and is left out"))) << odd;
  }
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
                           R"({"nodes":[{"name":"a"b}]})",
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
  EXPECT_THAT(parsed(R"({"nodes":)" + deep + "}")->refused(), SizeIs(1));
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
