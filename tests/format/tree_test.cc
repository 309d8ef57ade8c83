#include "repo/format/tree.h"

#include <map>
#include <string>
#include <vector>

#include "repo/crypto/sha256.h"
#include "tests/format/parsed_tree.h"
#include "tests/format/vectors.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::value_of;

TreePointer vector_tree() { return parsed(vectors::tree_blob()); }

// A tree of one file with these fields besides name and type.
std::string file_with(const std::string& fields) {
  return R"({"nodes":[{"name":"f","type":"file")" + fields + "}]}";
}
Result<TreePointer> parse_file_with(const std::string& fields) {
  return Tree::parse(as_bytes(file_with(fields)));
}

constexpr std::uint16_t kAllBits = 07777;

TEST(Tree, OfARealDirectoryHasItsNamesInOrder) {
  ASSERT_EQ(to_hex(sha256(as_bytes(vectors::tree_blob()))), vectors::kTreeId);
  std::vector<std::string> names;
  const auto tree = vector_tree();
  for (const Node& node : tree->nodes()) names.emplace_back(node.name);
  EXPECT_THAT(names,
              ElementsAre("<a&b>", "all7", "back\\q\"", "blk", "dir", "empty", "fifo", "hl1", "hl2",
                          "ln", "lninv", "ls\u2028", "mode0", "nb\u00a0zwj\u200d", "null",
                          "pua\U000f0000", "tab\tnl\n\a\x7f", "xa", "é😀", "\xff\xfe"));
  EXPECT_THAT(tree->refused(), IsEmpty());
}

TEST(Tree, OfARealDirectoryHasItsTypes) {
  const auto tree = vector_tree();
  const std::map<std::string_view, NodeType> special = {
      {"blk", NodeType::kBlockDevice}, {"dir", NodeType::kDirectory},
      {"fifo", NodeType::kFifo},       {"ln", NodeType::kSymlink},
      {"lninv", NodeType::kSymlink},   {"null", NodeType::kCharDevice},
  };
  for (const Node& node : tree->nodes()) {
    const auto known = special.find(node.name);
    EXPECT_EQ(node.type, known == special.end() ? NodeType::kFile : known->second) << node.name;
  }
}

TEST(Tree, ALonelyFolderNamedLikeARootGivesItsTreeAsAStandIn) {
  const std::string id(64, 'a');
  const auto folder = [&](const std::string& name) {
    return R"({"name":")" + name + R"(","type":"dir","subtree":")" + id + "\"}";
  };
  const auto tree_of = [](const std::string& nodes) {
    return value_of(Tree::parse(as_bytes("{\"nodes\":[" + nodes + "]}")));
  };
  for (const char* name : {"/", "."}) {
    const auto tree = tree_of(folder(name));
    ASSERT_TRUE(tree->stand_in()) << name;
    EXPECT_EQ(tree->stand_in()->hex(), id);
    EXPECT_THAT(tree->refused(), SizeIs(1));
  }
  EXPECT_FALSE(tree_of(folder(".."))->stand_in());
  EXPECT_FALSE(tree_of(folder("/") + "," + folder("."))->stand_in());
  EXPECT_FALSE(tree_of(folder("/") + R"(,{"name":"f","type":"file"})")->stand_in());
  EXPECT_FALSE(tree_of(R"({"name":"/","type":"file"})")->stand_in());
}

TEST(Tree, ANodeOfUnknownTypeIsRefusedWithoutAnObjection) {
  const auto tree = [](const std::string& nodes) {
    return value_of(Tree::parse(as_bytes("{\"nodes\":[" + nodes + "]}")));
  };
  const std::string odd = R"({"name":"o","type":"whiteout"})";
  EXPECT_THAT(tree(odd)->refused(), SizeIs(1));
  EXPECT_EQ(tree(odd)->objection(), "");
  EXPECT_EQ(tree(odd + R"(,{"name":"..","type":"file"})")->objection(),
            tree(R"({"name":"..","type":"file"})")->refused().front());
}

TEST(Tree, ReadsAPlainFilesEveryField) {
  const auto tree = vector_tree();
  const Node* node = tree->find("<a&b>");
  ASSERT_NE(node, nullptr);
  EXPECT_TRUE(node->has_mode);
  EXPECT_EQ(node->permissions, 0644);
  EXPECT_EQ(node->mtime, parse_timestamp("2023-11-14T22:13:20.12Z"));
  EXPECT_EQ(node->atime, node->mtime);
  EXPECT_EQ(node->ctime, parse_timestamp("2026-11-22T20:40:49.702325215Z"));
  EXPECT_EQ(node->uid, 0u);
  EXPECT_EQ(node->gid, 0u);
  EXPECT_EQ(node->user, "root");
  EXPECT_EQ(node->group, "root");
  EXPECT_EQ(node->inode, 1359890u);
  EXPECT_EQ(node->device_id, 65024u);
  EXPECT_EQ(node->size, 1u);
  EXPECT_EQ(node->links, 1u);
  EXPECT_THAT(node->content, ElementsAre(value_of(BlobId::parse(vectors::kDataBlobId))));
  EXPECT_EQ(node->subtree, std::nullopt);
}

