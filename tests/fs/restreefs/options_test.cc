#include "fs/restreefs/options.h"

#include <gmock/gmock.h>

#include <cctype>
#include <initializer_list>
#include <string>
#include <vector>

#include "fs/restreefs/option_help.h"
#include "tests/support/files.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

Result<ParsedCommandLine> parse(std::initializer_list<const char*> words) {
  std::vector<const char*> argv{"restreefs"};
  argv.insert(argv.end(), words);
  return parse_command_line(static_cast<int>(argv.size()), argv.data());
}

// The settings that a mount with these options would have.
RestreefsOptions options(const char* list) {
  return testing::value_of(parse({"/srv/repo", "/mnt", "-o", list})).options;
}

std::vector<std::string> kernel_options(const char* list) { return options(list).kernel; }

TEST(RestreefsOptions, WithoutAnyTheMountIsReadOnlyAndTrustsNoBackup) {
  const auto parsed = testing::value_of(parse({"/srv/repo", "/mnt"}));
  EXPECT_EQ(parsed.options.access.location, "/srv/repo");
  EXPECT_EQ(parsed.options.mount_point, "/mnt");
  EXPECT_THAT(parsed.options.kernel, UnorderedElementsAre("ro", "nosuid", "nodev"));
  EXPECT_FALSE(parsed.options.foreground);
  EXPECT_FALSE(parsed.options.lock);
  EXPECT_EQ(parsed.options.refresh, std::chrono::seconds(30));
  EXPECT_EQ(parsed.options.mount.memory_bytes, 64U << 20);
}

TEST(RestreefsOptions, NameASecondRepositoryWithAPasswordOfItsOwn) {
  const RestreefsOptions named = options(
      "password_file=/a,second=sftp:nas:b,second_password_file=/b,second_password_command=c,"
      "second_key_hint=d,second_insecure_no_password");
  EXPECT_EQ(named.access.password_file, "/a");
  EXPECT_FALSE(named.access.no_password);
  EXPECT_EQ(named.second.location, "sftp:nas:b");
  EXPECT_EQ(named.second.password_file, "/b");
  EXPECT_EQ(named.second.password_command, "c");
  EXPECT_EQ(named.second.key_hint, "d");
  EXPECT_TRUE(named.second.no_password);
}

TEST(RestreefsOptions, SayWhetherIndexFilesAreBelieved) {
  EXPECT_FALSE(options("uid=1").index_from_packs);
  EXPECT_TRUE(options("index=packs").index_from_packs);
  EXPECT_FALSE(options("index=packs,index=files").index_from_packs);
  RestreefsOptions refused;
  EXPECT_THAT(apply_option_list("index=headers", refused), FailsWith(ErrorKind::kInvalid));
}

TEST(RestreefsOptions, AMountPointAloneLeavesTheRepositoryToTheEnvironment) {
  const auto parsed = testing::value_of(parse({"/mnt", "-f"}));
  EXPECT_EQ(parsed.options.access.location, std::nullopt);
  EXPECT_EQ(parsed.options.mount_point, "/mnt");
  EXPECT_TRUE(parsed.options.foreground);
}

TEST(RestreefsOptions, TheCommandLineHasTheGrammarOfRestree) {
  const auto parsed = testing::value_of(
      parse({"-fo", "uid=1", "[a,b]", "-ogid=2", "--debug=false", "-o=refresh=3", "--", "-mnt"}));
  EXPECT_EQ(parsed.options.access.location, "[a,b]");
  EXPECT_EQ(parsed.options.mount_point, "-mnt");
  EXPECT_TRUE(parsed.options.foreground);
  EXPECT_FALSE(parsed.options.debug);
  EXPECT_EQ(parsed.options.mount.ownership.uid, 1U);
  EXPECT_EQ(parsed.options.mount.ownership.gid, 2U);
  EXPECT_EQ(parsed.options.refresh, std::chrono::seconds(3));
}

TEST(RestreefsOptions, WordsThatAreNotOptionsAreNamed) {
  const auto message = [](std::initializer_list<const char*> words) {
    return parse(words).error().message();
  };
  EXPECT_EQ(message({"a", "b", "--foo"}), "unknown flag: --foo");
  EXPECT_EQ(message({"a", "b", "-fx"}), "unknown shorthand flag: 'x' in -x");
  EXPECT_EQ(message({"a", "b", "-o"}), "flag needs an argument: 'o' in -o");
  EXPECT_EQ(message({"a", "b", "-f=maybe"}),
            "invalid argument \"maybe\" for \"-f\" flag: strconv.ParseBool: parsing \"maybe\": "
            "invalid syntax");
  EXPECT_EQ(message({"a", "b", "c"}), "more than two arguments are given");
}

TEST(RestreefsOptions, NoWordToTheKernelMakesTheMountWritable) {
  EXPECT_THAT(kernel_options("rw"), Contains("ro"));
  EXPECT_THAT(kernel_options("rw"), Not(Contains("rw")));
}

