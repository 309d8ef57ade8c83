#include "repo/storage/rclone/obscured.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/matchers.h"

namespace restree {
namespace {

using testing::FailsWith;
using testing::value_of;

// Made by openssl 3.0.17: base64url(IV ‖ `openssl enc -aes-256-ctr -K … -iv … -nosalt`).
TEST(Obscured, PasswordsThatOpensslHasHiddenAreRevealed) {
  EXPECT_EQ(value_of(revealed("AAECAwQFBgcICQoLDA0OD2LwFVdisTSqpU56FmE")).text(), "correct horse");
  EXPECT_EQ(value_of(revealed("_-7dzLuqmYh3ZlVEMyIRADIMTJEyJ6dHazTQQ7gn")).text(),
            "pass w\xc3\xb6rd \xe2\x82\xac");
  EXPECT_EQ(value_of(revealed("--__--__--__--__--__APoNUeJNPg")).text(), "\xfb\xff\xbf~~~");
  // The counter runs over all 128 bits.
  EXPECT_EQ(value_of(revealed("_____________________5Rrr9tkSvPhyj8dZ4uDrbo8o9EaLYfQuVlJbFOL_eF1s-"
                              "yLtrMVAac"))
                .text(),
            std::string(40, 'x'));
  EXPECT_EQ(value_of(revealed("AAECAwQFBgcICQoLDA0ODw")).text(), "");
}

// By `rclone obscure` 1.60.1.
TEST(Obscured, PasswordsThatRcloneHasHiddenAreRevealed) {
  EXPECT_EQ(value_of(revealed("fqIgm7FzIslwp76aqzXk9MGS5W2E6iMeAL7l0SM")).text(), "correct horse");
  EXPECT_EQ(value_of(revealed("ZDtpgsiMD1oqJ7BTulLrhR2GFH8RkSZU")).text(), "gr\xc3\xbcn&%$");
}

TEST(Obscured, WhatIsNotObscuredIsInvalidAndNotShown) {
  for (const std::string text : {"geheim", "correct horse", "AAECAwQFBgcICQoLDA0OD+==",
                                 "AAEC/wQFBgcICQoLDA0ODw", "AAECAwQFBgcICQoLDA0OD2Lw\xff", ""}) {
    const auto password = revealed(text);
    ASSERT_THAT(password, FailsWith(ErrorKind::kInvalid)) << text;
    if (text.empty()) continue;
    EXPECT_THAT(password.error().for_people(), ::testing::Not(::testing::HasSubstr(text)));
  }
}

}  // namespace
}  // namespace restree
