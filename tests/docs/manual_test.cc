// The manual page and the program know the same options.
#include <gmock/gmock.h>

#include "fs/restreefs/options.h"
#include "tests/support/manual_page.h"

namespace restree {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAreArray;

TEST(Manual, DocumentsEveryOptionOnceAndNoOther) {
  const auto documented =
      testing::documented_names(RESTREE_SOURCE_DIR "/man/restreefs.8", "MOUNT OPTIONS");
  ASSERT_THAT(documented, Not(IsEmpty()));
  EXPECT_THAT(documented, UnorderedElementsAreArray(known_option_names()));
}

}  // namespace
}  // namespace restree
