#include "repo/archiver/archiver.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>

#include "tests/support/files.h"
#include "tests/support/memory_repository.h"
#include "tests/support/refused_memory.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;
using testing::MemoryRepository;
using testing::soon;
using testing::TempDir;
using testing::value_of;
using testing::write_file;

class Recorded final : public ArchiveEvents {
 public:
  void on_error(const std::string& path, const Error&) override { errors_.lock()->insert(path); }
  void on_number_reused(const std::string& path) override { reused_.lock()->insert(path); }
  void on_file_begun(std::string_view path) override {
    read_.lock()->emplace(path);
    if (when_begun) when_begun(path);
  }
  void on_bytes_read(std::uint64_t) override {}
  void on_saved(const SavedItem& item) override {
    if (item.change == ItemChange::kUnmodified) return;
    changed_.lock()->emplace(item.path);
  }

  // Called after a file was looked at (lstat) and before it is opened.
  std::function<void(std::string_view)> when_begun;

  std::multiset<std::string> errors() const { return *errors_.lock(); }
  std::multiset<std::string> reused() const { return *reused_.lock(); }
  // The files whose content was read.
  std::multiset<std::string> read() const { return *read_.lock(); }
  std::multiset<std::string> changed() const { return *changed_.lock(); }

 private:
  Guarded<std::multiset<std::string>> errors_;
  Guarded<std::multiset<std::string>> reused_;
  Guarded<std::multiset<std::string>> read_;
  Guarded<std::multiset<std::string>> changed_;
};

class Everything : public SourceFilter {
 public:
  bool wants_path(const std::string&) const override { return true; }
  bool wants(const std::string&, const struct stat&) const override { return true; }
  void thin_out(const UniqueFd&, const std::string&, std::vector<std::string>&) const override {}
};

class ArchiverTest : public ::testing::Test {
 protected:
  ArchiverTest() : repository_(memory_.open()) {}

  // A tree with the folder as the only entry of its root.
  TargetNode target() const {
    const std::string path = folder_.path().string();
    TargetNode root;
    root.children.push_back({"a", path, path, true, true, {}});
    return root;
  }
  Result<ArchiveResult> save(const TargetNode& targets,
                             const std::optional<BlobId>& before = std::nullopt,
                             const RepositoryWriter::Options& writing = {}) {
    const auto chunker = value_of(Chunker::make(repository_->config().chunker_polynomial));
    RepositoryWriter writer(*repository_, writing, stop_.get_token());
    ASSIGN_OR_RETURN(const ArchiveResult result,
                     archive({writer, *repository_, chunker, *filter_, events_}, options_, targets,
                             before, stop_.get_token()));
    RETURN_IF_ERROR(writer.flush());
    value_of(repository_->refresh_index(soon()));
    return result;
  }
  std::shared_ptr<const Tree> tree(const BlobId& id) {
    return value_of(Tree::parse(*value_of(repository_->load(BlobType::kTree, id, soon()))));
  }
  std::shared_ptr<const Tree> folder(const Tree& around, std::string_view name) {
    return tree(value_of(around.find(name)->subtree));
  }
  // The tree of the folder that was saved.
  std::shared_ptr<const Tree> saved(const ArchiveResult& result) {
    return folder(*tree(result.tree), "a");
  }
  fs::path path(const std::string& name) const { return folder_.path() / name; }
  std::string under(const std::string& name) const { return path(name).string(); }

  MemoryRepository memory_{2};
  std::unique_ptr<Repository> repository_;
  TempDir folder_;
  ArchiveOptions options_;
  Everything everything_;
  const SourceFilter* filter_ = &everything_;
  Recorded events_;
  std::stop_source stop_;
};

