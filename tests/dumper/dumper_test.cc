// Dumps of small hand-made snapshots, and how each failure ends one.
#include "repo/dumper/dumper.h"

#include <fmt/core.h>

#include <map>
#include <string>
#include <vector>

#include "repo/dumper/tar_writer.h"
#include "repo/tree_loading.h"
#include "tests/dumper/tar_reader.h"
#include "tests/support/memory_repository.h"

namespace restree::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Records the calls that it gets, and fails at the one that a test names.
class RecordingSink final : public DumpSink {
 public:
  struct Item {
    std::string path;
    NodeType type;
    std::uint64_t size;
    std::string content;
  };

  bool holds(NodeType type) const override {
    return DumpSink::holds(type) || (holds_devices && type == NodeType::kBlockDevice);
  }
  Status begin(const std::string& path, const Node& node, std::uint64_t size) override {
    RETURN_IF_ERROR(count());
    items.push_back({path, node.type, size, ""});
    return {};
  }
  Status data(ByteView bytes) override {
    RETURN_IF_ERROR(count());
    items.back().content += as_text(bytes);
    return {};
  }
  Status finish() override {
    finished = true;
    return count();
  }
  std::vector<std::string> paths() const {
    std::vector<std::string> all;
    for (const Item& item : items) all.push_back(item.path);
    return all;
  }

  bool holds_devices = false;
  std::vector<Item> items;
  std::size_t calls = 0;
  std::size_t fails_at = 0;  // the number of the call that fails, from 1 on; 0: all succeed
  bool finished = false;
  std::stop_source* stops = nullptr;  // requested by the first call

 private:
  Status count() {
    ++calls;
    if (stops != nullptr) stops->request_stop();
    if (calls == fails_at) return Error(ErrorKind::kLocalIo, "the disk is full");
    return {};
  }
};

std::string link_node(const std::string& name, const std::string& target) {
  return fmt::format(
      R"({{"name":"{}","type":"symlink","mode":134218239,"mtime":"2020-01-01T00:00:00Z",)"
      R"("atime":"2020-01-01T00:00:00Z","ctime":"2020-01-01T00:00:00Z","uid":0,"gid":0,)"
      R"("linktarget":"{}","content":null}})",
      name, target);
}

std::string special_node(const std::string& name, const std::string& type) {
  return fmt::format(
      R"({{"name":"{}","type":"{}","mode":420,"mtime":"2020-01-01T00:00:00Z",)"
      R"("atime":"2020-01-01T00:00:00Z","ctime":"2020-01-01T00:00:00Z","uid":0,"gid":0,)"
      R"("device":5,"content":null}})",
      name, type);
}

// A file that shares its inode, as the backup saw it, with `links` names.
std::string linked_node(const std::string& name, const BlobId& content, std::uint64_t size,
                        int inode, int links) {
  return fmt::format(
      R"({{"name":"{}","type":"file","mode":420,"mtime":"2020-01-01T00:00:00Z",)"
      R"("atime":"2020-01-01T00:00:00Z","ctime":"2020-01-01T00:00:00Z","uid":0,"gid":0,)"
      R"("inode":{},"device_id":3,"size":{},"links":{},"content":["{}"]}})",
      name, inode, size, links, content.hex());
}

class DumperTest : public ::testing::Test {
 protected:
  BlobId data(const std::string& content) { return builder().add_data(content); }
  std::string file(const std::string& name, const std::string& content) {
    return file_node(name, {data(content)}, content.size());
  }
  std::string folder(const std::string& name, const std::vector<std::string>& nodes) {
    return folder_node(name, builder().add_tree(nodes));
  }
  // To be called once, after everything is in the repository.
  void open(const std::vector<std::string>& nodes) {
    const BlobId root = builder().add_tree(nodes);
    builder().finish();
    opened_ = repository_.open();
    tree_ = value_of(load_whole_tree(*opened_, root, soon()));
  }
  Status dump_to(DumpSink& sink, const std::string& path = "") {
    const auto keep = [this](const std::string& words) { left_out_.push_back(words); };
    return Dumper(*opened_, options_, keep).dump_folder(tree_, path, sink);
  }
  Status dump(const std::string& path = "") { return dump_to(sink_, path); }
  Status dump_file(const std::string& name) {
    return Dumper(*opened_, options_).dump_file(tree_, *tree_->find(name), sink_);
  }
  RepositoryBuilder& builder() { return repository_.builder(); }

