#include "repo/rewriter/snapshot_rewriter.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/memory_repository.h"

namespace restree {
namespace {

using Kind = SnapshotFate::Kind;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::FailsWith;
using testing::file_node;
using testing::folder_node;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Optional;
using ::testing::SizeIs;
using testing::soon;
using ::testing::StartsWith;
using testing::value_of;

class Events final : public RewriteListener {
 public:
  void beginning(std::size_t) override {}
  void looked_at() override {}
  void begun(const Snapshot& snapshot) override { words.push_back("begin " + snapshot.hostname); }
  void remark(NodeRemark, const std::string& path, const std::string&) override {
    words.push_back("remark " + path);
  }
  void ended(const Snapshot&, const SnapshotFate& fate) override {
    constexpr std::array<const char*, 3> kKinds{"stays", "goes", "becomes"};
    words.emplace_back(kKinds[static_cast<std::size_t>(fate.kind)]);
  }
  void saved(const SnapshotId&) override { words.emplace_back("saved"); }
  void removed(const Snapshot&, const SnapshotFate&) override { words.emplace_back("removed"); }

  std::vector<std::string> words;
};

// Snapshots of the hosts a, b, … with a file of that name, and a secret in a folder that all share.
class SnapshotRewriterTest : public ::testing::Test {
 protected:
  testing::RepositoryBuilder& builder() { return memory_.builder(); }
  static std::string file(const std::string& name) { return file_node(name, {}, 1); }
  void add_snapshots(const std::string& hosts) {
    const BlobId shared = builder().add_tree({file("f"), file("secret")});
    for (const char host : hosts) {
      const std::string name(1, host);
      const BlobId root = builder().add_tree({file(name), folder_node("folder", shared)});
      builder().add_snapshot(root, {.time = "2026-01-01T00:00:0" + std::to_string(host - 'a') + "Z",
                                    .hostname = name});
    }
    builder().finish();
  }
  std::vector<Snapshot> snapshots() {
    const auto repository = memory_.open();
    std::vector<Snapshot> all;
    for (const SnapshotId& id : value_of(repository->list_snapshots(soon()))) {
      all.push_back(value_of(repository->load_snapshot(id, soon())));
    }
    std::ranges::sort(all, {}, &Snapshot::hostname);
    return all;
  }
  Result<std::size_t> rewrite(RewriteOptions options = {}) {
    options.edit.tag = options.forget ? "" : "rewrite";
    options.stop = stop_.get_token();
    const ExcludeRules rules(value_of(PatternFilter::make({.patterns = {"secret"}}, "exclude")));
    const auto repository = memory_.open();
    events_.words.clear();
    SnapshotRewriter rewriter(*repository, &rules, options, events_);
    return rewriter.rewrite(snapshots());
  }
  void fail_writes_of(FileType type) {
    memory_.storage().watch_writes([type](const FileName& file) -> Status {
      if (file.type != type) return {};
      return Error(ErrorKind::kLocalIo, "no space left");
    });
  }