TEST_F(ArchiverTest, SavesFilesFoldersAndLinks) {
  write_file(path("small"), "content");
  write_file(path("empty"), "");
  fs::create_directory(path("sub"));
  write_file(path("sub/below"), "below");
  fs::create_symlink("small", path("link"));
  const auto result = value_of(save(target()));
  const auto top = saved(result);
  ASSERT_EQ(top->nodes().size(), 4);
  const Node* small = top->find("small");
  ASSERT_EQ(small->content.size(), 1);
  EXPECT_EQ(
      as_text(value_of(repository_->load(BlobType::kData, small->content[0], soon()))->view()),
      "content");
  EXPECT_EQ(small->size, 7);
  EXPECT_THAT(top->find("empty")->content, IsEmpty());
  EXPECT_EQ(top->find("link")->link_target, "small");
  EXPECT_NE(folder(*top, "sub")->find("below"), nullptr);
  EXPECT_EQ(result.files.created, 3);
  EXPECT_EQ(result.folders.created, 2);
  EXPECT_EQ(result.bytes, 12);
}

TEST_F(ArchiverTest, NamesOfOneFileKeepTheirNumberOfLinks) {
  write_file(path("a"), "content");
  fs::create_hard_link(path("a"), path("b"));
  const auto top = saved(value_of(save(target())));
  EXPECT_EQ(top->find("a")->links, 2);
  EXPECT_EQ(top->find("b")->links, 2);
  EXPECT_EQ(top->find("a")->inode, top->find("b")->inode);
  EXPECT_THAT(events_.reused(), IsEmpty());
}

// As a file is that got the number of one deleted a moment before.
TEST_F(ArchiverTest, ANumberThatComesAgainWithOtherContentIsNotALink) {
  write_file(path("a"), "content");
  fs::create_hard_link(path("a"), path("b"));
  fs::create_hard_link(path("a"), path("c"));
  events_.when_begun = [&](std::string_view item) {
    if (item == "/a/b") write_file(path("b"), "and quite another");
  };
  const auto first = value_of(save(target()));
  const auto top = saved(first);
  EXPECT_EQ(top->find("a")->links, 3);
  EXPECT_EQ(top->find("a")->size, 7);
  EXPECT_EQ(top->find("b")->links, 1);
  EXPECT_EQ(top->find("b")->size, 17);
  EXPECT_EQ(top->find("c")->links, 1);
  EXPECT_EQ(top->find("c")->size, 17);
  EXPECT_EQ(events_.reused(), (std::multiset<std::string>{under("b"), under("c")}));
  EXPECT_EQ(first.errors, 0);

  events_.when_begun = {};
  const auto next = saved(value_of(save(target(), first.tree)));
  EXPECT_EQ(next->find("a")->links, 3);
  EXPECT_EQ(next->find("b")->links, 3);
}

TEST_F(ArchiverTest, AFolderOfManyEntriesIsSavedInOrder) {
  for (int i = 0; i < 1500; ++i) write_file(path(std::to_string(i)), std::to_string(i));
  const auto top = saved(value_of(save(target())));
  ASSERT_EQ(top->nodes().size(), 1500);
  for (const Node& node : top->nodes()) {
    ASSERT_EQ(node.content.size(), 1);
    EXPECT_EQ(
        as_text(value_of(repository_->load(BlobType::kData, node.content[0], soon()))->view()),
        node.name);
  }
}

TEST_F(ArchiverTest, ALargeFileComesBackChunkByChunk) {
  const std::string content = testing::random_bytes(1, 20'000'000);
  write_file(path("large"), content);
  const auto top = saved(value_of(save(target())));
  const Node* large = top->find("large");
  EXPECT_EQ(large->size, content.size());
  EXPECT_GT(large->content.size(), 3);
  std::string back;
  for (const BlobId& id : large->content) {
    back += as_text(value_of(repository_->load(BlobType::kData, id, soon()))->view());
  }
  EXPECT_TRUE(back == content);
}

TEST_F(ArchiverTest, MemoryThatIsRefusedIsAnErrorAndNothingWaitsForItsChunks) {
  write_file(path("large"), testing::random_bytes(1, 20'000'000));
  // No system has the memory for such a pack.
  EXPECT_THAT(save(target(), std::nullopt, {.pack_bytes = SIZE_MAX - (std::size_t{64} << 20)}),
              FailsWith(ErrorKind::kLocalIo));
}

