// Where the snapshots of a repository are found in the mount, and under which names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <set>

#include "tests/support/fidelity.h"
#include "tests/support/files.h"
#include "tests/support/mounted.h"
#include "tests/support/restic.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsSupersetOf;

constexpr const char* kTime = "2026-09-01 03:00:05";
constexpr const char* kShown = "2026-09-01T03-00-05Z";

class Layout : public ::testing::Test {
 protected:
  void SetUp() override {
    restic_.init();
    // srv/gitea/{data/{app.ini,repos/one},conf/c} and srv/wiki/page
    write("srv/gitea/data/app.ini", "ini");
    write("srv/gitea/data/repos/one", "git");
    write("srv/gitea/conf/c", "conf");
    write("srv/wiki/page", "wiki");
  }

  void write(const fs::path& below, const std::string& text) {
    fs::create_directories((root_ / below).parent_path());
    write_file(root_ / below, text);
  }
  // At kTime, unless `words` has a --time of its own. Targets are relative to `folder` if relative.
  std::string back_up(std::vector<std::string> words, const fs::path& folder = {}) {
    if (std::find(words.begin(), words.end(), "--time") == words.end()) {
      words.insert(words.begin(), {"--time", kTime});
    }
    return restic_.backup(std::move(words), folder);
  }
  std::string at(const char* below) const { return (root_ / below).string(); }
  static std::string link_of(const fs::path& path) { return fs::read_symlink(path).string(); }

  TempDir dir_;
  fs::path root_ = dir_.path() / "root";
  Restic restic_{dir_.path() / "home"};
};

TEST_F(Layout, TheRootHasOneFolderForEachView) {
  back_up({at("srv/wiki")});
  const Mounted mounted(restic_);
  EXPECT_THAT(names_in(mounted.path()), ElementsAre("apps", "hosts", "ids", "snapshots", "tags"));
}

TEST_F(Layout, AnEmptyRepositoryHasEmptyViews) {
  const Mounted mounted(restic_);
  for (const char* view : {"apps", "hosts", "ids", "snapshots", "tags"}) {
    EXPECT_THAT(names_in(mounted / view), ElementsAre()) << view;
  }
}

TEST_F(Layout, TheAppComesFromTagsOrFromThePathsEnd) {
  back_up({at("srv/wiki")});
  back_up({"--tag", "app=gitea", at("srv/gitea/data")});
  back_up({"--tag", "app=cloud,maintainer=anna", at("srv/gitea/conf")});
  back_up({"--tag", "maintainer=anna", at("srv/gitea")});
  const Mounted mounted(restic_);
  EXPECT_THAT(names_in(mounted / "apps"),
              ElementsAre("anna_cloud", "gitea", ::testing::StartsWith("gitea@"), "wiki"))
      << "gitea is the one with the tag; the other has a maintainer only, and is named in full";
}

TEST_F(Layout, TheVersionFollowsTheTimeInAppsAlone) {
  const std::string id = back_up({"--tag", "app=a,version=1.21.4", at("srv/wiki")});
  const Mounted mounted(restic_);
  const std::string name = std::string(kShown) + "_1.21.4";
  EXPECT_THAT(names_in(mounted / "apps/a"), ElementsAre(name, "latest"));
  EXPECT_EQ(link_of(mounted / "apps/a/latest"), name);
  EXPECT_THAT(names_in(mounted / "snapshots"), ElementsAre(kShown, "latest"));
  EXPECT_THAT(names_in(mounted / "tags/version=1.21.4"), ElementsAre(kShown, "latest"));
  EXPECT_THAT(names_in(mounted / "ids"), ElementsAre(id));
}

TEST_F(Layout, TimesAreUtcWhateverZoneWroteThem) {
  Command backup{.argv = {"restic", "backup", "--time", kTime, at("srv/wiki")},
                 .env = restic_.environment()};
  backup.env.emplace_back("TZ", "America/St_Johns");  // 2:30 behind on that day
  run_ok(backup);
  const Mounted mounted(restic_);
  EXPECT_THAT(names_in(mounted / "snapshots"), ElementsAre("2026-09-01T05-30-05Z", "latest"));
}

TEST_F(Layout, LatestIsTheNewestByTimeNotByArrival) {
  back_up({at("srv/wiki")});
  back_up({"--time", "2020-01-01 00:00:00", at("srv/wiki")});
  const Mounted mounted(restic_);
  for (const char* view : {"apps/wiki", "snapshots"}) {
    EXPECT_EQ(link_of(mounted / view / "latest"), kShown) << view;
  }
}

TEST_F(Layout, EqualTimesGetNumbers) {
  for (const char* text : {"1", "2", "3"}) {
    write("srv/wiki/page", text);
    back_up({at("srv/wiki")});
  }
  const std::string name = kShown;
  const Mounted mounted(restic_);
  for (const char* view : {"apps/wiki", "snapshots"}) {
    EXPECT_THAT(names_in(mounted / view), ElementsAre(name, name + "-1", name + "-2", "latest"));
  }
  std::set<std::string> texts;
  for (const char* suffix : {"", "-1", "-2"}) {
    texts.insert(read_file(mounted / "apps/wiki" / (name + suffix) / "page"));
  }
  EXPECT_THAT(texts, ElementsAre("1", "2", "3"));
}

