#include "repo/storage/sftp/sftp_location.h"

#include <gtest/gtest.h>

#include <utility>

#include "tests/support/matchers.h"

namespace restree::testing {
namespace {

SftpLocation sftp(std::string user, std::string host, std::string path,
                  std::optional<std::uint16_t> port = {}) {
  return {std::move(path), std::move(user), std::move(host), port};
}

struct Example {
  std::string text;
  SftpLocation location;
};
class SftpLocationIs : public ::testing::TestWithParam<Example> {};

TEST_P(SftpLocationIs, ParsedAsResticParsesIt) {
  EXPECT_EQ(value_of(parse_sftp_location(GetParam().text)), GetParam().location) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Examples, SftpLocationIs,
    ::testing::Values(Example{"sftp:nas:backup", sftp("", "nas", "backup")},
                      Example{"sftp:joe@nas:/srv//x/../y/", sftp("joe", "nas", "/srv/y")},
                      Example{"sftp:nas:", sftp("", "nas", ".")},
                      Example{"sftp:nas:../up", sftp("", "nas", "../up")},
                      Example{"sftp:a@b@nas:x", sftp("a@b", "nas", "x")},
                      Example{"sftp://nas/x", sftp("", "nas", "x")},
                      Example{"sftp://nas//x", sftp("", "nas", "/x")},
                      Example{"sftp://nas:2222//x", sftp("", "nas", "/x", 2222)},
                      Example{"sftp://joe@nas:2222/a/b", sftp("joe", "nas", "a/b", 2222)},
                      Example{"sftp://joe:secret@nas/a", sftp("joe", "nas", "a")},
                      Example{"sftp://j%40x@nas/a%20b%2Fc", sftp("j@x", "nas", "a b/c")},
                      Example{"sftp://u@[::1]:22//x", sftp("u", "::1", "/x", 22)},
                      Example{"sftp://[fe80::1]/x", sftp("", "fe80::1", "x")}));

TEST(SftpLocation, TextsThatCannotBeALocationAreInvalid) {
  for (const std::string text :
       {"sftp:nas", "sftp:nas/path", "sftp::path", "sftp://nas", "sftp://nas/", "sftp:///path",
        "sftp://nas:0/x", "sftp://nas:99999/x", "sftp://nas:x/y", "sftp://[::1/x", "sftp://nas/%zz",
        "sftp://%2/x", "sftp:nas:~/x", "sftp://nas/~joe", "sftp:-oProxyCommand=x:y",
        "sftp://-oProxyCommand=x/y"}) {
    EXPECT_THAT(parse_sftp_location(text), FailsWith(ErrorKind::kInvalid)) << text;
  }
}

TEST(SftpLocation, DescriptionsCanBeUsedAsLocationsAndHoldNoPassword) {
  for (const std::string text : {"sftp:nas:backup", "sftp:joe@nas:/x", "sftp://joe@nas:2222//x",
                                 "sftp://joe:secret@nas/a", "sftp://[::1]:99/x"}) {
    const SftpLocation location = value_of(parse_sftp_location(text));
    EXPECT_EQ(value_of(parse_sftp_location(location.description())), location);
    EXPECT_THAT(location.description(), ::testing::Not(::testing::HasSubstr("secret")));
  }
}

TEST(SftpLocation, WhyALocationIsInvalidIsSaidWithoutItsPassword) {
  for (const std::string text :
       {"sftp://joe:secret@nas:port/x", "sftp://joe:secret@nas", "sftp://joe:sec/ret@nas:22/x",
        "sftp://joe:secret@/x", "sftp://joe:s@secret@nas:0/x", "sftp://j%2:secret@nas/x"}) {
    const auto location = parse_sftp_location(text);
    ASSERT_THAT(location, FailsWith(ErrorKind::kInvalid)) << text;
    EXPECT_THAT(location.error().message(),
                ::testing::AllOf(::testing::HasSubstr(":***@"),
                                 ::testing::Not(::testing::HasSubstr("sec"))));
  }
}

}  // namespace
}  // namespace restree::testing
