// An index in a file answers as the index in memory does, or says that it cannot.
#include "repo/index/stored_index.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <random>
#include <tuple>

#include "repo/index/stored_index_writer.h"
#include "tests/index/numbered_ids.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::value_of;

SealKey key_of(char letter) {
  const std::string part(32, letter);
  return value_of(
      SealKey::make(as_bytes(part), as_bytes(part).first(16), as_bytes(part).first(16)));
}

// A blob of one of `kinds` ids, at a place that another call may give as well.
std::pair<PackId, IndexedBlob> random_blob(std::mt19937_64& random, std::uint64_t kinds) {
  const auto number = static_cast<std::uint32_t>(random() % 1000);
  return {pack_id(random() % 20),
          {id_of<BlobId>(random() % kinds), random() % 4 == 0 ? BlobType::kTree : BlobType::kData,
           number, 100 + number, random() % 2 == 0 ? 0 : 300 + number}};
}

std::shared_ptr<const Index> random_index(std::mt19937_64& random, std::size_t blobs,
                                          std::uint64_t kinds) {
  IndexBuilder builder;
  for (std::size_t i = 0; i < blobs; ++i) {
    const auto [pack, blob] = random_blob(random, kinds);
    builder.add(pack, {&blob, 1});
  }
  return std::move(builder).build(1);
}

using Place = std::tuple<PackId, std::uint32_t, std::uint32_t, std::uint32_t>;

void add_places(std::vector<Place>& places, const std::vector<BlobLocation>& found) {
  for (const BlobLocation& place : found) {
    places.emplace_back(place.pack, place.offset, place.length, place.raw_length);
  }
}

// The places that the indexes in memory give, each once.
std::vector<Place> expected_places(const std::vector<std::shared_ptr<const Index>>& parts,
                                   BlobType type, const BlobId& id) {
  std::vector<Place> places;
  for (const auto& part : parts) add_places(places, part->find_all(type, id));
  std::ranges::sort(places);
  places.erase(std::ranges::unique(places).begin(), places.end());
  return places;
}

class StoredIndexTest : public ::testing::Test {
 protected:
  static UniqueFd new_file() { return UniqueFd(::memfd_create("index", MFD_CLOEXEC)); }

