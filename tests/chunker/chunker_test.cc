#include "repo/chunker/chunker.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "repo/crypto/sha256.h"
#include "tests/support/matchers.h"
#include "tests/support/split_mix.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using testing::FailsWith;
using ::testing::Optional;
using testing::split_mix_bytes;
using testing::value_of;

constexpr std::uint64_t kPolynomial = 0x3da3358b4dc173;
constexpr std::uint64_t kOtherPolynomial = 0x2c9b0809cd9da9;
constexpr std::size_t kMin = Chunker::kMinChunkBytes;
constexpr std::size_t kMax = Chunker::kMaxChunkBytes;

struct Chunk {
  std::size_t length;
  std::string id;
  bool operator==(const Chunk&) const = default;
};

void PrintTo(const Chunk& chunk, std::ostream* out) { *out << chunk.length << " " << chunk.id; }

using Search = Chunker::Search;

std::vector<Chunk> chunks_of(ByteView data, std::uint64_t polynomial = kPolynomial,
                             Search search = Search::kFastest) {
  const Chunker chunker = value_of(Chunker::make(polynomial, search));
  std::vector<Chunk> chunks;
  while (!data.empty()) {
    const std::size_t length = chunker.find_cut(data).value_or(data.size());
    chunks.push_back({length, to_hex(sha256(data.first(length)))});
    data = data.subspan(length);
  }
  return chunks;
}

// The lengths that come out when `data` arrives in reads of `step` bytes.
std::vector<std::size_t> lengths_read_in_steps(ByteView data, std::size_t step) {
  const Chunker chunker = value_of(Chunker::make(kPolynomial));
  std::vector<std::size_t> lengths;
  std::size_t begin = 0;
  std::size_t searched = 0;
  std::size_t end = 0;
  while (end < data.size()) {
    end = std::min(end + step, data.size());
    auto cut = chunker.find_cut(data.subspan(begin, end - begin), searched);
    while (cut) {
      lengths.push_back(*cut);
      begin += *cut;
      cut = chunker.find_cut(data.subspan(begin, end - begin));
    }
    searched = end - begin;
  }
  if (begin < end) lengths.push_back(end - begin);
  return lengths;
}

std::vector<std::size_t> lengths(const std::vector<Chunk>& chunks) {
  std::vector<std::size_t> all;
  for (const Chunk& chunk : chunks) all.push_back(chunk.length);
  return all;
}

Bytes repeated(std::string_view word, std::size_t times) {
  Bytes bytes(word.size() * times);
  for (std::size_t i = 0; i < times; ++i) {
    std::memcpy(bytes.data() + i * word.size(), word.data(), word.size());
  }
  return bytes;
}

Bytes zeros(std::size_t size) { return repeated(std::string_view("\0", 1), size); }

// The chunks that restic 0.19.1 makes of the same bytes with the same polynomial.
TEST(Chunker, CutsRandomBytesWhereResticDoes) {
  const Bytes data = split_mix_bytes(1, 20 << 20);
  ASSERT_EQ(to_hex(sha256(data)),
            "53faf9ffae911db411194223a776574295dcf36ed55d8c9337922e0efe79558b");
  const std::vector<Chunk> expected = {
      {686181, "a6a59df5e79b1855866c0ce95bea25d1e78a35eb7091d4c1a58636def770bafd"},
      {2396096, "11806fecf9213afb624a36afc20516eac98d1d8898f9d1eef8049e75d15a6a84"},
      {572647, "98bee237cb782dbad6ed8e0dbd8a96d09a6193fd7f2090611bdd065fa9a89749"},
      {987762, "d10943f2e89b795a66697960492c5d2990a653ea1ba23b73581d8c6831205a27"},
      {1556808, "42b3d69b6e07f819f70a2270d160c94f6521e1a42590c0f86a5b260019d29d1a"},
      {766906, "63c355306eaa95249d47724c1425d30ee3728d3cfabe7523881edeeb0950f133"},
      {4273775, "a97abf55e144478054c0a349152bf3c39cd2259638adb8a71100f47c1237affc"},
      {1396512, "6390de78870c59330f660aa7c2cd0f618942538446a784b2cab5cd1757fada12"},
      {1773442, "3ed0a39338347e1688b5be2b80248b6fc678ef095a45746de6f8797903a1a9be"},
      {561149, "2610d8133f807f788b33c87de5ea017707110c0b5ef3f9b205d0d28f2e087c3c"},
      {700442, "e278b9a541015ed9be7a03c6f5f4e3111caf302a755e9dddaec31c25e84d7c7c"},
      {3991902, "444bc40ecf1069f3d5bc019352085de4a9f0042ef0e47e2f9bd306ed0c8ba516"},
      {604961, "3116bb49333a3844cdb5675df7070c672f3ffdb4ed29e3008cba20b259349347"},
      {626863, "75a8c999d0ab87b2fe5df0f61b9890ae9adbe80d191e5d8aa40cecfeba9bafcc"},
      {76074, "5ce1700a522f0552f61d965a4cb3eff877a931c98dae42aa8219a60d35c6f61d"},
  };
  EXPECT_THAT(chunks_of(data), ElementsAreArray(expected));
  EXPECT_THAT(chunks_of(data, kPolynomial, Search::kPortable), ElementsAreArray(expected));
}

