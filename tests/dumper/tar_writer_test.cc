#include "repo/dumper/tar_writer.h"

#include <array>
#include <string>
#include <vector>

#include "tests/dumper/tar_reader.h"
#include "tests/support/matchers.h"

namespace restree::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class TarWriterTest : public ::testing::Test {
 protected:
  static Node node_of(NodeType type, std::string_view name) {
    Node node{};
    node.name = name;
    node.type = type;
    node.has_mode = true;
    node.permissions = type == NodeType::kDirectory ? 0755 : 0644;
    node.mtime = {.seconds = 1'700'000'000, .nanoseconds = 0};
    return node;
  }
  void add_file(const std::string& path, const std::string& content) {
    const std::string name = path.substr(path.rfind('/') + 1);  // the node only views it
    const Node node = node_of(NodeType::kFile, name);
    ASSERT_OK(tar_.begin(path, node, content.size()));
    ASSERT_OK(tar_.data(as_bytes(content)));
  }
  // The archive that was written so far, ended.
  std::vector<TarEntry> entries() {
    EXPECT_OK(tar_.finish());
    return TarReader(written_).entries();
  }
  // The fields of this item in an archive that holds it alone.
  TarEntry only(const Node& node, const std::string& path) {
    EXPECT_OK(tar_.begin(path, node, 0));
    const auto all = entries();
    EXPECT_THAT(all, SizeIs(1));
    return all.at(0);
  }

  std::string written_;
  TarWriter tar_{[this](ByteView bytes) -> Status {
    written_ += as_text(bytes);
    return {};
  }};
};

TEST_F(TarWriterTest, AnEmptyArchiveIsTwoBlocksOfZeros) {
  EXPECT_THAT(entries(), IsEmpty());
  EXPECT_EQ(written_, std::string(1024, '\0'));
}

TEST_F(TarWriterTest, ContentOfAnyLengthIsFilledUpToBlocks) {
  std::vector<std::string> contents;
  for (const std::size_t size : {0U, 1U, 511U, 512U, 513U, 1024U}) {
    contents.emplace_back(size, 'c');
    add_file("f" + std::to_string(size), contents.back());
  }
  const auto all = entries();
  ASSERT_THAT(all, SizeIs(contents.size()));
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].content, contents[i]);
    EXPECT_THAT(all[i].records, IsEmpty()) << "ustar says all of it";
  }
}

TEST_F(TarWriterTest, ContentThatComesInPartsIsOneFile) {
  ASSERT_OK(tar_.begin("f", node_of(NodeType::kFile, "f"), 1000));
  for (int i = 0; i < 10; ++i) ASSERT_OK(tar_.data(as_bytes(std::string(100, 'p'))));
  EXPECT_EQ(entries().at(0).content, std::string(1000, 'p'));
}

TEST_F(TarWriterTest, OwnersModeAndTimeAreKept) {
  Node node = node_of(NodeType::kFile, "f");
  node.permissions = 04751;
  node.uid = 1000;
  node.gid = 100;
  node.user = "jane";
  node.group = "users";
  const TarEntry entry = only(node, "f");
  EXPECT_EQ(entry.type, '0');
  EXPECT_EQ(entry.mode, 04751U);
  EXPECT_EQ(entry.uid, 1000U);
  EXPECT_EQ(entry.gid, 100U);
  EXPECT_EQ(entry.user, "jane");
  EXPECT_EQ(entry.group, "users");
  EXPECT_EQ(entry.mtime, "1700000000");
}

TEST_F(TarWriterTest, AFolderEndsInASlash) {
  const TarEntry entry = only(node_of(NodeType::kDirectory, "f"), "some/f");
  EXPECT_EQ(entry.path, "some/f/");
  EXPECT_EQ(entry.type, '5');
  EXPECT_EQ(entry.mode, 0755U);
}

TEST_F(TarWriterTest, ALinkHasItsTarget) {
  Node node = node_of(NodeType::kSymlink, "l");
  node.link_target = "../over/there";
  const TarEntry entry = only(node, "l");
  EXPECT_EQ(entry.type, '2');
  EXPECT_EQ(entry.link, "../over/there");
  EXPECT_EQ(entry.size, 0U);
}

