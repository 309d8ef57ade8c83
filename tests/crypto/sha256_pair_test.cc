#include "repo/crypto/sha256_pair.h"

#include <random>
#include <string>
#include <vector>

#include "tests/support/matchers.h"

namespace restree {
namespace {

std::vector<Sha256By> ways() {
  if (!has_sha_instructions()) return {Sha256By::kOpenSsl};
  return {Sha256By::kOpenSsl, Sha256By::kInstructions};
}

Bytes random_bytes(std::size_t size, std::uint32_t seed) {
  std::mt19937 random(seed);
  Bytes bytes(size);
  for (std::byte& byte : bytes.view()) byte = static_cast<std::byte>(random());
  return bytes;
}

class Sha256PairBy : public ::testing::TestWithParam<Sha256By> {
 protected:
  Sha256Pair pair_{GetParam()};
};

// FIPS 180-4's examples, and some of NIST's SHA256ShortMsg vectors.
TEST_P(Sha256PairBy, HashesTheStandardsExamples) {
  const std::vector<std::pair<std::string, std::string>> examples = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmn"
       "o"
       "pqrsmnopqrstnopqrstu",
       "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
      {"\xd3", "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"},
      {"\x11\xaf", "5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98"},
      {"\xb4\x19\x0e", "dff2e73091f6c05e528896c4c831b9448653dc2ff043528f6769437bc7b975c2"},
      {"\x74\xba\x25\x21", "b16aa56be3880d18cd41e68384cf1ec8c17680c45a02b1575dc1518923ae8b0e"},
      {std::string(1'000'000, 'a'),
       "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"}};
  for (const auto& [first, first_hash] : examples) {
    for (const auto& [second, second_hash] : examples) {
      pair_.update(as_bytes(first), as_bytes(second));
      EXPECT_EQ(to_hex(pair_.finish_first()), first_hash);
      EXPECT_EQ(to_hex(pair_.finish_second()), second_hash);
    }
  }
}

TEST_P(Sha256PairBy, AgreesWithOpenSslForTextsOfAnyLength) {
  constexpr std::size_t kMost = 270;  // every remainder of a block, with and without blocks before
  const Bytes bytes = random_bytes(2 * kMost, 1);
  for (std::size_t first = 0; first <= kMost; ++first) {
    for (std::size_t second = 0; second <= kMost; second += 1 + first % 7) {
      const ByteView one = bytes.view().first(first);
      const ByteView other = bytes.view().subspan(first, second);  // at every alignment
      pair_.update(one, other);
      ASSERT_EQ(pair_.finish_first(), sha256(one)) << first << " beside " << second;
      ASSERT_EQ(pair_.finish_second(), sha256(other)) << second << " beside " << first;
    }
  }
}

TEST_P(Sha256PairBy, OfPiecesAreTheHashesOfTheWholes) {
  const Bytes one = random_bytes(300'000, 2);
  const Bytes other = random_bytes(410'001, 3);
  std::mt19937 random(4);
  for (const std::size_t most : {1U, 63U, 64U, 65U, 200U, 5'000U, 150'000U}) {
    const std::size_t end = std::min<std::size_t>(one.size(), 2'000 * std::size_t{most});
    ByteView first = one.view().first(end);
    ByteView second = other.view().first(std::min(other.size(), 2 * end));
    const Sha256Digest first_hash = sha256(first);
    const Sha256Digest second_hash = sha256(second);
    while (!first.empty() || !second.empty()) {
      const ByteView a = first.first(std::min<std::size_t>(first.size(), random() % (most + 1)));
      const ByteView b = second.first(std::min<std::size_t>(second.size(), random() % (most + 1)));
      pair_.update(a, b);
      first = first.subspan(a.size());
      second = second.subspan(b.size());
    }
    EXPECT_EQ(pair_.finish_first(), first_hash) << "pieces of up to " << most;
    EXPECT_EQ(pair_.finish_second(), second_hash) << "pieces of up to " << most;
  }
}

TEST_P(Sha256PairBy, OneHashEndsWhileTheOtherGoesOn) {
  const Bytes text = random_bytes(1'000, 5);
  for (std::size_t at = 0; at < text.size(); at += 100) {
    const ByteView piece = text.view().subspan(at, 100);
    pair_.update(piece, piece);
    EXPECT_EQ(pair_.finish_first(), sha256(piece));
  }
  EXPECT_EQ(pair_.finish_second(), sha256(text));
}

INSTANTIATE_TEST_SUITE_P(Ways, Sha256PairBy, ::testing::ValuesIn(ways()), [](const auto& way) {
  return way.param == Sha256By::kOpenSsl ? "OpenSsl" : "Instructions";
});

}  // namespace
}  // namespace restree
