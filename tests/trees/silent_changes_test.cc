// Files that have another content, and the size and time that they had.
#include "repo/trees/silent_changes.h"

#include <chrono>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/memory_repository.h"

namespace restree {
namespace {

using testing::FailsWith;
using testing::file_node;
using testing::folder_node;
using testing::value_of;

class SilentChangesTest : public ::testing::Test {
 protected:
  Result<std::uint64_t> try_count(const BlobId& before, const BlobId& after,
                                  std::stop_token stop = {}) {
    builder_.finish();
    const auto repository = memory_.open();
    return count_silent_changes(*repository, before, after,
                                {.patience = std::chrono::seconds(60), .stop = std::move(stop)});
  }
  std::uint64_t count(const BlobId& before, const BlobId& after) {
    return value_of(try_count(before, after));
  }
  // `day`: of its last modification.
  std::string file(const std::string& content, int day = 1) {
    return file_node("f", {builder_.add_data(content)}, content.size(),
                     R"(,"mtime":"2026-01-0)" + std::to_string(day) + R"(T00:00:00Z")");
  }
  BlobId tree(const std::vector<std::string>& nodes) { return builder_.add_tree(nodes); }

  testing::MemoryRepository memory_;
  testing::RepositoryBuilder& builder_ = memory_.builder();
};

TEST_F(SilentChangesTest, AreThoseOfContentAlone) {
  EXPECT_EQ(count(tree({file("aaaa")}), tree({file("bbbb")})), 1U);
}

TEST_F(SilentChangesTest, AreNotThoseThatSizeOrTimeTells) {
  EXPECT_EQ(count(tree({file("aaaa")}), tree({file("bbbb", 2)})), 0U);
  EXPECT_EQ(count(tree({file("aaaa")}), tree({file("longer")})), 0U);
  EXPECT_EQ(count(tree({file("aaaa")}), tree({file("aaaa", 2)})), 0U);
  EXPECT_EQ(count(tree({file("aaaa")}), tree({})), 0U);
  EXPECT_EQ(count(tree({}), tree({file("aaaa")})), 0U);
  EXPECT_EQ(count(tree({file("aaaa")}), tree({folder_node("f", tree({file("bbbb")}))})), 0U);
}

TEST_F(SilentChangesTest, AreFoundBelowFoldersAndCountedOnceEach) {
  const auto root = [&](const std::string& content) {
    const BlobId inner = tree({file(content), folder_node("same", tree({file("same")}))});
    return tree({folder_node("a", inner), folder_node("z", tree({folder_node("b", inner)}))});
  };
  // Both have the same folder, which is looked at once.
  EXPECT_EQ(count(root("aaaa"), root("bbbb")), 1U);
  EXPECT_EQ(count(root("aaaa"), root("aaaa")), 0U);
}

TEST_F(SilentChangesTest, AFolderThatCannotBeReadHidesNoOther) {
  const BlobId lost = tree({file("lost")});
  const BlobId before = tree({folder_node("a", lost), folder_node("b", tree({file("aaaa")}))});
  const BlobId after =
      tree({folder_node("a", tree({file("else")})), folder_node("b", tree({file("bbbb")}))});
  builder_.finish();
  memory_.remove_packs_of(lost);
  EXPECT_EQ(count(before, after), 1U);
}

TEST_F(SilentChangesTest, EndsWhenItIsStopped) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THAT(try_count(tree({file("aaaa")}), tree({file("bbbb")}), stop.get_token()),
              FailsWith(ErrorKind::kCancelled));
}

}  // namespace
}  // namespace restree
