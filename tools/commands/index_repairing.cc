#include "tools/commands/index_repairing.h"

#include <fmt/core.h>

#include <chrono>
#include <string>
#include <string_view>

#include "repo/repairer/index_repair.h"
#include "tools/output/human.h"

namespace restree {
namespace {

IndexRepairOptions options_of(bool read_all_packs, const Session& session, const Output& output) {
  IndexRepairOptions repair;
  repair.read_all_packs = read_all_packs;
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
    output.say_even_as_json(format_all_done(read, "packs", elapsed));
  }
  output.say_even_as_json("rebuilding index");
  output.say_even_as_json(
      format_all_done(done.index_files_removed, "old indexes deleted", elapsed));
  if (done.packs_unreadable > 0) {
    output.note(fmt::format(
        "{} pack files are damaged. Those of their blobs that are still there can be read; "
        "`restree repair packs` stores them anew.",
        done.packs_unreadable));
  }
}

}  // namespace

Status repair_index_of(Session& session, Repository& repository, bool read_all_packs,
                       const Output& output) {
  output.say_even_as_json("loading indexes...");
  output.say_even_as_json("getting pack files to read...");
  const auto begun = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(const IndexRepair done,
                   repair_index(repository, options_of(read_all_packs, session, output)));
  const auto elapsed =
      std::chrono::floor<std::chrono::seconds>(std::chrono::steady_clock::now() - begun);
  say_result(done, elapsed, output);
  return {};
}

}  // namespace restree
