#include "tools/commands/restore_report.h"

#include <fmt/core.h>

#include <vector>

#include "repo/text/json_writer.h"
#include "tools/output/columns.h"
#include "tools/output/human.h"

namespace restree {
namespace {

std::string_view word(RestoreAction action) {
  switch (action) {
    case RestoreAction::kRestored:
      return "restored";
    case RestoreAction::kUpdated:
      return "updated";
    case RestoreAction::kUnchanged:
      return "unchanged";
    case RestoreAction::kDeleted:
      return "deleted";
  }
  return "";
}

}  // namespace

bool RestoreReport::tells_items() const { return output_.has_items(); }

std::chrono::seconds RestoreReport::elapsed() const {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::steady_clock::now() - started_);
}

void RestoreReport::item(RestoreAction action, RestoredKind kind, const std::string& location,
                         std::uint64_t size) {
  if (output_.is_json()) {
    JsonWriter json;
    json.begin_object().key("message_type").text("verbose_status");
    json.key("action").text(word(action)).key("item").text(location);
    json.key("size").number(size).end_object();
    return output_.json(json.json());
  }
  std::string line = fmt::format("{:<9} {}", word(action), output_.shown(location));
  if (kind == RestoredKind::kFile) line += " with size " + format_bytes(size);
  output_.say_even_if_quiet(line);
}

void RestoreReport::error(const std::string& location, const Error& error) {
  output_.item_error(
      "restore", location, error,
      fmt::format("ignoring error for {}: {}", output_.shown(location), error.for_people()));
}

std::string RestoreReport::figures_as_json(const RestoreFigures& figures, const char* type) const {
  JsonWriter json;
  json.begin_object().key("message_type").text(type);
  // restic leaves zeros out, all but the share that is done.
  const auto number = [&](const char* name, std::uint64_t value) {
    if (value != 0) json.key(name).number(value);
  };
  number("seconds_elapsed", static_cast<std::uint64_t>(elapsed().count()));
  if (std::string_view(type) == "status") {
    const std::uint64_t total = figures.bytes_total;
    json.key("percent_done")
        .real(total == 0
                  ? 0.0
                  : static_cast<double>(figures.bytes_restored) / static_cast<double>(total));
  }
  number("total_files", figures.items_total);
  number("files_restored", figures.items_restored);
  number("files_skipped", figures.items_skipped);
  number("files_deleted", figures.items_deleted);
  number("total_bytes", figures.bytes_total);
  number("bytes_restored", figures.bytes_restored);
  number("bytes_skipped", figures.bytes_skipped);
  return json.end_object().json();
}

void RestoreReport::show_progress(const RestoreFigures& figures) {
  if (output_.is_json()) return output_.json(figures_as_json(figures, "status"));
  std::vector<StatusPart> parts{
      {fmt::format("[{}] {}", format_duration(elapsed()),
                   format_percent(figures.bytes_restored, figures.bytes_total)),
       0},
      {fmt::format("  {} files/dirs {}", figures.items_restored.load(),
                   format_bytes(figures.bytes_restored)),
       1},
      {fmt::format(", total {} files/dirs {}", figures.items_total.load(),
                   format_bytes(figures.bytes_total)),
       2}};
  if (figures.items_skipped > 0) {
    parts.push_back({fmt::format(", skipped {} files/dirs {}", figures.items_skipped.load(),
                                 format_bytes(figures.bytes_skipped)),
                     3});
  }
  if (figures.items_deleted > 0) {
    parts.push_back({fmt::format(", deleted {} files/dirs", figures.items_deleted.load()), 4});
  }
  output_.io().status(fitted(parts, status_columns(output_.io())));
}

void RestoreReport::show_summary(const RestoreFigures& figures) {
  output_.io().status("");
  if (output_.is_json()) return output_.json(figures_as_json(figures, "summary"));
  std::string line;
  if (figures.items_restored == figures.items_total &&
      figures.bytes_restored == figures.bytes_total) {
    line = fmt::format("Summary: Restored {} files/dirs ({}) in {}", figures.items_total.load(),
                       format_bytes(figures.bytes_total), format_duration(elapsed()));
  } else {
    line = fmt::format("Summary: Restored {} / {} files/dirs ({} / {}) in {}",
                       figures.items_restored.load(), figures.items_total.load(),
                       format_bytes(figures.bytes_restored), format_bytes(figures.bytes_total),
                       format_duration(elapsed()));
  }
  if (figures.items_skipped > 0) {
    line += fmt::format(", skipped {} files/dirs {}", figures.items_skipped.load(),
                        format_bytes(figures.bytes_skipped));
  }
  if (figures.items_deleted > 0) {
    line += fmt::format(", deleted {} files/dirs", figures.items_deleted.load());
  }
  output_.say_even_if_quiet(line);
}

}  // namespace restree
