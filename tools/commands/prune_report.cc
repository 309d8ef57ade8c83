#include "tools/commands/prune_report.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "repo/text/json_writer.h"
#include "tools/output/human.h"

namespace restree {
namespace {

using Amount = PruneStatistics::Amount;

std::string amount_line(std::string_view title, const Amount& amount) {
  return fmt::format("{:<13} {:>10} blobs / {}", title, amount.blobs, format_bytes(amount.bytes));
}

std::string pack_line(std::string_view title, std::uint64_t packs, std::string_view what = "") {
  return fmt::format("{:<13} {:>10}{}", title, packs, what);
}

std::string short_ids(std::vector<PackId> packs) {
  std::ranges::sort(packs);
  std::string list;
  for (const PackId& pack : packs) list += (list.empty() ? "" : " ") + pack.short_hex();
  return "{" + list + "}";
}

std::vector<PackId> with_fate(PackFate fate, const PrunePlan& plan, const WholeIndex& index) {
  std::vector<PackId> packs;
  for (std::size_t i = 0; i < plan.fates.size(); ++i) {
    if (plan.fates[i] == fate) packs.push_back(index.packs()[i]);
  }
  return packs;
}

void add_numbers(JsonWriter& json,
                 const std::vector<std::pair<std::string_view, std::uint64_t>>& numbers) {
  json.begin_object();
  for (const auto& [key, number] : numbers) json.key(key).number(number);
  json.end_object();
}

}  // namespace

void PruneReport::begin_counting(const std::string& what, std::uint64_t total,
                                 std::function<std::uint64_t()> done) {
  stop_counting();
  what_ = what;
  total_ = total;
  begun_ = std::chrono::steady_clock::now();
  if (output_.is_json()) return;
  ticker_ = std::make_unique<Ticker>(output_.progress_interval(), [this, done = std::move(done)] {
    const auto elapsed =
        std::chrono::floor<std::chrono::seconds>(std::chrono::steady_clock::now() - begun_);
    const std::uint64_t now = done();
    const std::string share =
        total_ == 0 ? fmt::format("{}", now)
                    : fmt::format("{}  {} / {}", format_percent(now, total_), now, total_);
    output_.io().status(fmt::format("[{}] {} {}", format_duration(elapsed), share, what_));
  });
}

void PruneReport::stop_counting() {
  if (ticker_ == nullptr) return;
  ticker_.reset();
  output_.io().status("");
}

void PruneReport::end_counting(std::uint64_t total) {
  stop_counting();
  const auto elapsed =
      std::chrono::floor<std::chrono::seconds>(std::chrono::steady_clock::now() - begun_);
  output_.say(fmt::format("[{}] {}  {} / {} {}", format_duration(elapsed),
                          format_percent(total, total), total, total, what_));
}

void PruneReport::begin(PruneStep step, std::uint64_t total) {
  std::string what = "files deleted";
  switch (step) {
    case PruneStep::kRemovingUnindexed:
      output_.say("deleting unreferenced packs");
      break;
    case PruneStep::kCopying:
      output_.say("repacking packs");
      what = "blobs copied";
      break;
    case PruneStep::kWritingIndex:
      output_.say("rebuilding index");
      what = "indexes processed";
      break;
    case PruneStep::kRemovingIndexes:
      what = "old indexes deleted";
      break;
    case PruneStep::kRemovingPacks:
      output_.say(fmt::format("removing {} old packs", total));
      break;
  }
  begin_counting(what, total, done_);
}

// Blobs are counted while they are copied, as a pack may take long.
void PruneReport::end(PruneStep step) {
  if (step != PruneStep::kCopying) return end_counting(total_);
  stop_counting();
  what_ = "packs repacked";
  end_counting(repacked_packs_);
}

void PruneReport::not_removed(const std::string& file, const Error& error) {
  output_.warn(fmt::format("unable to remove {} from the repository: {}", file, error.message()));
}

void PruneReport::show_statistics(const PrunePlan& plan, const WholeIndex& index, bool is_dry_run) {
  const PruneStatistics& sum = plan.statistics;
  repacked_packs_ = sum.packs.repacked;
  if (is_dry_run) output_.say("\nWould have made the following changes:");
  show_amounts(sum);
  show_packs(sum);
  if (sum.young_packs > 0) {
    output_.say(fmt::format(
        "{} packs in no index ({}) are younger than a day and stay: a program that takes no locks "
        "may be about to name them. --exclusive removes them.\n",
        sum.young_packs, format_bytes(sum.young_bytes)));
  }
  if (output_.is_json() && prints_json_) show_json(sum);
  if (!is_dry_run) return;
  if (!plan.unindexed.empty()) {
    output_.detail("Would have removed the following unreferenced packs:\n" +
                   short_ids(plan.unindexed) + "\n");
  }
  output_.detail("Would have repacked and removed the following packs:\n" +
                 short_ids(with_fate(PackFate::kRepack, plan, index)) + "\n");
  output_.detail("Would have removed the following no longer used packs:\n" +
                 short_ids(with_fate(PackFate::kRemove, plan, index)) + "\n");
}

void PruneReport::show_need(std::uint64_t needed_bytes, std::uint64_t room,
                            std::uint64_t keep_free_bytes) {
  if (needed_bytes == 0) return;
  output_.say(fmt::format("copies need: {} of {}, as {} stay free", format_bytes(needed_bytes),
                          format_bytes(room), format_bytes(keep_free_bytes)));
  if (needed_bytes > room) {
    output_.say(
        "That is not enough for all at once: unused packs go first, and repacking is done in "
        "rounds, "
        "each of which gives space back.");
  }
  output_.say("");
}

void PruneReport::begin_round(const PrunePlan& plan, const PruneRound& round) {
  repacked_packs_ = plan.statistics.packs.repacked;
  output_.say(
      fmt::format("repacking {} packs in this round, {} are left", round.packs, round.packs_left));
}

void PruneReport::show_amounts(const PruneStatistics& sum) {
  const Amount total = sum.total();
  const Amount remaining = sum.remaining();
  output_.detail("\n" + amount_line("used:", sum.used));
  if (sum.duplicate.blobs > 0) output_.detail(amount_line("duplicates:", sum.duplicate));
  output_.detail(amount_line("unused:", sum.unused));
  if (sum.unreferenced_bytes > 0) {
    output_.detail(fmt::format("{:<32} {}", "unreferenced:", format_bytes(sum.unreferenced_bytes)));
  }
  output_.detail(amount_line("total:", total));
  output_.detail(fmt::format("unused size: {} of total size",
                             format_percent(sum.duplicate.bytes + sum.unused.bytes, total.bytes)));

  output_.say("\n" + amount_line("to repack:", sum.repack));
  output_.say(amount_line("this removes:", sum.repack_removed));
  output_.say(
      amount_line("to delete:", {sum.removed.blobs, sum.removed.bytes + sum.unreferenced_bytes}));
  output_.say(amount_line("total prune:", sum.all_removed()));
  if (sum.uncompressed_bytes > 0) {
    output_.say(
        fmt::format("{:<32} {}", "not yet compressed:", format_bytes(sum.uncompressed_bytes)));
  }
  output_.say(amount_line("remaining:", remaining));
  output_.say(fmt::format("unused size after prune: {} ({} of remaining size)\n",
                          format_bytes(sum.remaining_unused_bytes()),
                          format_percent(sum.remaining_unused_bytes(), remaining.bytes)));
}

void PruneReport::show_packs(const PruneStatistics& sum) {
  const PruneStatistics::Packs& packs = sum.packs;
  output_.detail(pack_line("totally used packs:", packs.used));
  output_.detail(pack_line("partly used packs: ", packs.partly_used));
  output_.detail(pack_line("unused packs:      ", packs.unused) + "\n");
  output_.detail(pack_line("to keep:", packs.kept, " packs"));
  output_.detail(pack_line("to repack:", packs.repacked, " packs"));
  output_.detail(pack_line("to delete:", packs.removed, " packs"));
  if (packs.unreferenced > 0) {
    output_.detail(pack_line("to delete:", packs.unreferenced, " unreferenced packs") + "\n");
  }
}

void PruneReport::show_json(const PruneStatistics& sum) const {
  const Amount total = sum.total();
  const Amount gone = sum.all_removed();
  const Amount remaining = sum.remaining();
  JsonWriter json;
  json.begin_object().key("message_type").text("summary").key("blobs");
  add_numbers(json, {{"used", sum.used.blobs},
                     {"duplicate", sum.duplicate.blobs},
                     {"unused", sum.unused.blobs},
                     {"total", total.blobs},
                     {"repack", sum.repack.blobs},
                     {"repack_remove", sum.repack_removed.blobs},
                     {"remove", sum.removed.blobs},
                     {"remove_total", gone.blobs},
                     {"remaining", remaining.blobs}});
  json.key("bytes");
  add_numbers(json, {{"used", sum.used.bytes},
                     {"duplicate", sum.duplicate.bytes},
                     {"unused", sum.unused.bytes},
                     {"unreferenced", sum.unreferenced_bytes},
                     {"uncompressed", sum.uncompressed_bytes},
                     {"total", total.bytes},
                     {"repack", sum.repack.bytes},
                     {"repack_remove", sum.repack_removed.bytes},
                     {"remove", sum.removed.bytes},
                     {"remove_total", gone.bytes},
                     {"remaining", remaining.bytes},
                     {"remaining_unused", sum.remaining_unused_bytes()}});
  const PruneStatistics::Packs& packs = sum.packs;
  json.key("packfiles");
  add_numbers(json, {{"used", packs.used},
                     {"unused", packs.unused},
                     {"partly_used", packs.partly_used},
                     {"unreferenced", packs.unreferenced},
                     {"total", packs.total()},
                     {"keep", packs.kept},
                     {"repack", packs.repacked},
                     {"remove", packs.removed},
                     {"remove_total", packs.unreferenced + packs.removed}});
  json.end_object();
  output_.json(json.json());
}

}  // namespace restree
