#include "repo/storage/ssh/known_hosts.h"

#include <gmock/gmock.h>

#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

bool no_hashes(std::string_view, const std::string&) { return false; }

KnownHosts known(const std::string& name, std::string_view text) {
  KnownHosts hosts(name);
  hosts.add_file(text, "file", no_hashes);
  return hosts;
}

using Verdict = KnownHosts::Verdict;

TEST(KnownHosts, ANameWithAPortIsInBracketsAndLowerCase) {
  EXPECT_EQ(KnownHosts::name_of("NAS.lan", 22), "nas.lan");
  EXPECT_EQ(KnownHosts::name_of("NAS.lan", 2222), "[nas.lan]:2222");
}

TEST(KnownHosts, KnowsAKeyByNameListAndPattern) {
  for (const std::string names : {"nas", "NAS", "other,nas", "n?s", "*", "x*,n*", "na*s"}) {
    EXPECT_EQ(known("nas", names + " ssh-ed25519 AAAA c\n").judge("ssh-ed25519", "AAAA"),
              Verdict::kKnown)
        << names;
  }
  for (const std::string names : {"na", "nass", "other", "?", "*,!nas", "!nas,*", "[nas]:22", ""}) {
    EXPECT_EQ(known("nas", names + " ssh-ed25519 AAAA\n").judge("ssh-ed25519", "AAAA"),
              Verdict::kUnknown)
        << names;
  }
}

TEST(KnownHosts, AFileThatCannotBeReadIsAnError) {
  const TempDir folder;
  const std::string missing = (folder.path() / "missing").string();
  EXPECT_OK(KnownHosts::read({missing}, "nas", no_hashes));
  EXPECT_THAT(KnownHosts::read({missing, folder.path().string()}, "nas", no_hashes),
              FailsWith(ErrorKind::kLocalIo));
}

TEST(KnownHosts, AnotherPortIsAnotherHost) {
  EXPECT_EQ(known("[nas]:2222", "nas ssh-ed25519 AAAA\n").judge("ssh-ed25519", "AAAA"),
            Verdict::kUnknown);
  EXPECT_EQ(known("[nas]:2222", "[nas]:2222 ssh-ed25519 AAAA\n").judge("ssh-ed25519", "AAAA"),
            Verdict::kKnown);
}

TEST(KnownHosts, AnotherKeyOfTheSameTypeIsAChangeAndNamesTheLine) {
  const auto hosts = known("nas", "# comment\n\nnas ssh-ed25519 AAAA\n");
  const KnownKey* line = nullptr;
  ASSERT_EQ(hosts.judge("ssh-ed25519", "BBBB", &line), Verdict::kChanged);
  EXPECT_EQ(line->line, 3);
  EXPECT_EQ(line->file, "file");
  EXPECT_EQ(hosts.judge("ssh-rsa", "BBBB"), Verdict::kUnknown);
}

TEST(KnownHosts, OneOfSeveralKeysIsEnoughUnlessItIsRevoked) {
  const std::string both = "nas ssh-ed25519 AAAA\nnas ssh-ed25519 BBBB\n";
  EXPECT_EQ(known("nas", both).judge("ssh-ed25519", "AAAA"), Verdict::kKnown);
  EXPECT_EQ(known("nas", both).judge("ssh-ed25519", "BBBB"), Verdict::kKnown);
  EXPECT_EQ(known("nas", both + "@revoked * ssh-ed25519 BBBB\n").judge("ssh-ed25519", "BBBB"),
            Verdict::kRevoked);
  EXPECT_EQ(known("nas", "@revoked nas ssh-ed25519 BBBB\n").judge("ssh-ed25519", "AAAA"),
            Verdict::kUnknown);
}

TEST(KnownHosts, CertificateAuthoritiesAreNotHostKeys) {
  EXPECT_TRUE(known("nas", "@cert-authority * ssh-ed25519 AAAA\n").keys().empty());
}

TEST(KnownHosts, HashedNamesArePassedToTheMatcher) {
  KnownHosts hosts("nas");
  hosts.add_file("|1|salt|hash ssh-ed25519 AAAA\n|1|salt|else ssh-ed25519 BBBB\n", "file",
                 [](std::string_view hashed, const std::string& name) {
                   return hashed == "|1|salt|hash" && name == "nas";
                 });
  ASSERT_EQ(hosts.keys().size(), 1U);
  EXPECT_EQ(hosts.keys()[0].key, "AAAA");
}

TEST(KnownHosts, AlgorithmsOfKnownKeysAreAskedForFirst) {
  EXPECT_TRUE(known("nas", "").preferred_algorithms().starts_with("ssh-ed25519,ecdsa"));
  EXPECT_TRUE(known("nas", "nas ssh-rsa AAAA\nnas ecdsa-sha2-nistp384 AAAA\n")
                  .preferred_algorithms()
                  .starts_with("ecdsa-sha2-nistp384,ssh-rsa,ssh-ed25519"));
}

TEST(KnownHosts, MalformedLinesAreSkipped) {
  EXPECT_TRUE(known("nas", "nas\nnas ssh-rsa\n\n \t\n@revoked\nnas").keys().empty());
  EXPECT_EQ(known("nas", "  nas \t ssh-rsa   AAAA\r").keys().size(), 1U);
}

}  // namespace
}  // namespace restree::testing
