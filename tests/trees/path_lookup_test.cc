#include "repo/trees/path_lookup.h"

#include <gmock/gmock.h>

#include <chrono>
#include <memory>
#include <string>

#include "tests/support/memory_repository.h"

namespace restree {
namespace {

using testing::FailsWith;
using testing::file_node;
using testing::folder_node;
using ::testing::HasSubstr;
using testing::value_of;

// The root has the folder a, with the file f and the link l in it.
class PathLookupTest : public ::testing::Test {
 protected:
  PathLookupTest() {
    testing::RepositoryBuilder& builder = memory_.builder();
    const BlobId content = builder.add_data("content");
    const BlobId a = builder.add_tree(
        {file_node("f", {content}, 7),
         R"({"name":"l","type":"symlink","mode":134218239,"linktarget":"f","content":null})"});
    root_ = builder.add_tree({folder_node("a", a)});
    builder.finish();
    repository_ = memory_.open();
  }
  Result<NamedEntry> look_up_path(const std::string& path) {
    return look_up(*repository_, root_, path, Deadline::after(std::chrono::seconds(60)));
  }
  std::string refusal(const std::string& path) {
    const auto found = look_up_path(path);
    EXPECT_THAT(found, FailsWith(ErrorKind::kInvalid));
    return found ? "" : found.error().message();
  }

  testing::MemoryRepository memory_;
  std::unique_ptr<Repository> repository_;
  BlobId root_;
};

TEST_F(PathLookupTest, TheRootHasManySpellings) {
  for (const char* path : {"", "/", ".", "/./"}) {
    const NamedEntry found = value_of(look_up_path(path));
    EXPECT_EQ(found.file, nullptr) << path;
    EXPECT_NE(found.tree->find("a"), nullptr) << path;
  }
}

TEST_F(PathLookupTest, AFolderIsFoundAsItsTree) {
  const NamedEntry found = value_of(look_up_path("a"));
  EXPECT_EQ(found.file, nullptr);
  EXPECT_NE(found.tree->find("f"), nullptr);
}

TEST_F(PathLookupTest, AFileIsFoundInItsFoldersTree) {
  const NamedEntry found = value_of(look_up_path("/a//f"));
  ASSERT_NE(found.file, nullptr);
  EXPECT_EQ(found.file, found.tree->find("f"));
}

TEST_F(PathLookupTest, WhatIsNotThereIsNamedUpToTheFirstMissingPart) {
  EXPECT_EQ(refusal("a/none/below"), "path \"/a/none\" not found in snapshot");
}

TEST_F(PathLookupTest, APathThroughAFileOrToALinkIsRefused) {
  EXPECT_THAT(refusal("a/f/below"), HasSubstr("\"/a/f\" should be a dir, but is a file"));
  EXPECT_THAT(refusal("a/l"), HasSubstr("\"/a/l\" should be a file"));
}

}  // namespace
}  // namespace restree
