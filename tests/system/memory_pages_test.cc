#include "repo/system/memory_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "tests/support/matchers.h"

namespace restree {
namespace {

// Uses a mapping of its own, since memory in use elsewhere must not lose its content.
class GiveBackPages : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(memory_, MAP_FAILED);
    std::fill(view_.begin(), view_.end(), std::byte{7});
  }
  void TearDown() override { ::munmap(memory_, size_); }

  std::size_t pages_in_memory() const {
    std::vector<unsigned char> there(4);
    EXPECT_EQ(::mincore(memory_, size_, there.data()), 0);
    return static_cast<std::size_t>(
        std::count_if(there.begin(), there.end(), [](unsigned char one) { return one & 1; }));
  }

  const std::size_t page_ = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t size_ = 4 * page_;
  void* const memory_ =
      ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const MutableByteView view_{static_cast<std::byte*>(memory_), size_};
};

TEST_F(GiveBackPages, GivesOnlyWholePages) {
  give_back_pages(view_.subspan(page_ / 2, 2 * page_));
  EXPECT_EQ(pages_in_memory(), 3U);
  EXPECT_EQ(view_[page_ - 1], std::byte{7});
  EXPECT_EQ(view_[2 * page_], std::byte{7});
}

TEST_F(GiveBackPages, LessThanAPageStays) {
  give_back_pages(view_.subspan(1, page_ - 1));
  give_back_pages(view_.first(0));
  EXPECT_EQ(pages_in_memory(), 4U);
}

}  // namespace
}  // namespace restree
