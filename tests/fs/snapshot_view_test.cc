#include "fs/snapshot_view.h"

#include <fmt/core.h>

#include <functional>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/support/matchers.h"
#include "tests/support/memory_blobs.h"
#include "tests/support/repository_builder.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using testing::file_node;
using testing::folder_node;
using testing::MemoryBlobs;
using testing::value_of;

class SnapshotViewTest : public ::testing::Test {
 protected:
  static std::string file(const std::string& name) { return file_node(name, {}, 0); }
  std::string folder(const std::string& name, const std::vector<std::string>& nodes) {
    return folder_node(name, tree(nodes));
  }
  BlobId tree(const std::vector<std::string>& nodes) {
    std::string json;
    for (const auto& node : nodes) json += (json.empty() ? "" : ",") + node;
    return blobs_.add("{\"nodes\":[" + json + "]}");
  }

  Result<SnapshotView> try_open(const std::vector<std::string>& targets,
                                const std::vector<std::string>& nodes, bool stripped = true) {
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->paths = targets;
    snapshot->tree = tree(nodes);
    return open_view(trees_, snapshot, stripped, soon());
  }
  SnapshotView open(const std::vector<std::string>& targets, const std::vector<std::string>& nodes,
                    bool stripped = true) {
    return value_of(try_open(targets, nodes, stripped));
  }
  // The names at the top of the view.
  std::vector<std::string> names(const SnapshotView& view) {
    std::vector<std::string> names;
    const SharedCompactTree tree = value_of(trees_.load(view.tree, soon()));
    for (const Node node : tree->nodes()) names.emplace_back(node.name);
    return names;
  }
  static std::string own_name(const SnapshotView& view) {
    return view.own ? std::string(view.own->node.name) : "none";
  }
  static Deadline soon() { return Deadline::after(std::chrono::seconds(60)); }

  MemoryBlobs blobs_;
  TreeSource trees_{blobs_, 1 << 20};
};

TEST_F(SnapshotViewTest, OfTheWholeTreeStripsNothing) {
  const auto view = open({"/srv/gitea"}, {folder("srv", {folder("gitea", {file("app.ini")})})},
                         /*stripped=*/false);
  EXPECT_THAT(names(view), ElementsAre("srv"));
  EXPECT_EQ(view.stripped_path, "");
  EXPECT_EQ(own_name(view), "none");
}

TEST_F(SnapshotViewTest, OfOneFolderIsThatFolderWithItsAttributes) {
  const auto view = open({"/srv/gitea"}, {folder("srv", {folder("gitea", {file("app.ini")})})});
  EXPECT_THAT(names(view), ElementsAre("app.ini"));
  EXPECT_EQ(view.stripped_path, "/srv/gitea");
  EXPECT_EQ(own_name(view), "gitea");
}

TEST_F(SnapshotViewTest, OfOneFolderMayBeEmpty) {
  const auto view = open({"/srv/gitea"}, {folder("srv", {folder("gitea", {})})});
  EXPECT_THAT(names(view), ElementsAre());
  EXPECT_EQ(own_name(view), "gitea");
}

TEST_F(SnapshotViewTest, OfSeveralFoldersIsTheOneThatHoldsThem) {
  const auto view = open({"/srv/a", "/srv/b"},
                         {folder("srv", {folder("a", {file("1")}), folder("b", {file("2")})})});
  EXPECT_THAT(names(view), ElementsAre("a", "b"));
  EXPECT_EQ(own_name(view), "srv");
}

TEST_F(SnapshotViewTest, OfFoldersThatHaveNothingInCommonIsTheWholeTree) {
  const auto view = open({"/etc", "/srv"}, {folder("etc", {file("1")}), folder("srv", {})});
  EXPECT_THAT(names(view), ElementsAre("etc", "srv"));
  EXPECT_EQ(view.stripped_path, "");
  EXPECT_EQ(own_name(view), "none");
}

TEST_F(SnapshotViewTest, OfAFolderAndOneInsideIsTheOuterOne) {
  const auto view = open({"/srv/a/b", "/srv/a"}, {folder("srv", {folder("a", {folder("b", {})})})});
  EXPECT_THAT(names(view), ElementsAre("b"));
  EXPECT_EQ(own_name(view), "a");
}

