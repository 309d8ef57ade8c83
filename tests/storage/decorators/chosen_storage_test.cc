#include "repo/storage/decorators/chosen_storage.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "repo/storage/memory_storage.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using testing::Holds;
using ::testing::SizeIs;
using testing::value_of;

TEST(ChosenStorageTest, ListsTheChosenFilesOfThatTypeAndReadsAll) {
  const auto inner = std::make_shared<MemoryStorage>();
  const std::string one(64, '1');
  const std::string two(64, '2');
  for (const FileType type : {FileType::kSnapshot, FileType::kIndex}) {
    for (const std::string& name : {one, two}) {
      ASSERT_OK(inner->write({type, name}, as_bytes("content"), Deadline::never()));
    }
  }
  ChosenStorage storage(inner);
  EXPECT_THAT(value_of(storage.list(FileType::kSnapshot, Deadline::never())), SizeIs(2));
  storage.choose(FileType::kSnapshot, {two, std::string(64, '3')});
  const auto listed = value_of(storage.list(FileType::kSnapshot, Deadline::never()));
  ASSERT_THAT(listed, SizeIs(1));
  EXPECT_EQ(listed[0].name, two);
  EXPECT_THAT(value_of(storage.list(FileType::kIndex, Deadline::never())), SizeIs(2));
  EXPECT_THAT(storage.read_all({FileType::kSnapshot, one}, Deadline::never()), Holds("content"));
}

}  // namespace
}  // namespace restree