TEST_F(Layout, NumbersOfEqualTimesAreTheSameAfterARemount) {
  for (const char* text : {"1", "2", "3", "4", "5"}) {
    write("srv/wiki/page", text);
    back_up({at("srv/wiki")});
  }
  auto pages = [&] {
    const Mounted mounted(restic_);
    std::string all;
    for (const auto& name : names_in(mounted / "apps/wiki")) {
      all += name + "=" + read_file(mounted / "apps/wiki" / name / "page") + "\n";
    }
    return all;
  };
  EXPECT_EQ(pages(), pages());
}

TEST_F(Layout, ATemplateGivesTimesAnotherForm) {
  back_up({at("srv/wiki")});
  const Mounted mounted(restic_, {"time_template=%Y%m%d at %H.%M"});
  EXPECT_THAT(names_in(mounted / "snapshots"), ElementsAre("20260901 at 03.00", "latest"));
  EXPECT_THAT(names_in(mounted / "apps/wiki"), ElementsAre("20260901 at 03.00", "latest"));
}

TEST_F(Layout, ATemplateWithSlashesMakesNoFolders) {
  back_up({at("srv/wiki")});
  const Mounted mounted(restic_, {"time_template=%Y/%m"});
  EXPECT_THAT(names_in(mounted / "snapshots"), ElementsAre("2026%2F09", "latest"));
}

TEST_F(Layout, NamesThatNoFolderCanHaveAreEscaped) {
  back_up({"--tag", "app=a/b", at("srv/wiki")});
  back_up({"--tag", "app=..", at("srv/wiki")});
  back_up({"--tag", "50%", "--host", "nas/../x", at("srv/wiki")});
  const Mounted mounted(restic_);
  EXPECT_THAT(names_in(mounted / "apps"), ElementsAre("%2E%2E", "a%2Fb", "wiki"));
  EXPECT_THAT(names_in(mounted / "tags"), IsSupersetOf({"50%25", "app=a%2Fb"}));
  EXPECT_THAT(names_in(mounted / "hosts"), Contains("nas%2F..%2Fx"));
  EXPECT_EQ(read_file(mounted / "apps/%2E%2E/latest/page"), "wiki");
}

TEST_F(Layout, HostsAndTagsHaveLatestToo) {
  back_up({"--host", "nas", "--tag", "nightly", at("srv/wiki")});
  const Mounted mounted(restic_);
  for (const char* view : {"hosts/nas", "tags/nightly"}) {
    EXPECT_THAT(names_in(mounted / view), ElementsAre(kShown, "latest")) << view;
    EXPECT_EQ(read_file(mounted / view / "latest" / root_.relative_path() / "srv/wiki/page"),
              "wiki");
  }
}

TEST_F(Layout, FiltersLeaveTheRestOut) {
  const std::string a = back_up({"--host", "one", "--tag", "app=a,nightly", at("srv/wiki")});
  const std::string b = back_up({"--host", "two", "--tag", "app=b", at("srv/gitea")});
  const std::string c = back_up({"--host", "two", "--tag", "app=c,nightly", at("srv/wiki")});
  auto ids = [&](std::vector<std::string> options) {
    const Mounted mounted(restic_, std::move(options));
    return names_in(mounted / "ids");
  };
  auto sorted = [](std::vector<std::string> all) {
    std::sort(all.begin(), all.end());
    return all;
  };
  EXPECT_EQ(ids({"host=two"}), sorted({b, c}));
  EXPECT_EQ(ids({"tag=nightly"}), sorted({a, c}));
  EXPECT_EQ(ids({"path=" + at("srv/wiki")}), sorted({a, c}));
  EXPECT_EQ(ids({"host=two", "tag=nightly"}), sorted({c}));
  EXPECT_EQ(ids({"host=one", "host=two"}), sorted({a, b, c}));
  EXPECT_EQ(ids({"tag=app=a", "tag=app=b"}), sorted({a, b}));
  EXPECT_EQ(ids({"host=three"}), sorted({}));
}

// --- Which part of the path is stripped in apps/ -------------------------------------------------

class Stripping : public Layout {
 protected:
  // The names in apps/a/latest/ after a backup of these targets.
  std::vector<std::string> shown(std::vector<std::string> targets, const fs::path& folder = {}) {
    targets.insert(targets.begin(), {"--tag", "app=a"});
    back_up(std::move(targets), folder);
    mounted_ = std::make_unique<Mounted>(restic_);
    return names_in(*mounted_ / "apps/a/latest/");
  }
  fs::path latest() const { return *mounted_ / "apps/a/latest/"; }

  std::unique_ptr<Mounted> mounted_;
};

TEST_F(Stripping, ASingleFolderIsTheRootItself) {
  fs::permissions(root_ / "srv/gitea", fs::perms(0711));
  EXPECT_THAT(shown({at("srv/gitea")}), ElementsAre("conf", "data"));
  EXPECT_EQ(differences(latest(), root_ / "srv/gitea"), "");
}