  MemoryRepository repository_;
  BulkOptions options_;
  std::unique_ptr<Repository> opened_;
  std::shared_ptr<const Tree> tree_;
  RecordingSink sink_;
  std::vector<std::string> left_out_;
};

TEST_F(DumperTest, AFolderComesBeforeItsEntriesAndEntriesByName) {
  open({file("a", "of a"), folder("b", {file("c", "of c"), folder("d", {}), file("e", "of e")}),
        file("f", "of f")});
  ASSERT_OK(dump());
  EXPECT_THAT(sink_.paths(), ElementsAre("a", "b", "b/c", "b/d", "b/e", "f"));
  EXPECT_EQ(sink_.items[0].content, "of a");
  EXPECT_EQ(sink_.items[1].type, NodeType::kDirectory);
  EXPECT_EQ(sink_.items[1].size, 0U);
  EXPECT_EQ(sink_.items[2].content, "of c");
  EXPECT_EQ(sink_.items[4].content, "of e");
  EXPECT_EQ(sink_.items[5].content, "of f");
  EXPECT_FALSE(sink_.finished) << "the end of the archive is its caller's";
}

TEST_F(DumperTest, BelowAPathNamesBeginWithIt) {
  open({file("a", "x"), folder("b", {file("c", "x")})});
  ASSERT_OK(dump("some/where"));
  EXPECT_THAT(sink_.paths(), ElementsAre("some/where/a", "some/where/b", "some/where/b/c"));
}

TEST_F(DumperTest, AnEmptyFolderGivesNoEntries) {
  open({});
  ASSERT_OK(dump());
  EXPECT_EQ(sink_.calls, 0U);
}

TEST_F(DumperTest, LinksHaveNoContentAndDevicesFifosAndSocketsAreLeftOut) {
  open({special_node("block", "dev"), special_node("char", "chardev"), special_node("fifo", "fifo"),
        link_node("link", "where/ever"), special_node("socket", "socket")});
  ASSERT_OK(dump());
  ASSERT_THAT(sink_.paths(), ElementsAre("link"));
  EXPECT_EQ(sink_.items[0].type, NodeType::kSymlink);
  EXPECT_THAT(sink_.items[0].content, IsEmpty());
}

TEST_F(DumperTest, WhatASinkHoldsIsWrittenAndWhatItDoesNotIsNamed) {
  open({special_node("block", "dev"), special_node("fifo", "fifo"), file("plain", "x"),
        special_node("socket", "socket")});
  sink_.holds_devices = true;
  ASSERT_OK(dump("in"));
  EXPECT_THAT(sink_.paths(), ElementsAre("in/block", "in/plain"));
  EXPECT_THAT(left_out_, ElementsAre(AllOf(HasSubstr("/in/fifo"), HasSubstr("is a FIFO")),
                                     AllOf(HasSubstr("/in/socket"), HasSubstr("is a socket"))));
}

TEST_F(DumperTest, ANodeOfUnknownTypeCostsOnlyItself) {
  open({file("a", "x"), folder("b", {special_node("odd", "whiteout"), file("c", "y")}),
        special_node("o", "whiteout"), file("z", "w")});
  ASSERT_OK(dump());
  EXPECT_THAT(sink_.paths(), ElementsAre("a", "b", "b/c", "z"));
  EXPECT_THAT(left_out_, ElementsAre(HasSubstr("node \"o\" has the unknown type \"whiteout\""),
                                     AllOf(HasSubstr("/b"), HasSubstr("\"odd\""))));
}

TEST_F(DumperTest, AFileOfManyBlobsIsPutTogetherInOrder) {
  const BlobId one = data("one");
  const BlobId two = data("two2");
  open({file_node("f", {one, two, one, one}, 13)});
  ASSERT_OK(dump_file("f"));
  ASSERT_THAT(sink_.paths(), ElementsAre("f"));
  EXPECT_EQ(sink_.items[0].content, "onetwo2oneone");
  EXPECT_EQ(sink_.items[0].size, 13U);
}

TEST_F(DumperTest, TheSizeThatIsAnnouncedIsThatOfTheBlobs) {
  open({file_node("f", {data("12345")}, 999)});
  ASSERT_OK(dump());
  EXPECT_EQ(sink_.items.at(0).size, 5U);
}

