#include "repo/writer/repository_writer.h"

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "repo/base/scratch_buffer.h"
#include "repo/crypto/seal.h"
#include "repo/crypto/sha256.h"
#include "repo/format/pack_header.h"
#include "repo/format/zstd.h"
#include "tests/support/files.h"
#include "tests/support/memory_repository.h"
#include "tests/support/refused_memory.h"

namespace restree {
namespace {

using testing::FailsWith;
using ::testing::IsEmpty;
using testing::MemoryRepository;
using ::testing::SizeIs;
using testing::soon;
using testing::value_of;

constexpr BlobType kData = BlobType::kData;
constexpr BlobType kTree = BlobType::kTree;

// Bytes that do not compress, another sequence for each seed.
std::string noise(std::size_t size, unsigned seed) { return testing::random_bytes(seed, size); }

class RepositoryWriterTest : public ::testing::Test {
 protected:
  RepositoryWriterTest() : repository_(memory_.open()) {}

  RepositoryWriter make_writer(const RepositoryWriter::Options& options = {.pack_bytes = 1 << 20}) {
    return {*repository_, options, stop_.get_token()};
  }
  std::vector<ListedFile> files(FileType type) {
    return value_of(memory_.storage().list(type, soon()));
  }
  // The repository, opened anew.
  std::string read_back(BlobType type, const BlobId& id) {
    const auto blob = memory_.open()->load(type, id, soon());
    return blob ? std::string(as_text((*blob)->view())) : "error: " + blob.error().message();
  }

