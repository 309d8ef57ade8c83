#include "repo/format/tree_parts.h"

#include <gtest/gtest.h>

#include <string>

namespace restree {
namespace {

const std::string kFirst = R"({"name":"a},{\"name\":\"b","type":"file"})";
const std::string kSecond =
    R"({"name":"c","type":"file","extended_attributes":[{"name":"d","value":""},{"name":"e"}]})";
const std::string kThird = R"({"name":"f","type":"dir"})";

TEST(TreeParts, AreCutWhereANodeBegins) {
  const std::string nodes = kFirst + "," + kSecond + "," + kThird;
  const std::size_t second = kFirst.size() + 1;
  const std::size_t third = second + kSecond.size() + 1;
  EXPECT_EQ(next_node(nodes, 0), second);
  EXPECT_EQ(next_node(nodes, 1), second);
  EXPECT_EQ(next_node(nodes, second), third);
  EXPECT_EQ(next_node(nodes, third), nodes.size());
  EXPECT_EQ(next_node(nodes, nodes.size()), nodes.size());
}

TEST(TreeParts, AreNotCutInsideOfAnOpenString) {
  const std::string nodes = kThird + R"(,{"name":"open)";
  EXPECT_EQ(next_node(nodes, 0), nodes.size());
}

TEST(TreeParts, AreThoseOfATreeThatHasNothingButNodes) {
  const std::string list = kFirst + "," + kThird;
  EXPECT_EQ(only_nodes_of("{\"nodes\":[" + list + "]}"), list);
  EXPECT_EQ(only_nodes_of("{\"nodes\":[" + list + "]}\n"), list);
  EXPECT_EQ(only_nodes_of("{\"nodes\":[]}"), "");
  EXPECT_EQ(only_nodes_of("{\"nodes\":]}"), std::nullopt);
  EXPECT_EQ(only_nodes_of("{\"x\":1,\"nodes\":[]}"), std::nullopt);
  EXPECT_EQ(only_nodes_of("{\"nodes\":[],\"x\":1}"), std::nullopt);
  EXPECT_EQ(only_nodes_of(""), std::nullopt);
}

TEST(TreeParts, AreOneList) {
  EXPECT_TRUE(is_one_list(kFirst + "," + kSecond));
  EXPECT_TRUE(is_one_list(""));
  EXPECT_FALSE(is_one_list(kFirst + R"(],"nodes":[)" + kSecond));
  EXPECT_FALSE(is_one_list(kFirst + "],[" + kSecond));
  EXPECT_FALSE(is_one_list(kFirst + "," + R"({"name":"g")"));
}

}  // namespace
}  // namespace restree
