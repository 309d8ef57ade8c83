// What every storage must do that puts packs together of ranges of others, and what the others say.
#pragma once

#include <string>
#include <vector>

#include "tests/storage/storage_contract.h"

namespace restree::testing {

// Reads so many bytes of what was put together from its beginning into `seen`, and calls it `as`.
inline NameJoined name_by_content(std::uint64_t length, std::string& seen, const FileName& as) {
  return [=, &seen](const ReadJoined& read) -> Result<FileName> {
    Bytes buffer;
    ASSIGN_OR_RETURN(const MutableByteView bytes, read(buffer, {0, length}));
    seen = as_text(bytes);
    return as;
  };
}

TEST_P(StorageContract, PutsAPackTogetherWhichNobodySeesBeforeItHasAName) {
  ASSERT_OK(storage().write(pack('7'), as_bytes("0123456789"), soon()));
  ASSERT_OK(storage().write(pack('8'), as_bytes("abcdefghij"), soon()));
  const std::vector<FileRange> ranges{
      {pack('7'), {2, 3}}, {pack('7'), {6, 2}}, {pack('8'), {0, 4}}, {pack('7'), {9, 1}}};
  std::string seen;
  const auto name = [&](const ReadJoined& read) {
    EXPECT_EQ(value_of(storage().list(FileType::kPack, soon())).size(), 2U);
    return name_by_content(13, seen, pack('9'))(read);
  };
  const Status joined = storage().join(ranges, as_bytes("END"), name, soon());
  if (!under_test().joins()) {
    EXPECT_THAT(joined, FailsWith(ErrorKind::kUnsupported));
    return;
  }
  ASSERT_OK(joined);
  EXPECT_EQ(seen, "23467abcd9END");
  EXPECT_THAT(storage().read_all(pack('9'), soon()), Holds("23467abcd9END"));
  EXPECT_THAT(storage().read_all(pack('7'), soon()), Holds("0123456789"));
  EXPECT_EQ(sorted_names(value_of(storage().list(FileType::kPack, soon()))),
            (std::vector{pack('7').name, pack('8').name, pack('9').name}));
  const auto all = std::chrono::system_clock::now() + std::chrono::hours(1);
  EXPECT_EQ(value_of(storage().remove_leftovers({.before = all}, soon())), 0U);
}

TEST_P(StorageContract, APackThatCannotBePutTogetherLeavesNothing) {
  ASSERT_OK(storage().write(pack('7'), as_bytes("0123456789"), soon()));
  std::string seen;
  const NameJoined name = name_by_content(10, seen, pack('9'));
  const std::vector<FileRange> missing{{pack('7'), {0, 5}}, {pack('0'), {0, 5}}};
  const std::vector<FileRange> too_short{{pack('7'), {8, 10}}};
  const std::vector<FileRange> whole{{pack('7'), {0, 10}}};
  EXPECT_FALSE(storage().join(missing, {}, name, soon()));
  EXPECT_FALSE(storage().join(too_short, {}, name, soon()));
  const auto refuse = [](const ReadJoined&) -> Result<FileName> {
    return Error(ErrorKind::kCorrupt, "not what it should be");
  };
  EXPECT_THAT(storage().join(whole, {}, refuse, soon()),
              FailsWith(under_test().joins() ? ErrorKind::kCorrupt : ErrorKind::kUnsupported));
  EXPECT_EQ(sorted_names(value_of(storage().list(FileType::kPack, soon()))),
            std::vector{pack('7').name});
  const auto all = std::chrono::system_clock::now() + std::chrono::hours(1);
  EXPECT_EQ(value_of(storage().remove_leftovers({.before = all}, soon())), 0U);
}

TEST_P(StorageContract, PutsALargePackTogetherByteForByte) {
  if (!under_test().joins()) GTEST_SKIP() << "it puts no files together";
  const std::string content = noise_of(9 << 20);
  ASSERT_OK(storage().write(pack('5'), as_bytes(content), soon()));
  std::vector<FileRange> ranges{{pack('5'), {1, content.size() - 1}}};
  std::string expected = content.substr(1);
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const std::uint64_t offset = i * 7919;
    ranges.push_back({pack('5'), {offset, i % 50}});
    expected += content.substr(offset, i % 50);
  }
  const std::string end = content.substr(100, 300'000);
  expected += end;
  std::string seen;
  ASSERT_OK(storage().join(ranges, as_bytes(end), name_by_content(expected.size(), seen, pack('6')),
                           soon()));
  EXPECT_TRUE(seen == expected);
  EXPECT_THAT(storage().read_all(pack('6'), soon()), Holds(expected));
}

}  // namespace restree::testing
