#include "tools/cli/features.h"

#include <gmock/gmock.h>

#include "tests/support/matchers.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::value_of;

TEST(Features, ThoseOfResticAreAccepted) {
  EXPECT_THAT(value_of(check_features("")), IsEmpty());
  EXPECT_THAT(value_of(check_features("device-id-for-hardlinks,s3-restore=false")), IsEmpty());
  EXPECT_THAT(value_of(check_features("s3-restore,safe-forget-keep-tags=0")),
              ElementsAre("feature flag \"safe-forget-keep-tags\" is always enabled and will be "
                          "removed in a future release"));
}

TEST(Features, TheLastWordAboutOneCounts) {
  const auto is_on = [](std::string_view text) {
    return is_feature_on(kDeviceIdForHardlinks, text);
  };
  EXPECT_FALSE(is_on(""));
  EXPECT_TRUE(is_on("device-id-for-hardlinks"));
  EXPECT_TRUE(is_on("s3-restore=false,device-id-for-hardlinks=1"));
  EXPECT_FALSE(is_on("device-id-for-hardlinks,device-id-for-hardlinks=false"));
  EXPECT_TRUE(is_feature_on("backend-error-redesign", ""));
}

TEST(Features, NonsenseIsRefused) {
  EXPECT_EQ(check_features("nonsense").error().message(), "unknown feature flag \"nonsense\"");
  EXPECT_EQ(check_features("s3-restore,=1").error().message(), "unknown feature flag \"\"");
  EXPECT_EQ(
      check_features("s3-restore=maybe").error().message(),
      "failed to parse value \"maybe\" for feature flag s3-restore: strconv.ParseBool: parsing "
      "\"maybe\": invalid syntax");
}

}  // namespace
}  // namespace restree