TEST_F(DumperTest, NamesThatAreNotUtf8AreGivenAsTheyAre) {
  open({file("caf\\\\xe9", "x"), folder(R"(\\xff\\xfe)", {file("in", "y")})});
  ASSERT_OK(dump());
  EXPECT_THAT(sink_.paths(), ElementsAre("caf\xe9", "\xff\xfe", "\xff\xfe/in"));
}

TEST_F(DumperTest, AFileThatIsMostlyZerosIsReadOnceForEachOfItsBatches) {
  const std::string zeros(1 << 20, '\0');
  const BlobId hole = data(zeros);
  std::vector<BlobId> content(200, hole);
  content.front() = data("begin");
  content.back() = data("end");
  open({file_node("sparse", content, 198 * zeros.size() + 8)});
  const std::size_t before = repository_.storage().reads(FileType::kPack);
  ASSERT_OK(dump_file("sparse"));
  ASSERT_EQ(sink_.items.at(0).content.size(), 198 * zeros.size() + 8);
  EXPECT_EQ(sink_.items[0].size, 198 * zeros.size() + 8);
  EXPECT_TRUE(sink_.items[0].content.starts_with("begin"));
  EXPECT_TRUE(sink_.items[0].content.ends_with("end"));
  EXPECT_LT(repository_.storage().reads(FileType::kPack) - before, content.size());
}

TEST_F(DumperTest, MoreThanTheQueueHoldsComesInOrder) {
  std::vector<BlobId> content;
  std::string expected;
  for (char i = 0; i < 70; ++i) {
    const std::string part(1 << 20, static_cast<char>('0' + i));
    expected += part;
    content.push_back(data(part));
  }
  open({file_node("large", content, expected.size())});
  ASSERT_OK(dump_file("large"));
  EXPECT_TRUE(sink_.items.at(0).content == expected);
}

// Names of one file as the backup saw it. A tar may have links for all but the first; once it is
// unpacked, the content is there under each name.
TEST_F(DumperTest, HardLinksInATarHaveTheirContentUnderEachName) {
  const BlobId shared = data("shared by three");
  open({linked_node("a", shared, 15, 7, 3), linked_node("b", shared, 15, 7, 3),
        folder("c", {linked_node("d", shared, 15, 7, 3)})});
  std::string archive;
  TarWriter tar([&](ByteView bytes) -> Status {
    archive += as_text(bytes);
    return {};
  });
  ASSERT_OK(dump_to(tar));
  ASSERT_OK(tar.finish());
  std::map<std::string, std::string> contents;
  for (const TarEntry& entry : TarReader(archive).entries()) {
    const bool is_link = entry.type == '1';
    EXPECT_TRUE(!is_link || contents.contains(entry.link)) << entry.link << " comes later";
    contents[entry.path] = is_link ? contents[entry.link] : entry.content;
  }
  EXPECT_EQ(contents["a"], "shared by three");
  EXPECT_EQ(contents["b"], "shared by three");
  EXPECT_EQ(contents["c/d"], "shared by three");
}

// Two backups in one snapshot can give such nodes, or a file that was replaced between two looks.
TEST_F(DumperTest, FilesOfOtherContentAreNotLinkedWhateverTheirInode) {
  open({linked_node("a", data("one"), 3, 7, 2), linked_node("b", data("two"), 3, 7, 2),
        linked_node("c", data("longer"), 6, 7, 2)});
  std::string archive;
  TarWriter tar([&](ByteView bytes) -> Status {
    archive += as_text(bytes);
    return {};
  });
  ASSERT_OK(dump_to(tar));
  ASSERT_OK(tar.finish());
  const auto entries = TarReader(archive).entries();
  ASSERT_THAT(entries, SizeIs(3));
  for (const TarEntry& entry : entries) EXPECT_EQ(entry.type, '0') << entry.path;
  EXPECT_EQ(entries[0].content, "one");
  EXPECT_EQ(entries[1].content, "two");
  EXPECT_EQ(entries[2].content, "longer");
}

