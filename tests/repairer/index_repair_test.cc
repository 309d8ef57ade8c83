#include "repo/repairer/index_repair.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/writer/repository_writer.h"
#include "tests/support/files.h"
#include "tests/support/memory_repository.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using testing::MemoryRepository;
using testing::random_bytes;
using ::testing::SizeIs;
using testing::soon;
using ::testing::UnorderedElementsAreArray;
using testing::value_of;

constexpr std::size_t kBlobBytes = 5000;

class IndexRepairTest : public ::testing::Test {
 protected:
  // Stores blobs in packs of `blobs_in_pack`, and an index of these.
  std::vector<BlobId> store(unsigned first, unsigned count, std::size_t blobs_in_pack = 1) {
    const auto repository = memory_.open();
    RepositoryWriter writer(*repository, {.pack_bytes = blobs_in_pack * kBlobBytes}, {});
    std::vector<BlobId> ids;
    for (unsigned i = first; i < first + count; ++i) {
      ids.push_back(
          value_of(writer.save(BlobType::kData, as_bytes(random_bytes(i, kBlobBytes)))).id);
    }
    EXPECT_OK(writer.flush());
    return ids;
  }
  std::vector<std::string> names(FileType type) {
    std::vector<std::string> names;
    for (const ListedFile& file : value_of(memory_.storage().list(type, soon()))) {
      names.push_back(file.name);
    }
    std::ranges::sort(names);
    return names;
  }
  FileName pack_of(const BlobId& id) {
    return {FileType::kPack, memory_.open()->find_blob(BlobType::kData, id).value().pack.hex()};
  }
  void remove_index() {
    for (const std::string& name : names(FileType::kIndex))
      memory_.remove({FileType::kIndex, name});
  }
  bool loads(const BlobId& id) {
    return memory_.open()->load(BlobType::kData, id, soon()).has_value();
  }
  bool is_indexed(const BlobId& id) {
    return memory_.open()->find_blob(BlobType::kData, id).has_value();
  }

  Result<IndexRepair> try_repair() {
    const auto repository = value_of(memory_.try_open());
    IndexRepairOptions options = options_;
    const auto said = [this](const std::string& what) { said_.lock()->push_back(what); };
    options.on_damaged_index = [=](const std::string& file, const Error&) {
      said("damaged " + file);
    };
    options.on_missing_pack = [=](const PackId& pack) { said("missing " + pack.hex()); };
    options.on_read = [=](const PackId& pack, std::uint64_t, std::uint64_t) {
      said("read " + pack.hex());
    };
    options.on_unreadable_pack = [=](const PackId& pack, const Error&) {
      said("unreadable " + pack.hex());
    };
    return repair_index(*repository, options);
  }
  IndexRepair repair() { return value_of(try_repair()); }
  std::vector<std::string> said() { return *said_.lock(); }

  MemoryRepository memory_{2};
  IndexRepairOptions options_{.patience = std::chrono::seconds(60)};
  Guarded<std::vector<std::string>> said_;
};

