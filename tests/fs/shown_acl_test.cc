#include "fs/shown_acl.h"

#include <gtest/gtest.h>

#include <string>

namespace restree {
namespace {

// An ACL of the owner, a user, the group, the mask and others, with these permissions.
std::string acl(const std::string& permissions) {
  const std::string tags{1, 2, 4, 16, 32};
  std::string value{2, 0, 0, 0};
  for (std::size_t i = 0; i < tags.size(); ++i) {
    value += {tags[i], 0, static_cast<char>(permissions[i] - '0'), 0};
    value += tags[i] == 2 ? std::string{'\xd2', 4, 0, 0} : std::string(4, '\xff');
  }
  return value;
}

std::string as_shown(const std::string& attribute, std::string value, mode_t umask) {
  apply_umask_to_acl(attribute, value, umask);
  return value;
}

TEST(ShownAcl, LosesWhatTheUmaskTakes) {
  EXPECT_EQ(as_shown("system.posix_acl_access", acl("76547"), 0077), acl("70000"));
  EXPECT_EQ(as_shown("system.posix_acl_default", acl("76547"), 0077), acl("70000"));
  EXPECT_EQ(as_shown("system.posix_acl_access", acl("77777"), 0027), acl("75550"));
  EXPECT_EQ(as_shown("system.posix_acl_access", acl("77777"), 0200), acl("57777"));
}

TEST(ShownAcl, StaysAsItIsWithoutAUmask) {
  EXPECT_EQ(as_shown("system.posix_acl_access", acl("76547"), 0), acl("76547"));
  EXPECT_EQ(as_shown("system.posix_acl_access", acl("76547"), 07000), acl("76547"));
}

TEST(ShownAcl, WhatIsNoAclStaysAsItIs) {
  EXPECT_EQ(as_shown("user.note", acl("77777"), 0077), acl("77777"));
  for (const std::string& value : {std::string(), std::string("\2\0", 2), std::string(40, '\7')}) {
    EXPECT_EQ(as_shown("system.posix_acl_access", value, 0077), value);
  }
  // A last entry that is cut short is not touched, and nothing behind it is.
  const std::string cut = acl("77777").substr(0, 4 + 8 + 7);
  EXPECT_EQ(as_shown("system.posix_acl_access", cut, 0007), cut);
}

TEST(ShownAcl, OfAnotherKindIsHiddenByAUmaskOnly) {
  EXPECT_TRUE(is_hidden_by_umask("system.nfs4_acl", 0077));
  EXPECT_FALSE(is_hidden_by_umask("system.nfs4_acl", 0));
  EXPECT_FALSE(is_hidden_by_umask("system.posix_acl_access", 0077));
}

}  // namespace
}  // namespace restree
