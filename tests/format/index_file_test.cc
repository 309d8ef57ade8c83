#include "repo/format/index_file.h"

#include <string>
#include <utility>
#include <vector>

#include "tests/format/vectors.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using testing::FailsWith;

struct Packs {
  std::vector<std::pair<PackId, std::vector<IndexedBlob>>> list;
  Status status;
};

Packs packs_in(std::string_view json) {
  Packs packs;
  packs.status =
      parse_index_file(as_bytes(json), [&](const PackId& pack, std::span<const IndexedBlob> blobs) {
        packs.list.emplace_back(pack, std::vector<IndexedBlob>(blobs.begin(), blobs.end()));
      });
  return packs;
}

std::string index_of(std::string_view blob) {
  return R"({"packs":[{"id":")" + std::string(vectors::kPackId) + R"(","blobs":[)" +
         std::string(blob) + "]}]}";
}
std::string blob_with(std::string_view fields) {
  return R"({"id":")" + std::string(vectors::kDataBlobId) + R"(","type":"data")" +
         std::string(fields) + "}";
}
Status parse_blob_with(std::string_view fields) {
  return packs_in(index_of(blob_with(fields))).status;
}

TEST(IndexFile, OfARealRepositoryIsRead) {
  const Packs packs = packs_in(vectors::kIndex);
  ASSERT_OK(packs.status);
  ASSERT_EQ(packs.list.size(), 2u);
  EXPECT_EQ(packs.list[0].first.hex(), vectors::kPackId);
  ASSERT_EQ(packs.list[1].second.size(), 2u);
  const IndexedBlob& tree = packs.list[1].second[1];
  EXPECT_EQ(tree.id.hex(), vectors::kTreeId);
  EXPECT_EQ(tree.type, BlobType::kTree);
  EXPECT_EQ(tree.offset, 54u);
  EXPECT_EQ(tree.length, 930u);
  EXPECT_EQ(tree.raw_length, 6776u);
}

TEST(IndexFile, Of2015IsABareListOfPacks) {
  const Packs packs = packs_in(R"([{"id":")" + std::string(vectors::kPackId) + R"(","blobs":[)" +
                               blob_with(R"(,"offset":150,"length":38)") + "]}]");
  ASSERT_OK(packs.status);
  ASSERT_EQ(packs.list.size(), 1u);
  EXPECT_EQ(packs.list[0].second.at(0).offset, 150u);
  EXPECT_EQ(packs.list[0].second.at(0).raw_length, 0u);
}

TEST(IndexFile, MayBeEmptyOrNameWhatItSupersedes) {
  EXPECT_OK(packs_in(R"({"packs":[]})").status);
  EXPECT_OK(packs_in(R"({"packs":null})").status);
  EXPECT_OK(packs_in("[]").status);
  EXPECT_OK(
      packs_in(R"({"supersedes":[")" + std::string(vectors::kPackId) + R"("],"packs":[]})").status);
}

TEST(IndexFile, FindsAPacksIdBehindItsBlobs) {
  const Packs packs = packs_in(R"({"packs":[{"blobs":[)" + blob_with(R"(,"length":40)") +
                               R"(],"id":")" + std::string(vectors::kPackId) + R"("}]})");
  ASSERT_OK(packs.status);
  EXPECT_EQ(packs.list.at(0).first.hex(), vectors::kPackId);
  EXPECT_EQ(packs.list.at(0).second.size(), 1u);
}

TEST(IndexFile, KnowsTheLimitsOfAPack) {
  EXPECT_OK(parse_blob_with(R"(,"offset":4294967200,"length":95)"));
  EXPECT_THAT(parse_blob_with(R"(,"offset":4294967200,"length":96)"),
              FailsWith(ErrorKind::kCorrupt));
  EXPECT_OK(parse_blob_with(R"(,"offset":0,"length":32)"));
  EXPECT_THAT(parse_blob_with(R"(,"offset":0,"length":31)"), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(parse_blob_with(R"(,"offset":4294967296,"length":40)"),
              FailsWith(ErrorKind::kCorrupt));
}

TEST(IndexFile, WithMalformedNumbersIsCorrupt) {
  for (const char* number : {"-1", "40.0", "4e1", "1e400", "\"40\"", "040", "", "0x28", "+40"}) {
    EXPECT_THAT(parse_blob_with(R"(,"offset":0,"length":)" + std::string(number)),
                FailsWith(ErrorKind::kCorrupt))
        << number;
  }
}

TEST(IndexFile, WithIncompleteEntriesIsCorrupt) {
  for (const char* blob : {"{}", "null", "5", "[]", R"({"type":"data","length":40})",
                           R"({"id":"00","type":"data","length":40})"}) {
    EXPECT_THAT(packs_in(index_of(blob)).status, FailsWith(ErrorKind::kCorrupt)) << blob;
  }
  EXPECT_THAT(packs_in(R"({"packs":[{"blobs":[]}]})").status, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(packs_in(R"({"packs":[null]})").status, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(packs_in(R"({"packs":{}})").status, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(packs_in("{}").status, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(packs_in("5").status, FailsWith(ErrorKind::kCorrupt));
}

TEST(IndexFile, WithABlobOfUnknownTypeIsCorrupt) {
  const std::string json = index_of(R"({"id":")" + std::string(vectors::kDataBlobId) +
                                    R"(","type":"config","offset":0,"length":40})");
  EXPECT_THAT(packs_in(json).status, FailsWith(ErrorKind::kCorrupt));
}

TEST(IndexFile, CutShortAnywhereIsCorrupt) {
  const std::string_view json = vectors::kIndex.substr(0, vectors::kIndex.size() - 1);
  for (std::size_t size = 0; size < json.size(); ++size) {
    EXPECT_THAT(packs_in(json.substr(0, size)).status, FailsWith(ErrorKind::kCorrupt)) << size;
  }
}

TEST(IndexFile, MayBeReadWhileAnotherIsOnTheSameThread) {
  std::size_t inner = 0;
  const auto visit = [&](const PackId&, std::span<const IndexedBlob>) {
    inner += packs_in(vectors::kIndex).list.size();
  };
  EXPECT_OK(parse_index_file(as_bytes(vectors::kIndex), visit));
  EXPECT_EQ(inner, 4u);
}

}  // namespace
}  // namespace restree
