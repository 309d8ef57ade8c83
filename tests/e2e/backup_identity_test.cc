// restree and restic back up the same folders into one repository, in turns: the trees are the
// same, and the second one adds nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "repo/format/tree.h"
#include "tests/support/awkward_tree.h"
#include "tests/support/changing_folder.h"
#include "tests/support/files.h"
#include "tests/support/matchers.h"
#include "tests/support/programs.h"
#include "tests/support/restic.h"
#include "tests/support/restics.h"
#include "tests/support/scale.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;

// What `backup --json` says at its end, and the tree of the snapshot.
struct Saved {
  std::string snapshot;
  std::string tree;
  std::string data_blobs;
  std::string tree_blobs;
};

// The last value of a field in lines of JSON, without quotes.
std::string field(const std::string& json, const std::string& name) {
  const std::string key = "\"" + name + "\":";
  std::size_t at = json.rfind(key);
  if (at == std::string::npos) throw std::runtime_error("no " + name + " in " + json);
  at = json.find_first_not_of(" \"", at + key.size());
  return json.substr(at, json.find_first_of("\",}\n", at) - at);
}

// Both programs with one repository; which restic is the parameter.
class BackupIdentity : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    fs::create_directories(work());
    restic_.init();
  }

  fs::path work() const { return dir_.path() / "around" / "w"; }

  // The program's words are the same, whichever it is.
  Saved back_up(const Restic& program, std::vector<std::string> words, const fs::path& folder) {
    words.insert(words.begin(), {"backup", "--json"});
    const std::string out = program.run_ok(std::move(words), folder);
    const std::string snapshot = field(out, "snapshot_id");
    return {snapshot, field(restic_.run_ok({"cat", "snapshot", snapshot}), "tree"),
            field(out, "data_blobs"), field(out, "tree_blobs")};
  }
  // One after the other: the same tree, and nothing new by the second.
  void expect_same(const Restic& first, const Restic& second,
                   const std::vector<std::string>& words) {
    const Saved one = back_up(first, words, work());
    const Saved other = back_up(second, words, work());
    EXPECT_EQ(one.tree, other.tree) << ::testing::PrintToString(words);
    EXPECT_EQ(other.data_blobs, "0") << ::testing::PrintToString(words);
    EXPECT_EQ(other.tree_blobs, "0") << ::testing::PrintToString(words);
  }

  // The tree of a folder that is in the snapshot by its whole path: what lies above it, others
  // change while the test runs.
  std::string tree_of(const Saved& saved, const fs::path& folder) {
    std::string id = saved.tree;
    for (const fs::path& name : folder.relative_path()) {
      const std::string json = restic_.run_ok({"cat", "blob", id});
      const auto tree = value_of(Tree::parse(as_bytes(json)));
      const Node* const node = tree->find(name.string());
      if (node == nullptr || !node->subtree) throw std::runtime_error("no " + name.string());
      id = node->subtree->hex();
    }
    return id;
  }

  TempDir dir_;
  Restic restic_{dir_.path() / "home", GetParam()};
  Restic restree_{dir_.path() / "home", restree_path()};
};

TEST_P(BackupIdentity, OfTheAwkwardTree) {
  make_awkward_tree(work() / "awkward", {.beyond_restic_0_14 = GetParam() != "restic"});
  expect_same(restic_, restree_, {"awkward"});
  expect_same(restree_, restic_, {"--force", "awkward"});
  restic_.check();
}

TEST_P(BackupIdentity, OfAFolderThatChanges) {
  make_changing_folder(work() / "app");
  expect_same(restree_, restic_, {"app"});
  for (int day = 1; day <= 4; ++day) {
    change_folder(work() / "app", day);
    const bool restic_first = day % 2 == 0;
    expect_same(restic_first ? restic_ : restree_, restic_first ? restree_ : restic_, {"app"});
  }
  restic_.check();
}

TEST_P(BackupIdentity, OfManyFiles) {
  if (test_scale() < 1) {
    expect_same(restree_, restic_, {"/usr/share/doc", "/usr/share/zoneinfo"});
  } else {
    expect_same(restree_, restic_, {"/usr/share"});
  }
  restic_.check();
}

TEST_P(BackupIdentity, OfTargetsGivenInEveryWay) {
  for (const char* name : {"p/q/x", "p/r", "z/deep/er", "../b/x/y", "../p/other"}) {
    fs::create_directories((work() / name).parent_path());
    write_file(work() / name, name);
  }
  fs::create_directory_symlink("p", work() / "link");
  const std::vector<std::vector<std::string>> calls = {
      {"p"},    {"p/q", "../b/x"}, {"."},     {"p", "../p"}, {"p", "p/q"},  {"p/q", "p"},
      {"link"}, {"link/q"},        {"link/"}, {"..", "p"},   {"p/..", "p"}, {"p/q/x", "p/r", "p/"}};
  for (const auto& call : calls) expect_same(restree_, restic_, call);
}

TEST_P(BackupIdentity, OfTargetsGivenByTheirWholePath) {
  fs::create_directories(work() / "p/q");
  write_file(work() / "p/q/x", "x");
  const fs::path around = work().parent_path();
  const std::string here = work().string();
  const std::vector<std::vector<std::string>> calls = {
      {here + "/p"}, {here + "/p", here + "/p/q"}, {here + "/p/q/x", "."}, {here + "/p/", "./p"}};
  for (const auto& call : calls) {
    const Saved one = back_up(restree_, call, work());
    const Saved other = back_up(restic_, call, work());
    EXPECT_EQ(tree_of(one, around), tree_of(other, around)) << ::testing::PrintToString(call);
    EXPECT_EQ(other.data_blobs, "0") << ::testing::PrintToString(call);
  }
}

TEST_P(BackupIdentity, OfATreeFromWhichOptionsLeaveThingsOut) {
  for (const char* name : {"a/x.o", "a/x.c", "a/Y.O", "cache/data", "marked/data", "marked/.no"}) {
    fs::create_directories((work() / name).parent_path());
    write_file(work() / name, name);
  }
  write_file(work() / "cache/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n");
  write_file(work() / "patterns", "# no objects\n*.o\n!a/x.o\n");
  const std::vector<std::vector<std::string>> calls = {{"--exclude", "*.o"},
                                                       {"--iexclude", "*.o"},
                                                       {"--exclude-file", "patterns"},
                                                       {"--exclude-caches"},
                                                       {"--exclude-if-present", ".no"},
                                                       {"--exclude-larger-than", "9"},
                                                       {"--one-file-system"},
                                                       {"--exclude", "cache", "--exclude", "a/*"}};
  for (auto call : calls) {
    call.emplace_back(".");
    expect_same(restree_, restic_, call);
  }
}

INSTANTIATE_TEST_SUITE_P(Restic, BackupIdentity, ::testing::ValuesIn(all_restics()), restic_name);

}  // namespace
}  // namespace restree::testing
