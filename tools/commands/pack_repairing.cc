#include "tools/commands/pack_repairing.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "program/command_line/go_values.h"
#include "repo/base/restic_words.h"
#include "repo/repairer/pack_repair.h"
#include "tools/commands/second_repository.h"
#include "tools/commands/writer_options.h"
#include "tools/output/human.h"

namespace restree {
namespace {

constexpr std::size_t kIdDigits = 64;

// In restic's words, which are Go's.
Result<PackId> parse_pack_id(const std::string& word) {
  if (word.size() != kIdDigits) {
    return Error(ErrorKind::kInvalid, fmt::format(restic_words::kBadIdLength.text, word))
        .hinting(
            "Packs are named by all digits of their ids, as `restree check --read-data` does.");
  }
  std::string digits = word;
  std::ranges::transform(digits, digits.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const auto id = PackId::parse(digits);
  if (id) return *id;
  return Error(ErrorKind::kInvalid,
               "invalid ID: " + go_quoted(word) + " is not a hexadecimal number");
}

Result<std::set<PackId>> parse_pack_ids(const std::vector<std::string>& words) {
  std::set<PackId> ids;
  for (const std::string& word : words) {
    ASSIGN_OR_RETURN(const PackId id, parse_pack_id(word));
    ids.insert(id);
  }
  return ids;
}

// What repair packs prints while it works, with --json too.
class PackRepairReport {
 public:
  PackRepairReport(const Output& output, bool has_quarantine)
      : output_(output), has_quarantine_(has_quarantine) {}

  void listen(PackRepairOptions& options) {
    options.on_begin = [this](PackRepairStep step, std::size_t) { begin(step); };
    options.on_end = [this](PackRepairStep step, std::size_t total) { end(step, total); };
    options.on_unread = [this](const PackId& pack, std::uint64_t bytes, const Error& why) {
      output_.warn(fmt::format("{} of pack {} cannot be read, and are zeros in its copy: {}",
                               format_bytes(bytes), pack.hex(), why.message()));
    };
    options.on_incomplete_index = [this](const PackId& pack) {
      output_.warn("repairing incomplete index entry for pack " + pack.hex());
    };
    options.on_empty = [this](const PackId& pack) {
      output_.warn("no blobs found for pack " + pack.hex());
    };
    options.on_lost = [this](const BlobId& blob, const Error& why) {
      output_.warn(fmt::format(restic_words::kBlobNotLoaded.text, blob.hex(), why.message()));
    };
    options.on_not_removed = [this](const PackId& pack, const Error& why) {
      output_.warn(fmt::format("unable to remove pack {} from the repository: {}", pack.hex(),
                               why.message()));
    };
  }

 private:
  void begin(PackRepairStep step) {
    begun_ = std::chrono::steady_clock::now();
    switch (step) {
      case PackRepairStep::kSavingCopies:
        return output_.say_even_as_json(has_quarantine_ ? "reading what is left of the pack files"
                                                        : restic_words::kSavingPackCopies.text);
      case PackRepairStep::kSalvaging:
        return output_.say_even_as_json(restic_words::kSalvaging.text);
      case PackRepairStep::kWritingIndex:
        return output_.say_even_as_json("rebuilding index");
      case PackRepairStep::kRemovingIndexes:
        return;
      case PackRepairStep::kRemovingPacks:
        return output_.say_even_as_json(restic_words::kRemovingSalvaged.text);
    }
  }
  void end(PackRepairStep step, std::size_t total) const {
    const auto elapsed =
        std::chrono::floor<std::chrono::seconds>(std::chrono::steady_clock::now() - begun_);
    switch (step) {
      case PackRepairStep::kSavingCopies:
        return;
      case PackRepairStep::kSalvaging:
        return output_.say_even_as_json(format_all_done(total, "pack files", elapsed));
      case PackRepairStep::kWritingIndex:
        return output_.say_even_as_json(format_all_done(total, "indexes processed", elapsed));
      case PackRepairStep::kRemovingIndexes:
        return output_.say_even_as_json(format_all_done(total, "old indexes deleted", elapsed));
      case PackRepairStep::kRemovingPacks:
        return output_.say_even_as_json(format_all_done(total, "files deleted", elapsed));
    }
  }

  const Output& output_;
  const bool has_quarantine_;
  std::chrono::steady_clock::time_point begun_;
};

}  // namespace

Result<PackRepair> repair_packs_in(Repository& repository, const std::set<PackId>& packs,
                                   BlobSource* second, bool has_quarantine, Session& session,
                                   const Output& output) {
  PackRepairReport report(output, has_quarantine);
  PackRepairOptions options;
  options.copies_are_temporary = has_quarantine;
  options.second = second;
  options.writer = writer_options(session, {});
  options.patience = std::chrono::ceil<std::chrono::seconds>(session.options().patience);
  options.stop = session.stop();
  report.listen(options);
  ASSIGN_OR_RETURN(const PackRepair done, repair_packs(repository, packs, options));
  RETURN_IF_ERROR(repository.refresh_index(session.patience()));
  if (second != nullptr) {
    output.say_even_as_json(
        fmt::format("{} of the blobs came from the second repository", done.blobs_retrieved));
  }
  return done;
}

Result<ExitCode> repair_packs_of(const PackRepairWish& wish, const std::string& program,
                                 Session& session) {
  ASSIGN_OR_RETURN(const std::set<PackId> packs, parse_pack_ids(wish.ids));
  if (packs.empty() && !is_given(wish.source)) {
    return Error(ErrorKind::kInvalid, std::string(restic_words::kNoIds.text))
        .hinting("`restree check --read-data` names damaged packs.");
  }
  RETURN_IF_ERROR(use_quarantine(wish.quarantine, session));
  ASSIGN_OR_RETURN(Repository* const repository,
                   session.open_with_index(Locking::kExclusiveToWrite));
  ASSIGN_OR_RETURN(const OtherRepository second, open_second(wish.source, session));
  if (!packs.empty()) {
    RETURN_IF_ERROR(repair_packs_in(*repository, packs, second.repository.get(),
                                    wish.quarantine.is_given(), session, session.output()));
  }
  if (second.repository) {
    RETURN_IF_ERROR(
        retrieve_missing(*repository, *second.repository, {}, session, session.output()));
  }
  if (packs.empty()) return ExitCode::kSuccess;
  session.output().warn("\n" + fmt::format(restic_words::kRepairSnapshotsNext.text, program));
  return ExitCode::kSuccess;
}

}  // namespace restree