  static std::string content_of(int fd) {
    std::string bytes(static_cast<std::size_t>(::lseek(fd, 0, SEEK_END)), '\0');
    EXPECT_EQ(::pread(fd, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    return bytes;
  }
  std::string store(const IndexesToStore& what) const {
    const UniqueFd fd = new_file();
    EXPECT_OK(write_stored_index(fd.get(), key_, what, [] { return Status(); }));
    std::string bytes = content_of(fd.get());
    EXPECT_LE(bytes.size(), what.most_bytes());
    return bytes;
  }
  Result<std::shared_ptr<const StoredIndex>> open(const std::string& bytes) const {
    UniqueFd fd = new_file();
    EXPECT_EQ(::pwrite(fd.get(), bytes.data(), bytes.size(), 0),
              static_cast<ssize_t>(bytes.size()));
    return StoredIndex::open(std::move(fd), key_);
  }

  // Compares the answers for every possible id; returns how many the file could not give.
  static std::size_t failed_looks(const StoredIndex& stored,
                                  const std::vector<std::shared_ptr<const Index>>& parts,
                                  std::uint64_t kinds) {
    std::size_t failed = 0;
    for (std::uint64_t kind = 0; kind < kinds; ++kind) {
      for (const BlobType type : {BlobType::kData, BlobType::kTree}) {
        const auto id = id_of<BlobId>(kind);
        const auto found = stored.find_all(type, id);
        if (!found) {
          EXPECT_EQ(found.error().kind(), ErrorKind::kCorrupt);
          ++failed;
          continue;
        }
        std::vector<Place> places;
        add_places(places, *found);
        std::ranges::sort(places);
        EXPECT_EQ(places, expected_places(parts, type, id)) << "blob " << kind;
      }
    }
    return failed;
  }

  const SealKey key_ = key_of('k');
};

TEST_F(StoredIndexTest, WithoutEntriesFindsNothing) {
  const auto stored = value_of(open(store({})));
  EXPECT_THAT(value_of(stored->find_all(BlobType::kData, BlobId{})), IsEmpty());
  EXPECT_EQ(stored->blob_count(), 0U);
}

TEST_F(StoredIndexTest, AnswersAsTheIndexInMemory) {
  for (const std::size_t blobs : {1U, 19U, 20U, 21U, 40U, 1000U, 20'000U}) {
    std::mt19937_64 random(blobs);
    const std::uint64_t kinds = 1 + blobs * 2 / 3;  // so many ids occur more than once
    const auto index = random_index(random, blobs, kinds);
    const auto stored = value_of(open(store({nullptr, {index}, {}})));
    EXPECT_EQ(failed_looks(*stored, {index}, kinds + 100), 0U);
    EXPECT_EQ(stored->blob_count(), index->blob_count());
    EXPECT_EQ(stored->sealed_bytes(), index->sealed_bytes());
    EXPECT_EQ(stored->packs(), index->packs());
  }
}

TEST_F(StoredIndexTest, AnswersAsTheIndexInMemoryWhenItsPiecesPushEachOtherOut) {
  constexpr std::size_t kBlobs = (StoredIndex::kKeptBlocks + 500) * kStoredBlockEntries;
  std::mt19937_64 random(5);
  const auto index = random_index(random, kBlobs, kBlobs);
  const auto stored = value_of(open(store({nullptr, {index}, {}})));
  ASSERT_GT(stored->block_count(), StoredIndex::kKeptBlocks);
  const std::size_t before = stored->memory_bytes();
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < index->blob_count(); i += 7) {
      const IndexEntry& entry = index->entries()[i];
      std::vector<Place> places;
      add_places(places, value_of(stored->find_all(entry.type(), entry.id)));
      std::ranges::sort(places);
      ASSERT_EQ(places, expected_places({index}, entry.type(), entry.id)) << i;
    }
  }
  EXPECT_GT(stored->memory_bytes(), before);
  EXPECT_LE(stored->memory_bytes() - before, StoredIndex::kKeptBlocks * (kStoredPieceBytes + 16));
}

TEST_F(StoredIndexTest, BlocksThatWereUsedLatelyAreNotReadAgain) {
  std::mt19937_64 random(9);
  const auto index = random_index(random, 1000, 1000);
  const std::string bytes = store({nullptr, {index}, {}});
  UniqueFd fd = new_file();
  ASSERT_EQ(::pwrite(fd.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  const UniqueFd same(::dup(fd.get()));
  const auto stored = value_of(StoredIndex::open(std::move(fd), key_));
  const IndexEntry& first = index->entries().front();
  const IndexEntry& last = index->entries().back();
  const auto found = value_of(stored->find_all(first.type(), first.id));
  ASSERT_EQ(::ftruncate(same.get(), 0), 0);
  EXPECT_THAT(value_of(stored->find_all(first.type(), first.id)), SizeIs(found.size()));
  EXPECT_THAT(stored->find_all(last.type(), last.id), FailsWith(ErrorKind::kCorrupt));
}

TEST_F(StoredIndexTest, KnowsWhereTheLastBlobOfEachPackEnds) {
  std::mt19937_64 random(3);
  const auto index = random_index(random, 500, 300);
  const auto stored = value_of(open(store({nullptr, {index}, {}})));
  std::map<PackId, std::uint32_t> ends;
  for (const IndexEntry& entry : index->entries()) {
    std::uint32_t& end = ends[index->packs()[entry.pack_number()]];
    end = std::max(end, entry.offset + entry.length);
  }
  for (const IndexEntry& entry : index->entries()) {
    for (const BlobLocation& place : value_of(stored->find_all(entry.type(), entry.id))) {
      EXPECT_EQ(place.pack_end, ends[place.pack]);
    }
  }
}

TEST_F(StoredIndexTest, MergesTheStoredIndexWithLaterOnes) {
  constexpr std::uint64_t kKinds = 3000;
  std::mt19937_64 random(7);
  const std::vector parts = {random_index(random, 4000, kKinds), random_index(random, 500, kKinds),
                             random_index(random, 50, kKinds)};
  const auto first = value_of(open(store({nullptr, {parts[0]}, {id_of<IndexId>(1)}})));
  EXPECT_THAT(first->files(), ElementsAre(id_of<IndexId>(1)));
  const std::vector<IndexId> files = {id_of<IndexId>(1), id_of<IndexId>(2), id_of<IndexId>(3)};
  const auto merged = value_of(open(store({first, {parts[1], parts[2]}, files})));
  EXPECT_EQ(failed_looks(*merged, parts, kKinds), 0U);
  EXPECT_EQ(merged->files(), files);
  EXPECT_THAT(merged->packs(), SizeIs(20));
}

TEST_F(StoredIndexTest, FindsIdsThatAreNotSpreadLikeHashes) {
  IndexBuilder builder;
  const auto crowded = [](std::uint32_t number) {
    BlobId id;
    id.bytes[0] = std::byte{0xff};
    id.bytes[30] = static_cast<std::byte>(number >> 8);
    id.bytes[31] = static_cast<std::byte>(number);
    return id;
  };
  for (std::uint32_t i = 0; i < 500; ++i) {
    const IndexedBlob blob{crowded(i), BlobType::kData, i, 100, 0};
    builder.add(pack_id(1), {&blob, 1});
  }
  const auto stored = value_of(open(store({nullptr, {std::move(builder).build(1)}, {}})));
  for (std::uint32_t i = 0; i < 500; ++i) {
    const auto places = value_of(stored->find_all(BlobType::kData, crowded(i)));
    ASSERT_THAT(places, SizeIs(1));
    EXPECT_EQ(places[0].offset, i);
  }
  EXPECT_THAT(value_of(stored->find_all(BlobType::kData, crowded(500))), IsEmpty());
  EXPECT_THAT(value_of(stored->find_all(BlobType::kData, BlobId{})), IsEmpty());
}

TEST_F(StoredIndexTest, CannotBeReadWithoutTheKey) {
  std::mt19937_64 random(1);
  const auto index = random_index(random, 100, 100);
  const std::string bytes = store({nullptr, {index}, {id_of<IndexId>(1)}});
  for (const IndexEntry& entry : index->entries()) {
    EXPECT_EQ(bytes.find(as_text(ByteView(entry.id.bytes).first(8))), std::string::npos);
  }
  UniqueFd fd = new_file();
  ASSERT_EQ(::pwrite(fd.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  const SealKey other = key_of('o');
  EXPECT_THAT(StoredIndex::open(std::move(fd), other), FailsWith(ErrorKind::kCorrupt));
}

// A file of some blocks, and the indexes it was made from.
class DamagedStoredIndex : public StoredIndexTest {
 protected:
  static constexpr std::uint64_t kKinds = 60;
  DamagedStoredIndex() {
    std::mt19937_64 random(3);
    parts_ = {random_index(random, 70, kKinds)};
    bytes_ = store({nullptr, parts_, {id_of<IndexId>(1)}});
  }
  // How many lookups fail; all, if the file cannot be opened.
  std::size_t failures(const std::string& bytes) const {
    const auto stored = open(bytes);
    if (stored) return failed_looks(**stored, parts_, kKinds);
    EXPECT_EQ(stored.error().kind(), ErrorKind::kCorrupt);
    return 2 * kKinds;
  }
  std::string piece(const std::string& bytes, std::size_t number) const {
    return bytes.substr(number * kStoredPieceBytes, kStoredPieceBytes);
  }

  std::vector<std::shared_ptr<const Index>> parts_;
  std::string bytes_;
};

TEST_F(DamagedStoredIndex, IsRightAsLongAsItIsWhole) { EXPECT_EQ(failures(bytes_), 0U); }

TEST_F(DamagedStoredIndex, WithAnyBitFlippedNeverAnswersWrongly) {
  std::mt19937_64 random(4);
  for (std::size_t at = 0; at < bytes_.size(); at += 1 + random() % 9) {
    std::string bytes = bytes_;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << (random() % 8)));
    EXPECT_GT(failures(bytes), 0U) << "byte " << at;
  }
}

TEST_F(DamagedStoredIndex, CutShortAnywhereOrGrownNeverAnswersWrongly) {
  for (std::size_t size = 0; size < bytes_.size(); size += 1 + size % 7) {
    EXPECT_EQ(failures(bytes_.substr(0, size)), 2 * kKinds) << "to " << size << " bytes";
  }
  EXPECT_EQ(failures(bytes_ + "x"), 2 * kKinds);
}

TEST_F(DamagedStoredIndex, CutShortWhileItIsOpenNeverAnswersWrongly) {
  UniqueFd fd = new_file();
  ASSERT_EQ(::pwrite(fd.get(), bytes_.data(), bytes_.size(), 0),
            static_cast<ssize_t>(bytes_.size()));
  const UniqueFd same(::dup(fd.get()));
  const auto stored = value_of(StoredIndex::open(std::move(fd), key_));
  ASSERT_EQ(::ftruncate(same.get(), 2 * kStoredPieceBytes), 0);
  EXPECT_GT(failed_looks(*stored, parts_, kKinds), 0U);
}

TEST_F(DamagedStoredIndex, WithHolesNeverAnswersWrongly) {
  for (std::size_t at = 0; at < bytes_.size(); at += kStoredPieceBytes / 2) {
    std::string bytes = bytes_;
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                std::min(kStoredPieceBytes, bytes.size() - at), '\0');
    EXPECT_GT(failures(bytes), 0U) << "from byte " << at;
  }
}

TEST_F(DamagedStoredIndex, WithItsPiecesMovedNeverAnswersWrongly) {
  const std::size_t blocks = value_of(open(bytes_))->block_count();
  ASSERT_GE(blocks, 3U);
  for (std::size_t to = 0; to <= blocks; ++to) {
    for (std::size_t from = 0; from <= blocks; ++from) {
      if (to == from) continue;
      std::string bytes = bytes_;
      bytes.replace(to * kStoredPieceBytes, kStoredPieceBytes, piece(bytes_, from));
      EXPECT_GT(failures(bytes), 0U) << from << " to " << to;
    }
  }
}

TEST_F(DamagedStoredIndex, WithPiecesOfAnOlderFileNeverAnswersWrongly) {
  const std::string older = store({nullptr, parts_, {id_of<IndexId>(1)}});
  ASSERT_EQ(older.size(), bytes_.size());
  for (std::size_t number = 0; number * kStoredPieceBytes < bytes_.size(); ++number) {
    std::string bytes = bytes_;
    bytes.replace(number * kStoredPieceBytes, kStoredPieceBytes, piece(older, number));
    EXPECT_GT(failures(bytes), 0U) << "piece " << number;
  }
}

TEST_F(DamagedStoredIndex, IsNotMergedIntoAnother) {
  std::string bytes = bytes_;
  bytes[stored_block_offset(1) + 100] = static_cast<char>(bytes[stored_block_offset(1) + 100] ^ 1);
  const auto stored = value_of(open(bytes));
  const UniqueFd fd = new_file();
  EXPECT_THAT(write_stored_index(fd.get(), key_, {stored, {}, {}}, [] { return Status(); }),
              FailsWith(ErrorKind::kCorrupt));
}

TEST_F(DamagedStoredIndex, ThatWasNotWrittenToItsEndCannotBeOpened) {
  const UniqueFd fd = new_file();
  EXPECT_THAT(write_stored_index(fd.get(), key_, {nullptr, parts_, {}},
                                 [] { return Error(ErrorKind::kCancelled, "enough"); }),
              FailsWith(ErrorKind::kCancelled));
  EXPECT_EQ(failures(content_of(fd.get())), 2 * kKinds);
}

}  // namespace
}  // namespace restree