TEST_F(SnapshotViewTest, OfASingleFileIsTheFolderItLiesIn) {
  const auto view = open({"/etc/hosts"}, {folder("etc", {file("hosts")})});
  EXPECT_THAT(names(view), ElementsAre("hosts"));
  EXPECT_EQ(view.stripped_path, "/etc");
  EXPECT_EQ(own_name(view), "etc");
}

TEST_F(SnapshotViewTest, OfASingleFileAtTheTopIsTheWholeTree) {
  const auto view = open({"/hosts"}, {file("hosts")});
  EXPECT_THAT(names(view), ElementsAre("hosts"));
  EXPECT_EQ(own_name(view), "none");
}

TEST_F(SnapshotViewTest, OfTheRootIsTheWholeTree) {
  const auto view = open({"/"}, {folder("etc", {}), folder("srv", {})});
  EXPECT_THAT(names(view), ElementsAre("etc", "srv"));
  EXPECT_EQ(view.stripped_path, "");
}

TEST_F(SnapshotViewTest, OfTheRootWithOneFolderStillShowsThatFolder) {
  EXPECT_THAT(names(open({"/"}, {folder("etc", {file("hosts")})})), ElementsAre("etc"));
}

TEST_F(SnapshotViewTest, WithoutTargetsIsTheWholeTree) {
  EXPECT_THAT(names(open({}, {folder("srv", {file("1")})})), ElementsAre("srv"));
}

// `restic backup .` records the absolute path and stores what the folder holds.
TEST_F(SnapshotViewTest, OfTheCurrentFolderIsTheWholeTree) {
  const auto view = open({"/srv/gitea"}, {file("app.ini"), folder("data", {})});
  EXPECT_THAT(names(view), ElementsAre("app.ini", "data"));
  EXPECT_EQ(view.stripped_path, "");
  EXPECT_EQ(own_name(view), "none");
}

// `restic backup gitea/data` records the absolute path and stores gitea/data.
TEST_F(SnapshotViewTest, OfARelativeFolderStripsTheEndOfThePath) {
  const auto view = open({"/srv/gitea/data"}, {folder("gitea", {folder("data", {file("repo")})})});
  EXPECT_THAT(names(view), ElementsAre("repo"));
  EXPECT_EQ(view.stripped_path, "/gitea/data");
  EXPECT_EQ(own_name(view), "data");
}

TEST_F(SnapshotViewTest, OfSeveralRelativeFoldersIsTheWholeTree) {
  const auto view = open({"/srv/a", "/srv/b"}, {folder("a", {file("1")}), folder("b", {})});
  EXPECT_THAT(names(view), ElementsAre("a", "b"));
  EXPECT_EQ(view.stripped_path, "");
}

TEST_F(SnapshotViewTest, OfARelativeFileIsTheWholeTree) {
  EXPECT_THAT(names(open({"/srv/gitea/app.ini"}, {file("app.ini")})), ElementsAre("app.ini"));
}

// Then the mount must not show a mode that opens a private folder to all.
TEST_F(SnapshotViewTest, SaysWhetherAnythingIsKnownOfItsFolder) {
  const auto is_unknown = [&](const std::vector<std::string>& targets,
                              const std::vector<std::string>& nodes, bool stripped = true) {
    return open(targets, nodes, stripped).is_of_unknown_folder;
  };
  EXPECT_TRUE(is_unknown({"/srv/gitea"}, {file("app.ini"), folder("data", {})}));
  EXPECT_TRUE(is_unknown({"/srv/gitea"}, {folder("data", {})}));
  EXPECT_TRUE(is_unknown({"/srv/gitea/app.ini"}, {file("app.ini")}));
  EXPECT_TRUE(is_unknown({"/srv/a", "/srv/b"}, {folder("a", {}), folder("b", {})}));
  // The root of the system.
  EXPECT_FALSE(is_unknown({"/"}, {folder("etc", {}), folder("srv", {})}));
  EXPECT_FALSE(is_unknown({"/etc", "/srv"}, {folder("etc", {}), folder("srv", {})}));
  EXPECT_FALSE(is_unknown({"/hosts"}, {file("hosts")}));
  EXPECT_FALSE(is_unknown({"/srv/gitea"}, {folder("etc", {}), folder("srv", {})}));
  // A folder whose node is there.
  EXPECT_FALSE(is_unknown({"/srv/gitea"}, {folder("srv", {folder("gitea", {file("a")})})}));
  EXPECT_FALSE(is_unknown({"/srv/gitea"}, {folder("gitea", {file("a")})}));
  EXPECT_FALSE(is_unknown({"/srv/gitea"}, {file("app.ini")}, /*stripped=*/false));
}

