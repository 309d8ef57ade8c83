// restree prune
#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/locks.h"
#include "tests/support/memory_repository.h"
#include "tests/support/restree.h"
#include "tools/commands/prune_options.h"

namespace restree {
namespace {

using ::testing::AllOf;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using testing::Outcome;
using ::testing::SizeIs;
using testing::soon;
using testing::value_of;

Result<PruneRules> rules(const PruneCommandOptions& options) {
  return prune_rules(options, "auto");
}
std::string complaint(const PruneCommandOptions& options) {
  const auto parsed = rules(options);
  EXPECT_THAT(parsed, FailsWith(ErrorKind::kInvalid));
  return parsed ? "" : parsed.error().message();
}

TEST(PruneOptionsTest, WhatMayStayUnusedIsAPercentageASizeOrUnlimited) {
  EXPECT_EQ(value_of(rules({})).max_unused.percent, 5);
  EXPECT_EQ(value_of(rules({.max_unused = " 12.5% "})).max_unused.percent, 12.5);
  EXPECT_EQ(value_of(rules({.max_unused = "unlimited"})).max_unused.of(7), UINT64_MAX);
  for (const auto& [text, bytes] :
       std::vector<std::pair<std::string, std::uint64_t>>{{"0", 0},
                                                          {"500", 500},
                                                          {"500b", 500},
                                                          {"2k", 2048},
                                                          {"3M", 3 << 20},
                                                          {"1T", 1ULL << 40}}) {
    EXPECT_EQ(value_of(rules({.max_unused = text})).max_unused.of(7), bytes) << text;
  }
}

// The words are restic's.
TEST(PruneOptionsTest, BadValuesAreRefusedInResticsWords) {
  EXPECT_EQ(complaint({.max_unused = ""}), "invalid value for --max-unused: \"\"");
  EXPECT_EQ(complaint({.max_unused = "5x"}),
            "invalid number of bytes \"5x\" for --max-unused: strconv.ParseInt: parsing \"5x\": "
            "invalid syntax");
  EXPECT_EQ(complaint({.max_unused = "x%"}),
            "invalid percentage \"x%\" passed for --max-unused: strconv.ParseFloat: parsing \"x\": "
            "invalid syntax");
  EXPECT_EQ(complaint({.max_unused = "100%"}), "percentage for --max-unused must be below 100%");
  EXPECT_EQ(complaint({.max_unused = "-1%"}), "percentage for --max-unused must be positive");
  EXPECT_THAT(complaint({.max_unused = "nan%"}), HasSubstr("invalid percentage"));
  EXPECT_EQ(complaint({.max_repack_size = "x"}), "strconv.ParseInt: parsing \"x\": invalid syntax");
  EXPECT_EQ(complaint({.max_repack_size = "9000000T"}),
            "strconv.ParseInt: parsing \"9000000\": value out of range");
  EXPECT_EQ(complaint({.repack_smaller_than = "0"}),
            "--repack-smaller-than must be larger than zero");
  EXPECT_THAT(complaint({.max_repack_size = "M"}), HasSubstr("parsing \"\": invalid syntax"));
  EXPECT_THAT(prune_rules({.repack_uncompressed = true}, "off"), FailsWith(ErrorKind::kInvalid));
}

TEST(PruneOptionsTest, WhatStaysFreeIsASize) {
  EXPECT_EQ(value_of(keep_free_bytes({})), 64 << 20);
  EXPECT_EQ(value_of(keep_free_bytes({.keep_free = " 2G "})), std::uint64_t{2} << 30);
  EXPECT_EQ(value_of(keep_free_bytes({.keep_free = "0"})), 0);
  const auto refused = keep_free_bytes({.keep_free = "5%"});
  ASSERT_THAT(refused, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(refused.error().message(),
              HasSubstr("invalid number of bytes \"5%\" for --keep-free"));
}

class PruneCommand : public ::testing::Test {
 protected:
  explicit PruneCommand(std::uint32_t version = 1) : memory_(version) {
    kept_ = memory_.builder().add_data("of a snapshot");
    memory_.builder().add_data("of none");
    memory_.builder().add_snapshot(
        memory_.builder().add_tree({testing::file_node("f", {kept_}, 13)}));
    memory_.builder().finish();
  }
  Outcome prune(std::vector<std::string> words = {}) const {
    words.insert(words.begin(), "prune");
    return runner_.run(words);
  }
  std::size_t count(FileType type) { return value_of(memory_.storage().list(type, soon())).size(); }

  testing::MemoryRepository memory_;
  BlobId kept_;
  testing::RestreeRunner runner_{
      std::shared_ptr<Storage>(std::shared_ptr<void>(), &memory_.storage())};
};

TEST_F(PruneCommand, SaysWhatResticSays) {
  const Outcome outcome = prune();
  EXPECT_EQ(outcome.code, ExitCode::kSuccess) << outcome.err;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("loading all snapshots...\n"
                              "finding data that is still in use for 1 snapshots\n"),
                    HasSubstr("searching used packs...\n"
                              "collecting packs for deletion and repacking\n"),
                    HasSubstr("\n\nto repack:             0 blobs / 0 B\n"
                              "this removes:          0 blobs / 0 B\n"
                              "to delete:             1 blobs / 39 B\n"
                              "total prune:           1 blobs / 39 B\n"
                              "remaining:             2 blobs / "),
                    HasSubstr("unused size after prune: 0 B (0.00% of remaining size)\n\n"),
                    HasSubstr("rebuilding index\n"), HasSubstr("removing 1 old packs\n"),
                    HasSubstr(" 1 / 1 files deleted\ndone\n")));
  EXPECT_THAT(outcome.out, Not(HasSubstr("used packs:")));
  EXPECT_EQ(count(FileType::kPack), 2);
  EXPECT_EQ(count(FileType::kLock), 0);
}

TEST_F(PruneCommand, SaysMoreIfAsked) {
  const Outcome outcome = prune({"--verbose", "--dry-run"});
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("Would have made the following changes:\n"),
                                 HasSubstr("\nused:                  2 blobs / "),
                                 HasSubstr("\nunused:                1 blobs / 39 B\n"),
                                 HasSubstr("\ntotally used packs:          2\n"
                                           "partly used packs:           0\n"
                                           "unused packs:                1\n\n"
                                           "to keep:               2 packs\n"),
                                 HasSubstr("Would have removed the following no longer used "
                                           "packs:\n{")));
  EXPECT_THAT(prune({"--quiet"}).out, IsEmpty());
}

