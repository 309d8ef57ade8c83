#include "repo/journal/visit.h"

#include <algorithm>

namespace restree {
namespace {

std::vector<std::string> sorted_and_cut(std::vector<std::string> texts) {
  std::ranges::sort(texts);
  if (texts.size() > kMostJournalTexts) texts.resize(kMostJournalTexts);
  for (std::string& text : texts) {
    if (text.size() > kMostJournalText) text.resize(kMostJournalText);
  }
  return texts;
}

}  // namespace

SeenSnapshot seen_snapshot(const Snapshot& snapshot) {
  SeenSnapshot seen{.id = {snapshot.id.bytes},
                    .time = snapshot.time.seconds,
                    .tree = {snapshot.tree.bytes},
                    .has_parent = snapshot.parent.has_value(),
                    .host = snapshot.hostname.substr(0, kMostJournalText),
                    .tags = sorted_and_cut(snapshot.tags),
                    .paths = sorted_and_cut(snapshot.paths)};
  if (snapshot.original) seen.original = JournalId{snapshot.original->bytes};
  if (const auto& summary = snapshot.summary) {
    seen.figures = SeenFigures{.ended = summary->backup_end.time.seconds,
                               .files = summary->total_files_processed,
                               .files_new = summary->files_new,
                               .files_changed = summary->files_changed,
                               .bytes_added = summary->data_added,
                               .bytes_packed = summary->data_added_packed};
  }
  return seen;
}

}  // namespace restree
