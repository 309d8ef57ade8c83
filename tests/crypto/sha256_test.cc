#include "repo/crypto/sha256.h"

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "repo/crypto/sha256_stream.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

std::string hex_of(std::string_view text) { return to_hex(sha256(as_bytes(text))); }

// FIPS 180-4's examples.
TEST(Sha256, HashesTheStandardsExamples) {
  EXPECT_EQ(hex_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex_of(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, GivesTheSameOnEveryThread) {
  const std::string expected = hex_of("abc");
  std::vector<std::string> digests(4);
  {
    std::vector<std::jthread> threads;
    for (std::string& digest : digests) {
      threads.emplace_back([&digest] { digest = hex_of("abc"); });
    }
  }
  EXPECT_THAT(digests, ::testing::Each(expected));
}

TEST(Sha256Stream, OfPiecesIsTheHashOfTheWhole) {
  Sha256Stream stream;
  EXPECT_EQ(to_hex(stream.finish()), hex_of(""));
  const std::string text(100'000, 'a');
  for (std::size_t at = 0; at < text.size(); at += 999) {
    stream.update(as_bytes(text).subspan(at, std::min<std::size_t>(999, text.size() - at)));
  }
  EXPECT_EQ(to_hex(stream.finish()), hex_of(text));
  // The next piece begins a new hash.
  stream.update(as_bytes("abc"));
  EXPECT_EQ(to_hex(stream.finish()), hex_of("abc"));
}

}  // namespace
}  // namespace restree
