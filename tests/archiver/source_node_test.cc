#include "repo/archiver/source_node.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "repo/archiver/source_file.h"
#include "repo/archiver/source_folder.h"
#include "tests/support/files.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::value_of;
using testing::write_file;

class SourceNodeTest : public ::testing::Test {
 protected:
  std::string at(const std::string& name) const { return (dir_.path() / name).string(); }
  SourceNode node_of(const std::string& name, bool with_atime = false) {
    const UniqueFd folder(::open(dir_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct stat attributes {};
    EXPECT_EQ(::lstat(at(name).c_str(), &attributes), 0);
    return value_of(
        read_source_node({folder.get(), name}, attributes, name, at(name), with_atime, owners_));
  }
  Node view(const SourceNode& node) { return node.view(xattrs_); }

  testing::TempDir dir_;
  OwnerNames owners_;
  std::vector<ExtendedAttribute> xattrs_;
};

TEST_F(SourceNodeTest, OfAFileHasItsAttributes) {
  write_file(at("f"), "content");
  fs::create_hard_link(at("f"), at("g"));
  ASSERT_EQ(::chmod(at("f").c_str(), 04751), 0);
  struct stat attributes {};
  ASSERT_EQ(::lstat(at("f").c_str(), &attributes), 0);
  const SourceNode source = node_of("f");
  const Node node = view(source);
  EXPECT_EQ(node.type, NodeType::kFile);
  EXPECT_EQ(node.permissions, 04751);
  EXPECT_EQ(node.links, 2u);
  EXPECT_EQ(node.inode, attributes.st_ino);
  EXPECT_EQ(node.device_id, attributes.st_dev);
  EXPECT_EQ(node.mtime.seconds, attributes.st_mtim.tv_sec);
  EXPECT_EQ(node.size, 0u) << "what was read counts";
}

TEST_F(SourceNodeTest, HasTheTimeOfAccessOnlyIfAsked) {
  write_file(at("f"), "");
  const struct timespec times[] = {{1000, 5}, {2000, 6}};
  ASSERT_EQ(::utimensat(AT_FDCWD, at("f").c_str(), times, 0), 0);
  const SourceNode without = node_of("f");
  EXPECT_EQ(view(without).atime, (Timestamp{2000, 6}));
  const SourceNode with = node_of("f", true);
  EXPECT_EQ(view(with).atime, (Timestamp{1000, 5}));
}

TEST_F(SourceNodeTest, OfALinkHasItsTarget) {
  const std::string target(3000, 'x');
  fs::create_symlink(target, at("l"));
  const SourceNode source = node_of("l");
  EXPECT_EQ(view(source).link_target, target);
  EXPECT_EQ(view(source).links, 1u);
}

TEST_F(SourceNodeTest, OfAFifoOrFolderHasNoLinks) {
  ASSERT_EQ(::mkfifo(at("p").c_str(), 0600), 0);
  fs::create_directory(at("d"));
  const SourceNode fifo = node_of("p");
  EXPECT_EQ(view(fifo).type, NodeType::kFifo);
  EXPECT_EQ(view(fifo).links, 0u);
  const SourceNode folder = node_of("d");
  EXPECT_EQ(view(folder).links, 0u);
}

TEST_F(SourceNodeTest, HasExtendedAttributesInTheKernelsOrder) {
  write_file(at("f"), "");
  const std::string large(3000, 'v');
  if (::setxattr(at("f").c_str(), "user.z", large.data(), large.size(), 0) != 0) {
    GTEST_SKIP() << "the file system has no extended attributes";
  }
  ASSERT_EQ(::setxattr(at("f").c_str(), "user.a", "", 0, 0), 0);
  const SourceNode source = node_of("f");
  std::string list(1000, 0);
  list.resize(static_cast<std::size_t>(::listxattr(at("f").c_str(), list.data(), list.size())));
  std::string names;
  for (const auto& xattr : view(source).xattrs) names += std::string(xattr.name) + '\0';
  EXPECT_EQ(names, list);
  for (const auto& xattr : view(source).xattrs) {
    EXPECT_EQ(xattr.value, xattr.name == "user.z" ? large : "");
  }
}

TEST_F(SourceNodeTest, KnowsNoSockets) {
  EXPECT_EQ(node_type(S_IFSOCK | 0600), std::nullopt);
  EXPECT_EQ(node_type(S_IFREG), NodeType::kFile);
}

TEST_F(SourceNodeTest, NamesOwnersOnlyWhereTheSystemDoes) {
  EXPECT_EQ(owners_.user(0), "root");
  EXPECT_EQ(owners_.group(0), "root");
  EXPECT_EQ(owners_.user(3'999'999'999), "");
  EXPECT_EQ(owners_.group(3'999'999'999), "");
}

TEST_F(SourceNodeTest, DoesNotOpenALinkOrFifoThatHasReplacedAFile) {
  ASSERT_EQ(::mkfifo(at("p").c_str(), 0600), 0);
  fs::create_symlink("/etc/passwd", at("l"));
  EXPECT_THAT(SourceFile::open({AT_FDCWD, at("p")}, at("p")), FailsWith(ErrorKind::kLocalIo));
  EXPECT_THAT(SourceFile::open({AT_FDCWD, at("l")}, at("l")), FailsWith(ErrorKind::kLocalIo));
  EXPECT_THAT(SourceFile::open({AT_FDCWD, at("no")}, at("no")), FailsWith(ErrorKind::kNotFound));
}

TEST_F(SourceNodeTest, AFoldersNamesAreSortedByTheirBytes) {
  for (const char* name : {"b", "a", "\xff", "Z", ".hid"}) write_file(at(name), "");
  const UniqueFd folder =
      value_of(open_source_folder({AT_FDCWD, dir_.path().string()}, dir_.path().string()));
  EXPECT_THAT(value_of(names_in_folder(folder, "")), ElementsAre(".hid", "Z", "a", "b", "\xff"));
}

}  // namespace
}  // namespace restree