  testing::MemoryRepository memory_;
  std::stop_source stop_;
  Events events_;
};

TEST_F(SnapshotRewriterTest, SavesTheSuccessorsOfAllSnapshotsAfterOneUpload) {
  add_snapshots("abc");
  Guarded<std::vector<FileType>> written;
  memory_.storage().watch_writes([&](const FileName& file) -> Status {
    written.lock()->push_back(file.type);
    return {};
  });
  EXPECT_EQ(value_of(rewrite()), 3U);
  EXPECT_THAT(*written.lock(), ElementsAre(FileType::kPack, FileType::kIndex, FileType::kSnapshot,
                                           FileType::kSnapshot, FileType::kSnapshot));
  EXPECT_THAT(snapshots(), SizeIs(6));
  EXPECT_THAT(events_.words,
              ElementsAre("begin a", "remark /folder/secret", "becomes", "saved", "begin b",
                          "becomes", "saved", "begin c", "becomes", "saved"));
  EXPECT_EQ(value_of(rewrite()), 3U) << "the old ones are there as before";
}

TEST_F(SnapshotRewriterTest, ForgetsEachSnapshotOnceItsSuccessorIsSaved) {
  add_snapshots("ab");
  const std::vector<Snapshot> before = snapshots();
  Guarded<std::vector<std::string>> done;
  memory_.storage().watch_writes([&](const FileName& file) -> Status {
    if (file.type == FileType::kSnapshot) done.lock()->push_back("save");
    return {};
  });
  memory_.storage().watch_removals([&](const FileName&) -> Status {
    done.lock()->push_back("remove");
    return {};
  });
  EXPECT_EQ(value_of(rewrite({.forget = true})), 2U);
  EXPECT_THAT(*done.lock(), ElementsAre("save", "remove", "save", "remove"));
  const std::vector<Snapshot> after = snapshots();
  ASSERT_THAT(after, SizeIs(2));
  EXPECT_THAT(after[1].original, Optional(before[1].id));
  EXPECT_THAT(after[1].tags, IsEmpty());
  EXPECT_EQ(value_of(rewrite({.forget = true})), 0U) << "nothing is secret any more";
}

TEST_F(SnapshotRewriterTest, ADryRunWritesNothing) {
  add_snapshots("a");
  memory_.storage().watch_writes([](const FileName& file) -> Status {
    return Error(ErrorKind::kDenied, "written: " + file.name);
  });
  EXPECT_EQ(value_of(rewrite({.forget = true, .dry_run = true})), 1U);
  EXPECT_THAT(events_.words, ElementsAre("begin a", "remark /folder/secret", "becomes"));
  EXPECT_THAT(snapshots(), SizeIs(1));
}

TEST_F(SnapshotRewriterTest, WithoutRulesNoTreeIsRead) {
  builder().add_snapshot(builder().add(BlobType::kTree, "no tree"), {.hostname = "a"});
  builder().finish();
  const auto repository = memory_.open();
  SnapshotRewriter rewriter(*repository, nullptr, {.edit = {.host = "new"}, .forget = true},
                            events_);
  EXPECT_EQ(value_of(rewriter.rewrite(snapshots())), 1U);
  EXPECT_EQ(snapshots().front().hostname, "new");
}

TEST_F(SnapshotRewriterTest, ASnapshotThatCannotBeRewrittenEndsItAndThoseBeforeAreDone) {
  add_snapshots("a");
  const BlobId lost = builder().add_tree({file("x")});
  builder().add_snapshot(lost, {.hostname = "b"});
  add_snapshots("c");
  memory_.remove_packs_of(lost);
  const Result<std::size_t> done = rewrite();
  EXPECT_THAT(done, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(done.error().message(), StartsWith("unable to rewrite snapshot ID \""));
  EXPECT_THAT(events_.words,
              ElementsAre("begin a", "remark /folder/secret", "becomes", "saved", "begin b"));
}

TEST_F(SnapshotRewriterTest, WithoutSpaceNoSnapshotIsTouched) {
  add_snapshots("ab");
  for (const FileType type : {FileType::kPack, FileType::kIndex, FileType::kSnapshot}) {
    fail_writes_of(type);
    EXPECT_THAT(rewrite({.forget = true}), FailsWith(ErrorKind::kLocalIo));
    EXPECT_THAT(snapshots(), SizeIs(2));
  }
}

TEST_F(SnapshotRewriterTest, ARunThatIsCutShortBetweenTwoSnapshotsLeavesTheRestForTheNext) {
  add_snapshots("ab");
  int saves = 0;
  memory_.storage().watch_writes([&](const FileName& file) -> Status {
    if (file.type != FileType::kSnapshot || ++saves < 2) return {};
    return Error(ErrorKind::kUnavailable, "the server is away");
  });
  EXPECT_THAT(rewrite({.forget = true}), FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(snapshots(), SizeIs(2));
  memory_.storage().watch_writes({});
  EXPECT_EQ(value_of(rewrite({.forget = true})), 1U);
  EXPECT_THAT(snapshots(), SizeIs(2));
}

TEST_F(SnapshotRewriterTest, AStopEndsItBeforeTheNextSnapshot) {
  add_snapshots("ab");
  memory_.storage().watch_removals([&](const FileName&) -> Status {
    stop_.request_stop();
    return {};
  });
  EXPECT_THAT(rewrite({.forget = true}), FailsWith(ErrorKind::kCancelled));
  EXPECT_THAT(events_.words, Contains("removed").Times(1));
  EXPECT_THAT(snapshots(), SizeIs(2));
}

}  // namespace
}  // namespace restree
