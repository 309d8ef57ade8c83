// Blobs that the index does not name, or names wrongly, and that the headers of packs lead to.
#include "repo/header_index.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "repo/base/log.h"
#include "repo/format/index_file.h"
#include "repo/repository.h"
#include "tests/repo/data_loading.h"
#include "tests/support/files.h"
#include "tests/support/gate.h"
#include "tests/support/memory_cache.h"
#include "tests/support/memory_repository.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

using ::testing::AllOf;
using testing::FailsWith;
using testing::Gate;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::load;
using testing::MemoryRepository;
using ::testing::Not;
using testing::read_file;
using testing::soon;
using testing::text_of;
using testing::value_of;
using Packs = std::vector<IndexedPack>;

// Two index files: the older names three packs with a blob each, the newer one.
class HeaderIndexTest : public ::testing::Test {
 protected:
  HeaderIndexTest() { EXPECT_OK(log::open_file(log_file_)); }

  void open(const std::shared_ptr<RepositoryCache>& cache = nullptr) {
    repository_ = value_of(memory_.try_open());
    if (cache != nullptr) repository_->use_cache(cache);
    repository_->use_headers(settings_);
    EXPECT_OK(repository_->refresh_index(soon()));
  }
  void remove_index(const std::string& name) { memory_.remove({FileType::kIndex, name}); }
  // Replaces an index file by one that says something else.
  void rewrite_older(const std::function<void(Packs&)>& change) {
    Packs packs;
    for (const BlobId& blob : {first_, second_, tree_}) packs.push_back(described(blob));
    change(packs);
    remove_index(older_);
    memory_.builder().add_sealed(FileType::kIndex, write_index_file(packs));
  }
  // A pack as a right index names it.
  IndexedPack described(const BlobId& blob) {
    const auto repository = value_of(memory_.try_open());
    const FileName file = memory_.builder().pack_names_of(blob).front();
    const StoredPack pack{value_of(PackId::parse(file.name)),
                          value_of(memory_.storage().size(file, soon()))};
    return {pack.id, value_of(load_pack_header(*repository, pack, soon()))};
  }
  template <class T>
  static T value_of(std::optional<T> value) {
    return value.value();
  }
  template <class T>
  static T value_of(Result<T> result) {
    return testing::value_of(std::move(result));
  }
  FileName pack_of(const BlobId& blob) { return memory_.builder().pack_names_of(blob).front(); }
  std::size_t pack_reads() { return memory_.storage().reads(FileType::kPack); }
  std::string log() const { return read_file(log_file_); }

  const testing::TempDir dir_;
  const std::string log_file_ = dir_.path() / "log";
  MemoryRepository memory_;
  const BlobId first_ = memory_.builder().add_data("first");
  const BlobId second_ = memory_.builder().add_data("the second");
  const BlobId tree_ = memory_.builder().add_tree({});
  const std::string older_ = memory_.builder().finish();
  const BlobId newer_blob_ = memory_.builder().add_data("newer");
  const std::string newer_ = memory_.builder().finish();
  HeaderIndex::Settings settings_;
  std::unique_ptr<Repository> repository_;
};

TEST_F(HeaderIndexTest, NothingIsAskedForIt_WhileNothingIsMissing) {
  open();
  const std::size_t reads = memory_.storage().reads();
  EXPECT_EQ(text_of(load(*repository_, first_)), "first");
  EXPECT_EQ(repository_->size_anywhere(BlobType::kData, second_), 10U);
  EXPECT_EQ(memory_.storage().reads(), reads + 1);
  EXPECT_EQ(memory_.storage().lists(FileType::kPack), 0U);
  EXPECT_THAT(log(), IsEmpty());
}

TEST_F(HeaderIndexTest, ABlobIsFoundWithoutAnyIndexFile) {
  remove_index(older_);
  remove_index(newer_);
  open();
  EXPECT_EQ(text_of(load(*repository_, first_)), "first");
  EXPECT_EQ(text_of(load(*repository_, newer_blob_)), "newer");
  EXPECT_EQ(text_of(repository_->load(BlobType::kTree, tree_, soon())), "{\"nodes\":[]}\n");
  EXPECT_EQ(repository_->blob_size(BlobType::kData, second_), 10U);
}

