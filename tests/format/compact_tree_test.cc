#include "repo/format/compact_tree.h"

#include <fmt/core.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/format/parsed_tree.h"
#include "tests/format/vectors.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;
std::string file_node(const std::string& name, const std::vector<BlobId>& content,
                      std::uint64_t size, const std::string& more = "") {
  std::string ids;
  for (const BlobId& id : content) ids += (ids.empty() ? "\"" : ",\"") + id.hex() + "\"";
  return R"({"name":")" + name + R"(","type":"file","size":)" + std::to_string(size) + more +
         R"(,"content":[)" + ids + "]}";
}

std::string tree_of(const std::vector<std::string>& nodes) {
  std::string json;
  for (const std::string& node : nodes) json += (json.empty() ? "" : ",") + node;
  return "{\"nodes\":[" + json + "]}";
}

void expect_same_nodes(const Tree& tree, const CompactTree& compact) {
  ASSERT_EQ(compact.nodes().size(), tree.nodes().size());
  std::uint32_t position = 0;
  for (const Node& node : tree.nodes()) {
    const Node again = compact.nodes()[position];
    EXPECT_TRUE(is_same_node(again, node)) << node.name;
    EXPECT_EQ(again.has_mode, node.has_mode) << node.name;
    EXPECT_EQ(compact.nodes().name(position), node.name);
    EXPECT_EQ(compact.find(node.name), position);
    ++position;
  }
}

TEST(CompactTree, HasEveryFieldOfARealDirectory) {
  const TreePointer tree = parsed(vectors::tree_blob());
  expect_same_nodes(*tree, *CompactTree::make(*tree));
}

TEST(CompactTree, KeepsTheLinesAboutNodesThatAreNotShown) {
  const TreePointer tree = parsed(tree_of({file_node("..", {}, 0), file_node("f", {}, 0)}));
  const auto compact = CompactTree::make(*tree);
  expect_same_nodes(*tree, *compact);
  EXPECT_THAT(compact->remarks(), SizeIs(1));
  EXPECT_EQ(compact->remarks(), tree->remarks());
}

TEST(CompactTree, OfAnEmptyDirectoryIsEmpty) {
  const auto compact = CompactTree::make(*parsed(tree_of({})));
  EXPECT_TRUE(compact->nodes().empty());
  EXPECT_EQ(compact->find("f"), std::nullopt);
}

TEST(CompactTree, FindsNoNameThatIsNotThere) {
  const auto compact =
      CompactTree::make(*parsed(tree_of({file_node("b", {}, 0), file_node("d", {}, 0)})));
  for (const std::string_view name : {"", "a", "bb", "c", "e"}) {
    EXPECT_EQ(compact->find(name), std::nullopt) << name;
  }
}

TEST(CompactTree, KeepsNumbersAtTheEndsOfTheirRanges) {
  const std::string most = "18446744073709551615";
  const auto node = [&](const std::string& name, const std::string& inode,
                        const std::string& time) {
    return file_node(name, {}, 0,
                     R"(,"inode":)" + inode + R"(,"device_id":)" + most + R"(,"links":)" + most +
                         R"(,"uid":4294967295,"mtime":")" + time + R"(","ctime":")" + time + "\"");
  };
  const std::string first = "0001-01-01T00:00:00.000000001Z";
  const std::string last = "9999-12-31T23:59:59.999999999Z";
  for (const bool upwards : {true, false}) {
    const TreePointer tree =
        parsed(tree_of({node("a", upwards ? "0" : most, upwards ? first : last),
                        node("b", upwards ? most : "0", upwards ? last : first)}));
    expect_same_nodes(*tree, *CompactTree::make(*tree));
  }
}

TEST(CompactTree, KeepsTheOrderOfExtendedAttributesAndSharesEqualLists) {
  const auto with = [](const std::string& name, const std::string& xattrs) {
    return file_node(name, {}, 0, ",\"extended_attributes\":[" + xattrs + "]");
  };
  const std::string one = R"({"name":"user.a","value":"YWJj"})";
  const std::string other = R"({"name":"user.b","value":null})";
  const TreePointer tree =
      parsed(tree_of({with("a", one), with("b", one + "," + other), with("c", other + "," + one),
                      with("d", one), file_node("e", {}, 0)}));
  const auto compact = CompactTree::make(*tree);
  expect_same_nodes(*tree, *compact);
  const auto names_of = [&](std::size_t position) {
    std::vector<std::string> names;
    for (const auto& xattr : compact->nodes()[position].xattrs) names.emplace_back(xattr.name);
    return names;
  };
  EXPECT_THAT(names_of(1), ElementsAre("user.a", "user.b"));
  EXPECT_THAT(names_of(2), ElementsAre("user.b", "user.a"));
  EXPECT_EQ(compact->nodes()[0].xattrs.data(), compact->nodes()[3].xattrs.data());
  EXPECT_FALSE(compact->nodes()[2].xattrs[0].has_value);
  EXPECT_THAT(names_of(4), ElementsAre());
}