TEST_F(PruneCommand, SaysWhatCopiesNeedOnlyIfThereAreAny) {
  memory_.storage().say_free(1 << 30);
  EXPECT_THAT(prune({"--dry-run"}).out, Not(HasSubstr("copies need")));
}

TEST_F(PruneCommand, RefusesASizeToKeepFreeThatIsNone) {
  const Outcome outcome = prune({"--keep-free", "much"});
  EXPECT_EQ(outcome.code, ExitCode::kFailure);
  EXPECT_THAT(outcome.err, HasSubstr("--keep-free"));
  EXPECT_EQ(count(FileType::kPack), 3);
}

TEST_F(PruneCommand, DryRunChangesNothing) {
  memory_.storage().watch_removals([](const FileName& file) -> Status {
    EXPECT_EQ(file.type, FileType::kLock);
    return {};
  });
  memory_.storage().watch_writes([](const FileName& file) -> Status {
    EXPECT_EQ(file.type, FileType::kLock);
    return {};
  });
  EXPECT_EQ(prune({"--dry-run"}).code, ExitCode::kSuccess);
  EXPECT_EQ(prune({"--dry-run", "--no-lock"}).code, ExitCode::kSuccess);
  EXPECT_EQ(count(FileType::kPack), 3);
}

// As restic does from its next release on.
TEST_F(PruneCommand, WithJsonPrintsOneObject) {
  const Outcome outcome = prune({"--json"});
  EXPECT_EQ(outcome.code, ExitCode::kSuccess);
  EXPECT_THAT(
      outcome.out,
      MatchesRegex(
          R"(\{"message_type":"summary","blobs":\{"used":2,"duplicate":0,"unused":1,"total":3,)"
          R"("repack":0,"repack_remove":0,"remove":1,"remove_total":1,"remaining":2\},)"
          R"("bytes":\{"used":[0-9]+,"duplicate":0,"unused":39,"unreferenced":0,)"
          R"("uncompressed":0,"total":[0-9]+,"repack":0,"repack_remove":0,"remove":39,)"
          R"("remove_total":39,"remaining":[0-9]+,"remaining_unused":0\},)"
          R"("packfiles":\{"used":2,"unused":1,"partly_used":0,"unreferenced":0,"total":3,)"
          R"("keep":2,"repack":0,"remove":1,"remove_total":1\}\})"
          "\n"));
}

