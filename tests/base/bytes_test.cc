#include "repo/base/bytes.h"

#include <array>
#include <cstdint>
#include <limits>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/matchers.h"

namespace restree {
namespace {

using std::string_literals::operator""s;

TEST(Bytes, OfNoSizeAreEmpty) {
  EXPECT_TRUE(Bytes().empty());
  EXPECT_EQ(Bytes(0).view().size(), 0U);
  EXPECT_EQ(Bytes::copy_of({}).size(), 0U);
}

TEST(Bytes, AreTrimmedWithoutBeingMoved) {
  Bytes bytes = Bytes::copy_of(as_bytes("0123456789"));
  const std::byte* const third = bytes.data() + 3;
  bytes.remove_prefix(3);
  bytes.remove_suffix(2);
  EXPECT_EQ(as_text(bytes), "34567");
  EXPECT_EQ(bytes.data(), third);
}

TEST(Bytes, StayWhereTheyAreWhenTheirOwnerMoves) {
  Bytes bytes = Bytes::copy_of(as_bytes("content"));
  const std::byte* const at = bytes.data();
  const Bytes moved = std::move(bytes);
  EXPECT_EQ(moved.data(), at);
  EXPECT_EQ(as_text(moved), "content");
}

TEST(Bytes, OfEverySizeAreWritableToTheirEnd) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{4096}, kLargeBufferBytes - 1,
                                 kLargeBufferBytes, kLargeBufferBytes + 1, std::size_t{9} << 20}) {
    std::vector<Bytes> several;
    for (int i = 0; i < 3; ++i) {
      several.emplace_back(size);
      several.back().data()[0] = static_cast<std::byte>(i);
      several.back().data()[size - 1] = static_cast<std::byte>(i);
    }
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(several[static_cast<std::size_t>(i)].data()[size - 1], static_cast<std::byte>(i));
    }
  }
}

TEST(Bytes, AreNeverFewerThanWereAskedFor) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  EXPECT_THROW(static_cast<void>(Bytes(kMost)), std::bad_alloc);
  if constexpr (sizeof(std::size_t) == 4) {
    EXPECT_THROW(Bytes((std::uint64_t{1} << 32) + 10), std::bad_alloc);
  }
}

TEST(Hex, GoesThereAndBack) {
  const std::string bytes = "\x00\x7f\x80\xff\x1a"s;
  EXPECT_EQ(to_hex(as_bytes(bytes)), "007f80ff1a");
  std::array<std::byte, 5> back{};
  EXPECT_TRUE(from_hex("007F80ff1A", back));
  EXPECT_EQ(as_text(back), bytes);
}

TEST(Hex, RefusesAnotherLengthOrAlphabet) {
  std::array<std::byte, 2> into{};
  for (const char* hex : {"", "000", "00000", "000g", "0x00", " 000", "00 0"}) {
    EXPECT_FALSE(from_hex(hex, into)) << hex;
  }
}

TEST(Base64, GoesThereAndBack) {
  const std::vector<std::pair<std::string, std::string>> pairs = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"\xff\xfe\x00"s, "//4A"}};
  for (const auto& [bytes, text] : pairs) {
    EXPECT_EQ(to_base64(as_bytes(bytes)), text);
    EXPECT_EQ(from_base64(text), bytes);
  }
}

TEST(Base64, RefusesOtherText) {
  for (const char* text : {"Z", "Zg=", "Zg", "Z===", "Zm9-", "Zm 9", "=Zg=", "Zg==Zg=="}) {
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace restree
