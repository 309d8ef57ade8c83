#include "repo/crypto/secret.h"

#include <functional>
#include <string_view>
#include <utility>

#include "tests/support/matchers.h"

namespace restree {
namespace {

using ::testing::Each;

// True if the text lies in the object itself, whose memory stays when the text is moved away.
template <typename Object>
bool lies_in(const Object& object, std::string_view text) {
  const auto* const begin = reinterpret_cast<const char*>(&object);
  const std::less_equal<> at_most;
  return at_most(begin, text.data()) && at_most(text.data() + text.size(), begin + sizeof object);
}

TEST(Secret, WipesTheStringItTakes) {
  std::string plain = "short";  // kept inside the string object itself
  const std::string_view where = plain;
  ASSERT_TRUE(lies_in(plain, where));
  const Secret secret(std::move(plain));
  EXPECT_EQ(secret.text(), "short");
  EXPECT_THAT(where, Each('\0'));
}

TEST(Secret, LeavesNothingBehindWhenMoved) {
  Secret first(std::string("short"));
  const std::string_view where = first.text();
  ASSERT_TRUE(lies_in(first, where));
  const Secret second = std::move(first);
  EXPECT_EQ(second.text(), "short");
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): a Secret promises this
  EXPECT_THAT(where, Each('\0'));
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