TEST_F(HeaderIndexTest, TheSizeOfABlobIsFoundWithoutAnyIndexFile) {
  remove_index(older_);
  remove_index(newer_);
  open();
  EXPECT_EQ(repository_->size_anywhere(BlobType::kData, second_), 10U);
  EXPECT_EQ(repository_->size_anywhere(BlobType::kTree, second_), std::nullopt);
}

TEST_F(HeaderIndexTest, OnlyPacksThatNoIndexFileNamesAreRead) {
  remove_index(newer_);
  open();
  const std::size_t reads = pack_reads();
  EXPECT_EQ(text_of(load(*repository_, newer_blob_)), "newer");
  EXPECT_EQ(pack_reads(), reads + 2);  // its header and the blob
}

TEST_F(HeaderIndexTest, ADamagedIndexFileIsAsGoodAsAMissingOne) {
  memory_.damage({FileType::kIndex, older_});
  open();
  EXPECT_EQ(text_of(load(*repository_, first_)), "first");
}

TEST_F(HeaderIndexTest, HeadersAreReadOnceForAllThatIsMissing) {
  remove_index(older_);
  open();
  EXPECT_EQ(text_of(load(*repository_, first_)), "first");
  const std::size_t lists = memory_.storage().lists(FileType::kPack);
  const std::size_t index_lists = memory_.storage().lists(FileType::kIndex);
  const std::size_t reads = pack_reads();
  EXPECT_EQ(text_of(load(*repository_, second_)), "the second");
  EXPECT_EQ(pack_reads(), reads + 1);
  EXPECT_EQ(memory_.storage().lists(FileType::kPack), lists);
  EXPECT_EQ(memory_.storage().lists(FileType::kIndex), index_lists);
}

TEST_F(HeaderIndexTest, WhatIsNowhereIsLookedForInTheHeadersOnce) {
  open();
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(load(*repository_, BlobId()), FailsWith(ErrorKind::kCorrupt));
  }
  EXPECT_EQ(memory_.storage().lists(FileType::kPack), 1U);
  EXPECT_EQ(pack_reads(), 0U);
  EXPECT_THAT(log(), IsEmpty());
}

TEST_F(HeaderIndexTest, TheLogSaysOnceWhatIsMissingAndWhatMendsIt) {
  remove_index(older_);
  open();
  EXPECT_OK(load(*repository_, first_));
  const std::string said = log();
  EXPECT_THAT(said, AllOf(HasSubstr("3 packs of "), HasSubstr("`restree repair index`")));
  EXPECT_OK(load(*repository_, second_));
  EXPECT_EQ(log(), said);
}

TEST_F(HeaderIndexTest, AHeaderThatCannotBeReadIsNamedAndTheOthersCount) {
  remove_index(older_);
  memory_.truncate(pack_of(first_));
  open();
  EXPECT_THAT(load(*repository_, first_), FailsWith(ErrorKind::kCorrupt));
  EXPECT_EQ(text_of(load(*repository_, second_)), "the second");
  EXPECT_THAT(log(), HasSubstr("header of pack " + pack_of(first_).name));
}

TEST_F(HeaderIndexTest, PacksThatComeWithAnIndexFileLaterAreFoundByIt) {
  remove_index(older_);
  open();
  EXPECT_OK(load(*repository_, first_));
  const BlobId late = memory_.builder().add_data("late");
  memory_.builder().finish();
  const std::size_t lists = memory_.storage().lists(FileType::kPack);
  EXPECT_EQ(text_of(load(*repository_, late)), "late");
  EXPECT_EQ(memory_.storage().lists(FileType::kPack), lists);
}

TEST_F(HeaderIndexTest, WhileTheLineIsDownIsAnOutageNotDamage) {
  remove_index(older_);
  open();
  memory_.storage().watch([](const FileName& file) -> Status {
    if (file.type != FileType::kPack) return {};
    return Error(ErrorKind::kUnavailable, "the line is down");
  });
  EXPECT_THAT(load(*repository_, first_), FailsWith(ErrorKind::kUnavailable));
  memory_.storage().watch({});
  EXPECT_EQ(text_of(load(*repository_, first_)), "first");
}

