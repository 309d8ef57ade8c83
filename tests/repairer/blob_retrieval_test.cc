#include "repo/repairer/blob_retrieval.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <vector>

#include "repo/base/guarded.h"
#include "tests/support/memory_repository.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::file_node;
using testing::folder_node;
using ::testing::IsEmpty;
using testing::MemoryRepository;
using testing::soon;
using testing::value_of;

// A file of two blobs in a folder, the same in both repositories.
class BlobRetrieval : public ::testing::Test {
 protected:
  BlobRetrieval() {
    fill(first_);
    fill(second_);
  }
  void fill(MemoryRepository& memory) {
    auto& builder = memory.builder();
    one_ = builder.add_data(std::string(500, '1'));  // most of its pack, so that damage hits it
    two_ = builder.add_data("two");
    folder_ = builder.add_tree({file_node("f", {one_, two_}, 503)});
    root_ = builder.add_tree({folder_node("d", folder_)});
    builder.finish();
  }
  Retrieval retrieve() {
    const auto repository = first_.open();
    const auto second = second_.open();
    RetrievalOptions options;
    options.on_lost = [this](BlobType, const BlobId& id, const Error&) {
      lost_.lock()->push_back(id);
    };
    for (const BlobId& id : {one_, two_}) {
      note_lost_pack(*repository, options, BlobType::kData, id);
    }
    for (const BlobId& id : {folder_, root_}) {
      note_lost_pack(*repository, options, BlobType::kTree, id);
    }
    std::ranges::sort(options.writer.lost_packs);
    return value_of(retrieve_blobs(*repository, *second, {root_}, options));
  }
  static void note_lost_pack(Repository& repository, RetrievalOptions& options, BlobType type,
                             const BlobId& id) {
    const PackId pack = repository.find_blob(type, id).value().pack;
    if (!repository.storage().size({FileType::kPack, pack.hex()}, soon())) {
      options.writer.lost_packs.push_back(pack);
    }
  }
  bool loads(BlobType type, const BlobId& id) {
    return first_.open()->load(type, id, soon()).has_value();
  }

  MemoryRepository first_{2};
  MemoryRepository second_{1};
  BlobId one_;
  BlobId two_;
  BlobId folder_;
  BlobId root_;
  Guarded<std::vector<BlobId>> lost_;
};

TEST_F(BlobRetrieval, StoresNothingWhereNothingIsMissing) {
  const Retrieval done = retrieve();
  EXPECT_EQ(done.retrieved, 0U);
  EXPECT_EQ(done.lost, 0U);
}

TEST_F(BlobRetrieval, BringsBackDataOfALostPack) {
  first_.remove_packs_of(two_);
  const Retrieval done = retrieve();
  EXPECT_EQ(done.retrieved, 1U);
  EXPECT_EQ(done.bytes, 3U);
  EXPECT_TRUE(loads(BlobType::kData, two_));
}

TEST_F(BlobRetrieval, BringsBackATreeAndThenWhatIsMissingBelowIt) {
  for (const BlobId& id : {root_, folder_, one_}) first_.remove_packs_of(id);
  const Retrieval done = retrieve();
  EXPECT_EQ(done.retrieved, 3U);
  EXPECT_TRUE(loads(BlobType::kTree, root_));
  EXPECT_TRUE(loads(BlobType::kTree, folder_));
  EXPECT_TRUE(loads(BlobType::kData, one_));
}

TEST_F(BlobRetrieval, BringsBackATreeThatIsDamagedWhereTheIndexHasIt) {
  for (const FileName& pack : first_.builder().pack_names_of(folder_)) first_.damage(pack);
  EXPECT_EQ(retrieve().retrieved, 1U);
  EXPECT_TRUE(loads(BlobType::kTree, folder_));
}

TEST_F(BlobRetrieval, NamesWhatTheSecondRepositoryLacksToo) {
  for (MemoryRepository* each : {&first_, &second_}) each->remove_packs_of(two_);
  first_.remove_packs_of(one_);
  const Retrieval done = retrieve();
  EXPECT_EQ(done.retrieved, 1U);
  EXPECT_EQ(done.lost, 1U);
  EXPECT_THAT(*lost_.lock(), ElementsAre(two_));
  EXPECT_TRUE(loads(BlobType::kData, one_));
  EXPECT_FALSE(loads(BlobType::kData, two_));
}

TEST_F(BlobRetrieval, TakesNothingThatIsDamagedThere) {
  first_.remove_packs_of(one_);
  for (const FileName& pack : second_.builder().pack_names_of(one_)) second_.damage(pack);
  EXPECT_EQ(retrieve().lost, 1U);
  EXPECT_FALSE(loads(BlobType::kData, one_));
}

TEST_F(BlobRetrieval, WhatIsMissingOfATreeIsWhatItsFilesNameAndIsNotThere) {
  const auto tree = value_of(
      Tree::parse(value_of(second_.open()->load(BlobType::kTree, folder_, soon()))->view()));
  const auto has_only = [](const std::vector<BlobId>& ids) -> HasBlob {
    return [ids](BlobType, const BlobId& id) { return std::ranges::find(ids, id) != ids.end(); };
  };
  EXPECT_THAT(missing_data(*tree, has_only({one_, two_})), IsEmpty());
  EXPECT_THAT(missing_data(*tree, has_only({one_})), ElementsAre(two_));
  EXPECT_THAT(missing_data(*tree, has_only({})), ElementsAre(one_, two_));
}

}  // namespace
}  // namespace restree