TEST_F(IndexRepairTest, AnIndexThatIsRightStaysAsItIs) {
  store(0, 3);
  const auto before = names(FileType::kIndex);
  const IndexRepair done = repair();
  EXPECT_EQ(done.packs_read, 0U);
  EXPECT_EQ(done.index_files_removed, 0U);
  EXPECT_EQ(names(FileType::kIndex), before);
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(IndexRepairTest, PacksThatNoIndexNamesAreNamed) {
  const auto ids = store(0, 6, 2);
  remove_index();
  const IndexRepair done = repair();
  EXPECT_EQ(done.packs_read, names(FileType::kPack).size());
  for (const BlobId& id : ids) EXPECT_TRUE(loads(id));
  EXPECT_EQ(done.index_files_removed, 0U);
}

TEST_F(IndexRepairTest, ADamagedIndexFileIsMadeAnew) {
  const auto kept = store(0, 2);
  const auto others = names(FileType::kIndex);
  const auto lost = store(2, 2);
  auto now = names(FileType::kIndex);
  std::erase_if(now, [&](const std::string& name) { return std::ranges::count(others, name); });
  ASSERT_THAT(now, SizeIs(1));
  memory_.damage({FileType::kIndex, now.front()});

  const IndexRepair done = repair();
  EXPECT_THAT(said(), ::testing::Contains("damaged " + now.front()));
  EXPECT_EQ(done.packs_read, 2U);
  EXPECT_EQ(done.index_files_removed, 1U);
  EXPECT_THAT(names(FileType::kIndex), IsSupersetOf(others));  // which were right
  for (const BlobId& id : kept) EXPECT_TRUE(loads(id));
  for (const BlobId& id : lost) EXPECT_TRUE(loads(id));
}

// Well sealed, and wrong from its middle on: the packs before that are in no other file.
TEST_F(IndexRepairTest, APackThatOnlyADamagedFileNamesIsReadWhereverTheDamageBegins) {
  const auto ids = store(0, 2);
  const std::string name = names(FileType::kIndex).at(0);
  std::string json(
      as_text(value_of(memory_.open()->load_unpacked({FileType::kIndex, name}, soon()))));
  json.replace(json.rfind("]}"), 1, R"(,{"id":"no id"}])");
  memory_.remove({FileType::kIndex, name});
  const std::string damaged = memory_.builder().add_sealed(FileType::kIndex, json);

  const IndexRepair done = repair();
  EXPECT_THAT(said(), ::testing::Contains("damaged " + damaged));
  EXPECT_EQ(done.packs_read, 2U);
  for (const BlobId& id : ids) EXPECT_TRUE(loads(id));
}

TEST_F(IndexRepairTest, WhatPacksHeldThatAreMissingIsTakenOut) {
  const auto ids = store(0, 3);
  const FileName missing = pack_of(ids[1]);
  memory_.remove(missing);
  const IndexRepair done = repair();
  EXPECT_THAT(said(), ElementsAre("missing " + missing.name));
  EXPECT_EQ(done.packs_missing, 1U);
  EXPECT_FALSE(is_indexed(ids[1]));
  EXPECT_TRUE(loads(ids[0]));
  EXPECT_TRUE(loads(ids[2]));
}

// Old prunes have written the blobs of one pack to several index files.
TEST_F(IndexRepairTest, APackWhoseBlobsLieInSeveralIndexFilesIsNamedByOne) {
  const auto ids = store(0, 2, 2);
  const auto repository = memory_.open();
  std::vector<IndexedPack> parts;
  for (const BlobId& id : ids) {
    const BlobLocation place = repository->find_blob(BlobType::kData, id).value();
    parts.push_back({place.pack,
                     {{id, BlobType::kData, static_cast<std::uint32_t>(place.offset), place.length,
                       place.raw_length}}});
  }
  ASSERT_EQ(parts[0].id, parts[1].id);
  remove_index();
  for (const IndexedPack& part : parts) {
    memory_.builder().add_sealed(FileType::kIndex, write_index_file(std::span(&part, 1)));
  }
  const IndexRepair done = repair();
  EXPECT_EQ(done.index_files_removed, 2U);
  EXPECT_THAT(names(FileType::kIndex), SizeIs(1));
  for (const BlobId& id : ids) EXPECT_TRUE(loads(id));
  EXPECT_EQ(repair().packs_read, 0U);  // nothing is left to do
}

TEST_F(IndexRepairTest, OfATruncatedPackTheBlobsThatAreThereStay) {
  const auto ids = store(0, 2, 2);
  const auto whole = store(2, 1);
  const FileName pack = pack_of(ids[0]);
  ASSERT_EQ(pack.name, pack_of(ids[1]).name);
  const Bytes content = value_of(memory_.storage().read_all(pack, soon()));
  ASSERT_OK(memory_.storage().write(pack, content.view().first(kBlobBytes + 1000), soon()));

  const IndexRepair done = repair();
  EXPECT_EQ(done.packs_unreadable, 1U);
  EXPECT_TRUE(loads(ids[0]));
  EXPECT_FALSE(is_indexed(ids[1]));
  EXPECT_TRUE(loads(whole[0]));
}

TEST_F(IndexRepairTest, AllHeadersAreReadIfThatIsWanted) {
  const auto ids = store(0, 3);
  store(3, 1);
  options_.read_all_packs = true;
  const IndexRepair done = repair();
  EXPECT_EQ(done.packs_read, 4U);
  EXPECT_EQ(done.index_files_removed, 2U);
  EXPECT_THAT(names(FileType::kIndex), SizeIs(1));
  for (const BlobId& id : ids) EXPECT_TRUE(loads(id));
}

// Whatever write or removal fails: what was in the index is in it then, and the next run ends it.
TEST_F(IndexRepairTest, AFailureAtAnyPointLeavesAllBlobsInTheIndex) {
  for (int last = 0; last < 20; ++last) {
    MemoryRepository fresh{2};
    std::swap(memory_, fresh);
    auto ids = store(0, 4);
    const BlobId missing = ids.back();
    ids.pop_back();
    store(4, 1);
    memory_.remove(pack_of(missing));
    int changes = 0;
    const auto fail = [&](const FileName&) -> Status {
      if (changes++ < last) return {};
      return Error(ErrorKind::kUnavailable, "the line is cut");
    };
    memory_.storage().watch_writes(fail);
    memory_.storage().watch_removals(fail);
    const auto done = try_repair();
    memory_.storage().watch_writes({});
    memory_.storage().watch_removals({});
    for (const BlobId& id : ids) EXPECT_TRUE(loads(id)) << last;
    if (done) {
      EXPECT_GT(last, 1);
      return;
    }
    EXPECT_THAT(done, FailsWith(ErrorKind::kUnavailable));
    EXPECT_TRUE(try_repair());
    for (const BlobId& id : ids) EXPECT_TRUE(loads(id)) << last;
    EXPECT_FALSE(is_indexed(missing));
  }
  FAIL() << "it never came to its end";
}

TEST_F(IndexRepairTest, AnIndexFileThatCannotBeReadNowIsNotRemoved) {
  store(0, 1);
  const auto before = names(FileType::kIndex);
  memory_.storage().watch([](const FileName& file) -> Status {
    if (file.type != FileType::kIndex || file.name.empty()) return {};
    return Error(ErrorKind::kUnavailable, "no answer");
  });
  EXPECT_THAT(try_repair(), FailsWith(ErrorKind::kUnavailable));
  memory_.storage().watch({});
  EXPECT_EQ(names(FileType::kIndex), before);
}

}  // namespace
}  // namespace restree