TEST_F(TarWriterTest, NamesOfEveryLengthAreKept) {
  std::vector<std::string> paths;
  for (const std::size_t length : {99U, 100U, 101U, 255U, 4000U}) {
    paths.push_back(std::string(length - 2, 'n') + "/f");
    add_file(paths.back(), "x");
  }
  const auto all = entries();
  ASSERT_THAT(all, SizeIs(paths.size()));
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].path, paths[i]);
    EXPECT_EQ(all[i].content, "x");
    EXPECT_EQ(all[i].records.contains("path"), paths[i].size() > 100);
  }
}

// The number at the beginning of a pax record counts its own digits: lengths around 10, 100 and
// 1000 are those where another digit makes the record longer.
TEST_F(TarWriterTest, PaxRecordsOfEveryLengthAreReadBack) {
  std::size_t longest = 0;
  for (std::size_t length = 101; length < 1100; ++length) {
    add_file(std::string(length, 'n'), "");
    longest = length;
  }
  const auto all = entries();
  ASSERT_THAT(all, SizeIs(longest - 100));
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].path, std::string(101 + i, 'n'));
  }
}

TEST_F(TarWriterTest, NamesAndTargetsOfAnyBytesAreKept) {
  for (const std::string name : {"caf\xe9", "\xff\xfe", "\xc3\xbc", "new\nline", R"(a=b "q" \)"}) {
    add_file(name, "x");
  }
  Node link = node_of(NodeType::kSymlink, "l");
  link.link_target = "to\xe9";
  ASSERT_OK(tar_.begin("l", link, 0));
  const auto all = entries();
  ASSERT_THAT(all, SizeIs(6));
  EXPECT_EQ(all[0].path, "caf\xe9");
  EXPECT_EQ(all[1].path, "\xff\xfe");
  EXPECT_EQ(all[2].path, "\xc3\xbc");
  EXPECT_EQ(all[3].path, "new\nline");
  EXPECT_EQ(all[4].path, R"(a=b "q" \)");
  EXPECT_EQ(all[5].link, "to\xe9");
}

TEST_F(TarWriterTest, LongTargetsAndOwnersAreKept) {
  const std::string target(3000, 't');
  const std::string owner(40, 'o');
  Node node = node_of(NodeType::kSymlink, "l");
  node.link_target = target;
  node.user = owner;
  node.group = owner;
  const TarEntry entry = only(node, "l");
  EXPECT_EQ(entry.link, target);
  EXPECT_EQ(entry.user, owner);
  EXPECT_EQ(entry.group, owner);
}