  MemoryRepository memory_{2};
  std::unique_ptr<Repository> repository_;
  std::stop_source stop_;
};

TEST_F(RepositoryWriterTest, SavedBlobsCanBeReadBackAfterAFlush) {
  auto writer = make_writer();
  const std::string large = noise(300'000, 1);
  const auto data = value_of(writer.save(kData, as_bytes(large)));
  const auto tree = value_of(writer.save(kTree, as_bytes("{\"nodes\":[]}\n")));
  EXPECT_TRUE(data.is_new && tree.is_new);
  EXPECT_EQ(data.id, BlobId{sha256(as_bytes(large))});
  ASSERT_OK(writer.flush());
  EXPECT_EQ(read_back(kData, data.id), large);
  EXPECT_EQ(read_back(kTree, tree.id), "{\"nodes\":[]}\n");
}

TEST_F(RepositoryWriterTest, EveryModeOfCompressionCanBeReadBack) {
  const std::string text(200'000, 'x');
  unsigned seed = 0;
  for (const auto mode : {Compression::kAuto, Compression::kOff, Compression::kFastest,
                          Compression::kBetter, Compression::kMax}) {
    auto writer = make_writer({.compression = mode});
    const std::string content = text + noise(200'000, ++seed);
    const auto saved = value_of(writer.save(kData, as_bytes(content)));
    ASSERT_OK(writer.flush());
    EXPECT_EQ(read_back(kData, saved.id), content);
    EXPECT_EQ(saved.stored_bytes > content.size(), mode == Compression::kOff);
  }
}

TEST_F(RepositoryWriterTest, NoPackWithRoomIsNoReasonToWaitForEver) {
  // With one upload at a time, memory is shortest. Two packs are open, neither is full, and the
  // next tree fits into none.
  auto writer = make_writer({.pack_bytes = 4 << 20, .uploads = 1});
  ASSERT_OK(writer.save(kData, as_bytes("data")));
  ASSERT_OK(writer.save(kTree, as_bytes(noise(3 << 20, 1))));
  const std::string large = noise(11 << 20, 2);
  const auto saved = value_of(writer.save(kTree, as_bytes(large)));
  ASSERT_OK(writer.flush());
  EXPECT_EQ(read_back(kTree, saved.id), large);
}

TEST_F(RepositoryWriterTest, ABlobIsStoredOnce) {
  auto first = make_writer();
  ASSERT_TRUE(value_of(first.save(kData, as_bytes("x"))).is_new);
  EXPECT_FALSE(value_of(first.save(kData, as_bytes("x"))).is_new);
  EXPECT_TRUE(value_of(first.save(kTree, as_bytes("x"))).is_new);  // same bytes, but another type
  ASSERT_OK(first.flush());

  repository_ = memory_.open();
  auto second = make_writer();
  EXPECT_FALSE(value_of(second.save(kData, as_bytes("x"))).is_new);
  ASSERT_OK(second.flush());
  EXPECT_THAT(files(FileType::kPack), SizeIs(2));
  EXPECT_THAT(files(FileType::kIndex), SizeIs(1));
}

// As by a program that moves them to another pack.
TEST_F(RepositoryWriterTest, ABlobThatIsKnownCanBeStoredAgainAsItIsSealed) {
  const std::string content = noise(5000, 1);
  auto first = make_writer();
  const BlobId id = value_of(first.save(kData, as_bytes(content))).id;
  ASSERT_OK(first.flush());
  repository_ = memory_.open();
  const BlobLocation old = value_of(repository_->find_blob(kData, id));
  const auto sealed_at = [&](const BlobLocation& place) {
    return std::string(as_text(value_of(memory_.storage().read(
        {FileType::kPack, place.pack.hex()}, {place.offset, place.length}, soon()))));
  };
  const std::string sealed = sealed_at(old);

  std::vector<PackId> stored;
  {
    auto second = make_writer({.on_stored = [&](const PackId& pack, std::uint64_t size_bytes) {
      stored.push_back(pack);
      EXPECT_GT(size_bytes, old.length);
    }});
    const IndexedBlob blob{id, kData, 7, old.length, old.raw_length};
    ASSERT_OK(second.save_again(kData, id, as_bytes(content)));
    EXPECT_TRUE(value_of(second.save_sealed(blob, as_bytes(sealed))).is_new);
    ASSERT_OK(second.flush());
  }
  ASSERT_THAT(stored, SizeIs(1));
  memory_.remove({FileType::kPack, old.pack.hex()});
  EXPECT_EQ(read_back(kData, id), content);
  bool is_as_it_was = false;
  for (const BlobLocation& place : memory_.open()->find_blobs(kData, id)) {
    if (place.pack == stored.front()) is_as_it_was |= sealed_at(place) == sealed;
  }
  EXPECT_TRUE(is_as_it_was);
}

TEST_F(RepositoryWriterTest, ASealedBlobThatIsNotWhatItSaysIsNotStored) {
  auto first = make_writer();
  const BlobId id = value_of(first.save(kData, as_bytes(noise(5000, 1)))).id;
  ASSERT_OK(first.flush());
  repository_ = memory_.open();
  const BlobLocation old = value_of(repository_->find_blob(kData, id));
  const std::string damaged(old.length, 'x');
  auto second = make_writer();
  const IndexedBlob blob{id, kData, 0, old.length, old.raw_length};
  ASSERT_OK(second.save_sealed(blob, as_bytes(damaged)));
  EXPECT_THAT(second.flush(), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(files(FileType::kPack), SizeIs(1));
}

// As by a copy from another repository, whose compression may be better than what is made here in a hurry.
TEST_F(RepositoryWriterTest, ABlobIsStoredAsItIsCompressedElsewhereUnlessThatIsNotWanted) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i);
  const BlobId id{sha256(as_bytes(text))};
  ScratchBuffer scratch;
  const ByteView frame = value_of(compress_into(as_bytes(text), Compression::kMax, scratch));
  // A frame that says the same in more bytes than any compression here would take.
  std::string other(raw_frame_size(text.size()), '\0');
  write_raw_frame(as_bytes(text),
                  MutableByteView(reinterpret_cast<std::byte*>(other.data()), other.size()));
  const auto stored_bytes = [&](Compression wanted, BlobType type, ByteView compressed) {
    const MemoryRepository fresh(2);
    const auto repository = fresh.open();
    RepositoryWriter writer(*repository, {.compression = wanted}, {});
    EXPECT_TRUE(value_of(writer.save_known(type, id, as_bytes(text), compressed)).is_new);
    EXPECT_FALSE(value_of(writer.save_known(type, id, as_bytes(text), compressed)).is_new);
    EXPECT_OK(writer.flush());
    const auto again = fresh.open();
    EXPECT_EQ(as_text((*value_of(again->load(type, id, soon()))).view()), text);
    return value_of(again->find_blob(type, id)).length - kSealOverheadBytes;
  };
  EXPECT_EQ(stored_bytes(Compression::kAuto, kData, frame), frame.size());
  EXPECT_EQ(stored_bytes(Compression::kAuto, kData, as_bytes(other)), other.size());
  EXPECT_LT(stored_bytes(Compression::kFastest, kData, as_bytes(other)), other.size());
  EXPECT_EQ(stored_bytes(Compression::kOff, kData, frame), text.size());
  EXPECT_EQ(stored_bytes(Compression::kOff, kTree, frame), frame.size());
  EXPECT_LT(stored_bytes(Compression::kAuto, kData, {}), text.size());
}

TEST_F(RepositoryWriterTest, AFrameThatIsNotTheContentIsNotStored) {
  const std::string text(50'000, 'x');
  const BlobId id{sha256(as_bytes(text))};
  ScratchBuffer scratch;
  const ByteView frame =
      value_of(compress_into(as_bytes(std::string(50'000, 'y')), Compression::kAuto, scratch));
  auto writer = make_writer();
  ASSERT_OK(writer.save_known(kData, id, as_bytes(text), frame));
  EXPECT_THAT(writer.flush(), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(files(FileType::kPack), IsEmpty());
}

TEST_F(RepositoryWriterTest, DataAndTreesGoToPacksOfTheirOwnThatCloseAtTheirSize) {
  auto writer = make_writer({.pack_bytes = 1 << 20});
  for (unsigned i = 0; i < 8; ++i) ASSERT_OK(writer.save(kData, as_bytes(noise(300'000, i))));
  for (unsigned i = 0; i < 8; ++i) ASSERT_OK(writer.save(kTree, as_bytes(noise(3'000, i))));
  ASSERT_OK(writer.flush());
  EXPECT_THAT(files(FileType::kPack), SizeIs(3));  // four of the data blobs fill a pack
}

// However small they are: headers are held in memory as a whole.
TEST_F(RepositoryWriterTest, APackHasNoMoreBlobsThanAFullIndexFile) {
  auto writer = make_writer({.pack_bytes = 64 << 20});
  for (std::size_t i = 0; i <= kMostNewPackEntries; ++i) {
    ASSERT_OK(writer.save(kData, as_bytes(std::to_string(i))));
  }
  ASSERT_OK(writer.flush());
  EXPECT_THAT(files(FileType::kPack), SizeIs(2));
}

TEST_F(RepositoryWriterTest, ABlobLargerThanAPackGetsOneOfItsOwn) {
  auto writer = make_writer({.pack_bytes = 4 << 10});
  const std::string large = noise(20 << 20, 1);
  const auto saved = value_of(writer.save(kTree, as_bytes(large)));
  ASSERT_OK(writer.flush());
  EXPECT_EQ(read_back(kTree, saved.id), large);
}

TEST_F(RepositoryWriterTest, ManyThreadsShareThePacks) {
  auto writer = make_writer({.pack_bytes = 256 << 10});
  std::vector<std::jthread> threads;
  std::atomic<unsigned> stored = 0;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (unsigned i = 0; i < 60; ++i) {  // all of them save the same blobs
        stored += value_of(writer.save(kData, as_bytes(noise(20'000, i)))).is_new ? 1 : 0;
      }
    });
  }
  threads.clear();
  ASSERT_OK(writer.flush());
  EXPECT_EQ(stored, 60);
  EXPECT_EQ(memory_.open()->index_figures().blobs, 60);
  const auto reader = memory_.open();
  for (unsigned i = 0; i < 60; ++i) {
    EXPECT_OK(reader->load(kData, BlobId{sha256(as_bytes(noise(20'000, i)))}, soon()));
  }
}

TEST_F(RepositoryWriterTest, AnIndexNamesOnlyPacksThatAreStored) {
  memory_.storage().watch_writes([&](const FileName& file) -> Status {
    if (file.type == FileType::kIndex) {
      EXPECT_THAT(files(FileType::kPack), SizeIs(2));
    }
    return {};
  });
  auto writer = make_writer();
  ASSERT_OK(writer.save(kData, as_bytes("a")));
  ASSERT_OK(writer.save(kTree, as_bytes("b")));
  ASSERT_OK(writer.flush());
  EXPECT_THAT(files(FileType::kIndex), SizeIs(1));
}

TEST_F(RepositoryWriterTest, AFailureOfTheStorageFailsAllCalls) {
  memory_.storage().watch_writes(
      [](const FileName&) -> Status { return Error(ErrorKind::kLocalIo, "no space left"); });
  auto writer = make_writer();
  ASSERT_OK(writer.save(kData, as_bytes("a")));
  const auto flushed = writer.flush();
  EXPECT_THAT(flushed, FailsWith(ErrorKind::kLocalIo));
  // No thread waits for a buffer for ever.
  Status saved;
  for (unsigned i = 0; saved && i < 100; ++i) {
    const auto result = writer.save(kData, as_bytes(noise(1 << 20, i)));
    if (!result) saved = result.error();
  }
  EXPECT_THAT(saved, FailsWith(ErrorKind::kLocalIo));
  EXPECT_THAT(files(FileType::kIndex), IsEmpty());
}

TEST_F(RepositoryWriterTest, AfterMemoryIsRefusedAllCallsFail) {
  // No system has the memory for such a pack.
  auto writer = make_writer({.pack_bytes = SIZE_MAX - (std::size_t{64} << 20)});
  EXPECT_THAT(writer.save(kData, as_bytes("a")), FailsWith(ErrorKind::kLocalIo));
  // Else the second file with this content would be taken for stored.
  EXPECT_TRUE(writer.failure().has_value());
  for (unsigned i = 0; i < 10; ++i) {
    EXPECT_THAT(writer.save(kTree, as_bytes(noise(10, i))), FailsWith(ErrorKind::kLocalIo)) << i;
  }
  EXPECT_THAT(writer.flush(), FailsWith(ErrorKind::kLocalIo));
}

TEST_F(RepositoryWriterTest, AfterAStopTheStoredPacksAreIndexed) {
  auto writer = make_writer({.pack_bytes = 1 << 10});
  const std::string content = noise(2'000, 1);
  const auto saved = value_of(writer.save(kData, as_bytes(content)));
  while (files(FileType::kPack).empty()) std::this_thread::yield();
  stop_.request_stop();
  EXPECT_THAT(writer.flush(), FailsWith(ErrorKind::kCancelled));
  ASSERT_OK(writer.finish_early());
  EXPECT_EQ(read_back(kData, saved.id), content);
}

TEST_F(RepositoryWriterTest, ABitThatFlipsInMemoryIsNotStored) {
  PendingIndex index(*repository_);
  PackUploader uploader(
      *repository_, index,
      {.threads = 1, .buffers = 1, .buffer_bytes = 1 << 20, .kept_bytes = 1 << 20},
      stop_.get_token());
  auto pack = std::make_unique<OpenPack>(value_of(uploader.take_buffer(1)), 1 << 20);
  const std::string plain = "what was read";
  const auto place = pack->reserve({.id = BlobId{sha256(as_bytes(plain))},
                                    .type = kData,
                                    .offset = 0,
                                    .length = static_cast<std::uint32_t>(plain.size() + 32),
                                    .raw_length = 0});
  std::string flipped = plain;
  flipped[3] ^= 4;  // correctly sealed, but not the bytes that were hashed
  ASSERT_OK(repository_->seal_into(as_bytes(flipped), *place));
  pack->filled();
  ASSERT_OK(uploader.submit(std::move(pack)));
  EXPECT_THAT(uploader.wait(), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(files(FileType::kPack), IsEmpty());
}

TEST_F(RepositoryWriterTest, ADryRunCountsAndWritesNothing) {
  auto writer = make_writer({.dry_run = true});
  const auto saved = value_of(writer.save(kData, as_bytes(noise(10'000, 1))));
  EXPECT_TRUE(saved.is_new);
  ASSERT_OK(writer.flush());
  EXPECT_THAT(files(FileType::kPack), IsEmpty());
  EXPECT_EQ(writer.figures().data_blobs, 1);
  EXPECT_EQ(writer.figures().raw_bytes, 10'000);
  EXPECT_GT(writer.figures().stored_bytes, 10'000);
}

}  // namespace
}  // namespace restree
