#include "repo/crypto/secret.h"

#include <cstring>
#include <utility>

#include "tests/support/matchers.h"

namespace restree {
namespace {

TEST(Secret, WipesTheStringItTakes) {
  std::string plain = "short";  // kept inside the string object itself
  const Secret secret(std::move(plain));
  EXPECT_EQ(secret.text(), "short");
  EXPECT_EQ(std::memchr(&plain, 's', sizeof plain), nullptr);
}

TEST(Secret, LeavesNothingBehindWhenMoved) {
  Secret first(std::string("short"));
  const Secret second = std::move(first);
  EXPECT_EQ(second.text(), "short");
  EXPECT_TRUE(first.empty());
  EXPECT_EQ(std::memchr(&first, 's', sizeof first), nullptr);
}

TEST(Secret, IsReplacedByAssignment) {
  Secret secret(std::string("old"));
  secret = Secret(std::string("new and longer than any small string"));
  EXPECT_EQ(secret.text(), "new and longer than any small string");
}

TEST(Secret, ClonesHoldTheSameBytes) {
  const Secret secret(std::string("a\0b", 3));
  EXPECT_EQ(secret.clone().text(), std::string_view("a\0b", 3));
  EXPECT_EQ(secret.size(), 3u);
}

TEST(WipeMemory, LeavesZeros) {
  Bytes bytes = Bytes::copy_of(as_bytes("key"));
  wipe_memory(bytes.view());
  EXPECT_EQ(as_text(bytes), std::string_view("\0\0\0", 3));
}

}  // namespace
}  // namespace restree