// A tree that is parsed in parts of every size must be what it is as a whole, or fail as it does.
void expect_parts_make_the_whole(const std::string& json) {
  const auto whole = Tree::parse(as_bytes(json));
  for (std::size_t part_bytes = 1; part_bytes < json.size() + 2; part_bytes += 1 + part_bytes / 3) {
    const auto compact = CompactTree::parse(as_bytes(json), part_bytes);
    ASSERT_EQ(compact.has_value(), whole.has_value()) << json;
    if (!whole) {
      EXPECT_EQ(compact.error().message(), whole.error().message());
      continue;
    }
    expect_same_nodes(**whole, **compact);
    EXPECT_EQ((*compact)->remarks(), (*whole)->remarks());
  }
}

TEST(CompactTree, IsTheSameWhenItIsParsedInParts) {
  expect_parts_make_the_whole(vectors::tree_blob());
  std::vector<std::string> nodes;
  for (int i = 100; i < 140; ++i) {
    nodes.push_back(file_node("n" + std::to_string(i), {BlobId{}}, 7,
                              R"(,"extended_attributes":[{"name":"user.a","value":"YWJj"},)"
                              R"({"name":"user.b","value":"YWJj"}],"user":"u","inode":)" +
                                  std::to_string(i)));
  }
  expect_parts_make_the_whole(tree_of(nodes));
  expect_parts_make_the_whole(tree_of(nodes) + "\n");
}

TEST(CompactTree, IsTheSameInPartsWhereTheTextDeceives) {
  const std::string plain = file_node("m", {}, 0);
  const std::string quoting = file_node(R"(a},{\"name\":\"b\",\"type\":\"file\")", {}, 0);
  const std::string nested = file_node(
      "k", {}, 0, R"(,"unknown":[{"name":"x","type":"file"},{"name":"y","type":"file"}])");
  const std::string hostile = file_node("..", {}, 0);
  const std::string last = file_node("z", {}, 0);
  expect_parts_make_the_whole(tree_of({quoting, nested, plain, last}));
  expect_parts_make_the_whole(tree_of({last, plain, nested, quoting}));  // not in order
  expect_parts_make_the_whole(tree_of({plain, plain, plain, last}));     // names that repeat
  expect_parts_make_the_whole(tree_of({hostile, plain, hostile, last}));
  expect_parts_make_the_whole(tree_of({}));
  // Two lists, of which the last counts, and a list that is not of nodes.
  expect_parts_make_the_whole("{\"nodes\":[" + plain + "," + last + "],\"nodes\":[" + plain + "," +
                              last + "]}");
  expect_parts_make_the_whole("{\"nodes\":[" + plain + "," + last + "],\"other\":[" + plain + "," +
                              last + "]}");
}

TEST(CompactTree, FailsInPartsAsTheWholeDoes) {
  const std::string good = file_node("a", {}, 0) + "," + file_node("b", {}, 0) + ",";
  for (const std::string bad :
       {R"({"name":"c","type":"file","uid":"x"})", R"({"name":"c","type":"file")", R"("c")", "",
        R"({"name":"c","type":"file"}],[{"name":"d","type":"file"})"}) {
    expect_parts_make_the_whole(fmt::format(R"({{"nodes":[{}{}]}})", good, bad));
  }
}

// As restic writes them: 20 bytes of name, one chunk, times with nanoseconds.
TEST(CompactTree, CostsAtMostAHundredBytesAnEntry) {
  constexpr std::size_t kEntries = 20'000;
  std::mt19937_64 random(7);
  std::vector<std::string> nodes;
  for (std::size_t i = 0; i < kEntries; ++i) {
    BlobId chunk;
    for (std::byte& byte : chunk.bytes) byte = static_cast<std::byte>(random());
    const auto time = [&] {
      return "\"2026-0" + std::to_string(1 + random() % 9) + "-1" + std::to_string(random() % 10) +
             "T03:00:05." + std::to_string(100'000'000 + random() % 900'000'000) + "+02:00\"";
    };
    const std::string mtime = time();
    nodes.push_back(file_node(
        "entry-of-a-mailbox-" + std::to_string(100'000 + i), {chunk}, random() % 2'000'000,
        fmt::format(R"(,"mtime":{0},"atime":{0},"ctime":{1},"mode":420,"uid":1000,"gid":1000,)"
                    R"("user":"mail","group":"mail","links":1,"device_id":2049,"inode":{2})",
                    mtime, time(), 5'000'000 + i)));
  }
  const TreePointer tree = parsed(tree_of(nodes));
  const auto compact = CompactTree::make(*tree);
  expect_same_nodes(*tree, *compact);
  EXPECT_LE(compact->memory_bytes(), 100 * kEntries);
}

}  // namespace
}  // namespace restree