TEST_F(SnapshotViewTest, WhosePathRepeatsANameStripsAllOfIt) {
  const auto view = open({"/data/x/data"}, {folder("data", {folder("x", {folder("data", {})})})});
  EXPECT_EQ(view.stripped_path, "/data/x/data");
  // The same path, stored as the relative "data": the outer "data" leads nowhere.
  const auto relative = open({"/data/x/data"}, {folder("data", {file("1")})});
  EXPECT_THAT(names(relative), ElementsAre("1"));
  EXPECT_EQ(relative.stripped_path, "/data");
}

TEST_F(SnapshotViewTest, StopsWhereAFolderHoldsMoreThanTheWay) {
  const auto view =
      open({"/srv/gitea"},
           {folder("srv", {folder("gitea", {file("app.ini")}), file("not of the target")})});
  EXPECT_THAT(names(view), ElementsAre("gitea", "not of the target"));
  EXPECT_EQ(view.stripped_path, "/srv");
  EXPECT_EQ(own_name(view), "srv");
}

TEST_F(SnapshotViewTest, StopsAtTheTopIfThatHoldsMoreThanTheWay) {
  const auto view = open({"/srv/gitea"}, {file("more"), folder("srv", {folder("gitea", {})})});
  EXPECT_THAT(names(view), ElementsAre("more", "srv"));
  EXPECT_EQ(view.stripped_path, "");
}

TEST_F(SnapshotViewTest, WhoseTreeIsSomewhereElseIsTheWholeTree) {
  const auto view = open({"/srv/gitea"}, {folder("elsewhere", {file("1")})});
  EXPECT_THAT(names(view), ElementsAre("elsewhere"));
  EXPECT_EQ(view.stripped_path, "");
}

TEST_F(SnapshotViewTest, OfATargetThatBecameALinkShowsTheLink) {
  const std::string link = R"({"name":"gitea","type":"symlink","linktarget":"/mnt"})";
  EXPECT_THAT(names(open({"/srv/gitea"}, {folder("srv", {link})})), ElementsAre("gitea"));
}

TEST_F(SnapshotViewTest, NeverHidesAnythingInTheTree) {
  // Random small trees and targets of the same few names, so that they meet in every way.
  std::mt19937 random(2026);
  const std::vector<std::string> words{"a", "b"};
  const std::function<std::vector<std::string>(int, const std::string&, std::set<std::string>&)>
      grow = [&](int depth, const std::string& path, std::set<std::string>& leaves) {
        std::vector<std::string> nodes;
        for (const auto& word : words) {
          const auto kind = random() % 3;
          if (kind == 0 || depth == 0) continue;
          const std::string own = fmt::format("{}/{}", path, word);
          std::set<std::string> below;
          nodes.push_back(kind == 1 ? file(word) : folder(word, grow(depth - 1, own, below)));
          if (kind == 1 || below.empty()) below.insert(own);
          leaves.merge(below);
        }
        return nodes;
      };
  const std::function<void(const BlobId&, const std::string&, std::set<std::string>&)> walk =
      [&](const BlobId& id, const std::string& path, std::set<std::string>& leaves) {
        const SharedCompactTree tree = value_of(trees_.load(id, soon()));
        if (tree->nodes().empty()) leaves.insert(path);
        for (const Node node : tree->nodes()) {
          const std::string own = path + "/" + std::string(node.name);
          node.subtree ? walk(*node.subtree, own, leaves) : void(leaves.insert(own));
        }
      };
  for (int round = 0; round < 500; ++round) {
    std::set<std::string> stored;
    const auto nodes = grow(4, "", stored);
    if (stored.empty()) continue;
    std::vector<std::string> targets(1 + random() % 2);
    for (auto& target : targets) {
      for (auto length = 1 + random() % 4; length > 0; --length) {
        target += "/" + words[random() % 2];
      }
    }
    const SnapshotView view = open(targets, nodes);
    std::set<std::string> shown;
    walk(view.tree, view.stripped_path, shown);
    EXPECT_EQ(shown, stored) << targets.front();
  }
}

