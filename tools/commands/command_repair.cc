// restree repair index
#include <fmt/core.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "repo/repairer/index_repair.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/output/human.h"

namespace restree {
namespace {

struct RepairIndexOptions {
  bool read_all_packs = false;
};

std::string all_of(std::size_t count, std::string_view what, std::chrono::seconds elapsed) {
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
        "`restic repair packs` stores them anew.",
        done.packs_unreadable));
  }
  output.say_even_as_json("done");
}

Result<ExitCode> run_repair_index(const RepairIndexOptions& options, Session& session) {
  // A whole index file in the cache says nothing about that in the storage.
  ASSIGN_OR_RETURN(Repository* const repository,
                   session.open(Locking::kExclusiveToWrite, Reading::kFromStorage));
  session.output().say_even_as_json("loading indexes...");
  session.output().say_even_as_json("getting pack files to read...");
  const auto begun = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(const IndexRepair done, repair_index(*repository, options_of(options, session)));
  const auto elapsed =
      std::chrono::floor<std::chrono::seconds>(std::chrono::steady_clock::now() - begun);
  say_result(done, elapsed, session.output());
  return ExitCode::kSuccess;
}

}  // namespace

Run declare_repair_index(CommandSyntax& app) {
  const auto options = std::make_shared<RepairIndexOptions>();
  add_flag(app, "--read-all-packs", options->read_all_packs,
           "Read the headers of all packs, and not only of those of which the index is wrong");
  return [options](Session& session) { return run_repair_index(*options, session); };
}

const std::vector<Command>& repair_commands() {
  static const std::vector<Command> commands = {
      {"index", "Make the index agree with the packs", declare_repair_index},
  };
  return commands;
}

// By itself it prints its help.
Run declare_repair(CommandSyntax& app) {
  for (const char* name : {"packs", "snapshots"}) {
    app.refuse_command(name, "Use restic: both programs work on the same repository.");
  }
  return {};
}

}  // namespace restree