TEST_F(ArchiverTest, UnchangedFilesAreNotReadAgain) {
  write_file(path("same"), "same");
  write_file(path("other"), "before");
  const auto first = value_of(save(target()));
  EXPECT_THAT(events_.read(), ::testing::UnorderedElementsAre("/a/same", "/a/other"));
  write_file(path("other"), "after it");
  const auto second = value_of(save(target(), first.tree));
  EXPECT_EQ(events_.read().count("/a/same"), 1);
  EXPECT_EQ(events_.read().count("/a/other"), 2);
  EXPECT_EQ(second.files.changed, 1);
  EXPECT_EQ(second.files.unmodified, 1);
  EXPECT_NE(second.tree, first.tree);
  const auto third = value_of(save(target(), second.tree));
  EXPECT_EQ(third.tree, second.tree);
  EXPECT_EQ(third.folders.unmodified, 1);
}

// As in restic, where a file whose content is taken over counts as unmodified whatever else differs.
TEST_F(ArchiverTest, AFileThatIsNotReadAgainCountsAsUnmodified) {
  write_file(path("file"), "content");
  const auto first = value_of(save(target()));
  options_.change_detection.ignore_ctime = true;
  fs::permissions(path("file"), fs::perms::owner_read);
  const auto second = value_of(save(target(), first.tree));
  EXPECT_EQ(second.files.unmodified, 1);
  EXPECT_EQ(second.files.changed, 0);
  EXPECT_NE(second.tree, first.tree);
  EXPECT_EQ(saved(second)->find("file")->permissions, 0400);
  EXPECT_THAT(events_.changed().count("/a/file"), 1);
}

TEST_F(ArchiverTest, RecordsTheDeviceForLinksOnlyIfAskedTo) {
  write_file(path("one"), "x");
  write_file(path("two"), "y");
  fs::create_hard_link(path("two"), path("second"));
  fs::create_directory(path("sub"));
  EXPECT_NE(saved(value_of(save(target())))->find("one")->device_id, 0);
  options_.device_for_links_only = true;
  const auto result = value_of(save(target()));
  const auto top = saved(result);
  EXPECT_EQ(top->find("one")->device_id, 0);
  EXPECT_EQ(top->find("sub")->device_id, 0);
  EXPECT_EQ(tree(result.tree)->find("a")->device_id, 0);
  EXPECT_NE(top->find("two")->device_id, 0);
}

TEST_F(ArchiverTest, AnAccessTimeAloneDoesNotModifyAFile) {
  write_file(path("file"), "content");
  options_.with_atime = true;
  options_.change_detection.ignore_ctime = true;
  const auto first = value_of(save(target()));
  const std::array<timespec, 2> times{timespec{1'000'000, 0}, timespec{0, UTIME_OMIT}};
  ASSERT_EQ(::utimensat(AT_FDCWD, under("file").c_str(), times.data(), 0), 0);
  const auto second = value_of(save(target(), first.tree));
  EXPECT_EQ(second.files.unmodified, 1);
  EXPECT_EQ(saved(second)->find("file")->atime.seconds, 1'000'000);
}

TEST_F(ArchiverTest, AFileWhoseBlobsAreLostIsReportedAndReadAgain) {
  write_file(path("lost"), "content");
  const auto first = value_of(save(target()));
  MemoryRepository other(2);
  const auto there = other.open();
  // That repository has the tree but not the data.
  RepositoryWriter trees(*there, {}, stop_.get_token());
  for (const BlobId& id : {first.tree, value_of(tree(first.tree)->find("a")->subtree)}) {
    ASSERT_OK(
        trees.save(BlobType::kTree, *value_of(repository_->load(BlobType::kTree, id, soon()))));
  }
  ASSERT_OK(trees.flush());
  repository_ = other.open();
  const auto second = value_of(save(target(), first.tree));
  EXPECT_EQ(second.errors, 1);
  EXPECT_EQ(second.tree, first.tree);
  EXPECT_OK(repository_->load(BlobType::kData, saved(second)->find("lost")->content[0], soon()));
}