TEST_F(TarWriterTest, NumbersThatOctalDigitsHaveNoRoomForAreKept) {
  constexpr std::uint64_t kSize = std::uint64_t{9} << 30;
  Node node = node_of(NodeType::kFile, "f");
  node.uid = 4'000'000'000;
  node.gid = 3'000'000;
  ASSERT_OK(tar_.begin("f", node, kSize));
  const TarEntry entry = TarReader(written_).first_header();
  EXPECT_EQ(entry.uid, 4'000'000'000U);
  EXPECT_EQ(entry.gid, 3'000'000U);
  EXPECT_EQ(entry.size, kSize);
}

TEST_F(TarWriterTest, TimesAreExact) {
  struct Case {
    Timestamp time;
    std::string_view text;
  };
  const std::array<Case, 5> cases = {{{{1'700'000'000, 123'456'789}, "1700000000.123456789"},
                                      {{1'700'000'000, 500'000'000}, "1700000000.5"},
                                      {{-1, 500'000'000}, "-0.5"},
                                      {{-2, 0}, "-2"},
                                      {{9'000'000'000, 0}, "9000000000"}}};
  Node node = node_of(NodeType::kFile, "f");
  for (const Case& one : cases) {
    node.mtime = one.time;
    ASSERT_OK(tar_.begin("f", node, 0));
  }
  const auto all = entries();
  for (std::size_t i = 0; i < cases.size(); ++i) EXPECT_EQ(all.at(i).mtime, cases[i].text);
}

TEST_F(TarWriterTest, ExtendedAttributesAreKeptByteForByte) {
  const std::string value("line\nand=\0\xff", 11);
  const std::vector<ExtendedAttribute> attributes = {{.name = "user.one", .value = value},
                                                     {.name = "user.empty", .value = ""}};
  Node node = node_of(NodeType::kFile, "f");
  node.xattrs = attributes;
  EXPECT_THAT(only(node, "f").records, UnorderedElementsAre(Pair("SCHILY.xattr.user.one", value),
                                                            Pair("SCHILY.xattr.user.empty", "")));
}

TEST_F(TarWriterTest, AnAclIsWrittenInWords) {
  // Version 2; user::rw-, user:1000:r--, group::r--, mask::r--, other::---.
  const std::string value(
      "\2\0\0\0"
      "\x01\0\6\0\xff\xff\xff\xff"
      "\x02\0\4\0\xe8\x03\0\0"
      "\x04\0\4\0\xff\xff\xff\xff"
      "\x10\0\4\0\xff\xff\xff\xff"
      "\x20\0\0\0\xff\xff\xff\xff",
      44);
  const std::vector<ExtendedAttribute> attributes = {
      {.name = "system.posix_acl_access", .value = value}};
  Node node = node_of(NodeType::kFile, "f");
  node.xattrs = attributes;
  EXPECT_THAT(
      only(node, "f").records,
      UnorderedElementsAre(Pair("SCHILY.acl.access",
                                "user::rw-\nuser:1000:r--\ngroup::r--\nmask::r--\nother::---\n")));
}

TEST_F(TarWriterTest, AnAttributeThatOnlyHasAnAclsNameIsKeptAsItIs) {
  const std::vector<ExtendedAttribute> attributes = {
      {.name = "system.posix_acl_access", .value = "other"}};
  Node node = node_of(NodeType::kFile, "f");
  node.xattrs = attributes;
  EXPECT_THAT(only(node, "f").records,
              UnorderedElementsAre(Pair("SCHILY.xattr.system.posix_acl_access", "other")));
}

TEST(TarWriterOutput, AnErrorOfTheOutputIsThatOfEachCall) {
  bool fails = false;
  TarWriter tar([&](ByteView) -> Status {
    if (fails) return Error(ErrorKind::kLocalIo, "the disk is full");
    return {};
  });
  Node node{};
  node.name = "f";
  ASSERT_OK(tar.begin("f", node, 3));
  fails = true;
  EXPECT_THAT(tar.data(as_bytes(std::string("abc"))), FailsWith(ErrorKind::kLocalIo));
  EXPECT_THAT(tar.begin("g", node, 0), FailsWith(ErrorKind::kLocalIo));
  EXPECT_THAT(tar.finish(), FailsWith(ErrorKind::kLocalIo));
}

TEST_F(TarWriterTest, FifosAndDevicesAreWhatTheyAre) {
  EXPECT_FALSE(tar_.holds(NodeType::kSocket));
  for (const auto& [type, letter] :
       {std::pair{NodeType::kFifo, '6'}, std::pair{NodeType::kCharDevice, '3'},
        std::pair{NodeType::kBlockDevice, '4'}}) {
    ASSERT_TRUE(tar_.holds(type));
    written_.clear();
    Node node = node_of(type, "d");
    if (type != NodeType::kFifo) node.device = 0x803;  // 8:3
    const TarEntry entry = only(node, "d");
    EXPECT_EQ(entry.type, letter);
    EXPECT_EQ(entry.size, 0U);
    const std::string_view numbers = std::string_view(written_).substr(329, 16);
    const std::string_view expected = type == NodeType::kFifo ? std::string_view(
                                                                    "0000000\0"
                                                                    "0000000\0",
                                                                    16)
                                                              : std::string_view(
                                                                    "0000010\0"
                                                                    "0000003\0",
                                                                    16);
    EXPECT_EQ(numbers, expected);
  }
}

}  // namespace
}  // namespace restree::testing