TEST_F(DumperTest, ABlobThatIsDamagedEndsTheDumpAndNamesTheFile) {
  const BlobId damaged = data(std::string(1000, 'd'));
  open({file("a", "whole"), file_node("b", {data("begin"), damaged, data("end")}, 1008),
        file("c", "after it")});
  for (const FileName& pack : builder().pack_names_of(damaged)) repository_.damage(pack);
  const Status status = dump();
  ASSERT_THAT(status, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(status.error().message(), AllOf(HasSubstr("\"b\""), HasSubstr(damaged.hex())));
  ASSERT_THAT(sink_.paths(), ElementsAre("a", "b"));
  EXPECT_EQ(sink_.items[1].content, "begin");
  EXPECT_EQ(sink_.items[1].size, 1008U)
      << "so that a reader of the archive sees that some is missing";
}

TEST_F(DumperTest, ATarThatEndsInAnErrorIsNotTakenForWhole) {
  const BlobId gone = data("gone");
  open({file("a", "whole"), file_node("b", {gone}, 4)});
  repository_.remove_packs_of(gone);
  std::string archive;
  TarWriter tar([&](ByteView bytes) -> Status {
    archive += as_text(bytes);
    return {};
  });
  ASSERT_FALSE(dump_to(tar).has_value());
  EXPECT_THROW(TarReader(archive).entries(), std::runtime_error);
}

TEST_F(DumperTest, ABlobInNoIndexIsFoundOutBeforeItsFileBegins) {
  BlobId unknown;
  unknown.bytes.fill(std::byte{0xee});
  open({file("a", "x"), folder("b", {file_node("c", {data("begin"), unknown}, 10)})});
  const Status status = dump();
  ASSERT_THAT(status, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(status.error().message(), AllOf(HasSubstr("\"b/c\""), HasSubstr(unknown.hex())));
  EXPECT_THAT(sink_.paths(), ElementsAre("a", "b"));
}

TEST_F(DumperTest, AFolderWhoseTreeIsGoneIsNamed) {
  BlobId unknown;
  unknown.bytes.fill(std::byte{0xee});
  open({file("a", "x"), folder("b", {folder_node("c", unknown)}), file("d", "x")});
  const Status status = dump();
  ASSERT_FALSE(status.has_value());
  EXPECT_THAT(status.error().message(), AllOf(HasSubstr("\"b/c\""), HasSubstr(unknown.hex())));
  EXPECT_THAT(sink_.paths(), ElementsAre("a", "b", "b/c"));
}

TEST_F(DumperTest, AStorageThatCannotBeReachedIsUnavailable) {
  open({file("a", "x")});
  repository_.storage().watch([](const FileName& file) -> Status {
    if (file.type != FileType::kPack) return {};
    return Error(ErrorKind::kUnavailable, "the line is cut");
  });
  const Status status = dump();
  ASSERT_THAT(status, FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(status.error().message(), HasSubstr("the line is cut"));
}

// With more entries than the queue holds, so that the walk waits for room when the sink fails.
TEST_F(DumperTest, ASinkThatFailsEndsItAtOnce) {
  open({file_node("a", std::vector<BlobId>(20'000, data("x")), 20'000), file("b", "y")});
  sink_.fails_at = 10;
  const Status status = dump();
  ASSERT_THAT(status, FailsWith(ErrorKind::kLocalIo));
  EXPECT_EQ(status.error().message(), "the disk is full");
  EXPECT_EQ(sink_.calls, 10U);
}

TEST_F(DumperTest, ASinkThatFailsAtTheBeginningOfAnItemEndsItAtOnce) {
  open({file("a", "x"), file("b", "y")});
  sink_.fails_at = 3;
  ASSERT_THAT(dump(), FailsWith(ErrorKind::kLocalIo));
  EXPECT_THAT(sink_.paths(), ElementsAre("a"));
  EXPECT_EQ(sink_.calls, 3U);
}

TEST_F(DumperTest, OnceItIsStoppedNothingMoreIsWritten) {
  open({file_node("a", std::vector<BlobId>(20'000, data("x")), 20'000)});
  std::stop_source stop;
  options_.stop = stop.get_token();
  sink_.stops = &stop;
  EXPECT_THAT(dump(), FailsWith(ErrorKind::kCancelled));
  EXPECT_EQ(sink_.calls, 1U);
  sink_.calls = 0;
  EXPECT_THAT(dump_file("a"), FailsWith(ErrorKind::kCancelled));
  EXPECT_EQ(sink_.calls, 0U);
}

TEST_F(DumperTest, ATreeOfAnotherShapeIsNotDumpedInPart) {
  const BlobId hostile = builder().add_tree({file("../escape", "x")});
  open({});
  EXPECT_THAT(load_whole_tree(*opened_, hostile, soon()), FailsWith(ErrorKind::kCorrupt));
}

}  // namespace
}  // namespace restree::testing