TEST_F(ArchiverTest, FoldersAboveATargetAreSavedWithoutTheirOtherContent) {
  fs::create_directories(path("on/the"));
  write_file(path("on/beside"), "");
  write_file(path("on/the/way"), "x");
  TargetNode way{"way", under("on/the/way"), under("on/the/way"), true, true, {}};
  TargetNode the{"the", under("on/the"), under("on/the"), false, true, {way}};
  TargetNode root;
  root.children.push_back({"on", under("on"), under("on"), false, true, {the}});
  const auto top = tree(value_of(save(root)).tree);
  const auto on = folder(*top, "on");
  EXPECT_EQ(on->nodes().size(), 1);
  EXPECT_NE(folder(*on, "the")->find("way"), nullptr);
}

TEST_F(ArchiverTest, AMissingTargetIsAnErrorAndTheOthersAreSaved) {
  write_file(path("there"), "x");
  TargetNode targets = target();
  targets.children.push_back({"gone", under("gone"), under("gone"), true, true, {}});
  const auto result = value_of(save(targets));
  EXPECT_EQ(result.errors, 1);
  EXPECT_THAT(events_.errors(), Contains(under("gone")));
  EXPECT_EQ(tree(result.tree)->nodes().size(), 1);
}

// As in restic, which looks at each entry just before it opens it.
TEST_F(ArchiverTest, AFileThatVanishesBeforeTheLookIsIgnored) {
  for (const char* const name : {"first", "gone", "last"}) write_file(path(name), name);
  fs::create_directory(path("gone folder"));
  fs::create_directory(path("later"));
  events_.when_begun = [this](std::string_view begun) {
    if (begun == "/a/first") {
      fs::remove(path("gone"));
      fs::remove(path("gone folder"));
    }
    // Folders are opened when all entries beside them have been looked at.
    if (begun == "/a/last") fs::remove(path("later"));
  };
  const auto result = value_of(save(target()));
  EXPECT_EQ(result.errors, 0);
  EXPECT_THAT(events_.errors(), IsEmpty());
  const auto top = saved(result);
  EXPECT_EQ(top->nodes().size(), 2);
  EXPECT_NE(top->find("first"), nullptr);
  EXPECT_NE(top->find("last"), nullptr);
}

TEST_F(ArchiverTest, AFileThatVanishesBetweenTheLookAndTheOpeningIsAnError) {
  for (const char* const name : {"first", "gone"}) write_file(path(name), name);
  events_.when_begun = [this](std::string_view begun) {
    if (begun == "/a/gone") fs::remove(path("gone"));
  };
  const auto result = value_of(save(target()));
  EXPECT_EQ(result.errors, 1);
  EXPECT_THAT(events_.errors(), ElementsAre(under("gone")));
  EXPECT_EQ(saved(result)->nodes().size(), 1);
}

TEST_F(ArchiverTest, FailsIfNothingCanBeSaved) {
  EXPECT_THAT(save(TargetNode{}), FailsWith(ErrorKind::kInvalid));
}

TEST_F(ArchiverTest, AFailingStorageEndsTheBackup) {
  for (int i = 0; i < 50; ++i) write_file(path(std::to_string(i)), std::string(600'000, char(i)));
  memory_.storage().watch_writes(
      [](const FileName&) -> Status { return Error(ErrorKind::kLocalIo, "no space left"); });
  EXPECT_THAT(save(target()), FailsWith(ErrorKind::kLocalIo));
}

TEST_F(ArchiverTest, AStopEndsTheBackup) {
  write_file(path("file"), "x");
  stop_.request_stop();
  EXPECT_THAT(save(target()), FailsWith(ErrorKind::kCancelled));
}

}  // namespace
}  // namespace restree