TEST(RestreefsOptions, OtherUsersComeInOnlyByTheRecordedPermissions) {
  EXPECT_THAT(kernel_options("allow_other"), Contains("default_permissions"));
  EXPECT_THAT(kernel_options("allow_root"), Not(Contains("default_permissions")));
  EXPECT_THAT(kernel_options("allow_other,no_default_permissions"),
              UnorderedElementsAre("ro", "nosuid", "nodev", "allow_other"));
}

TEST(RestreefsOptions, OfTwoOppositesTheLastCounts) {
  EXPECT_THAT(kernel_options("suid,nosuid"), Contains("nosuid"));
  EXPECT_THAT(kernel_options("nosuid,suid"), Not(Contains("nosuid")));
  EXPECT_THAT(kernel_options("nosuid,suid"), Contains("suid"));
  EXPECT_THAT(kernel_options("dev"), Contains("dev"));
  EXPECT_THAT(kernel_options("noexec,exec"), Not(Contains("noexec")));
}

// As seen from mount.fuse3 of Debian 12 for `mount -t fuse.restreefs`.
TEST(RestreefsOptions, WhatMountsHelperAddsForItselfDoesNotAllowSetuidPrograms) {
  EXPECT_THAT(kernel_options("ro,allow_other,dev,suid"), Contains("nosuid"));
  EXPECT_THAT(kernel_options("rw,dev,suid"), Contains("nodev"));
  EXPECT_THAT(kernel_options("rw,nosuid,dev"), Contains("nodev"));
}

TEST(RestreefsOptions, SetuidProgramsWishedForInFstabAreAllowed) {
  const auto kernel = kernel_options("rw,nodev,user=joe,exec,suid,suid");
  EXPECT_THAT(kernel, Not(Contains("nosuid")));
  EXPECT_THAT(kernel, Contains("nodev"));
}

TEST(RestreefsOptions, FstabAndSystemdMayWriteWhatTheyAlwaysWrite) {
  EXPECT_THAT(kernel_options("defaults,ro,noauto,nofail,_netdev,user=joe,users,relatime,"
                             "x-systemd.automount,x-systemd.idle-timeout=10min,X-mount.mkdir,"
                             "comment=backups"),
              UnorderedElementsAre("ro", "nosuid", "nodev"));
}

