// Authentic repositories with false trees: an odd entry costs itself at most, in the mount and in
// restree, and the others are unharmed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <memory>

#include "tests/support/files.h"
#include "tests/support/mounted.h"
#include "tests/support/password.h"
#include "tests/support/programs.h"
#include "tests/support/repository_builder.h"
#include "tests/support/restic.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class HostileTree : public ::testing::Test {
 protected:
  // Mounts one snapshot of the given nodes beside a node `good`, and looks at that one first.
  void mount(std::vector<std::string> nodes) {
    nodes.push_back(file_node("zz good", {good_}, 4));
    mount_tree(builder_.add_tree(nodes));
    EXPECT_EQ(read_file(shown_ / "zz good"), "good");
  }
  void mount_tree(const BlobId& tree) {
    shown_ = builder_.add_snapshot(tree);
    builder_.finish();
    mounted_ = std::make_unique<Mounted>(MountRequest{.location = builder_.root().string(),
                                                      .options = {},
                                                      .env = {},
                                                      .mount_point = {},
                                                      .cache = {}});
    shown_ = *mounted_ / "ids" / shown_;
  }
  struct stat stat_of(const std::string& name) const {
    struct stat attributes {};
    EXPECT_EQ(::lstat((shown_ / name).c_str(), &attributes), 0) << name << ": " << errno;
    return attributes;
  }
  static int errno_of_listing(const fs::path& folder) {
    try {
      names_in(folder);
    } catch (const std::system_error& error) {
      return error.code().value();
    }
    return 0;
  }

  TempDir dir_;
  RepositoryBuilder builder_{dir_.path() / "repository"};
  BlobId good_ = builder_.add_data("good");
  BlobId folder_ = builder_.add_tree({file_node("inside", {good_}, 4)});
  fs::path shown_;
  std::unique_ptr<Mounted> mounted_;
};

TEST_F(HostileTree, NamesThatNoFileCanHaveAreLeftOutAndLogged) {
  std::vector<std::string> nodes;
  for (const char* name : {"", ".", "..", "a/b", "/", "../../etc/cron.d/x", R"(nul\\x00byte)"}) {
    nodes.push_back(file_node(name, {good_}, 4));
    nodes.push_back(folder_node(name, folder_));
  }
  mount(nodes);
  EXPECT_THAT(names_in(shown_), ElementsAre("zz good"));
  EXPECT_THAT(mounted_->log(), HasSubstr("a/b"));
  EXPECT_EQ(read_file(shown_ / "../../ids" / shown_.filename() / "zz good"), "good");
}

TEST_F(HostileTree, ANameOfMalformedQuotingIsLeftOut) {
  mount({file_node(R"(bad \\q escape)", {good_}, 4)});
  EXPECT_THAT(names_in(shown_), ElementsAre("zz good"));
}

TEST_F(HostileTree, OfTwoEqualNamesBothAreShown) {
  const BlobId other = builder_.add_data("other");
  mount({file_node("twin", {good_}, 4), file_node("twin", {other}, 5)});
  EXPECT_THAT(names_in(shown_), ElementsAre("twin", "twin-1", "zz good"));
  EXPECT_EQ(read_file(shown_ / "twin"), "good");
  EXPECT_EQ(read_file(shown_ / "twin-1"), "other");
  EXPECT_THAT(mounted_->log(), HasSubstr(R"(called "twin-1")"));
}

