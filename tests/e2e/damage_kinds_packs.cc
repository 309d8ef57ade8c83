#include <fmt/core.h>

#include "tests/e2e/damage_kinds.h"

namespace restree::testing {
namespace {

const Lines kBigIsHit{
    "Files and folders that cannot be restored whole:", "app notes: 2 of 2 snapshots",
    "  snapshots notes2 notes1 (the newest of TIME):", "    /big"};

// What check says of the damaged places of blobs in one pack, and of those lost.
Lines places(const std::string& pack_and_count) {
  return {"Damaged or missing blobs lie in 1 pack:", "  pack " + pack_and_count};
}
Lines lost(const Lines& blobs) {
  Lines lines{
      fmt::format("Lost, since no other pack has them, {}:",
                  blobs.size() == 1 ? "is 1 blob" : fmt::format("are {} blobs", blobs.size()))};
  for (const std::string& blob : blobs) lines.push_back("  " + blob);
  return lines;
}
const Lines kNothingIsLost{"None of them is lost: other packs have them, too."};

std::string wrong_size(const std::string& pack) {
  return "pack " + pack + ": unexpected file size: got N, expected N";
}
std::string faults(const std::string& pack, const Lines& faults) {
  std::string text;
  for (const std::string& fault : faults) text += (text.empty() ? "" : "; ") + fault;
  return fmt::format("pack {} contains {} errors: [{}]", pack, faults.size(), text);
}
const std::string kWrongHash = "unexpected pack id ID";
const std::string kNoHeader = "header length N is not possible";
const std::string kHeaderFlipped = "header: ciphertext verification failed: the MAC does not match";
std::string flipped(const std::string& blob, const std::string& pack) {
  return blob.substr(0, 5) + "blob " + blob.substr(5) + " in pack " + pack +
         ": ciphertext verification failed: the MAC does not match";
}

Lines mending_of(const std::string& pack) {
  return {"restree repair packs " + pack, "restree repair snapshots --forget"};
}
const Lines kMendingOfMissing{"restree repair index", "restree repair snapshots --forget"};

// Damage that spares the blobs of a pack, whatever is in it.
std::vector<DamageKind> kinds_beside_blobs(const std::string& pack) {
  const auto on_pack = [pack](auto change) {
    return [pack, change](DamagedCopy& copy) { change(copy, pack); };
  };
  return {
      {.name = "CutInTheHeader",
       .damage = on_pack([](DamagedCopy& copy, const std::string& at) { copy.cut(at, -20); }),
       .check = {wrong_size(pack)},
       .reading = {faults(pack, {kWrongHash, kNoHeader})},
       .broken_packs = {pack},
       .repairs = mending_of(pack)},
      {.name = "FlippedInTheHeader",
       .damage = on_pack([](DamagedCopy& copy, const std::string& at) { copy.flip(at, -30); }),
       .reading = {faults(pack, {kWrongHash, kHeaderFlipped})},
       .broken_packs = {pack},
       .repairs = mending_of(pack)},
      {.name = "FlippedInTheLengthOfTheHeader",
       .damage = on_pack([](DamagedCopy& copy, const std::string& at) { copy.flip(at, -1); }),
       .reading = {faults(pack, {kWrongHash, kNoHeader})},
       .broken_packs = {pack},
       .repairs = mending_of(pack)},
      {.name = "FollowedByGarbage",
       .damage = on_pack([](DamagedCopy& copy, const std::string& at) {
         copy.append(at, std::string(100, '\xee'));
       }),
       .check = {wrong_size(pack)},
       .reading = {faults(pack, {kWrongHash, kNoHeader})},
       .broken_packs = {pack},
       .repairs = mending_of(pack)},
  };
}

void append(std::vector<DamageKind>& kinds, std::vector<DamageKind> more) {
  for (DamageKind& kind : more) kinds.push_back(std::move(kind));
}

std::string beyond(const std::string& blob) {
  return "blob " + blob + ": lies beyond the end of the file";
}

}  // namespace

std::vector<DamageKind> kinds_of_data_packs() {
  const Lines all_chunks{"data big.0 in pack chunks", "data big.1 in pack chunks",
                         "data big.2 in pack chunks"};
  const Lines all_are_lost =
      joined({places("chunks: all of its 3 blobs"), lost(all_chunks), kBigIsHit});
  std::vector<DamageKind> kinds{
      {.name = "Missing",
       .damage = [](DamagedCopy& copy) { copy.remove("chunks"); },
       .check = joined({{"pack chunks: does not exist"}, all_are_lost}),
       .repairs = kMendingOfMissing,
       .lost = {"big.0", "big.1", "big.2"}},
      {.name = "CutInABlob",
       .damage = [](DamagedCopy& copy) { copy.cut("chunks", copy.blob("big.1").offset + 99); },
       .check = joined({{wrong_size("chunks")},
                        places("chunks: 2 of its 3 blobs"),
                        lost({"data big.1 in pack chunks", "data big.2 in pack chunks"}),
                        kBigIsHit}),
       .reading = {faults("chunks", {kWrongHash, beyond("big.1"), beyond("big.2"), kNoHeader})},
       .broken_packs = {"chunks"},
       .repairs = mending_of("chunks"),
       .lost = {"big.1", "big.2"}},
      {.name = "Empty",
       .damage = [](DamagedCopy& copy) { copy.cut("chunks", 0); },
       .check = joined({{wrong_size("chunks")}, all_are_lost}),
       .reading = {faults("chunks", {kWrongHash, beyond("big.0"), beyond("big.1"), beyond("big.2"),
                                     "file is too short"})},
       .broken_packs = {"chunks"},
       .repairs = mending_of("chunks"),
       .lost = {"big.0", "big.1", "big.2"}},
      {.name = "FlippedInABlob",
       .damage = [](DamagedCopy& copy) { copy.flip_blob("big.1"); },
       .reading = joined({{faults("chunks", {kWrongHash, flipped("data big.1", "chunks")})},
                          places("chunks: 1 of its 3 blobs"),
                          lost({"data big.1 in pack chunks"}),
                          kBigIsHit}),
       .broken_packs = {"chunks"},
       .repairs = mending_of("chunks"),
       .lost = {"big.1"}},
      {.name = "OneOfTwoWithABlobFlipped",
       .damage = [](DamagedCopy& copy) { copy.flip_blob("small"); },
       .reading = joined({{faults("mixed", {kWrongHash, flipped("data small", "mixed")})},
                          places("mixed: 1 of its 3 blobs"),
                          kNothingIsLost}),
       .broken_packs = {"mixed"},
       .repairs = mending_of("mixed")},
      {.name = "BothWithABlobFlipped",
       .damage =
           [](DamagedCopy& copy) {
             copy.flip_blob("small");
             copy.flip("later", 40);
           },
       .reading = joined(
           {{faults("mixed", {kWrongHash, flipped("data small", "mixed")}),
             faults("later", {kWrongHash, flipped("data small", "later")}),
             "Damaged or missing blobs lie in 2 packs:", "  pack mixed: 1 of its 3 blobs",
             "  pack later: 1 of its 3 blobs"},
            lost({"data small in pack PACK"}),
            {"Files and folders that cannot be restored whole:", "app notes: 2 of 2 snapshots",
             "  snapshots notes2 notes1 (the newest of TIME):", "    /link1", "    /link2"}}),
       .broken_packs = {"later", "mixed"},
       .repairs = mending_of("later mixed"),
       .lost = {"small"}},
  };
  append(kinds, kinds_beside_blobs("chunks"));
  return kinds;
}

std::vector<DamageKind> kinds_of_tree_packs() {
  const auto error_for = [](const std::string& tree, const std::string& why) {
    return Lines{"error for tree " + tree + ":",
                 "  tree " + tree + ": tree blob " + tree + " in pack trees: " + why};
  };
  const std::string missing = "open R/data/trees: No such file or directory";
  const std::string cut = "R/data/trees ends at N, before byte N";
  const Lines hit{"Files and folders that cannot be restored whole:",
                  "app notes: 2 of 2 snapshots",
                  "  snapshot notes2 (TIME):",
                  "    /folder/",
                  "  snapshot notes1 (TIME):",
                  "    /"};
  const Lines all_are_lost =
      joined({places("trees: all of its 3 blobs"),
              lost({"tree notes1/ in pack trees", "tree notes1/folder in pack trees",
                    "tree notes1/folder/deep in pack trees"}),
              hit});
  const std::set<std::string> all{"notes1/", "notes1/folder", "notes1/folder/deep"};
  std::vector<DamageKind> kinds{
      {.name = "Missing",
       .damage = [](DamagedCopy& copy) { copy.remove("trees"); },
       .check = joined({{"pack trees: does not exist"},
                        error_for("notes1/", missing),
                        error_for("notes1/folder", missing),
                        all_are_lost}),
       .repairs = kMendingOfMissing,
       .lost = all,
       .restic = DamageKind::Judge::kIsSlow},
      {.name = "CutInABlob",
       .damage =
           [](DamagedCopy& copy) { copy.cut("trees", copy.blob("notes1/folder").offset + 50); },
       .check = joined({{wrong_size("trees")},
                        error_for("notes1/", cut),
                        error_for("notes1/folder", cut),
                        places("trees: 2 of its 3 blobs"),
                        lost({"tree notes1/ in pack trees", "tree notes1/folder in pack trees"}),
                        hit}),
       .reading = {faults("trees",
                          {kWrongHash, beyond("notes1/folder"), beyond("notes1/"), kNoHeader})},
       .broken_packs = {"trees"},
       .repairs = mending_of("trees"),
       .lost = {"notes1/", "notes1/folder"},
       .restic = DamageKind::Judge::kIsSlow},
      {.name = "Empty",
       .damage = [](DamagedCopy& copy) { copy.cut("trees", 0); },
       .check = joined({{wrong_size("trees")},
                        error_for("notes1/", cut),
                        error_for("notes1/folder", cut),
                        all_are_lost}),
       .reading = {faults("trees",
                          {kWrongHash, beyond("notes1/folder/deep"), beyond("notes1/folder"),
                           beyond("notes1/"), "file is too short"})},
       .broken_packs = {"trees"},
       .repairs = mending_of("trees"),
       .lost = all,
       .restic = DamageKind::Judge::kIsSlow},
      {.name = "FlippedInABlob",
       .damage = [](DamagedCopy& copy) { copy.flip_blob("notes1/folder/deep"); },
       .check = joined(
           {error_for("notes1/folder/deep",
                      "ciphertext verification failed: the MAC does not match"),
            places("trees: 1 of its 3 blobs"),
            lost({"tree notes1/folder/deep in pack trees"}),
            {"Files and folders that cannot be restored whole:", "app notes: 2 of 2 snapshots",
             "  snapshots notes2 notes1 (the newest of TIME):", "    /folder/deep/"}}),
       .reading = {faults("trees", {kWrongHash, flipped("tree notes1/folder/deep", "trees")})},
       .broken_packs = {"trees"},
       .repairs = mending_of("trees"),
       .lost = {"notes1/folder/deep"}},
  };
  append(kinds, kinds_beside_blobs("trees"));
  return kinds;
}

}  // namespace restree::testing