TEST(Tree, ReadsModesOwnersAndOldTimes) {
  const auto tree = vector_tree();
  EXPECT_EQ(tree->find("all7")->permissions, kAllBits);
  EXPECT_EQ(tree->find("all7")->mtime, parse_timestamp("1901-12-13T20:45:01Z"));
  EXPECT_EQ(tree->find("dir")->permissions, 01777);
  const Node* node = tree->find("mode0");
  EXPECT_FALSE(node->has_mode);
  EXPECT_EQ(node->permissions, 0);
  EXPECT_EQ(node->uid, 54321u);
  EXPECT_EQ(node->gid, 54322u);
  EXPECT_EQ(node->user, "");
  EXPECT_EQ(node->mtime, (Timestamp{0, 1}));
}

TEST(Tree, ReadsDevicesAndHardLinks) {
  const auto tree = vector_tree();
  EXPECT_EQ(tree->find("blk")->device, 1114924u);
  EXPECT_EQ(tree->find("blk")->permissions, 0640);
  EXPECT_EQ(tree->find("null")->device, 259u);
  EXPECT_EQ(tree->find("fifo")->permissions, 0600);
  EXPECT_EQ(tree->find("hl1")->inode, tree->find("hl2")->inode);
  EXPECT_EQ(tree->find("hl1")->links, 2u);
}

TEST(Tree, ReadsLinkTargetsAsTheBytesTheyWere) {
  const auto tree = vector_tree();
  EXPECT_EQ(tree->find("ln")->link_target, "a<b>&\"\\\b\f\n\r\t\x01\u2028/é");
  EXPECT_EQ(tree->find("lninv")->link_target, "bad\xff\xfe");
}

TEST(Tree, ReadsExtendedAttributesInTheirOrder) {
  const auto tree = vector_tree();
  const auto xattrs = tree->find("xa")->xattrs;
  ASSERT_THAT(xattrs, SizeIs(2));
  EXPECT_EQ(xattrs[0].name, "user.b");
  EXPECT_EQ(xattrs[0].value, "v");
  EXPECT_EQ(xattrs[1].name, "user.a");
  EXPECT_EQ(xattrs[1].value, "");
  ASSERT_THAT(tree->find("dir")->xattrs, SizeIs(1));
  EXPECT_EQ(tree->find("dir")->xattrs[0].value, std::string_view("\0\xff", 2));
}

TEST(Tree, ReadsSubtreesAndEmptyFiles) {
  const auto tree = vector_tree();
  EXPECT_EQ(tree->find("dir")->subtree, BlobId::parse(vectors::kEmptyTreeId));
  EXPECT_THAT(tree->find("empty")->content, IsEmpty());
  EXPECT_THAT(parsed("{\"nodes\":[]}\n")->nodes(), IsEmpty());
}

TEST(Tree, FindsEveryNameAndNoOther) {
  const auto tree = vector_tree();
  for (const Node& node : tree->nodes()) EXPECT_EQ(tree->find(node.name), &node);
  EXPECT_EQ(tree->find("nothing"), nullptr);
  EXPECT_EQ(tree->find(""), nullptr);
}

TEST(Tree, CountsItsMemory) {
  const auto tree = vector_tree();
  EXPECT_GT(tree->memory_bytes(), tree->nodes().size() * sizeof(Node));
  EXPECT_LT(tree->memory_bytes(), tree->nodes().size() * (sizeof(Node) + 200));
}

TEST(Tree, HoldsNumbersToTheirLastBit) {
  const auto tree = parsed(file_with(
      R"(,"mode":4294967295,"uid":4294967295,"gid":4294967295,"inode":18446744073709551615,)"
      R"("device_id":18446744073709551615,"size":18446744073709551615,"links":18446744073709551615)"));
  const Node* node = tree->find("f");
  EXPECT_EQ(node->permissions, kAllBits);
  EXPECT_EQ(node->uid, 0xffffffffu);
  EXPECT_EQ(node->inode, ~std::uint64_t{0});
  EXPECT_EQ(node->device_id, ~std::uint64_t{0});
  EXPECT_EQ(node->size, ~std::uint64_t{0});
  EXPECT_EQ(node->links, ~std::uint64_t{0});
}

TEST(Tree, TakesMalformedNumbersForNone) {
  for (const char* number : {"-1", "1.0", "1e3", "18446744073709551616", "01", "\"1\"", "true"}) {
    const auto tree = parsed(file_with(R"(,"inode":)" + std::string(number)));
    EXPECT_EQ(tree->find("f")->inode, 0U) << number;
    EXPECT_THAT(tree->odd(), ::testing::SizeIs(1)) << number;
  }
  EXPECT_THAT(parse_file_with(R"(,"inode":)"), FailsWith(ErrorKind::kCorrupt));
  const auto tree = parsed(file_with(R"(,"uid":4294967296,"mode":4294967296)"));
  EXPECT_EQ(tree->find("f")->uid, 65534U);
  EXPECT_FALSE(tree->find("f")->has_mode);
  EXPECT_THAT(tree->odd(), ::testing::SizeIs(1));
}