TEST_F(HostileTree, AnOddNodeCostsItselfAtMostInEveryCommand) {
  mount({R"({"name":"late","type":"file","mode":420,"mtime":"+12026-01-01T00:00:00Z","size":4,)"
         R"("content":[")" +
             good_.hex() + R"("]})",
         R"({"name":"sizeless","type":"file","mode":420,"size":-4,"content":[")" + good_.hex() +
             R"("]})",
         R"({"name":"data","type":"symlink","linktarget":"elsewhere"})",
         folder_node("data", folder_)});
  EXPECT_EQ(read_file(shown_ / "late"), "good");
  EXPECT_EQ(read_file(shown_ / "sizeless"), "good");
  EXPECT_EQ(read_file(shown_ / "data/inside"), "good");
  EXPECT_EQ(fs::read_symlink(shown_ / "data-1"), "elsewhere");
  const auto restree = [&](std::vector<std::string> words) {
    std::vector<std::string> argv{restree_path(), "--no-cache", "--no-lock", "-r",
                                  builder_.root().string()};
    argv.insert(argv.end(), words.begin(), words.end());
    return run({.argv = std::move(argv), .env = {{"RESTIC_PASSWORD", std::string(kPassword)}}});
  };
  const Finished listed = restree({"ls", "latest"});
  EXPECT_TRUE(listed.ok()) << listed.report();
  EXPECT_THAT(listed.out, AllOf(HasSubstr("/late\n"), HasSubstr("/data-1\n"),
                                HasSubstr("/data/inside\n"), HasSubstr("/zz good\n")));
  EXPECT_THAT(restree({"find", "inside"}).out, HasSubstr("/data/inside"));
  EXPECT_EQ(restree({"dump", "latest", "/data/inside"}).out, "good");
  EXPECT_EQ(restree({"dump", "latest", "/late"}).out, "good");
  EXPECT_EQ(restree({"dump", "latest", "/sizeless"}).out, "good");
  const Finished checked = restree({"check"});
  EXPECT_EQ(checked.exit_code, 1) << checked.report();
  EXPECT_THAT(checked.err + checked.out, AllOf(HasSubstr("late"), HasSubstr("data-1")));
  const fs::path target = dir_.path() / "restored";
  fs::create_directories(target);
  write_file(target / "sizeless", "is not cut to any size");
  const Finished restored = restree({"restore", "latest", "--target", target.string()});
  EXPECT_EQ(restored.exit_code, 1) << restored.report();
  EXPECT_THAT(restored.err, AllOf(HasSubstr("late"), HasSubstr("data-1"),
                                  HasSubstr("sizeless: its size cannot be read")));
  EXPECT_EQ(read_file(target / "sizeless"), "is not cut to any size");
  EXPECT_EQ(read_file(target / "late"), "good");
  EXPECT_EQ(read_file(target / "data/inside"), "good");
  EXPECT_EQ(fs::read_symlink(target / "data-1"), "elsewhere");
}

TEST_F(HostileTree, AnUnsortedTreeIsListedAndFoundAlike) {
  mount({file_node("c", {good_}, 4), file_node("a", {good_}, 4), file_node("b", {good_}, 4)});
  const auto names = names_in(shown_);
  EXPECT_THAT(names, ElementsAre("a", "b", "c", "zz good"));
  for (const auto& name : names) EXPECT_EQ(read_file(shown_ / name), "good") << name;
}

TEST_F(HostileTree, ANameTooLongForTheKernelHidesNoOther) {
  mount({file_node(std::string(300, 'n'), {good_}, 4), file_node(std::string(5000, 'm'), {}, 0)});
  EXPECT_THAT(names_in(shown_), Contains("zz good"));
}

TEST_F(HostileTree, ATreeThatContainsItselfIsAnErrorNotALoop) {
  BlobId own{};
  own.bytes.fill(std::byte{0x5a});
  builder_.add_as(own, BlobType::kTree, "{\"nodes\":[" + folder_node("again", own) + "]}\n");
  mount({folder_node("loop", own), folder_node("sane", folder_)});
  EXPECT_EQ(errno_of_listing(shown_ / "loop"), EIO);
  EXPECT_THAT(names_in(shown_ / "sane"), ElementsAre("inside"));
  const Finished find =
      run({.argv = {"find", shown_.string()}, .timeout = std::chrono::seconds(30)});
  EXPECT_FALSE(find.timed_out);
}

