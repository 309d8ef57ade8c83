#include "repo/storage/location.h"

#include <gtest/gtest.h>

#include "tests/support/matchers.h"

namespace restree::testing {
namespace {

Location local(std::string path) { return {Location::Kind::kLocal, std::move(path), {}, {}, {}}; }
Location sftp(std::string user, std::string host, std::string path,
              std::optional<std::uint16_t> port = {}) {
  return {Location::Kind::kSftp, std::move(path), std::move(user), std::move(host), port};
}

struct Example {
  std::string text;
  Location location;
};
class LocationIs : public ::testing::TestWithParam<Example> {};

TEST_P(LocationIs, WhatResticTakesItFor) {
  EXPECT_EQ(value_of(parse_location(GetParam().text)), GetParam().location) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Examples, LocationIs,
    ::testing::Values(Example{"/srv/backup", local("/srv/backup")},
                      Example{"backup", local("backup")},
                      Example{"./backup/../x/", local("./backup/../x/")},
                      Example{"/srv/a:b", local("/srv/a:b")}, Example{"../a:b", local("../a:b")},
                      Example{"local:./a:b", local("./a:b")}, Example{"local:/srv", local("/srv")},
                      Example{"sftp:nas:backup", sftp("", "nas", "backup")},
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

TEST(Location, WhatCannotBeIsInvalid) {
  for (const std::string text : {"",
                                 "local:",
                                 "./a:b",
                                 "a:b",
                                 "ftp://x/y",
                                 "sftp:nas",
                                 "sftp:nas/path",
                                 "sftp::path",
                                 "sftp://nas",
                                 "sftp://nas/",
                                 "sftp:///path",
                                 "sftp://nas:0/x",
                                 "sftp://nas:99999/x",
                                 "sftp://nas:x/y",
                                 "sftp://[::1/x",
                                 "sftp://nas/%zz",
                                 "sftp://%2/x",
                                 "sftp:nas:~/x",
                                 "sftp://nas/~joe",
                                 "sftp:-oProxyCommand=x:y",
                                 "sftp://-oProxyCommand=x/y"}) {
    EXPECT_THAT(parse_location(text), FailsWith(ErrorKind::kInvalid)) << text;
  }
}

TEST(Location, OtherStorageOfResticsIsUnsupportedByName) {
  for (const std::string scheme : {"s3", "rest", "b2", "azure", "gs", "rclone", "swift"}) {
    const auto location = parse_location(scheme + ":something");
    ASSERT_THAT(location, FailsWith(ErrorKind::kUnsupported));
    EXPECT_THAT(location.error().message(), ::testing::HasSubstr(scheme + ":"));
  }
}

TEST(Location, DescriptionsCanBeUsedAsLocationsAndHoldNoPassword) {
  for (const std::string text : {"sftp:nas:backup", "sftp:joe@nas:/x", "sftp://joe@nas:2222//x",
                                 "sftp://joe:secret@nas/a", "sftp://[::1]:99/x", "/srv/x"}) {
    const Location location = value_of(parse_location(text));
    EXPECT_EQ(value_of(parse_location(location.description())), location);
    EXPECT_THAT(location.description(), ::testing::Not(::testing::HasSubstr("secret")));
  }
}

}  // namespace
}  // namespace restree::testing
