#include "repo/crypto/seal.h"

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/matchers.h"

namespace restree {
namespace {

using testing::FailsWith;
using testing::value_of;

SealKey key_of(char fill) {
  const std::string part(32, fill);
  return value_of(
      SealKey::make(as_bytes(part), as_bytes(part).first(16), as_bytes(part).first(16)));
}

std::string sealed_text(const SealKey& key, std::string_view plain) {
  return std::string(as_text(value_of(seal(key, as_bytes(plain)))));
}

Result<std::string> opened_text(const SealKey& key, std::string_view sealed) {
  Bytes bytes = Bytes::copy_of(as_bytes(sealed));
  ASSIGN_OR_RETURN(const MutableByteView plain, open_in_place(key, bytes.view()));
  return std::string(as_text(plain));
}

TEST(Seal, OpensToTheBytesThatWereSealed) {
  const SealKey key = key_of('k');
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 1000U, 1U << 20}) {
    const std::string plain(size, 'p');
    const std::string sealed = sealed_text(key, plain);
    EXPECT_EQ(sealed.size(), size + kSealOverheadBytes);
    EXPECT_EQ(value_of(opened_text(key, sealed)), plain);
  }
}

TEST(Seal, NeverSealsTheSameBytesAlike) {
  const SealKey key = key_of('k');
  EXPECT_NE(sealed_text(key, "same"), sealed_text(key, "same"));
}

TEST(Seal, NoticesEveryFlippedBit) {
  const SealKey key = key_of('k');
  const std::string sealed = sealed_text(key, "some text of more than one block");
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string damaged = sealed;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
    EXPECT_THAT(opened_text(key, damaged), FailsWith(ErrorKind::kCorrupt)) << "bit " << bit;
  }
}

TEST(Seal, NoticesEveryMissingEnd) {
  const SealKey key = key_of('k');
  const std::string sealed = sealed_text(key, "some text");
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_THAT(opened_text(key, sealed.substr(0, size)), FailsWith(ErrorKind::kCorrupt));
  }
}

TEST(Seal, LeavesBytesThatItCannotAuthenticateAsTheyAre) {
  const std::string sealed = sealed_text(key_of('k'), "some text");
  Bytes bytes = Bytes::copy_of(as_bytes(sealed));
  EXPECT_THAT(open_in_place(key_of('x'), bytes.view()), FailsWith(ErrorKind::kCorrupt));
  EXPECT_EQ(as_text(bytes), sealed);
}

TEST(Seal, RefusesAnIvOfZeros) {
  EXPECT_THAT(opened_text(key_of('k'), std::string(64, '\0')), FailsWith(ErrorKind::kCorrupt));
}

TEST(Seal, OpensIntoOtherMemoryAndLeavesTheSealedBytes) {
  const SealKey key = key_of('k');
  const std::string sealed = sealed_text(key, "some text");
  Bytes plain(sealed.size() - kSealOverheadBytes);
  ASSERT_OK(open_into(key, as_bytes(sealed), plain.view()));
  EXPECT_EQ(as_text(plain), "some text");
}

TEST(Seal, OpensInPieces) {
  const SealKey key = key_of('k');
  Bytes piece(32);
  for (const std::size_t size : {0U, 1U, 31U, 32U, 33U, 64U, 1000U}) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text += static_cast<char>('a' + i % 23);
    const std::string sealed = sealed_text(key, text);
    std::string opened;
    ASSERT_OK(open_in_pieces(key, as_bytes(sealed), piece.view(), [&](ByteView part) -> Status {
      opened += as_text(part);
      return {};
    }));
    EXPECT_EQ(opened, text) << size;
  }
}

TEST(Seal, OpensNoPieceOfWhatItCannotAuthenticate) {
  std::string sealed = sealed_text(key_of('k'), std::string(1000, 'p'));
  sealed[900] = static_cast<char>(sealed[900] ^ 1);
  Bytes piece(32);
  int pieces = 0;
  const auto take = [&](ByteView) -> Status { return ++pieces, Status(); };
  EXPECT_THAT(open_in_pieces(key_of('k'), as_bytes(sealed), piece.view(), take),
              FailsWith(ErrorKind::kCorrupt));
  EXPECT_EQ(pieces, 0);
}

TEST(Seal, EndsAtAPieceThatIsRefused) {
  const std::string sealed = sealed_text(key_of('k'), std::string(1000, 'p'));
  Bytes piece(32);
  int pieces = 0;
  const auto take = [&](ByteView) -> Status {
    return ++pieces == 3 ? Status(Error(ErrorKind::kCancelled, "enough")) : Status();
  };
  EXPECT_THAT(open_in_pieces(key_of('k'), as_bytes(sealed), piece.view(), take),
              FailsWith(ErrorKind::kCancelled));
  EXPECT_EQ(pieces, 3);
}

TEST(Seal, WorksOnManyThreadsAndKeysAtOnce) {
  std::vector<int> opened(4);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < opened.size(); ++i) {
      threads.emplace_back([&opened, i] {
        const SealKey key = key_of(static_cast<char>('a' + i));
        for (int round = 0; round < 200; ++round) {
          const std::string plain(static_cast<std::size_t>(round), 'p');
          opened[i] += opened_text(key, sealed_text(key, plain)) == plain;
        }
      });
    }
  }
  EXPECT_THAT(opened, ::testing::Each(200));
}

TEST(SealKey, IsRefusedIfAPartIsMissingOrAllZero) {
  const std::string good(32, 'g');
  const std::string zero(32, '\0');
  const ByteView long_good = as_bytes(good);
  const ByteView short_good = long_good.first(16);
  EXPECT_OK(SealKey::make(long_good, short_good, short_good));
  EXPECT_THAT(SealKey::make(short_good, short_good, short_good), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(SealKey::make(long_good, long_good, short_good), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(SealKey::make(as_bytes(zero), short_good, short_good),
              FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(SealKey::make(long_good, short_good, as_bytes(zero).first(16)),
              FailsWith(ErrorKind::kCorrupt));
}

TEST(SealKey, TakesTheDerivedBytesInOrder) {
  const std::string derived = std::string(32, 'e') + std::string(16, 'k') + std::string(16, 'r');
  const SealKey key = value_of(SealKey::from_derived(as_bytes(derived)));
  EXPECT_EQ(as_text(key.encrypt()), std::string(32, 'e'));
  EXPECT_EQ(as_text(key.mac_k()), std::string(16, 'k'));
  EXPECT_EQ(as_text(key.mac_r()), std::string(16, 'r'));
  EXPECT_THAT(SealKey::from_derived(as_bytes(derived).first(63)), FailsWith(ErrorKind::kCorrupt));
}

}  // namespace
}  // namespace restree