TEST_F(HostileTree, OneTreeInManyPlacesIsNoLoopEither) {
  // 2^16 paths from 16 blobs: a walk by path must not keep a record of every path.
  BlobId level = folder_;
  for (int i = 0; i < 16; ++i) {
    level = builder_.add_tree({folder_node("a", level), folder_node("b", level)});
  }
  mount({folder_node("fan", level)});
  EXPECT_EQ(read_file(shown_ / "fan/a/b/a/b/a/b/a/b/a/b/a/b/a/b/a/b/inside"), "good");
  struct stat a {};
  struct stat b {};
  ASSERT_EQ(::stat((shown_ / "fan/a").c_str(), &a), 0);
  ASSERT_EQ(::stat((shown_ / "fan/b").c_str(), &b), 0);
  EXPECT_NE(a.st_ino, b.st_ino);
}

TEST_F(HostileTree, AClaimedSizeYieldsToTheContent) {
  mount({file_node("long", {good_}, 1U << 30), file_node("short", {good_, good_}, 1)});
  EXPECT_EQ(read_file(shown_ / "long"), "good");
  EXPECT_EQ(read_file(shown_ / "short"), "goodgood");
  EXPECT_EQ(stat_of("long").st_size, 4);
  EXPECT_EQ(stat_of("short").st_size, 8);
}

// No file can have these sizes: either the content decides, or that file alone fails with an error.
TEST_F(HostileTree, AnImpossibleSizeHarmsItsFileAtMost) {
  mount({file_node("empty", {}, 18446744073709551615U), file_node("signed", {good_}, 1ULL << 63)});
  EXPECT_THAT(names_in(shown_), Contains("zz good"));
  for (const auto& [name, content] : {std::pair("empty", ""), std::pair("signed", "good")}) {
    if (const int error = errno_of_reading(shown_ / name); error != 0) {
      EXPECT_THAT(error, ::testing::AnyOf(EIO, ENOENT)) << name;
      EXPECT_THAT(mounted_->log(), HasSubstr(name));
    } else {
      EXPECT_EQ(read_file(shown_ / name), content);
    }
  }
}

TEST_F(HostileTree, AFolderWithoutModeCanBeEntered) {
  mount({folder_node("no mode", folder_, "")});
  EXPECT_EQ(stat_of("no mode").st_mode & 0555, 0555U);
  EXPECT_TRUE(S_ISDIR(stat_of("no mode").st_mode));
  EXPECT_EQ(read_file(shown_ / "no mode/inside"), "good");
}

TEST_F(HostileTree, AFolderWithoutSubtreeIsAnErrorOfThatFolder) {
  mount({R"({"name":"null","type":"dir","mode":2147484141,"subtree":null})",
         R"({"name":"none","type":"dir","mode":2147484141})",
         folder_node("unknown", BlobId{{std::byte{1}}}), folder_node("sane", folder_)});
  EXPECT_EQ(errno_of_listing(shown_ / "unknown"), EIO);
  EXPECT_EQ(errno_of_listing(shown_ / "null"), EIO);
  EXPECT_EQ(errno_of_listing(shown_ / "none"), EIO);
  EXPECT_THAT(names_in(shown_ / "sane"), ElementsAre("inside"));
}

TEST_F(HostileTree, ADataBlobAsSubtreeIsAnError) {
  mount({folder_node("data", good_)});
  EXPECT_EQ(errno_of_listing(shown_ / "data"), EIO);
}

TEST_F(HostileTree, GarbageInsteadOfATreeIsAnError) {
  const BlobId text = builder_.add(BlobType::kTree, "not JSON");
  const BlobId cut = builder_.add(BlobType::kTree, R"({"nodes":[{"name":"x",)");
  const BlobId list = builder_.add(BlobType::kTree, "[1,2,3]");
  const BlobId deep = builder_.add(BlobType::kTree, std::string(100000, '['));
  mount({folder_node("cut", cut), folder_node("deep", deep), folder_node("list", list),
         folder_node("text", text)});
  for (const char* name : {"cut", "deep", "list", "text"}) {
    EXPECT_EQ(errno_of_listing(shown_ / name), EIO) << name;
  }
}

