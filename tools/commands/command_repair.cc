// restree repair index, repair packs
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "program/command_line/go_values.h"
#include "repo/base/restic_words.h"
#include "repo/repairer/index_repair.h"
#include "repo/repairer/pack_repair.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/commands/writer_options.h"
#include "tools/output/human.h"

namespace restree {
namespace {

struct RepairIndexOptions {
  bool read_all_packs = false;
};

std::string all_of(std::size_t count, std::string_view what, std::chrono::seconds elapsed) {
  if (count == 0) return fmt::format("[{}] {:>10} {}", format_duration(elapsed), count, what);
  return fmt::format("[{}] {}  {} / {} {}", format_duration(elapsed), format_percent(count, count),
                     count, count, what);
}

IndexRepairOptions options_of(const RepairIndexOptions& options, const Session& session) {
  const Output& output = session.output();
  IndexRepairOptions repair;
  repair.read_all_packs = options.read_all_packs;
  repair.patience = std::chrono::ceil<std::chrono::seconds>(session.options().patience);
  repair.stop = session.stop();
  repair.on_damaged_index = [&output](const std::string& file, const Error& why) {
    output.warn(fmt::format("removing invalid index {}: {}", file, why.message()));
  };
  repair.on_missing_pack = [&output](const PackId& pack) {
    output.note("removing not found pack file " + pack.hex());
  };
  repair.on_read = [&output](const PackId& pack, std::uint64_t stored, std::uint64_t indexed) {
    output.note(indexed == 0
                    ? "adding pack file to index " + pack.hex()
                    : fmt::format("reindexing pack file {} with unexpected size {} instead of {}",
                                  pack.hex(), stored, indexed));
  };
  repair.on_unreadable_pack = [&output](const PackId& pack, const Error& why) {
    output.warn(fmt::format("skipped incomplete pack file: {}: {}", pack.hex(), why.message()));
  };
  return repair;
}

void say_result(const IndexRepair& done, std::chrono::seconds elapsed, const Output& output) {
  const std::size_t read = done.packs_read + done.packs_unreadable;
  if (read > 0) {
    output.say_even_as_json("reading pack files");
    output.say_even_as_json(all_of(read, "packs", elapsed));
  }
  output.say_even_as_json("rebuilding index");
  output.say_even_as_json(all_of(done.index_files_removed, "old indexes deleted", elapsed));
  if (done.packs_unreadable > 0) {
    output.note(fmt::format(
        "{} pack files are damaged. Those of their blobs that are still there can be read; "
        "`restree repair packs` stores them anew.",
        done.packs_unreadable));
  }
  output.say_even_as_json("done");
}

Result<ExitCode> run_repair_index(const RepairIndexOptions& options, Session& session) {
  ASSIGN_OR_RETURN(Repository* const repository, session.open(Locking::kExclusiveToWrite));
  session.output().say_even_as_json("loading indexes...");
  session.output().say_even_as_json("getting pack files to read...");
  const auto begun = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(const IndexRepair done, repair_index(*repository, options_of(options, session)));
  const auto elapsed =
      std::chrono::floor<std::chrono::seconds>(std::chrono::steady_clock::now() - begun);
  say_result(done, elapsed, session.output());
  return ExitCode::kSuccess;
}

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
  if (words.empty()) {
    return Error(ErrorKind::kInvalid, std::string(restic_words::kNoIds.text))
        .hinting("`restree check --read-data` names damaged packs.");
  }
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
  explicit PackRepairReport(const Output& output) : output_(output) {}

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
        return output_.say_even_as_json(restic_words::kSavingPackCopies.text);
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
        return output_.say_even_as_json(all_of(total, "pack files", elapsed));
      case PackRepairStep::kWritingIndex:
        return output_.say_even_as_json(all_of(total, "indexes processed", elapsed));
      case PackRepairStep::kRemovingIndexes:
        return output_.say_even_as_json(all_of(total, "old indexes deleted", elapsed));
      case PackRepairStep::kRemovingPacks:
        return output_.say_even_as_json(all_of(total, "files deleted", elapsed));
    }
  }

  const Output& output_;
  std::chrono::steady_clock::time_point begun_;
};

Result<ExitCode> run_repair_packs(const std::vector<std::string>& words, Session& session) {
  ASSIGN_OR_RETURN(const std::set<PackId> packs, parse_pack_ids(words));
  ASSIGN_OR_RETURN(Repository* const repository,
                   session.open_with_index(Locking::kExclusiveToWrite));
  PackRepairReport report(session.output());
  PackRepairOptions options;
  options.writer = writer_options(session, {});
  options.patience = std::chrono::ceil<std::chrono::seconds>(session.options().patience);
  options.stop = session.stop();
  report.listen(options);
  RETURN_IF_ERROR(repair_packs(*repository, packs, options));
  // restree has no such command yet.
  session.output().warn("\n" + fmt::format(restic_words::kRepairSnapshotsNext.text, "restic"));
  return ExitCode::kSuccess;
}

}  // namespace

Run declare_repair_index(CommandSyntax& app) {
  const auto options = std::make_shared<RepairIndexOptions>();
  add_flag(app, "--read-all-packs", options->read_all_packs,
           "Read the headers of all packs, and not only of those of which the index is wrong");
  return [options](Session& session) { return run_repair_index(*options, session); };
}

Run declare_repair_packs(CommandSyntax& app) {
  const auto ids = std::make_shared<std::vector<std::string>>();
  add_arguments(app, "ID", *ids, "The damaged packs, each by all digits of its id");
  return [ids](Session& session) { return run_repair_packs(*ids, session); };
}

const std::vector<Command>& repair_commands() {
  static const std::vector<Command> commands = {
      {"index", "Make the index agree with the packs", declare_repair_index},
      {"packs", "Save what is whole in damaged packs, and remove them", declare_repair_packs},
  };
  return commands;
}

// By itself it prints its help.
Run declare_repair(CommandSyntax& app) {
  app.refuse_command("snapshots", "Use restic: both programs work on the same repository.");
  return {};
}

}  // namespace restree
