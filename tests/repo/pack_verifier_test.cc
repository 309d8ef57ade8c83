#include "repo/pack_verifier.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <vector>

#include "repo/pack_file.h"
#include "repo/writer/repository_writer.h"
#include "tests/support/files.h"
#include "tests/support/memory_repository.h"

namespace restree::testing {
namespace {

using ::testing::HasSubstr;

// A pack of three blobs: one that is compressed, a small one, and one that is longer than a stretch.
class PackVerifierTest : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kStretchBytes = 64 << 10;

  PackVerifierTest() : repository_(memory_.open()) {
    RepositoryWriter writer(*repository_, {}, {});
    for (const std::string& content :
         {std::string(300'000, 'x'), random_bytes(1, 10'000), random_bytes(2, 200'000)}) {
      value_of(writer.save(BlobType::kData, as_bytes(content)));
    }
    EXPECT_OK(writer.flush());
    const auto packs = value_of(memory_.storage().list(FileType::kPack, soon()));
    name_ = packs.at(0).name;
    file_ = as_text(value_of(memory_.storage().read_all({FileType::kPack, name_}, soon())));
    blobs_ = value_of(blobs_in_pack(*repository_, as_bytes(file_)));
  }

  Result<VerifiedPack> verify() {
    return verify_pack(*repository_, blobs_, file_.size(), kStretchBytes,
                       [&](Bytes& buffer, ByteRange range) -> Result<MutableByteView> {
                         ranges_.push_back(range);
                         buffer =
                             Bytes::copy_of(as_bytes(file_).subspan(range.offset, range.length));
                         return buffer.view();
                       });
  }
  void flip(std::uint64_t at) { file_[at] = static_cast<char>(file_[at] ^ 1); }

  MemoryRepository memory_{2};
  std::unique_ptr<Repository> repository_;
  std::string name_;
  std::string file_;
  std::vector<IndexedBlob> blobs_;
  std::vector<ByteRange> ranges_;
};

TEST_F(PackVerifierTest, ReadsEachByteOnceInStretches) {
  const VerifiedPack pack = value_of(verify());
  EXPECT_EQ(pack.id.hex(), name_);
  std::uint64_t end = 0;
  std::uint64_t longest = 0;
  for (const ByteRange& range : ranges_) {
    EXPECT_EQ(range.offset, end);
    end += range.length;
    longest = std::max(longest, range.length);
  }
  EXPECT_EQ(end, file_.size());
  EXPECT_EQ(longest, std::ranges::max(blobs_, {}, &IndexedBlob::length).length);
  EXPECT_EQ(ranges_.size(), 3U) << "two blobs, one, and the header";
}

TEST_F(PackVerifierTest, GivesTheHeaderThatNobodyHasLookedAt) {
  const VerifiedPack pack = value_of(verify());
  const auto blobs =
      value_of(blobs_in_pack(*repository_, pack.end, file_.size() - pack.end.size()));
  ASSERT_EQ(blobs.size(), blobs_.size());
  for (std::size_t i = 0; i < blobs.size(); ++i) {
    EXPECT_EQ(blobs[i].id, blobs_[i].id);
    EXPECT_EQ(blobs[i].offset, blobs_[i].offset);
  }
  flip(file_.size() - 10);
  EXPECT_NE(value_of(verify()).id.hex(), name_);
}

TEST_F(PackVerifierTest, NamesABlobThatIsDamaged) {
  for (const IndexedBlob& blob : blobs_) {
    for (const std::uint64_t at :
         {blob.offset, blob.offset + blob.length / 2, blob.offset + blob.length - 1}) {
      flip(at);
      const auto pack = verify();
      ASSERT_THAT(pack, FailsWith(ErrorKind::kCorrupt));
      EXPECT_THAT(pack.error().message(), HasSubstr(blob.id.hex()));
      flip(at);
    }
  }
}

TEST_F(PackVerifierTest, NamesABlobThatIsAnother) {
  std::swap(blobs_[1].id, blobs_[2].id);
  const auto pack = verify();
  ASSERT_THAT(pack, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(pack.error().message(), HasSubstr(blobs_[1].id.hex()));
}

TEST_F(PackVerifierTest, APackOfNothingIsAHeader) {
  file_ = file_.substr(blobs_.back().offset + blobs_.back().length);
  blobs_.clear();
  EXPECT_EQ(value_of(verify()).end.size(), file_.size());
}

}  // namespace
}  // namespace restree::testing