TEST_F(Stripping, SeveralFoldersKeepThePartThatTheyDoNotShare) {
  EXPECT_THAT(shown({at("srv/gitea/data"), at("srv/gitea/conf")}), ElementsAre("conf", "data"));
  EXPECT_EQ(differences(latest(), root_ / "srv/gitea"), "");
}

TEST_F(Stripping, FoldersOfSeveralAppsKeepTheirNames) {
  EXPECT_THAT(shown({at("srv/gitea/data"), at("srv/wiki")}), ElementsAre("gitea", "wiki"));
  EXPECT_THAT(names_in(latest() / "gitea"), ElementsAre("data"));
}

TEST_F(Stripping, ATargetInsideAnotherIsNothingSpecial) {
  EXPECT_THAT(shown({at("srv/gitea"), at("srv/gitea/data")}), ElementsAre("conf", "data"));
}

TEST_F(Stripping, ASingleFileKeepsItsName) {
  EXPECT_THAT(shown({at("srv/gitea/data/app.ini")}), ElementsAre("app.ini"));
  EXPECT_EQ(read_file(latest() / "app.ini"), "ini");
}

TEST_F(Stripping, ABackupOfTheCurrentFolderHasNothingToStrip) {
  EXPECT_THAT(shown({"."}, root_ / "srv/gitea"), ElementsAre("conf", "data"));
  EXPECT_EQ(read_file(latest() / "data/repos/one"), "git");
}

TEST_F(Stripping, ARelativePathIsStrippedAsFarAsTheTreeHasIt) {
  EXPECT_THAT(shown({"gitea/data"}, root_ / "srv"), ElementsAre("app.ini", "repos"));
  EXPECT_EQ(differences(latest(), root_ / "srv/gitea/data"), "");
}

TEST_F(Stripping, SeveralRelativePathsKeepThePartThatTheyDoNotShare) {
  EXPECT_THAT(shown({"gitea/data", "gitea/conf"}, root_ / "srv"), ElementsAre("conf", "data"));
}

TEST_F(Stripping, ATargetAtTheRootOfTheDiskIsStripped) {
  const fs::path at_root = "/restree-test-" + std::to_string(::getpid());
  fs::create_directory(at_root);
  write_file(at_root / "file", "x");
  const auto names = shown({at_root.string()});
  fs::remove_all(at_root);
  EXPECT_THAT(names, ElementsAre("file"));
}

TEST_F(Stripping, TargetsThatShareOnlyTheRootKeepFullPaths) {
  const fs::path at_root = "/restree-test-" + std::to_string(::getpid());
  fs::create_directory(at_root);
  write_file(at_root / "file", "x");
  const auto names = shown({at_root.string(), at("srv/wiki")});
  fs::remove_all(at_root);
  EXPECT_THAT(names, ::testing::UnorderedElementsAre(at_root.filename().string(),
                                                     std::next(root_.begin())->string()));
}

TEST_F(Stripping, AFolderNamedAsItsParentIsStrippedOnce) {
  write("srv/twice/twice/twice/deep", "x");
  EXPECT_THAT(shown({"twice"}, root_ / "srv"), ElementsAre("twice"));
  EXPECT_THAT(names_in(latest() / "twice/twice"), ElementsAre("deep"));
}

TEST_F(Stripping, NothingIsHiddenWhereThePathsEndFitsByChance) {
  write("srv/twice/twice/deep", "x");
  write("srv/twice/other", "x");
  EXPECT_THAT(shown({"."}, root_ / "srv/twice"), ElementsAre("other", "twice"));
}

TEST_F(Stripping, TheViewsBesidesAppsStripNothing) {
  shown({at("srv/gitea/data")});
  const fs::path full = *mounted_ / "snapshots/latest" / root_.relative_path() / "srv";
  EXPECT_THAT(names_in(full), ElementsAre("gitea"));
  EXPECT_EQ(differences(full / "gitea/data", root_ / "srv/gitea/data"), "");
}

TEST_F(Stripping, RsyncFromLatestRestoresTheAppWithItsOwnFolder) {
  fs::permissions(root_ / "srv/gitea/data", fs::perms(0750));
  run_ok({.argv = {"chown", "33:44", at("srv/gitea/data")}});
  run_ok({.argv = {"setfattr", "-n", "user.k", "-v", "v", at("srv/gitea/data")}});
  run_ok({.argv = {"touch", "-d", "2001-02-03 04:05:06.789", at("srv/gitea/data")}});
  shown({at("srv/gitea/data")});
  const fs::path restored = dir_.path() / "restored";
  // Without a window of its own, rsync takes two times of the same second for equal, and leaves a
  // folder that it has just made as it is.
  run_ok({.argv = {"rsync", "-aHAX", "--numeric-ids", "--modify-window=-1", latest().string(),
                   restored.string()}});
  EXPECT_EQ(differences(restored, root_ / "srv/gitea/data"), "");
}

}  // namespace
}  // namespace restree::testing
