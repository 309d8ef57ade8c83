// Which snapshots are of one app, and what the apps are called.
#include "repo/snapshots/app_sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace restree {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

struct Backup {
  std::vector<std::string> tags = {};
  std::vector<std::string> paths = {};
  std::string host = "nas";
};

class AppSources : public ::testing::Test {
 protected:
  void add(const Backup& backup) {
    Snapshot& made = snapshots_.emplace_back();
    made.tags = backup.tags;
    made.paths = backup.paths;
    made.hostname = backup.host;
  }
  std::vector<App> apps() const {
    std::vector<const Snapshot*> all;
    for (const Snapshot& snapshot : snapshots_) all.push_back(&snapshot);
    return apps_of(all);
  }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const App& app : apps()) names.push_back(app.name);
    std::ranges::sort(names);
    return names;
  }

  std::vector<Snapshot> snapshots_;
};

TEST_F(AppSources, OfOneFolderHaveItsLastComponent) {
  add({.paths = {"/srv/gitea"}});
  add({.paths = {"/srv/gitea/"}});
  add({.tags = {"nightly"}, .paths = {"/srv/gitea"}});
  EXPECT_THAT(names(), ElementsAre("gitea"));
  EXPECT_EQ(apps().front().snapshots.size(), 3U);
}

TEST_F(AppSources, OfFoldersThatShareTheirLastComponentAreCalledInFull) {
  add({.paths = {"/srv/wiki/data"}});
  add({.paths = {"/srv/forge/data"}});
  add({.paths = {"/data"}});
  add({.paths = {"/srv/gitea"}});
  EXPECT_THAT(names(), ElementsAre("data@nas", "data@nas+srv+forge", "data@nas+srv+wiki", "gitea"));
}

TEST_F(AppSources, OfDifferentHostsAreCalledInFull) {
  add({.paths = {"/etc"}, .host = "web1"});
  add({.paths = {"/etc"}, .host = "web2"});
  EXPECT_THAT(names(), ElementsAre("etc@web1", "etc@web2"));
}

TEST_F(AppSources, OfOtherListsOfPathsAreOthers) {
  add({.paths = {"/srv/gitea"}});
  add({.paths = {"/srv/gitea", "/etc/nginx"}});
  add({.paths = {"/srv/gitea", "/opt", "/etc/nginx"}});
  add({.paths = {"/srv/gitea", "/etc/nginx", "/opt/"}});  // the same in another order
  EXPECT_THAT(names(), ElementsAre("gitea@nas+srv", "gitea@nas+srv,etc+nginx",
                                   "gitea@nas+srv,etc+nginx,opt"));
}

TEST_F(AppSources, WithATagAreTheSameWhateverHostAndPath) {
  add({.tags = {"app=wiki", "maintainer=acme"}, .paths = {"/srv/wiki"}, .host = "old"});
  add({.tags = {"maintainer=acme", "app=wiki"}, .paths = {"/data"}, .host = "new"});
  EXPECT_THAT(names(), ElementsAre("acme_wiki"));
}

TEST_F(AppSources, WithATagKeepTheirNameBesideOthersWithout) {
  add({.paths = {"/srv/wiki"}});
  add({.tags = {"app=wiki"}, .paths = {"/srv/wiki"}});
  EXPECT_THAT(names(), ElementsAre("wiki", "wiki@nas+srv"));
  for (const App& app : apps()) {
    EXPECT_EQ(app.snapshots.front()->tags.empty(), app.name != "wiki") << app.name;
  }
}

TEST_F(AppSources, OfTwoMaintainersAreNotMergedByAnUnderscore) {
  add({.tags = {"maintainer=a", "app=b_c"}});
  add({.tags = {"maintainer=a_b", "app=c"}});
  add({.tags = {"app=a_b_c"}});
  add({.paths = {"/srv/a_b_c"}});
  EXPECT_THAT(names(), ElementsAre("a%5Fb%5Fc", "a%5Fb_c", "a_b%5Fc", "a_b_c@nas+srv"));
}

TEST_F(AppSources, KeepTheirNamesWhenMoreArrive) {
  add({.paths = {"/srv/wiki/data"}});
  add({.paths = {"/srv/forge/data"}});
  const std::vector<std::string> before = names();
  add({.paths = {"/srv/wiki/data"}, .host = "web"});
  const std::vector<std::string> after = names();
  EXPECT_TRUE(std::ranges::includes(after, before));
}

TEST_F(AppSources, KeepTheirIdentityWhenTheirNameChanges) {
  add({.paths = {"/srv/wiki/data"}});
  const std::string before = apps().front().identity;
  add({.paths = {"/srv/forge/data"}});
  std::vector<std::string> identities;
  for (const App& app : apps()) identities.push_back(app.identity);
  EXPECT_THAT(identities, ::testing::Contains(before));
  EXPECT_NE(identities[0], identities[1]);
}

TEST_F(AppSources, OfHostileNamesAndPathsAreNeverMergedAndFitIntoADirectory) {
  const std::string long_name(300, 'x');
  const std::vector<Backup> all = {
      {.paths = {"/a+b/data"}},
      {.paths = {"/a/b/data"}},
      {.paths = {"/data"}, .host = "nas+a+b"},
      {.paths = {"/data"}, .host = "nas,x"},
      {.paths = {"/data", "/x"}},
      {.paths = {"/b/data"}, .host = "nas+a"},
      {.paths = {"/a@nas"}, .host = "web"},
      {.paths = {"/a"}, .host = "nas@web"},
      {.paths = {"/a"}, .host = "other"},
      {.paths = {"/x/a@nas"}},
      {.paths = {"/"}},
      {.paths = {"/root"}},
      {.paths = {}},
      {.paths = {"/x"}, .host = "../.."},
      {.paths = {"/x"}, .host = ""},
      {.paths = {"/" + long_name + "/y"}},
      {.paths = {"/" + long_name + "z/y"}},
      {.tags = {"app=data@nas"}},
      {.tags = {"app=data"}},
  };
  for (const Backup& backup : all) add(backup);
  const std::vector<std::string> got = names();
  EXPECT_EQ(std::set<std::string>(got.begin(), got.end()).size(), all.size());
  for (const std::string& name : got) {
    EXPECT_LE(name.size(), 255U);
    EXPECT_EQ(name.find('/'), std::string::npos);
  }
  std::set<std::string> identities;
  for (const App& app : apps()) identities.insert(app.identity);
  EXPECT_EQ(identities.size(), all.size());
}

TEST_F(AppSources, DoNotDependOnTheOrderOfTheList) {
  for (const char* path : {"/a/data", "/b/data", "/root", "/"}) add({.paths = {path}});
  const std::vector<std::string> before = names();
  std::ranges::reverse(snapshots_);
  EXPECT_EQ(names(), before);
}

}  // namespace
}  // namespace restree