TEST(RestreefsOptions, AnUnknownOptionIsAnErrorThatNamesIt) {
  const auto parsed = parse({"/srv/repo", "/mnt", "-o", "allow_other,pasword_file=/x"});
  ASSERT_THAT(parsed, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(parsed.error().message(), HasSubstr("pasword_file"));
}

TEST(RestreefsOptions, ABackslashMakesACommaPartOfAValue) {
  EXPECT_EQ(options(R"(password_command=echo a\,b\\c,lock)").access.password_command,
            R"(echo a,b\c)");
  EXPECT_EQ(options(R"(log_file=C:\dir)").log_file, R"(C:\dir)");
}

TEST(RestreefsOptions, ATagWithCommasMeansAllOfItsTags) {
  EXPECT_THAT(options(R"(tag=a\,b,tag=c)").mount.names.filter.tag_lists,
              ElementsAre(ElementsAre("a", "b"), ElementsAre("c")));
}

TEST(RestreefsOptions, AValueStaysWhateverItHoldsBehindTheFirstEqualsSign) {
  EXPECT_EQ(options("ssh_command=ssh -o Port=2222").ssh.options.command, "ssh -o Port=2222");
}

TEST(RestreefsOptions, ARepositoryMayHaveNoPassword) {
  EXPECT_FALSE(options("lock").access.no_password);
  EXPECT_TRUE(options("insecure_no_password").access.no_password);
  const auto parsed = testing::value_of(parse({"--insecure-no-password", "/srv/repo", "/mnt"}));
  EXPECT_TRUE(parsed.options.access.no_password);
}

TEST(RestreefsOptions, SeveralListsAddUp) {
  const auto parsed =
      testing::value_of(parse({"-o", "lock", "/srv/repo", "-o", "refresh=5", "/mnt"}));
  EXPECT_TRUE(parsed.options.lock);
  EXPECT_EQ(parsed.options.refresh, std::chrono::seconds(5));
}

TEST(RestreefsOptions, SizesAreReadWithTheirUnit) {
  EXPECT_EQ(options("memory=32M").mount.memory_bytes, 32U << 20);
  EXPECT_EQ(options("memory=1g").mount.memory_bytes, 1U << 30);
}

TEST(RestreefsOptions, LimitsAreKibibytesASecond) {
  EXPECT_EQ(options("limit_download=4,limit_upload=2").download_limit, 4U << 10);
  EXPECT_EQ(options("limit_download=4,limit_upload=2").upload_limit, 2U << 10);
  EXPECT_EQ(options("lock,retry_lock=90").retry_lock, std::chrono::seconds(90));
}

TEST(RestreefsOptions, SayWhatTheCacheMayTake) {
  const CacheSettings cache =
      options("cache_dir=/srv/cache,cache_size=3G,cache_min_free=20%").cache;
  EXPECT_EQ(cache.folder, "/srv/cache");
  EXPECT_EQ(cache.limits.size_bytes, std::uint64_t{3} << 30);
  EXPECT_EQ(cache.limits.least_free_percent, 20U);
  EXPECT_FALSE(cache.off);
  EXPECT_TRUE(options("no_cache").cache.off);
  EXPECT_THAT(options("warm=wiki,warm=acme_gitea:2026-09-01T03-00-05Z").warm,
              ::testing::ElementsAre("wiki", "acme_gitea:2026-09-01T03-00-05Z"));
}

TEST(RestreefsOptions, MayNameAMomentOfThePast) {
  EXPECT_FALSE(options("ro").as_of);
  EXPECT_TRUE(options("as_of=2006-01-02 15:04").as_of);
}

TEST(RestreefsOptions, TemplatesOfPathsAddUp) {
  EXPECT_EQ(options("path_template=%i,path_template=a/%h/%T").mount.names.path_templates.size(),
            2U);
}

class BadOption : public ::testing::TestWithParam<const char*> {};

TEST_P(BadOption, IsRefused) {
  EXPECT_THAT(parse({"/srv/repo", "/mnt", "-o", GetParam()}), FailsWith(ErrorKind::kInvalid));
}

INSTANTIATE_TEST_SUITE_P(Values, BadOption,
                         ::testing::Values("memory=", "memory=1M", "memory=64X",
                                           "memory=99999999999999999999", "memory=-1", "refresh=0",
                                           "refresh=5s", "uid=root", "uid=4294967295", "umask=9",
                                           "umask=10000", "ssh_port=0", "ssh_port=65536",
                                           "connections=0", "timeout=0", "path=relative",
                                           "time_template=", "path_template=", "path_template=/%i",
                                           "path_template=a/../%i", "cache_size=0",
                                           "cache_min_free=101%", "no_cache=1", "warm=", "warm",
                                           "lock=1", "as_of=", "as_of=yesterday", "log_file", "=",
                                           "x"));

TEST(RestreefsOptions, MoreThanTwoPlacesAreRefused) {
  EXPECT_THAT(parse({}), FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(parse({"/srv/repo", "/mnt", "/more"}), FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(parse({"/srv/repo", "/mnt", "--frobnicate"}), FailsWith(ErrorKind::kInvalid));
}

TEST(RestreefsOptions, HelpAndVersionAreTextsAndNeedNoPlaces) {
  EXPECT_THAT(testing::value_of(parse({"--help"})).text.value_or(""), HasSubstr("REPOSITORY"));
  EXPECT_THAT(testing::value_of(parse({"-V"})).text.value_or(""), HasSubstr(RESTREE_VERSION));
}

// The names of a table without those that are only accepted, or passed on to the kernel unseen.
std::vector<std::string> names_with_help() {
  std::vector<std::string> names;
  for (const OptionHelpGroup& group : option_help()) {
    for (const OptionHelp& option : group.options) names.emplace_back(option.name);
  }
  return names;
}

TEST(RestreefsOptions, HaveALineOfHelpEachUnlessTheyHaveNoEffect) {
  std::vector<std::string> known = known_option_names();
  const std::vector<std::string> explained = names_with_help();
  for (const std::string& name : explained) {
    EXPECT_THAT(known, Contains(name));
    EXPECT_EQ(std::erase(known, name), 1) << name;
  }
  EXPECT_THAT(known,
              UnorderedElementsAre("sync", "async", "dirsync", "atime", "noatime", "ro", "rw",
                                   "auto", "noauto", "defaults", "user", "nouser", "users", "owner",
                                   "group", "_netdev", "nofail", "relatime", "norelatime",
                                   "strictatime", "nostrictatime", "diratime", "nodiratime",
                                   "lazytime", "nolazytime", "mand", "nomand", "silent", "loud",
                                   "comment", "helper", "uhelper", "subtype"));
  const std::string help = testing::value_of(parse({"-h"})).text.value_or("");
  for (const std::string& name : explained) EXPECT_THAT(help, HasSubstr("  " + name)) << name;
}

TEST(RestreefsOptions, StandInTheCompletionsOfEveryShell) {
  const std::string folder = RESTREE_SOURCE_DIR "/fs/restreefs/completions/";
  for (const char* file : {"restreefs", "restreefs.fish", "_restreefs"}) {
    std::string text = testing::read_file(folder + file);
    // Each name as a word: every other character may stand around it.
    for (char& c : text) {
      if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_') c = ' ';
    }
    for (const std::string& name : names_with_help()) {
      EXPECT_THAT(text, HasSubstr(" " + name + " ")) << file;
    }
  }
}

TEST(RestreefsOptions, MayNameTheSource) {
  EXPECT_EQ(options("fsname=restic").source_name, "restic");
  EXPECT_EQ(options("ro").source_name, "");
}

TEST(RestreefsOptions, AMountIsAnnouncedOnlyWhereItIsAskedFor) {
  EXPECT_TRUE(options("announce").announce);
  EXPECT_FALSE(options("ro").announce);
}

TEST(RestreefsOptions, DebuggingStaysInTheForeground) {
  EXPECT_TRUE(testing::value_of(parse({"/srv/repo", "/mnt", "-d"})).options.foreground);
  EXPECT_TRUE(options("debug").foreground);
}

}  // namespace
}  // namespace restree
