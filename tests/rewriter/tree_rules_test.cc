#include "repo/rewriter/tree_rules.h"

#include <gmock/gmock.h>

#include <map>
#include <string>

#include "tests/support/matchers.h"

namespace restree {
namespace {

using ::testing::IsEmpty;
using ::testing::Optional;
using testing::value_of;

NodeText file() { return {.json = "{}", .name = "n", .type = "file"}; }
NodeText folder() { return {.json = "{}", .name = "n", .type = "dir"}; }

PatternFilter filter(const std::vector<std::string>& patterns) {
  return value_of(PatternFilter::make({.patterns = patterns}, "exclude"));
}

TEST(ExcludeRules, LeaveOutWhatMatches) {
  const ExcludeRules rules(filter({"*.o", "/tmp"}));
  EXPECT_FALSE(rules.judge(file(), "/src/a.o").stays);
  EXPECT_EQ(rules.judge(file(), "/src/a.o").remark, NodeRemark::kExcluded);
  EXPECT_FALSE(rules.judge(folder(), "/tmp").stays);
  EXPECT_TRUE(rules.judge(folder(), "/src/tmp").stays);
  EXPECT_TRUE(rules.judge(file(), "/src/a.c").stays);
  EXPECT_TRUE(rules.judge_empty("/src").stays);
  EXPECT_TRUE(rules.look_at_paths());
}

TEST(ExcludeRules, WithoutPatternsLeaveAllAndLookAtNoPath) {
  const ExcludeRules rules((PatternFilter()));
  EXPECT_TRUE(rules.judge(file(), "/a").stays);
  EXPECT_FALSE(rules.look_at_paths());
}

TEST(IncludeRules, LeaveOnlyFilesThatMatch) {
  const IncludeRules rules(filter({"/src", "!*.o"}));
  EXPECT_TRUE(rules.judge(file(), "/src/a.c").stays);
  EXPECT_EQ(rules.judge(file(), "/src/a.c").remark, NodeRemark::kIncluded);
  EXPECT_FALSE(rules.judge(file(), "/src/a.o").stays);
  EXPECT_FALSE(rules.judge(file(), "/etc/a.c").stays);
}

TEST(IncludeRules, LeaveAFolderIfItMatchesOrSomethingInIt) {
  const IncludeRules rules(filter({"/src"}));
  EXPECT_TRUE(rules.judge(folder(), "/etc").stays) << "its nodes decide";
  EXPECT_EQ(rules.judge(folder(), "/src").remark, NodeRemark::kNone);
  EXPECT_FALSE(rules.judge_empty("/etc").stays);
  EXPECT_FALSE(rules.judge_empty("/").stays);
  EXPECT_TRUE(rules.judge_empty("/src/empty").stays);
  EXPECT_EQ(rules.judge_empty("/src/empty").remark, NodeRemark::kIncludedFolder);
}

class RepairRulesTest : public ::testing::Test {
 protected:
  static std::string hex(char digit) { return std::string(64, digit); }
  // A file that records this size and these blobs, each named by a digit.
  JudgedNode judge_file(std::uint64_t size, const std::string& digits) {
    std::string ids;
    for (const char digit : digits) ids += (ids.empty() ? "\"" : ",\"") + hex(digit) + "\"";
    json_ = R"({"name":"f","type":"file","size":)" + std::to_string(size) + R"(,"content":[)" +
            ids + "]}";
    return judge(json_);
  }
  JudgedNode judge(const std::string& node) {
    tree_ = R"({"nodes":[)" + node + "]}";
    const TreeText text = value_of(parse_tree_text(as_bytes(tree_)));
    return rules_.judge(text.nodes.at(0), "/f");
  }

  const std::map<BlobId, std::uint32_t> sizes_{{*BlobId::parse(hex('a')), 10},
                                               {*BlobId::parse(hex('b')), 20}};
  RepairRules rules_{[this](const BlobId& id) -> std::optional<std::uint32_t> {
    const auto found = sizes_.find(id);
    if (found == sizes_.end()) return std::nullopt;
    return found->second;
  }};
  std::string json_;
  std::string tree_;
};

TEST_F(RepairRulesTest, AWholeFileStaysAsItIs) {
  const JudgedNode judged = judge_file(40, "aba");
  EXPECT_TRUE(judged.stays);
  EXPECT_EQ(judged.json, std::nullopt);
  EXPECT_EQ(judged.remark, NodeRemark::kNone);
}

TEST_F(RepairRulesTest, BlobsThatLackAreCutOutOfAFile) {
  const JudgedNode judged = judge_file(100, "acb");
  EXPECT_TRUE(judged.stays);
  EXPECT_EQ(judged.remark, NodeRemark::kContentCut);
  EXPECT_THAT(judged.json, Optional(R"({"name":"f","type":"file","size":30,"content":[")" +
                                    hex('a') + R"(",")" + hex('b') + "\"]}"));
  EXPECT_THAT(judge_file(5, "c").json,
              Optional(std::string(R"({"name":"f","type":"file","content":[]})")));
}

TEST_F(RepairRulesTest, AFileGetsTheSizeOfItsBlobs) {
  const JudgedNode judged = judge_file(31, "ab");
  EXPECT_EQ(judged.remark, NodeRemark::kSizeFixed);
  EXPECT_THAT(judged.json, Optional(R"({"name":"f","type":"file","size":30,"content":[")" +
                                    hex('a') + R"(",")" + hex('b') + "\"]}"));
}

TEST_F(RepairRulesTest, AFileWithoutAListOfBlobsGetsAnEmptyOne) {
  const JudgedNode judged = judge(R"({"name":"f","type":"file","content":null})");
  EXPECT_EQ(judged.remark, NodeRemark::kNone);
  EXPECT_THAT(judged.json, Optional(std::string(R"({"name":"f","type":"file","content":[]})")));
}

TEST_F(RepairRulesTest, NodesThatAreNothingGoAndOthersStay) {
  for (const std::string type : {"", "irregular"}) {
    const JudgedNode judged = judge(R"({"name":"n","type":")" + type + "\"}");
    EXPECT_FALSE(judged.stays) << type;
    EXPECT_EQ(judged.remark, NodeRemark::kInvalidType);
  }
  EXPECT_EQ(judge(R"({"name":"\\q","type":"file"})").remark, NodeRemark::kInvalidName);
  for (const std::string type : {"dir", "symlink", "of tomorrow"}) {
    const JudgedNode judged = judge(R"({"name":"n","type":")" + type + R"(","content":null})");
    EXPECT_TRUE(judged.stays) << type;
    EXPECT_EQ(judged.json, std::nullopt) << type;
  }
}

}  // namespace
}  // namespace restree
