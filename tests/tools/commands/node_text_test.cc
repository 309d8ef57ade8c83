#include "tools/commands/node_text.h"

#include <gmock/gmock.h>

namespace restree {
namespace {

TEST(ModeText, IsAsGoPrintsAFileMode) {
  EXPECT_EQ(mode_text(420), "-rw-r--r--");
  EXPECT_EQ(mode_text(2147484141), "drwxr-xr-x");
  EXPECT_EQ(mode_text(2148532735), "dtrwxrwxrwx");
  EXPECT_EQ(mode_text(134218239), "Lrwxrwxrwx");
  EXPECT_EQ(mode_text(13631999), "ugtrwxrwxrwx");
  EXPECT_EQ(mode_text(69206436), "Dcrw-r--r--");
  EXPECT_EQ(mode_text(0), "----------");
}

TEST(GoTime, HasTheZoneTwiceUnlessItIsUtc) {
  const Timestamp time = *parse_timestamp("2026-09-01T03:00:05.12Z");
  EXPECT_EQ(go_time({time, 0}), "2026-09-01 03:00:05.12 +0000 UTC");
  EXPECT_EQ(go_time({time, -12600}), "2026-08-31 23:30:05.12 -0330 -0330");
}

Node symlink() {
  Node node{};
  node.type = NodeType::kSymlink;
  node.has_mode = true;
  node.permissions = 0777;
  node.uid = 7;
  node.gid = 42;
  node.link_target = "to";
  return node;
}

TEST(LongLine, HasModeOwnerSizeTimeAndPath) {
  const Node node = symlink();
  EXPECT_EQ(long_line("/l", node, Sizes::kBytes),
            "Lrwxrwxrwx     7    42      0 " + local_time({}) + " /l -> to");
  EXPECT_EQ(long_line("/l", node, Sizes::kHuman),
            "Lrwxrwxrwx     7    42 0 B " + local_time({}) + " /l -> to");
}

}  // namespace
}  // namespace restree