TEST_F(HostileTree, ABlobThatIsNotItsIdIsNeverServed) {
  BlobId pretended{};
  pretended.bytes.fill(std::byte{0x77});
  builder_.add_as(pretended, BlobType::kData, "forged");
  mount({file_node("forged", {pretended}, 6)});
  EXPECT_EQ(errno_of_reading(shown_ / "forged"), EIO);
  EXPECT_EQ(stat_of("forged").st_size, 6);
}

TEST_F(HostileTree, AnUnknownBlobFailsItsFileOnly) {
  mount({file_node("unknown", {BlobId{{std::byte{1}}}}, 6)});
  EXPECT_EQ(errno_of_reading(shown_ / "unknown"), EIO);
  EXPECT_THAT(names_in(shown_), ElementsAre("unknown", "zz good"));
}

TEST_F(HostileTree, ASecondCopyOfABlobStandsInForADamagedOne) {
  const BlobId twice = builder_.add_data("twice");
  builder_.add_data("twice");
  ASSERT_EQ(builder_.packs_of(twice).size(), 2U);
  for (int damaged = 0; damaged < 2; ++damaged) {
    SCOPED_TRACE(damaged);
    const fs::path pack = builder_.packs_of(twice)[static_cast<std::size_t>(damaged)];
    flip_byte(pack, 20);
    mount({file_node("twice", {twice}, 5)});
    EXPECT_EQ(read_file(shown_ / "twice"), "twice");
    mounted_.reset();
    flip_byte(pack, 20);
  }
}

TEST_F(HostileTree, NodesOfNoKnownTypeAreLeftOut) {
  mount({R"({"name":"alien","type":"wormhole","mode":420})", R"({"name":"none","type":""})"});
  EXPECT_THAT(names_in(shown_), ElementsAre("zz good"));
}

TEST_F(HostileTree, OddAttributesAreShownAsFarAsTheyGo) {
  const auto link = [](const char* name, const char* more) {
    return std::string(R"({"name":")") + name + R"(","type":"symlink","mode":134218239)" + more +
           "}";
  };
  mount({file_node("links", {good_}, 4, R"(,"device_id":9,"mode":4294967295)"),
         link("to nothing", ""), link("to the world", R"(,"linktarget":"/etc/shadow")"),
         R"({"name":"time 0000","type":"fifo","mode":33554816,"mtime":"0000-01-01T00:00:00Z"})",
         R"({"name":"time 9999","type":"fifo","mode":33554816,"mtime":"9999-12-31T23:59:59Z"})"});
  EXPECT_GE(stat_of("links").st_nlink, 1U);
  EXPECT_TRUE(S_ISREG(stat_of("links").st_mode));
  EXPECT_EQ(fs::read_symlink(shown_ / "to the world"), "/etc/shadow");
  EXPECT_LT(stat_of("time 0000").st_mtim.tv_sec, 0);
  EXPECT_GT(stat_of("time 9999").st_mtim.tv_sec, 200000000000);
  EXPECT_GE(stat_of("time 9999").st_nlink, 1U);
  names_in(shown_);
}

TEST_F(HostileTree, ASnapshotWithoutItsTreeFailsAlone) {
  const std::string lost = builder_.add_snapshot(BlobId{{std::byte{2}}}, {.tags = {"app=lost"}});
  mount({});
  EXPECT_EQ(errno_of_listing(*mounted_ / "ids" / lost), EIO);
  EXPECT_EQ(errno_of_listing(*mounted_ / "apps/lost/latest/"), EIO);
  EXPECT_THAT(names_in(*mounted_ / "apps"), Contains("lost"));
}

}  // namespace
}  // namespace restree::testing