TEST_F(PruneCommand, RefusesWhatResticRefuses) {
  const auto said = [&](const std::vector<std::string>& words) {
    const Outcome outcome = prune(words);
    EXPECT_EQ(outcome.code, ExitCode::kFailure);
    return outcome.err;
  };
  EXPECT_THAT(said({"--no-lock"}), HasSubstr("--no-lock is only applicable in combination with "
                                             "--dry-run for prune command"));
  EXPECT_THAT(said({"--repack-smaller-than", "17M"}),
              HasSubstr("repack-smaller-than exceeds repository packsize"));
  EXPECT_THAT(said({"--repack-uncompressed"}),
              HasSubstr("compression requires at least repository format version 2"));
  EXPECT_THAT(said({"--unsafe-recover-no-free-space", "abc"}),
              HasSubstr("must pass id '" + value_of(memory_.try_open())->config().id.hex() +
                        "' to --unsafe-recover-no-free-space"));
  EXPECT_EQ(count(FileType::kPack), 3);
}

TEST_F(PruneCommand, WithTheRepositorysIdRemovesWithoutFreeSpace) {
  const std::string id = value_of(memory_.try_open())->config().id.hex();
  EXPECT_EQ(prune({"--unsafe-recover-no-free-space", id}).code, ExitCode::kSuccess);
  EXPECT_EQ(count(FileType::kPack), 2);
}

TEST_F(PruneCommand, AnOldOptionIsTaken) {
  const Outcome outcome = prune({"--repack-small"});
  EXPECT_EQ(outcome.code, ExitCode::kSuccess);
  EXPECT_THAT(outcome.err, HasSubstr("--repack-small has been deprecated"));
}

TEST_F(PruneCommand, NamesPacksThatCannotBeRemovedAndSucceeds) {
  memory_.storage().watch_removals([](const FileName& file) -> Status {
    if (file.type != FileType::kPack) return {};
    return Error(ErrorKind::kDenied, "read-only");
  });
  const Outcome outcome = prune();
  EXPECT_EQ(outcome.code, ExitCode::kSuccess);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("unable to remove data/"), HasSubstr("read-only")));
}

TEST_F(PruneCommand, OfADamagedRepositoryIsRefusedInWords) {
  memory_.remove_packs_of(kept_);
  const Outcome outcome = prune();
  EXPECT_EQ(outcome.code, ExitCode::kFailure);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("Fatal: packs that the index names"),
                                 HasSubstr("restree repair index")));
  EXPECT_EQ(count(FileType::kPack), 2);
}

TEST_F(PruneCommand, IsRefusedWhileOthersHoldALock) {
  memory_.builder().add_sealed(FileType::kLock, write_lock_file(own_lock(false)));
  EXPECT_EQ(prune().code, ExitCode::kLocked);
  EXPECT_EQ(count(FileType::kPack), 3);
}

}  // namespace
}  // namespace restree
