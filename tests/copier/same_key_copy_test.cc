#include "repo/copier/same_key_copy.h"

#include <set>
#include <string>
#include <vector>

#include "repo/crypto/sha256.h"
#include "tests/copier/copier_fixture.h"

namespace restree {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::FailsWith;
using testing::file_node;
using testing::folder_node;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;
using testing::soon;
using testing::value_of;

class SameKey : public testing::CopierTest {
 protected:
  SameKey() { make_twin(1); }

  void make_twin(std::uint32_t version) {
    const auto source = source_.open();
    make_destination({.version = version,
                      .chunker_polynomial = source->config().chunker_polynomial,
                      .same_key_as = source.get()});
  }
  static std::set<std::string> names(Storage& storage, FileType type) {
    std::set<std::string> all;
    for (const ListedFile& file : value_of(storage.list(type, soon()))) all.insert(file.name);
    return all;
  }
  // The files of one type, with their bytes.
  static std::map<std::string, std::string> files(Storage& storage, FileType type) {
    std::map<std::string, std::string> all;
    for (const std::string& name : names(storage, type)) {
      all[name] = std::string(as_text(value_of(storage.read_all({type, name}, soon()))));
    }
    return all;
  }
  // Makes a pack of several blobs in the source.
  std::vector<BlobId> add_pack(const std::vector<std::string>& contents) {
    const auto repository = source_.open();
    RepositoryWriter writer(*repository, {}, {});
    std::vector<BlobId> ids;
    for (const std::string& content : contents) {
      ids.push_back(value_of(writer.save(BlobType::kData, as_bytes(content))).id);
    }
    EXPECT_OK(writer.flush());
    return ids;
  }
  std::string snapshot_of(const BlobId& data, const std::string& time) {
    return snapshot(source().add_tree({file_node("file", {data}, 3)}), time);
  }
};

TEST_F(SameKey, TheNewRepositoryOpensWithItsOwnPasswordOnly) {
  const auto there = open_destination();
  const auto source = source_.open();
  EXPECT_TRUE(source->has_key_of(*there));
  EXPECT_NE(source->config().id, there->config().id) << "or both would share a cache";
  EXPECT_EQ(source->config().chunker_polynomial, there->config().chunker_polynomial);
  EXPECT_THAT(Repository::open(destination_, Secret(std::string(testing::kPassword)), "", soon()),
              FailsWith(ErrorKind::kWrongPassword));
}

TEST_F(SameKey, RepositoriesThatWereMadeApartHaveDifferentKeys) {
  make_destination({.version = 1});
  EXPECT_FALSE(source_.open()->has_key_of(*open_destination()));
}

TEST_F(SameKey, PacksAndSnapshotsAreTheSameFiles) {
  snapshot(tree_of("one"), "2026-01-01T00:00:00Z");
  snapshot(tree_of("two"), "2026-02-01T00:00:00Z");
  source().finish();
  EXPECT_EQ(value_of(copy()), 0U);
  EXPECT_EQ(events_.same_key_snapshots, 2U);
  for (const FileType type : {FileType::kPack, FileType::kSnapshot}) {
    EXPECT_EQ(files(*destination_, type), files(source_.storage(), type));
  }
  EXPECT_THAT(contents(), ElementsAre("(folder:(file:oneone))", "(folder:(file:twotwo))"));
}

TEST_F(SameKey, ASecondRunReadsNoPackAndWritesNothing) {
  const std::string id = snapshot(tree_of("one"), "2026-01-01T00:00:00Z");
  source().finish();
  value_of(copy());
  const auto reads = count_reads();
  destination_->watch_writes([](const FileName& file) -> Status {
    return Error(ErrorKind::kDenied, "written: " + file.name);
  });
  EXPECT_EQ(value_of(copy()), 0U);
  EXPECT_THAT(events_.words, ElementsAre("skip " + id));
  EXPECT_THAT(*reads->lock(), IsEmpty());
}

TEST_F(SameKey, APackWithSomethingElseIsNotCopiedButWhatIsWantedOfIt) {
  const auto blobs = add_pack({"one", "two", "not needed"});
  snapshot_of(blobs[0], "2026-01-01T00:00:00Z");
  snapshot_of(blobs[1], "2026-02-01T00:00:00Z");
  source().finish();
  EXPECT_EQ(value_of(copy()), 0U);
  EXPECT_THAT(contents(), ElementsAre("(file:one)", "(file:two)"));
  EXPECT_FALSE(open_destination()->find_blob(BlobType::kData, blobs[2]));
}

TEST_F(SameKey, APackOfWhichLaterSnapshotsNeedTheRestIsCopiedWhole) {
  const auto blobs = add_pack({"one", "two"});
  snapshot_of(blobs[0], "2026-01-01T00:00:00Z");
  snapshot_of(blobs[1], "2026-02-01T00:00:00Z");
  source().finish();
  EXPECT_EQ(value_of(copy()), 0U);
  EXPECT_EQ(files(*destination_, FileType::kPack), files(source_.storage(), FileType::kPack));
  EXPECT_THAT(contents(), ElementsAre("(file:one)", "(file:two)"));
}

TEST_F(SameKey, NoFileIsStoredWhoseNameIsNotItsHash) {
  const BlobId good = source().add_data("one");
  const BlobId bad = source().add_data(std::string(500, 'b'));  // most of its pack
  const std::string kept = snapshot_of(good, "2026-01-01T00:00:00Z");
  const std::string left = snapshot_of(bad, "2026-02-01T00:00:00Z");
  const std::string same =
      snapshot(source().add_tree({file_node("a", {good}, 3), file_node("b", {bad}, 3)}),
               "2026-03-01T00:00:00Z");
  const std::string last = snapshot_of(source().add_data("six"), "2026-04-01T00:00:00Z");
  source().finish();
  source_.damage(source().pack_names_of(bad).front());
  EXPECT_EQ(value_of(copy()), 2U);
  EXPECT_THAT(events_.words,
              ElementsAre("begin " + kept, "begin " + left, "leave out " + left, "begin " + same,
                          "leave out " + same, "begin " + last, "save " + kept, "save " + last));
  EXPECT_THAT(events_.whys, Each(HasSubstr(bad.hex())));
  EXPECT_THAT(contents(), ElementsAre("(file:one)", "(file:six)"));
  for (const auto& [name, content] : files(*destination_, FileType::kPack)) {
    EXPECT_EQ(to_hex(sha256(as_bytes(content))), name);
  }
}

TEST_F(SameKey, ADamagedPackIsNoTroubleWhereItsBlobsLieElsewhereToo) {
  const BlobId twice = source().add_data("twice");
  source().add_data("twice");
  snapshot_of(twice, "2026-01-01T00:00:00Z");
  source().finish();
  source_.damage(source().pack_names_of(twice).front());
  EXPECT_EQ(value_of(copy()), 0U);
  EXPECT_THAT(contents(), ElementsAre("(file:twice)"));
}

TEST_F(SameKey, ASnapshotWithATreeThatIsMissingIsLeftOut) {
  const BlobId lost = source().add_tree({});
  const std::string broken =
      snapshot(source().add_tree({folder_node("f", lost)}), "2026-01-01T00:00:00Z");
  const std::string good = snapshot(tree_of("good"), "2026-02-01T00:00:00Z");
  source().finish();
  source_.remove_packs_of(lost);
  EXPECT_EQ(value_of(copy()), 1U);
  EXPECT_THAT(events_.words, ElementsAre("begin " + broken, "leave out " + broken, "begin " + good,
                                         "save " + good));
}

TEST_F(SameKey, ABlobThatNoIndexNamesIsDamage) {
  const BlobId data = source().add_data("in no index");
  snapshot_of(data, "2026-01-01T00:00:00Z");
  const std::string index = source().finish();
  source_.remove({FileType::kIndex, index});
  const std::string good = snapshot(tree_of("good"), "2026-02-01T00:00:00Z");
  source().finish();
  EXPECT_EQ(value_of(copy()), 1U);
  EXPECT_THAT(events_.words, Contains("save " + good));
}

TEST_F(SameKey, AfterAnInterruptionNoPackIsStoredTwice) {
  snapshot(tree_of("one"), "2026-01-01T00:00:00Z");
  snapshot(tree_of("two"), "2026-02-01T00:00:00Z");
  source().finish();
  // Fails in the last step of all.
  destination_->watch_writes([](const FileName& file) -> Status {
    if (file.type != FileType::kSnapshot) return {};
    return Error(ErrorKind::kUnavailable, "the server is away");
  });
  EXPECT_THAT(copy(), FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(contents(), IsEmpty());
  destination_->watch_writes([](const FileName& file) -> Status {
    if (file.type != FileType::kPack) return {};
    return Error(ErrorKind::kDenied, "stored again: " + file.name);
  });
  EXPECT_EQ(value_of(copy()), 0U);
  EXPECT_THAT(contents(), SizeIs(2));
}

TEST_F(SameKey, WhatWasStoredBeforeTheServerWentAwayIsIndexed) {
  snapshot(tree_of("one"), "2026-01-01T00:00:00Z");
  const std::string second = snapshot(tree_of("two"), "2026-02-01T00:00:00Z");
  source().finish();
  const FileName pack =
      source().pack_names_of(BlobId{sha256(as_bytes(std::string("two")))}).front();
  destination_->watch_writes([&](const FileName& file) -> Status {
    if (file != pack) return {};
    return Error(ErrorKind::kUnavailable, "the server is away");
  });
  EXPECT_THAT(copy(), FailsWith(ErrorKind::kUnavailable));
  const auto there = open_destination();
  EXPECT_TRUE(there->find_blob(BlobType::kData, BlobId{sha256(as_bytes(std::string("one")))}));
}

TEST_F(SameKey, BetweenTwoVersionsItCopiesAsBetweenAnyRepositories) {
  make_twin(2);
  snapshot(tree_of("one"), "2026-01-01T00:00:00Z");
  source().finish();
  EXPECT_EQ(value_of(copy()), 0U);
  EXPECT_EQ(events_.same_key_snapshots, 0U);
  EXPECT_THAT(contents(), ElementsAre("(folder:(file:oneone))"));
}

TEST_F(SameKey, APackWhoseHeaderTheIndexContradictsIsNotCopiedWhole) {
  // Its second blob is in no index.
  const auto blobs = add_pack({"one", "two"});
  for (const std::string& index : names(source_.storage(), FileType::kIndex)) {
    source_.remove({FileType::kIndex, index});
  }
  const auto repository = source_.open();
  const std::string pack = *names(source_.storage(), FileType::kPack).begin();
  const std::string json = write_index_file(std::vector<IndexedPack>{
      {*PackId::parse(pack), {{blobs[0], BlobType::kData, 0, 3 + kSealOverheadBytes, 0}}}});
  value_of(repository->save_unpacked(FileType::kIndex, as_bytes(json), soon()));
  snapshot_of(blobs[0], "2026-01-01T00:00:00Z");
  source().finish();
  EXPECT_EQ(value_of(copy()), 0U);
  EXPECT_THAT(names(*destination_, FileType::kPack), Not(Contains(pack)));
  EXPECT_THAT(contents(), ElementsAre("(file:one)"));
}

}  // namespace
}  // namespace restree
