// Restores of trees that share subtrees: more paths than any machine has memory for.
#include "tests/restorer/restore_fixture.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class RestoreOfManyPlaces : public RestoreFixture {
 protected:
  // 10^40 paths, of 80 trees.
  BlobId tree_of_many_paths() {
    std::string one = file("f", "content");
    for (int level = 0; level < 40; ++level) {
      const BlobId below = repository_.builder().add_tree({one});
      std::vector<std::string> nodes;
      for (int i = 0; i < 10; ++i) nodes.push_back(folder_node("d" + std::to_string(i), below));
      one = folder_node("level", repository_.builder().add_tree(nodes));
    }
    return tree_of({one});
  }
};

TEST_F(RestoreOfManyPlaces, IsRefusedBeforeAnythingIsMadeIfMemoryCannotHoldThem) {
  options_.plan_bytes = 4 << 20;
  restore_tree(tree_of_many_paths());
  ASSERT_THAT(status_, FailsWith(ErrorKind::kLocalIo));
  EXPECT_THAT(status_.error().message(),
              AllOf(HasSubstr("nothing is restored"), HasSubstr("4 MiB of memory")));
  EXPECT_FALSE(fs::exists(target()));
}

// Listing them until this much memory is taken would end no sooner than the machine's own.
TEST_F(RestoreOfManyPlaces, IsRefusedOnceTheyAreCounted) {
  options_.plan_bytes = std::uint64_t{1} << 40;
  restore_tree(tree_of_many_paths());
  ASSERT_THAT(status_, FailsWith(ErrorKind::kLocalIo));
  EXPECT_FALSE(fs::exists(target()));
}

TEST_F(RestoreOfManyPlaces, MakesWhatAFilterLeaves) {
  options_.plan_bytes = 4 << 20;
  options_.select = [](const std::string& location, bool) {
    const bool is_first = location.find_first_of("123456789") == std::string::npos;
    return SelectVerdict{.selected = is_first, .children = is_first};
  };
  restore_tree(tree_of_many_paths());
  ASSERT_OK(status_);
  fs::path deepest = target();
  for (int level = 0; level < 40; ++level) deepest = deepest / "level" / "d0";
  EXPECT_EQ(read_file(deepest / "f"), "content");
}

}  // namespace
}  // namespace restree::testing