// Whatever instructions the processor has. Windows that mark a cut lie in the random bytes, seldom
// or by dozens, so that the first of several has to be found, at any place in a stretch.
TEST(Chunker, CutsAtTheSamePlacesOnEveryProcessor) {
  testing::SplitMix64 next(3);
  for (int round = 0; round < 60; ++round) {
    const auto random = [&next] { return next(); };
    const std::uint64_t polynomial = *find_irreducible(random);
    Bytes data = split_mix_bytes(next(), kMin + 400'000 + next() % 1000);
    const std::size_t cuts = next() % 40;
    for (std::size_t i = 0; i < cuts; ++i) {
      const std::size_t end = kMin + next() % (data.size() - kMin);
      std::fill_n(data.data() + end - 64, 64, std::byte{0});
    }
    const Chunker fastest = value_of(Chunker::make(polynomial));
    const Chunker portable = value_of(Chunker::make(polynomial, Search::kPortable));
    for (std::size_t searched = 0; searched < data.size();) {
      const auto expected = portable.find_cut(data, searched);
      ASSERT_EQ(fastest.find_cut(data, searched), expected) << round << ", from " << searched;
      searched = expected.value_or(data.size());
    }
  }
}

TEST(Chunker, CutsElsewhereWithAnotherPolynomial) {
  const std::vector<Chunk> expected = {
      {6898370, "6335d9b39f7a88d92f8297cda24750cbcc927e08691124093240dd8f104af624"},
      {967521, "9129f3340300fcb0fc1848e93848b09be3c7ebbdba5bd2f23a78362f188a92b1"},
      {1743724, "2e4365edb5783598837a1342d507b771fe498e9bb035e0823d30c42ecad2d3b3"},
      {1527505, "d5e122234c4b1f3f15ad82ab3b55e76bd557dd7be5acd2fe4f53f169042c08a9"},
      {1318649, "a9fc6dcd30a0289e769a46b4ed187e25478021ebaef7122927090e60d4ac5c8c"},
      {3402140, "659f17d6037a6d2d6d8e4bd17959a8a94ff7a56d3e5341dea1cad949f439f766"},
      {1242691, "f1c99dbc21324ac8ebc42e1c86b30cb3918a013c6773ba4d3d08b27901cd9d3b"},
      {2128576, "79110882e41c50d59421be9ed1039da17d108c4ab204ff82ad373f18dd964703"},
      {1742344, "8fcbd75b5779019778df3fccd57898b49b20dc7baae9710da2ce80c22d38fa4f"},
  };
  EXPECT_THAT(chunks_of(split_mix_bytes(1, 20 << 20), kOtherPolynomial),
              ElementsAreArray(expected));
}

TEST(Chunker, CutsAtTheLargestSizeWhereTheHashMarksNoCut) {
  const std::vector<Chunk> expected = {
      {8388608, "e1cfd4499c8ca22399a429f10dfb63e85f44a6dde6cef9d2791e7b62d7c4be0a"},
      {8388608, "6290b536275cee531586652c240eddde2952904cb23fd2bba8bd8f9e08176773"},
      {2097152, "e6ed23ddbce94e74c88a3c7b44f161dab8ac0350ee1f477aeadeddfd2ca369ae"},
  };
  EXPECT_THAT(chunks_of(repeated("restic", (18 << 20) / 6)), ElementsAreArray(expected));
}

TEST(Chunker, CutsZerosAtTheSmallestSize) {
  const std::string of_zeros = "07854d2fef297a06ba81685e660c332de36d5d18d546927d30daad6d7fda1541";
  EXPECT_THAT(
      chunks_of(zeros(3 * kMin + 65541)),
      ElementsAre(
          Chunk{kMin, of_zeros}, Chunk{kMin, of_zeros}, Chunk{kMin, of_zeros},
          Chunk{65541, "9b34c051170dd87118fdaddfa6d9514652fb9fb1e6ac3ad7e6d6054e4e75b3d5"}));
}

TEST(Chunker, FindsTheSameCutsHoweverTheBytesArrive) {
  const Bytes data = split_mix_bytes(1, 12 << 20);
  const std::vector<std::size_t> expected = lengths(chunks_of(data));
  for (const std::size_t step : {4093U, 65536U, 524289U, 1U << 20, 9U << 20}) {
    EXPECT_EQ(lengths_read_in_steps(data, step), expected) << step;
  }
}

TEST(Chunker, FindsACutThatIsTheLastByteOfARead) {
  const Bytes data = split_mix_bytes(1, 1 << 20);
  const Chunker chunker = value_of(Chunker::make(kPolynomial));
  EXPECT_EQ(chunker.find_cut(data.view().first(686180)), std::nullopt);
  EXPECT_THAT(chunker.find_cut(data.view().first(686181), 686180), Optional(686181U));
}

// Two cuts close to one another, at any place in the stretches that are hashed in turns.
TEST(Chunker, TakesTheFirstOfTwoCuts) {
  const Chunker chunker = value_of(Chunker::make(kPolynomial));
  const Bytes random = split_mix_bytes(1, 1 << 20);
  for (const std::size_t first : {kMin + 3000, kMin + 9000, kMin + 16383}) {
    for (const std::size_t second : {first + 70, first + 2000, first + 5000, first + 13000}) {
      Bytes data = Bytes::copy_of(random);
      const auto put_cut = [&](std::size_t end) {
        std::fill_n(data.data() + end - 64, 64, std::byte{0});
      };
      put_cut(first);
      put_cut(second);
      EXPECT_THAT(chunker.find_cut(data), Optional(first)) << second;
    }
  }
}

TEST(Chunker, HasNoCutInLessThanTheSmallestSize) {
  const Chunker chunker = value_of(Chunker::make(kPolynomial));
  EXPECT_EQ(chunker.find_cut({}), std::nullopt);
  EXPECT_EQ(chunker.find_cut(zeros(kMin - 1)), std::nullopt);
  EXPECT_THAT(chunker.find_cut(zeros(kMin)), Optional(kMin));
}

TEST(Chunker, LooksNoFurtherThanTheLargestSize) {
  const Chunker chunker = value_of(Chunker::make(kPolynomial));
  const Bytes data = repeated("restic", (18 << 20) / 6);
  EXPECT_EQ(chunker.find_cut(data.view().first(kMax - 1)), std::nullopt);
  EXPECT_THAT(chunker.find_cut(data, kMax - 1), Optional(kMax));
}

TEST(Chunker, RefusesPolynomialsThatResticRefuses) {
  EXPECT_THAT(Chunker::make(0x38f1e565e288df), FailsWith(ErrorKind::kUnsupported));
  EXPECT_THAT(Chunker::make(0), FailsWith(ErrorKind::kUnsupported));
  // x^57 + x^4 + 1 is irreducible, but its hashes do not fit.
  EXPECT_THAT(Chunker::make(0x200000000000011), FailsWith(ErrorKind::kUnsupported));
}

}  // namespace
}  // namespace restree
