// Repositories that a prune leaves alone as they are damaged, and packs in no index.
#include "tests/pruner/pruned_repository.h"

namespace restree::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;

class DamagedForPrune : public PrunedRepository {
 protected:
  // Fails with that kind, and the repository is as it was.
  Error expect_refused(ErrorKind kind) {
    const auto before = all();
    const Status pruned = prune();
    EXPECT_THAT(pruned, FailsWith(kind));
    EXPECT_TRUE(all() == before) << "something was changed";
    return pruned ? Error(kind, "") : pruned.error();
  }
  // Turns over one bit of a blob in that pack.
  void damage_blob(unsigned blob, const FileName& pack) {
    for (const BlobLocation& place : memory_.open()->find_blobs(BlobType::kData, ids_.at(blob))) {
      if (place.pack.hex() != pack.name) continue;
      std::string bytes(as_text(value_of(memory_.storage().read_all(pack, soon()))));
      char& byte = bytes[place.offset + place.length / 2];
      byte = static_cast<char>(byte ^ 1);
      ASSERT_OK(memory_.storage().write(pack, as_bytes(bytes), soon()));
    }
  }
};

TEST_F(DamagedForPrune, ASnapshotThatCannotBeReadEndsIt) {
  fill();
  memory_.damage(kept_);
  EXPECT_THAT(expect_refused(ErrorKind::kCorrupt).message(), HasSubstr("failed loading snapshot"));
}

TEST_F(DamagedForPrune, ATreeThatCannotBeReadEndsIt) {
  fill();
  const BlobId tree =
      value_of(memory_.open()->load_snapshot(*SnapshotId::parse(kept_.name), soon())).tree;
  const auto place = value_of(memory_.open()->find_blob(BlobType::kTree, tree));
  memory_.damage({FileType::kPack, place.pack.hex()});
  const Error error = expect_refused(ErrorKind::kCorrupt);
  EXPECT_THAT(error.message(), HasSubstr(tree.hex()));
  EXPECT_THAT(error.hint(), HasSubstr("restree check"));
}

TEST_F(DamagedForPrune, ATreeWithAnIdThatCannotBeReadEndsIt) {
  const BlobId tree =
      memory_.builder().add_tree({R"({"name":"f","type":"file","content":["12"]})"});
  memory_.builder().finish();
  add_snapshot(tree);
  EXPECT_THAT(expect_refused(ErrorKind::kCorrupt).message(), HasSubstr(tree.hex()));
}

TEST_F(DamagedForPrune, ABlobInNoIndexEndsIt) {
  fill();
  const BlobId lost = *BlobId::parse(std::string(64, 'a'));
  const BlobId tree = memory_.builder().add_tree({file_node("f", {lost}, 1)});
  memory_.builder().finish();
  add_snapshot(tree);
  EXPECT_THAT(expect_refused(ErrorKind::kCorrupt).message(),
              AllOf(HasSubstr("index is not complete"), HasSubstr("data/" + lost.hex())));
}

TEST_F(DamagedForPrune, AnIndexFileThatCannotBeReadEndsIt) {
  fill();
  memory_.damage({FileType::kIndex, files(FileType::kIndex).front().name});
  EXPECT_THAT(expect_refused(ErrorKind::kCorrupt).hint(), HasSubstr("restree repair index"));
}

TEST_F(DamagedForPrune, AMissingPackEndsIt) {
  fill();
  const FileName lost = pack_of(5);
  memory_.remove(lost);
  EXPECT_THAT(expect_refused(ErrorKind::kCorrupt).message(), HasSubstr(lost.name));
}

TEST_F(DamagedForPrune, APackThatIsCutShortEndsIt) {
  fill();
  const FileName cut = pack_of(5);
  memory_.truncate(cut);
  EXPECT_THAT(expect_refused(ErrorKind::kCorrupt).message(), HasSubstr(cut.name));
}