TEST_F(HeaderIndexTest, WherePacksCannotBeListedTheBlobIsDamagedAllTheSame) {
  remove_index(older_);
  open();
  memory_.storage().watch([](const FileName& file) -> Status {
    if (file != FileName{FileType::kPack, ""}) return {};
    return Error(ErrorKind::kDenied, "nobody may look");
  });
  const auto loaded = load(*repository_, first_);
  EXPECT_THAT(loaded, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(text_of(loaded), AllOf(HasSubstr(first_.hex()), HasSubstr("nobody may look")));
}

TEST_F(HeaderIndexTest, OneReadingServesAllThatWaitForIt) {
  remove_index(older_);
  open();
  Gate gate;
  memory_.storage().watch([&](const FileName& file) -> Status {
    if (file == FileName{FileType::kPack, ""}) gate.pass();
    return {};
  });
  {
    std::vector<std::jthread> readers;
    for (int i = 0; i < 8; ++i) {
      readers.emplace_back([&] { EXPECT_EQ(text_of(load(*repository_, first_)), "first"); });
    }
    gate.wait_for_arrivals(1);
    gate.open();
  }
  EXPECT_EQ(memory_.storage().lists(FileType::kPack), 1U);
}

TEST_F(HeaderIndexTest, AReaderWaitsNoLongerThanItsDeadlineAndTheReadingGoesOn) {
  remove_index(older_);
  open();
  Gate gate;
  memory_.storage().watch([&](const FileName& file) -> Status {
    if (file == FileName{FileType::kPack, ""}) gate.pass();
    return {};
  });
  EXPECT_THAT(
      repository_->load(BlobType::kData, first_, Deadline::after(std::chrono::milliseconds(1))),
      FailsWith(ErrorKind::kUnavailable));
  gate.open();
  EXPECT_EQ(text_of(load(*repository_, first_)), "first");
  EXPECT_EQ(memory_.storage().lists(FileType::kPack), 1U);
}

TEST_F(HeaderIndexTest, AStopEndsTheReading) {
  std::stop_source stop;
  settings_.stop = stop.get_token();
  remove_index(older_);
  open();
  stop.request_stop();
  EXPECT_THAT(load(*repository_, first_), FailsWith(ErrorKind::kCancelled));
}

TEST_F(HeaderIndexTest, AHeaderIsReadFromTheStorageOnceIfThereIsACache) {
  remove_index(older_);
  const auto cache = std::make_shared<testing::MemoryCache>();
  open(cache);
  EXPECT_EQ(text_of(load(*repository_, first_)), "first");
  std::size_t reads = pack_reads();
  open(cache);
  EXPECT_EQ(text_of(load(*repository_, second_)), "the second");
  EXPECT_EQ(pack_reads(), reads + 1);  // the blob
  cache->damage();
  reads = pack_reads();
  open(cache);
  EXPECT_EQ(text_of(load(*repository_, second_)), "the second");
  EXPECT_EQ(pack_reads(), reads + 4);  // the headers as well
}

TEST_F(HeaderIndexTest, SizesThatTheIndexHasWrongAreCorrected) {
  rewrite_older([](Packs& packs) { packs[0].blobs[0].length += 4; });
  open();
  EXPECT_EQ(repository_->blob_size(BlobType::kData, first_), 9U);
  EXPECT_TRUE(repository_->correct_sizes(std::vector{first_, second_}));
  EXPECT_EQ(repository_->blob_size(BlobType::kData, first_), 5U);
  EXPECT_FALSE(repository_->correct_sizes(std::vector{first_, second_}));
}

// As rustic's prune leaves it until some hours later.
TEST_F(HeaderIndexTest, APackThatIsOnlyMarkedAsToBeDeletedStillServes) {
  const std::string marked = write_index_file(std::vector{described(first_)});
  const std::string packs =
      marked.substr(marked.find('['), marked.rfind(']') - marked.find('[') + 1);
  std::string json = write_index_file(std::vector{described(second_), described(tree_)});
  json.insert(json.rfind('}'), ",\"packs_to_delete\":" + packs);
  remove_index(older_);
  memory_.builder().add_sealed(FileType::kIndex, json);
  open();
  EXPECT_EQ(repository_->blob_size(BlobType::kData, first_), std::nullopt);
  EXPECT_EQ(text_of(load(*repository_, first_)), "first");
}

// --- An index that says what is not so ----------------------------------------------------------

TEST_F(HeaderIndexTest, AWrongOffsetCostsOneRead) {
  rewrite_older([](Packs& packs) { packs[0].blobs[0].offset += 7; });
  open();
  EXPECT_EQ(text_of(load(*repository_, first_)), "first");
  const std::size_t reads = pack_reads();
  EXPECT_EQ(text_of(load(*repository_, first_)), "first");
  EXPECT_EQ(pack_reads(), reads + 1);
  EXPECT_THAT(log(), HasSubstr(first_.hex()));
}

TEST_F(HeaderIndexTest, AWrongLengthCostsOneRead) {
  rewrite_older([](Packs& packs) { --packs[0].blobs[0].length; });
  open();
  EXPECT_EQ(text_of(load(*repository_, first_)), "first");
  EXPECT_EQ(repository_->blob_size(BlobType::kData, first_), 5U);
}

TEST_F(HeaderIndexTest, AWrongSizeOfTheContentCostsOneRead) {
  rewrite_older([](Packs& packs) { packs[0].blobs[0].raw_length = 4711; });
  open();
  EXPECT_EQ(text_of(load(*repository_, first_)), "first");
}

TEST_F(HeaderIndexTest, ABlobOfAWrongTypeIsFound) {
  rewrite_older([](Packs& packs) { packs[0].blobs[0].type = BlobType::kTree; });
  open();
  EXPECT_EQ(text_of(load(*repository_, first_)), "first");
}

TEST_F(HeaderIndexTest, ABlobInAWrongPackIsFound) {
  rewrite_older([](Packs& packs) {
    packs[1].blobs.push_back(packs[0].blobs[0]);
    packs.erase(packs.begin());
  });
  open();
  EXPECT_EQ(text_of(load(*repository_, first_)), "first");
  EXPECT_EQ(text_of(load(*repository_, second_)), "the second");
}

TEST_F(HeaderIndexTest, BlobsThatHaveChangedPlacesAreFound) {
  const BlobId third = memory_.builder().add_data("third");  // as long as "first"
  memory_.builder().finish();
  const IndexedPack of_third = described(third);
  rewrite_older([&](Packs& packs) {
    packs.push_back(of_third);
    std::swap(packs[0].id, packs.back().id);
  });
  open();
  EXPECT_EQ(text_of(load(*repository_, first_)), "first");
}

TEST_F(HeaderIndexTest, ABlobInAPackThatIsNotThereIsFoundInItsOwn) {
  rewrite_older([](Packs& packs) { packs[0].id.bytes.fill(std::byte{0x5a}); });
  open();
  EXPECT_EQ(text_of(load(*repository_, first_)), "first");
}

TEST_F(HeaderIndexTest, ADamagedBlobIsReadFromAnotherPackThatNoIndexNames) {
  const BlobId again = memory_.builder().add_data("first");
  ASSERT_EQ(again, first_);
  remove_index(memory_.builder().finish());
  memory_.damage(pack_of(first_));
  open();
  EXPECT_EQ(text_of(load(*repository_, first_)), "first");
}

// --- All by headers -----------------------------------------------------------------------------

class AllByHeaders : public HeaderIndexTest {
 protected:
  AllByHeaders() { settings_.replaces_index = true; }
};

TEST_F(AllByHeaders, NoIndexFileIsRead) {
  rewrite_older([](Packs& packs) { packs[0].blobs[0].offset += 7; });
  open();
  EXPECT_EQ(memory_.storage().reads(FileType::kIndex), 0U);
  EXPECT_EQ(repository_->index_figures().blobs, 4U);
  const std::size_t reads = pack_reads();
  EXPECT_EQ(text_of(load(*repository_, first_)), "first");
  EXPECT_EQ(pack_reads(), reads + 1);
}

TEST_F(AllByHeaders, ARefreshReadsWhatHasCome) {
  open();
  EXPECT_FALSE(value_of(repository_->refresh_index(soon())));
  const BlobId late = memory_.builder().add_data("late");
  const std::size_t reads = pack_reads();
  EXPECT_TRUE(value_of(repository_->refresh_index(soon())));
  EXPECT_EQ(pack_reads(), reads + 1);
  EXPECT_EQ(text_of(load(*repository_, late)), "late");
}

TEST_F(AllByHeaders, ARefreshForgetsWhatHasGone) {
  open();
  memory_.remove_packs_of(first_);
  EXPECT_TRUE(value_of(repository_->refresh_index(soon())));
  EXPECT_EQ(repository_->blob_size(BlobType::kData, first_), std::nullopt);
  EXPECT_EQ(repository_->blob_size(BlobType::kData, second_), 10U);
}

}  // namespace
}  // namespace restree
