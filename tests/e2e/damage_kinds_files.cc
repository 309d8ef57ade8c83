#include <algorithm>

#include "tests/e2e/damage_kinds.h"

namespace restree::testing {
namespace {

const Lines kMending{"restree repair index"};
const Lines kMendingFromPacks{"restree repair index --read-all-packs",
                              "restree repair snapshots --forget"};
// What check says where the older index file is gone.
Lines older_is_gone() {
  return {
      "error for tree notes1/:",
      "  tree notes1/: tree blob notes1/ is in no index of R",
      "error for tree notes1/folder:",
      "  tree notes1/folder: tree blob notes1/folder is in no index of R",
      "error for tree notes2/:",
      "  tree notes2/: file \"big\" blob big.0 not found in index",
      "  tree notes2/: file \"big\" blob big.1 not found in index",
      "  tree notes2/: file \"big\" blob big.2 not found in index",
      "  tree notes2/: file \"big\" blob big.3 not found in index",
      "In no index, though a pack may have them, are 6 blobs:",
      "  data big.0",
      "  data big.1",
      "  data big.2",
      "  data big.3",
      "  tree notes1/",
      "  tree notes1/folder",
      "Files and folders that cannot be restored whole, unless the repair finds what they need:",
      "app notes: 2 of 2 snapshots",
      "  snapshot notes2 (TIME):",
      "    /big",
      "    /folder/",
      "  snapshot notes1 (TIME):",
      "    /"};
}

Lines all_are_gone() {
  return {
      "error for tree notes1/:",
      "  tree notes1/: tree blob notes1/ is in no index of R",
      "error for tree notes2/:",
      "  tree notes2/: tree blob notes2/ is in no index of R",
      "error for tree mail/:",
      "  tree mail/: tree blob mail/ is in no index of R",
      "In no index, though a pack may have them, are 3 blobs:",
      "  tree notes1/",
      "  tree notes2/",
      "  tree mail/",
      "Files and folders that cannot be restored whole, unless the repair finds what they need:",
      "app mail: 1 of 1 snapshot",
      "  snapshot mail (TIME):",
      "    /",
      "app notes: 2 of 2 snapshots",
      "  snapshots notes2 notes1 (the newest of TIME):",
      "    /"};
}

IndexedPack& pack_with(std::vector<IndexedPack>& packs, const BlobId& blob) {
  return *std::ranges::find_if(packs, [&](const IndexedPack& pack) {
    return std::ranges::any_of(pack.blobs, [&](const IndexedBlob& one) { return one.id == blob; });
  });
}

IndexedBlob& entry_of(std::vector<IndexedPack>& packs, const BlobId& blob) {
  return *std::ranges::find(pack_with(packs, blob).blobs, blob, &IndexedBlob::id);
}

const std::string kWrongContent = "its content does not have the hash it should";
const std::string kNotInIndex = "is not contained in index or position is incorrect";
const std::string kOneIsMisplaced =
    "The index is wrong about the place of 1 blob, which is whole: it can be read once that is "
    "repaired.";

// An id that nothing has.
template <class Id>
Id unknown_id() {
  Id id;
  id.bytes.fill(std::byte{0x5a});
  return id;
}

DamageKind damaged_index(const std::string& name, std::function<void(DamagedCopy&)> damage) {
  return {
      .name = name,
      .damage = std::move(damage),
      .check = {"error: error loading index older: R/index/older is damaged: its hash is not its "
                "name"},
      .repairs = kMending};
}

std::vector<DamageKind> kinds_of_lying_indexes() {
  return {
      {.name = "LiesAboutOffsets",
       .damage =
           [](DamagedCopy& copy) {
             copy.rewrite_index("older", [&](std::vector<IndexedPack>& packs) {
               std::swap(entry_of(packs, copy.blob("big.0").id).offset,
                         entry_of(packs, copy.blob("big.1").id).offset);
             });
           },
       .reading =
           {"pack chunks contains 4 errors: [data blob big.1 in pack chunks: " + kWrongContent +
                "; data blob big.0 in pack chunks: " + kWrongContent + "; blob big.0 " +
                kNotInIndex + "; blob big.1 " + kNotInIndex + "]",
            "The index is wrong about the places of 2 blobs, which are whole: they can be read "
            "once that is repaired."},
       .broken_packs = {"chunks"},
       .repairs = {"restree repair packs chunks", "restree repair snapshots --forget"}},
      {.name = "LiesAboutALength",
       .damage =
           [](DamagedCopy& copy) {
             copy.rewrite_index("older", [&](std::vector<IndexedPack>& packs) {
               --entry_of(packs, copy.blob("big.1").id).length;
             });
           },
       .check = {"pack chunks: unexpected file size: got N, expected N"},
       .reading = {"pack chunks contains 3 errors: [data blob big.1 in pack chunks: ciphertext "
                   "verification failed: the MAC does not match; index for pack contains gaps / "
                   "overlapping blobs; blob big.1 " +
                       kNotInIndex + "]",
                   kOneIsMisplaced},
       .broken_packs = {"chunks"},
       .repairs = {"restree repair packs chunks", "restree repair snapshots --forget"}},
      {.name = "LiesAboutAType",
       .damage =
           [](DamagedCopy& copy) {
             copy.rewrite_index("older", [&](std::vector<IndexedPack>& packs) {
               entry_of(packs, copy.blob("first").id).type = BlobType::kTree;
             });
           },
       .check =
           {"error for tree notes1/folder:",
            "  tree notes1/folder: file \"first\" blob first not found in index",
            "In no index, though a pack may have them, is 1 blob:", "  data first",
            "Files and folders that cannot be restored whole, unless the repair finds what they "
            "need:",
            "app notes: 2 of 2 snapshots",
            "  snapshots notes2 notes1 (the newest of TIME):", "    /folder/first"},
       .reading = {"pack mixed contains 1 errors: [blob first " + kNotInIndex + "]"},
       .broken_packs = {"mixed"},
       .repairs = {"restree repair index --read-all-packs", "restree repair packs mixed",
                   "restree repair snapshots --forget"},
       .repairs_without_reading = kMendingFromPacks},
      {.name = "NamesAPackThatDoesNotExist",
       .damage =
           [](DamagedCopy& copy) {
             copy.rewrite_index("older", [&](std::vector<IndexedPack>& packs) {
               packs.push_back({unknown_id<PackId>(), {entry_of(packs, copy.blob("first").id)}});
             });
           },
       .check = {"pack ID: does not exist",
                 "Damaged or missing blobs lie in 1 pack:", "  pack ID: all of its 1 blob",
                 "None of them is lost: other packs have them, too."},
       .repairs = {"restree repair index", "restree repair snapshots --forget"}},
      {.name = "NamesABlobThatThePackHasNot",
       .damage =
           [](DamagedCopy& copy) {
             copy.rewrite_index("older", [&](std::vector<IndexedPack>& packs) {
               IndexedBlob blob = entry_of(packs, copy.blob("last").id);
               blob.id = unknown_id<BlobId>();
               pack_with(packs, copy.blob("last").id).blobs.push_back(blob);
             });
           },
       .check = {"pack single: unexpected file size: got N, expected N"},
       .reading =
           {"pack single contains 3 errors: [data blob ID in pack single: ciphertext verification "
            "failed: the MAC does not match; index for pack contains gaps / overlapping blobs; "
            "the header names 1 blobs, the index 2]",
            "Damaged or missing blobs lie in 1 pack:", "  pack single: 1 of its 2 blobs",
            "Lost, since no other pack has them, is 1 blob:", "  data ID in pack single",
            "No snapshot that was checked needs what is damaged."},
       .broken_packs = {"single"},
       .repairs = {"restree repair packs single", "restree repair snapshots --forget"}},
  };
}

}  // namespace

std::vector<DamageKind> kinds_of_indexes() {
  std::vector<DamageKind> kinds{
      {.name = "Missing",
       .damage = [](DamagedCopy& copy) { copy.remove("older"); },
       .check = older_is_gone(),
       .repairs = kMendingFromPacks},
      {.name = "AllMissing",
       .damage =
           [](DamagedCopy& copy) {
             copy.remove("older");
             copy.remove("newer");
           },
       .check = all_are_gone(),
       .repairs = kMendingFromPacks},
      damaged_index("Cut", [](DamagedCopy& copy) { copy.cut("older", -50); }),
      damaged_index("Empty", [](DamagedCopy& copy) { copy.cut("older", 0); }),
      damaged_index("Flipped", [](DamagedCopy& copy) { copy.flip("older", 100); }),
      {.name = "OfRandomBytesWithTheRightName",
       .damage =
           [](DamagedCopy& copy) {
             copy.add_file(FileType::kIndex, std::string(500, '\xe5'));
             copy.remove("older");
           },
       .check = {"error: error loading index ID: R/index/ID: ciphertext verification failed: the "
                 "MAC does not match"},
       .repairs = kMending},
      {.name = "OfAWrongShapeWellSealed",
       .damage =
           [](DamagedCopy& copy) {
             std::string json = write_index_file(copy.packs_of_index("older"));
             json.replace(json.rfind("]}"), 1, R"(,{"id":"?"}])");
             copy.add_sealed(FileType::kIndex, json);
             copy.remove("older");
           },
       .check = {"error: error loading index ID: index: not an id"},
       .repairs = kMending},
  };
  for (DamageKind& kind : kinds_of_lying_indexes()) kinds.push_back(std::move(kind));
  return kinds;
}

std::vector<DamageKind> kinds_of_other_files() {
  using Judge = DamageKind::Judge;
  const Lines forget_notes1{"restree repair snapshots --forget notes1"};
  const auto damaged_snapshot = [&](const std::string& name,
                                    std::function<void(DamagedCopy&)> damage) {
    return DamageKind{
        .name = name,
        .damage = std::move(damage),
        .check = {"error: failed to load snapshot notes1: R/snapshots/notes1 is damaged: "
                  "its hash is not its name"},
        .repairs = forget_notes1,
        .gone = {"notes1"}};
  };
  const auto odd = [](const std::string& file, const std::string& what) {
    return Lines{"restree: R/" + file + " is " + what +
                 ", where a file should be; this entry is left out"};
  };
  const auto odd_snapshot = [](const std::string& what) {
    return Lines{"error: failed to load snapshot notes1: R/snapshots/notes1 is " + what +
                 ", where a file should be"};
  };
  const Lines missing_pack{"pack single: does not exist",
                           "Damaged or missing blobs lie in 1 pack:",
                           "  pack single: all of its 1 blob",
                           "Lost, since no other pack has them, is 1 blob:",
                           "  data last in pack single",
                           "Files and folders that cannot be restored whole:",
                           "app notes: 2 of 2 snapshots",
                           "  snapshots notes2 notes1 (the newest of TIME):",
                           "    /folder/deep/last"};
  const Lines mending{"restree repair index", "restree repair snapshots --forget"};
  return {
      {.name = "NoDamage", .damage = [](DamagedCopy&) {}},
      {.name = "SnapshotMissing",
       .damage = [](DamagedCopy& copy) { copy.remove("notes1"); },
       .gone = {"notes1"}},
      damaged_snapshot("SnapshotCut", [](DamagedCopy& copy) { copy.cut("notes1", -20); }),
      damaged_snapshot("SnapshotFlipped", [](DamagedCopy& copy) { copy.flip("notes1", 50); }),
      damaged_snapshot("SnapshotEmpty", [](DamagedCopy& copy) { copy.cut("notes1", 0); }),
      {.name = "FifoForAPack",
       .damage = [](DamagedCopy& copy) { copy.put_fifo("single"); },
       .check = joined({odd("data/single", "a FIFO"), missing_pack}),
       .repairs = mending,
       .lost = {"last"},
       .restic = Judge::kIsNotAsked},
      {.name = "FolderForAPack",
       .damage = [](DamagedCopy& copy) { copy.put_folder("single"); },
       .check = joined({odd("data/single", "a folder"), missing_pack}),
       .repairs = mending,
       .lost = {"last"}},
      {.name = "LoopForAPack",
       .damage = [](DamagedCopy& copy) { copy.put_loop("single"); },
       .check =
           joined({{"restree: stat R/data/single: Too many levels of symbolic links; this entry is "
                    "left out"},
                   missing_pack}),
       .repairs = mending,
       .lost = {"last"}},
      {.name = "FifoForAnIndex",
       .damage = [](DamagedCopy& copy) { copy.put_fifo("older"); },
       .check = joined({odd("index/older", "a FIFO"), older_is_gone()}),
       .repairs = kMendingFromPacks,
       .restic = Judge::kIsNotAsked},
      {.name = "FolderForAnIndex",
       .damage = [](DamagedCopy& copy) { copy.put_folder("older"); },
       .check = joined({odd("index/older", "a folder"), older_is_gone()}),
       .repairs = kMendingFromPacks,
       .restic = Judge::kIsSlow},
      {.name = "FifoForASnapshot",
       .damage = [](DamagedCopy& copy) { copy.put_fifo("notes1"); },
       .check = odd_snapshot("a FIFO"),
       .repairs = forget_notes1,
       .gone = {"notes1"},
       .restic = Judge::kIsNotAsked},
      {.name = "FolderForASnapshot",
       .damage = [](DamagedCopy& copy) { copy.put_folder("notes1"); },
       .check = odd_snapshot("a folder"),
       .repairs = forget_notes1,
       .gone = {"notes1"},
       .restic = Judge::kIsSlow},
      {.name = "DeadLinkForASnapshot",
       .damage = [](DamagedCopy& copy) { copy.put_dead_link("notes1"); },
       .check = odd_snapshot("a link that leads nowhere"),
       .repairs = forget_notes1,
       .gone = {"notes1"}},
  };
}

}  // namespace restree::testing