TEST_F(DamagedForPrune, ABlobThatIsDamagedWhereItIsCopiedFromIsTakenFromElsewhere) {
  blobs_a_pack_ = 3;
  forget(snapshot({1, 2, 3}));
  snapshot({1, 2}, "g");
  const FileName first = pack_of(1);
  {
    // Once more, in a pack of which nothing else is in use.
    const auto repository = memory_.open();
    RepositoryWriter writer(*repository, {}, {});
    ASSERT_OK(writer.save_again(BlobType::kData, ids_.at(1), as_bytes(bytes_of(1))));
    ASSERT_OK(writer.save(BlobType::kData, as_bytes("not in use")));
    ASSERT_OK(writer.flush());
  }
  damage_blob(1, first);
  EXPECT_OK(prune());
  EXPECT_EQ(damage_of(shared()), "");
  EXPECT_OK(memory_.open()->load(BlobType::kData, ids_.at(1), soon()));
  EXPECT_THAT(all(), Not(Contains(Key(first))));
}

TEST_F(DamagedForPrune, ABlobThatCannotBeCopiedEndsItAndNothingIsRemoved) {
  fill();
  damage_blob(3, pack_of(3));
  const auto before = all();
  const Status pruned = prune();
  ASSERT_THAT(pruned, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(pruned.error().message(), HasSubstr(ids_.at(3).hex()));
  EXPECT_THAT(pruned.error().hint(), HasSubstr("restree check --read-data"));
  for (const auto& [file, content] : before) EXPECT_THAT(all(), Contains(Key(file)));
}

// --- packs in no index ---------------------------------------------------------------------------

// A storage whose listings have times.
class DatedStorage final : public ForwardingStorage {
 public:
  DatedStorage(std::shared_ptr<Storage> inner, std::int64_t lock, std::int64_t pack)
      : ForwardingStorage(std::move(inner)), lock_(lock), pack_(pack) {}
  Result<std::vector<ListedFile>> list(FileType type, Deadline by) override {
    ASSIGN_OR_RETURN(std::vector<ListedFile> files, inner().list(type, by));
    for (ListedFile& file : files) file.modified = type == FileType::kLock ? lock_ : pack_;
    return files;
  }

 private:
  const std::int64_t lock_;
  const std::int64_t pack_;
};

class UnindexedPacksOfAPrune : public PrunedRepository {
 protected:
  UnindexedPacksOfAPrune() {
    fill();
    memory_.builder().add_data("of a backup that was killed, or is under way");
    stray_ =
        memory_.builder().pack_names_of(memory_.builder().add_data("and another blob of it"))[0];
    EXPECT_OK(
        memory_.storage().write({FileType::kLock, std::string(64, 'a')}, as_bytes("ours"), soon()));
  }
  bool is_removed(std::int64_t lock, std::int64_t pack) {
    EXPECT_OK(prune_at(std::make_shared<DatedStorage>(shared(), lock, pack)));
    return !all().contains(stray_);
  }

  static constexpr std::int64_t kDay = 24 * 60 * 60;
  FileName stray_;
};

TEST_F(UnindexedPacksOfAPrune, StayForADayByTheClockOfTheStorage) {
  EXPECT_FALSE(is_removed(1'000'000, 1'000'000));
  EXPECT_FALSE(is_removed(1'000'000, 1'000'000 - kDay + 1));
  EXPECT_TRUE(is_removed(1'000'000, 1'000'000 - kDay));
}

// A lock of a time when the clock of the storage was wrong.
TEST_F(UnindexedPacksOfAPrune, StayWhateverALockOfTheFutureSays) {
  const std::int64_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  EXPECT_FALSE(is_removed(now + 10 * kDay, now));
}

TEST_F(UnindexedPacksOfAPrune, StayWhereTheStorageDoesNotSayHowOldTheyAre) {
  EXPECT_OK(prune());
  EXPECT_THAT(all(), Contains(Key(stray_)));
}

TEST_F(UnindexedPacksOfAPrune, GoAtOnceIfNobodyElseWrites) {
  options_.removes_young = true;
  EXPECT_OK(prune());
  EXPECT_THAT(all(), Not(Contains(Key(stray_))));
  EXPECT_EQ(damage_of(shared()), "");
}

}  // namespace
}  // namespace restree::testing
