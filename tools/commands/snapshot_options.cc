#include "tools/commands/snapshot_options.h"

#include <fmt/core.h>

#include <cstdlib>
#include <utility>

#include "repo/base/restic_words.h"
#include "tools/cli/option_words.h"

namespace restree {

SnapshotFilter SnapshotOptions::filter() const {
  SnapshotFilter filter;
  const char* const host = std::getenv("RESTIC_HOST");
  if (!hosts.empty()) {
    filter.hosts = hosts;
  } else if (host != nullptr && *host != '\0') {
    filter.hosts = {host};
  }
  if (filter.hosts == std::vector<std::string>{""}) filter.hosts.clear();
  for (const std::string& list : tags) filter.tag_lists.push_back(split_tags(list));
  filter.paths = paths;
  return filter;
}

void add_snapshot_options(CommandSyntax& app, SnapshotOptions& options, HostOption host) {
  add_list(app, host == HostOption::kShortToo ? "-H,--host" : "--host", options.hosts,
           "Only snapshots of this host, or of one of these (default: $RESTIC_HOST)");
  add_list(app, "--tag", options.tags, "Only snapshots with all of these tags, TAG,TAG,…");
  add_list(app, "--path", options.paths, "Only snapshots of this path, and of all given");
}

void add_group_by_option(CommandSyntax& app, std::string& words, const std::string& description,
                         Grouping grouping) {
  const auto check = [grouping](const std::string& value) -> Status {
    const bool with_app = grouping == Grouping::kByAppToo;
    RETURN_IF_ERROR(with_app ? GroupBy::parse_with_app(value) : GroupBy::parse(value));
    return {};
  };
  add_checked_text(app, "-g,--group-by", words, check, description);
}

OnIgnored say_ignored(Session& session) {
  return [&session](const std::string& what, const Error& why) {
    session.output().warn(fmt::format(restic_words::kIgnoring.text, what, why.message()));
  };
}

Result<SelectedSnapshot> find_one_snapshot(Session& session, Repository& repository,
                                           const std::string& word,
                                           const SnapshotOptions& options) {
  auto selected = select_snapshot(repository, word, options.filter(), session.patience());
  if (!selected) {
    return std::move(selected).error().with(restic_words::kFailedToFindSnapshot.text);
  }
  return selected;
}

Result<JudgedSnapshots> select_to_judge(Session& session, Repository& repository,
                                        const std::vector<std::string>& words,
                                        const SnapshotOptions& options) {
  JudgedSnapshots judged;
  const auto note = [&](const std::string& word, const Error& why) {
    if (word != "filters" || options.is_given()) judged.missed.push_back({word, why});
  };
  ASSIGN_OR_RETURN(judged.found,
                   select_snapshots(repository, words, options.filter(), session.patience(), note));
  return judged;
}

}  // namespace restree