TEST(Tree, Of2015LacksMostFields) {
  const auto tree = parsed(file_with(
      R"(,"mode":420,"mtime":"2014-09-08T21:37:56.9+02:00","uid":1000,"gid":100,"content":["2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"])"));
  const Node* node = tree->find("f");
  EXPECT_EQ(node->links, 0u);
  EXPECT_EQ(node->device_id, 0u);
  EXPECT_EQ(node->atime, Timestamp{});
  EXPECT_THAT(node->content, SizeIs(1));
}

TEST(Tree, IgnoresFieldsThatItDoesNotKnow) {
  const auto tree = parsed(
      R"({"x":[[{"nodes":1}]],"nodes":[{"generic_attributes":{"windows.file_attributes":32,)"
      R"("name":"no"},"name":"f","type":"file","error":"","y":[1.5,-2,{"z":"}"}]}],"after":{}})");
  EXPECT_THAT(tree->nodes(), SizeIs(1));
  EXPECT_NE(tree->find("f"), nullptr);
}

TEST(Tree, TakesNullForAbsent) {
  const auto tree = parsed(file_with(
      R"(,"content":null,"extended_attributes":null,"user":null,"subtree":null,"mtime":null,)"
      R"("linktarget":null,"linktarget_raw":null,"mode":null)"));
  EXPECT_THAT(tree->find("f")->content, IsEmpty());
  EXPECT_FALSE(tree->find("f")->has_mode);
  EXPECT_THAT(parsed(R"({"nodes":null})")->nodes(), IsEmpty());
}

TEST(Tree, KeepsTheLastOfARepeatedField) {
  const auto tree = parsed(
      R"({"nodes":[{"name":"old","type":"file"}],"nodes":[{"name":"a","type":"file","uid":1,)"
      R"("name":"b","uid":2,"user":"x","user":"y"}]})");
  ASSERT_THAT(tree->nodes(), SizeIs(1));
  EXPECT_EQ(tree->nodes()[0].name, "b");
  EXPECT_EQ(tree->nodes()[0].uid, 2u);
  EXPECT_EQ(tree->nodes()[0].user, "y");
}

TEST(Tree, TellsOwnersApartThatDifferOnlyByTheirEscapes) {
  const auto tree = parsed(
      R"({"nodes":[{"name":"a","type":"file","user":"x\\u0062"},)"
      R"({"name":"b","type":"file","user":"x\u0062"},{"name":"c","type":"file","user":"xb"}]})");
  EXPECT_EQ(tree->find("a")->user, "x\\u0062");
  EXPECT_EQ(tree->find("b")->user, "xb");
  EXPECT_EQ(tree->find("c")->user, "xb");
}

TEST(Tree, NeverShowsMissingContentAsAnEmptyFile) {
  const auto tree = parsed(file_with(R"(,"size":5,"content":null)"));
  EXPECT_THAT(tree->find("f")->content, ElementsAre(BlobId{}));
  EXPECT_THAT(parsed(file_with(R"(,"size":5,"content":[null])"))->find("f")->content,
              ElementsAre(BlobId{}));
}

TEST(Tree, DropsFieldsThatANodesTypeCannotHave) {
  const auto tree = parsed(
      R"({"nodes":[{"name":"d","type":"dir","size":9,"linktarget":"x","device":7,"content":[)"
      R"("2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"]}]})");
  const Node& node = tree->nodes()[0];
  EXPECT_EQ(node.size, 0u);
  EXPECT_EQ(node.device, 0u);
  EXPECT_EQ(node.link_target, "");
  EXPECT_THAT(node.content, IsEmpty());
  EXPECT_EQ(node.subtree, std::nullopt);
}

TEST(SameNode, ComparesEveryFieldButNotTheOrderOfAttributes) {
  const auto node_with = [](const std::string& fields) { return parsed(file_with(fields)); };
  const auto same = [&](const std::string& a, const std::string& b) {
    const TreePointer one = node_with(a);
    const TreePointer other = node_with(b);
    return is_same_node(one->nodes()[0], other->nodes()[0]);
  };
  const std::string x = R"({"name":"user.x","value":"MQ=="})";
  const std::string y = R"({"name":"user.y","value":"Mg=="})";
  const std::string attributes = R"(,"extended_attributes":[)";
  EXPECT_TRUE(same(attributes + x + "," + y + "]", attributes + y + "," + x + "]"));
  EXPECT_FALSE(same(attributes + x + "," + y + "]", attributes + x + "]"));
  EXPECT_TRUE(same(R"(,"size":5,"uid":1)", R"(,"uid":1,"size":5)"));
  EXPECT_FALSE(same(R"(,"size":5)", R"(,"size":6)"));
  EXPECT_FALSE(same(R"(,"uid":1)", R"(,"uid":2)"));
  EXPECT_FALSE(same(R"(,"user":"a")", R"(,"user":"b")"));
}

}  // namespace
}  // namespace restree
