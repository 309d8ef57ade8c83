#include "repo/format/tree_references.h"

#include <gmock/gmock.h>

#include <string>

#include "tests/support/matchers.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;
using testing::value_of;

std::string hex(char digit) { return std::string(64, digit); }
BlobId id(char digit) { return *BlobId::parse(hex(digit)); }

TreeReferences references(const std::string& json) {
  return value_of(find_references(as_bytes(json)));
}

TEST(TreeReferences, AreTheContentOfFilesAndTheTreesOfFolders) {
  const auto found =
      references(R"({"nodes":[{"name":"f","type":"file","content":[")" + hex('a') + R"(",")" +
                 hex('b') + R"("],"mode":420},{"name":"d","type":"dir",)" +
                 R"("content":null,"subtree":")" + hex('c') + R"("}]})");
  EXPECT_THAT(found.data, ElementsAre(id('a'), id('b')));
  EXPECT_THAT(found.trees, ElementsAre(id('c')));
}

// Nothing of what a tree shows may depend on whether its nodes can be shown.
TEST(TreeReferences, AreThoseOfNodesThatCannotBeShown) {
  const auto found =
      references(R"({"nodes":[{"name":"../x","type":"file","content":[")" + hex('a') +
                 R"("]},{"type":"of tomorrow","subtree":")" + hex('b') +
                 R"("},{"name":"f"},{"name":"f","content":[")" + hex('c') + R"("]}]})");
  EXPECT_THAT(found.data, ElementsAre(id('a'), id('c')));
  EXPECT_THAT(found.trees, ElementsAre(id('b')));
}

TEST(TreeReferences, OfFieldsThatAreThereTwiceAreAll) {
  const auto found =
      references(R"({"nodes":[{"content":[")" + hex('a') + R"("],"content":[")" + hex('b') +
                 R"("]}],"nodes":[{"content":[")" + hex('c') + R"("]}]})");
  EXPECT_THAT(found.data, ElementsAre(id('a'), id('b'), id('c')));
}

TEST(TreeReferences, AreOnlyFieldsOfTheNodesThemselves) {
  const auto found = references(R"({"nodes":[{"extended_attributes":[{"subtree":")" + hex('a') +
                                R"("}]}],"subtree":")" + hex('b') + R"("})");
  EXPECT_THAT(found.data, IsEmpty());
  EXPECT_THAT(found.trees, IsEmpty());
  EXPECT_THAT(references(R"({"nodes":[]})").data, IsEmpty());
  EXPECT_THAT(references(R"({"nodes":null})").data, IsEmpty());
}

TEST(TreeReferences, AreNotKnownIfAnyOfThemCannotBeRead) {
  for (const std::string json :
       {R"({"nodes":[{"content":["12"]}]})", R"({"nodes":[{"content":[null]}]})",
        R"({"nodes":[{"content":"x"}]})", R"({"nodes":[{"subtree":7}]})", R"({"nodes":[7]})",
        R"({"nodes":[{"name":"f"})", R"({})", R"([])", ""}) {
    EXPECT_THAT(find_references(as_bytes(json)), FailsWith(ErrorKind::kCorrupt)) << json;
  }
}

}  // namespace
}  // namespace restree
