#include "repo/format/tree_text.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/format/vectors.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;
using ::testing::Optional;
using testing::value_of;

std::string digits(char digit) { return std::string(64, digit); }
BlobId blob(char digit) { return *BlobId::parse(digits(digit)); }
std::string text_of_tree(const std::string& nodes) { return R"({"nodes":[)" + nodes + "]}\n"; }

// The tree with the nodes of these numbers. `json` must outlive the result.
std::string with_nodes(const std::string& json, const std::vector<std::size_t>& numbers) {
  const TreeText tree = value_of(parse_tree_text(as_bytes(json)));
  std::vector<std::string_view> nodes;
  for (const std::size_t number : numbers) nodes.push_back(tree.nodes.at(number).json);
  return write_tree_text(tree, nodes);
}
// What `change` makes of the one node of a tree.
template <class Change>
std::string changed(const std::string& node, Change change) {
  const std::string json = text_of_tree(node);
  return change(value_of(parse_tree_text(as_bytes(json))).nodes.at(0));
}
std::string with_other_content(const std::string& node, const std::vector<BlobId>& content,
                               std::uint64_t size) {
  return changed(node, [&](const NodeText& text) { return with_content(text, content, size); });
}

TEST(TreeText, OfARealTreeIsWrittenAsItWasRead) {
  const std::string json = vectors::tree_blob();
  const TreeText tree = value_of(parse_tree_text(as_bytes(json)));
  std::vector<std::string_view> nodes;
  nodes.reserve(tree.nodes.size());
  for (const NodeText& node : tree.nodes) nodes.push_back(node.json);
  EXPECT_EQ(write_tree_text(tree, nodes), json);
  EXPECT_THAT(write_tree_text(tree, {}), kEmptyTree);
}

TEST(TreeText, WithoutSomeNodesIsTheSameOtherwise) {
  const std::string json =
      "{ \"v\" : [1, {\"nodes\":[]}],\"nodes\": [ {\"name\":\"a\"} , {\"name\":\"b\",\"x\":{}},\n"
      " {\"name\":\"c\"} ],\"more\":\"]}\" }";
  EXPECT_EQ(with_nodes(json, {1, 2}),
            "{ \"v\" : [1, {\"nodes\":[]}],\"nodes\": [{\"name\":\"b\",\"x\":{}},{\"name\":\"c\"}],"
            "\"more\":\"]}\" }");
}

TEST(TreeText, HasTheFieldsThatCountOfEachNode) {
  const std::string json = text_of_tree(
      R"({"name":"a\\xff\\n\u00e9","type":"file","size":7,"content":[")" + digits('1') +
      R"("]},{"name":"d","type":"dir","content":null,"subtree":")" + digits('2') + R"("})");
  const TreeText tree = value_of(parse_tree_text(as_bytes(json)));
  EXPECT_EQ(tree.nodes[0].name, "a\xff\né");
  EXPECT_TRUE(tree.nodes[0].is_file());
  EXPECT_EQ(tree.nodes[0].size, 7U);
  EXPECT_EQ(tree.nodes[0].subtree, std::nullopt);
  EXPECT_THAT(content_of(tree.nodes[0]).ids, ElementsAre(Optional(blob('1'))));
  EXPECT_TRUE(tree.nodes[1].is_folder());
  EXPECT_THAT(tree.nodes[1].subtree, Optional(blob('2')));
  EXPECT_FALSE(content_of(tree.nodes[1]).is_list);
}

TEST(TreeText, AFieldThatCannotBeReadIsAsAbsent) {
  const std::string json =
      text_of_tree(R"({"name":"\\q","type":1,"size":-1,"subtree":"x","content":{}},{"name":7},)"
                   R"({"name":"f","type":"file","content":[null,"x",)" +
                   ("\"" + digits('1')) + R"("]})");
  const TreeText tree = value_of(parse_tree_text(as_bytes(json)));
  const NodeText& odd = tree.nodes[0];
  EXPECT_EQ(odd.name, "");
  EXPECT_EQ(odd.type, "");
  EXPECT_EQ(odd.size, 0U);
  EXPECT_EQ(odd.subtree, std::nullopt);
  EXPECT_FALSE(content_of(odd).is_list);
  EXPECT_EQ(tree.nodes[1].name, "");
  EXPECT_THAT(content_of(tree.nodes[2]).ids,
              ElementsAre(std::nullopt, std::nullopt, Optional(blob('1'))));
}

TEST(TreeText, OfNoTreeIsCorrupt) {
  for (const std::string json :
       {"", "no tree", "[]", "{}", R"({"nodes":{}})", R"({"nodes":[1]})", R"({"nodes":[null]})",
        R"({"nodes":[{"name":"a"])", R"({"nodes":[],"nodes":[]})", R"({"nodes":[]} more)"}) {
    EXPECT_THAT(parse_tree_text(as_bytes(json)), FailsWith(ErrorKind::kCorrupt)) << json;
  }
  EXPECT_THAT(value_of(parse_tree_text(as_bytes(std::string(R"({"nodes":null})")))).nodes,
              IsEmpty());
}

TEST(TreeText, AFolderGetsAnotherSubtreeInItsPlace) {
  const auto give = [](const std::string& node) {
    return changed(node, [](const NodeText& text) { return with_subtree(text, blob('b')); });
  };
  EXPECT_EQ(give(R"({"name":"d","subtree": ")" + digits('a') + R"(","x":[ 1 ]})"),
            R"({"name":"d","subtree": ")" + digits('b') + R"(","x":[ 1 ]})");
  EXPECT_EQ(give(R"({"name":"d","subtree":null})"),
            R"({"name":"d","subtree":")" + digits('b') + "\"}");
  EXPECT_EQ(give(R"({"name":"d" })"), R"({"name":"d" ,"subtree":")" + digits('b') + "\"}");
  EXPECT_EQ(give("{}"), R"({"subtree":")" + digits('b') + "\"}");
}

TEST(TreeText, AFileGetsOtherContentAndTheSizeThatGoesWithIt) {
  const std::string two = R"("content":[")" + digits('a') + R"(",")" + digits('b') + R"("])";
  EXPECT_EQ(
      with_other_content(R"({"name":"f","size":5,"links":1,)" + two + R"(,"x":1})", {blob('a')}, 3),
      R"({"name":"f","size":3,"links":1,"content":[")" + digits('a') + R"("],"x":1})");
  EXPECT_EQ(with_other_content(R"({"name":"f",)" + two + "}", {blob('b'), blob('a')}, 9),
            R"({"name":"f","size":9,"content":[")" + digits('b') + R"(",")" + digits('a') + "\"]}");
  EXPECT_EQ(with_other_content(R"({"name":"f","links":2,"content":null})", {blob('a')}, 1),
            R"({"name":"f","size":1,"links":2,"content":[")" + digits('a') + "\"]}");
  EXPECT_EQ(with_other_content(R"({"name":"f"})", {}, 0), R"({"name":"f","content":[]})");
  EXPECT_EQ(with_other_content(R"({"name":"f"})", {}, 4), R"({"name":"f","size":4,"content":[]})");
}

TEST(TreeText, ASizeOfZeroIsLeftOutAsByRestic) {
  EXPECT_EQ(with_other_content(R"({"name":"f","size":5,"content":[]})", {}, 0),
            R"({"name":"f","content":[]})");
  EXPECT_EQ(with_other_content(R"({"content":[],"size" : 5 })", {}, 0), R"({"content":[] })");
  EXPECT_EQ(with_other_content(R"({"size":5 , "content":[]})", {}, 0), R"({ "content":[]})");
}

}  // namespace
}  // namespace restree