TEST_F(SnapshotViewTest, WhoseWayIsDamagedIsDamageNotAnEmptyFolder) {
  const std::string srv = folder("srv", {folder("gitea", {file("app.ini")})});
  blobs_.fail(tree({folder("gitea", {file("app.ini")})}), Error(ErrorKind::kCorrupt, "flipped"));
  EXPECT_THAT(try_open({"/srv/gitea"}, {srv}), FailsWith(ErrorKind::kCorrupt));
}

TEST_F(SnapshotViewTest, WhoseWayIsOutOfReachIsAnOutage) {
  const BlobId srv = tree({folder("gitea", {})});
  blobs_.fail(srv, Error(ErrorKind::kUnavailable, "the line is down"));
  EXPECT_THAT(try_open({"/srv/gitea"}, {folder_node("srv", srv)}),
              FailsWith(ErrorKind::kUnavailable));
}

TEST_F(SnapshotViewTest, EndsAtAFolderWithoutTree) {
  const auto view = open({"/srv/gitea"}, {folder("srv", {R"({"name":"gitea","type":"dir"})"})});
  EXPECT_THAT(names(view), ElementsAre("gitea"));
  EXPECT_EQ(view.stripped_path, "/srv");
}

// Only a source that lies can give such a tree; the way down must end all the same.
TEST_F(SnapshotViewTest, OfATreeThatContainsItselfComesToAnEnd) {
  BlobId own{};
  own.bytes.fill(std::byte{0x5a});
  blobs_.put(own, "{\"nodes\":[" + folder_node("a", own) + "]}");
  const auto view = open({"/a/a/a"}, {folder_node("a", own)});
  EXPECT_EQ(view.stripped_path, "/a/a/a");
  EXPECT_THAT(names(view), ElementsAre("a"));
}

// --- views by number ----------------------------------------------------------------------------

TEST_F(SnapshotViewTest, IsOpenedOnceForEachDirectory) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->paths = {"/srv/gitea"};
  snapshot->tree = tree({folder("srv", {folder("gitea", {file("app.ini")})})});
  VirtualNode stripped{};
  stripped.kind = VirtualNode::Kind::kSnapshot;
  stripped.inode = 17;
  stripped.path = "apps/gitea/today";
  stripped.snapshot = snapshot;
  stripped.without_leading_path = true;
  VirtualNode whole = stripped;
  whole.inode = 18;
  whole.without_leading_path = false;

  SnapshotViews views(trees_);
  const std::uint32_t first = value_of(views.number_of(stripped, soon()));
  const std::uint32_t second = value_of(views.number_of(whole, soon()));
  EXPECT_NE(first, second);
  EXPECT_EQ(value_of(views.number_of(stripped, soon())), first);
  EXPECT_EQ(views.at(first), views.at(first));
  EXPECT_EQ(views.at(first)->root_inode, 17U);
  EXPECT_EQ(views.at(first)->path, "apps/gitea/today");
  EXPECT_THAT(names(*views.at(first)), ElementsAre("app.ini"));
  EXPECT_THAT(names(*views.at(second)), ElementsAre("srv"));
}

TEST_F(SnapshotViewTest, ThatCouldNotBeOpenedIsTriedAgain) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->paths = {"/srv"};
  snapshot->tree = tree({});
  blobs_.fail(snapshot->tree, Error(ErrorKind::kCorrupt, "flipped"));
  VirtualNode directory{};
  directory.kind = VirtualNode::Kind::kSnapshot;
  directory.inode = 17;
  directory.snapshot = snapshot;
  directory.without_leading_path = true;
  SnapshotViews views(trees_);
  EXPECT_THAT(views.number_of(directory, soon()), FailsWith(ErrorKind::kCorrupt));
  snapshot->tree = tree({folder("srv", {file("f")})});
  EXPECT_THAT(names(*views.at(value_of(views.number_of(directory, soon())))), ElementsAre("f"));
}

}  // namespace
}  // namespace restree
