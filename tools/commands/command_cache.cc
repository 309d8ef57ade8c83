// restree cache
#include <fmt/core.h>

#include <memory>

#include "program/cache_settings.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/output/human.h"
#include "tools/output/table.h"
#include "tools/session/old_caches.h"

namespace restree {
namespace {

constexpr std::size_t kShortNameLength = 10;

struct CacheCommandOptions {
  bool cleanup = false;
  bool no_size = false;
  std::int64_t max_age_days = kOldCacheDays;
};

void clean_up(const std::string& base, std::vector<FoundCache> caches, unsigned days,
              Session& session) {
  const std::vector<FoundCache> old = old_caches(std::move(caches), days);
  if (old.empty()) return session.output().say("no old cache dirs found");
  session.output().say(fmt::format("remove {} old cache directories", old.size()));
  remove_caches(base, old, session.io());
}

void print(const std::string& base, const std::vector<FoundCache>& caches,
           const CacheCommandOptions& options, unsigned days, Io& io) {
  std::vector<std::string> columns = {"Repo ID", "Last Used", "Old"};
  if (!options.no_size) columns.emplace_back("Size");
  columns.emplace_back("Hits");
  columns.emplace_back("Pins");
  Table table(std::move(columns));
  for (const FoundCache& cache : caches) {
    const unsigned age = days_since_use(cache);
    std::vector<std::string> row = {cache.repository_id.substr(0, kShortNameLength),
                                    fmt::format("{} days ago", age), age >= days ? "yes" : ""};
    if (!options.no_size) {
      row.push_back(fmt::format("{:>11}", format_bytes(cache_bytes(base, cache))));
    }
    const auto hits = cache_hit_percent(base, cache);
    row.push_back(hits ? fmt::format("{}%", *hits) : "");
    const std::size_t pins = cache_pins(base, cache);
    row.push_back(pins > 0 ? std::to_string(pins) : "");
    table.add_row(std::move(row));
  }
  table.add_footer(fmt::format("{} cache dirs in {}", caches.size(), base));
  io.out(table.text());
}

Result<ExitCode> run(const CacheCommandOptions& options, Session& session) {
  const GlobalOptions& global = session.options();
  if (global.cache.off) {
    return Error(ErrorKind::kInvalid, "Refusing to do anything, the cache is disabled");
  }
  if (options.max_age_days < 0) return Error(ErrorKind::kInvalid, "--max-age is a number of days");
  const auto days = static_cast<unsigned>(options.max_age_days);
  ASSIGN_OR_RETURN(const std::string base, cache_base(global.cache));
  ASSIGN_OR_RETURN(std::vector<FoundCache> caches, list_caches(base));
  if (options.cleanup || global.cleanup_cache) {
    clean_up(base, std::move(caches), days, session);
  } else if (caches.empty()) {
    session.io().out_line("no cache dirs found, basedir is " + base);
  } else {
    print(base, caches, options, days, session.io());
  }
  return ExitCode::kSuccess;
}

}  // namespace

Run declare_cache(CommandSyntax& app) {
  const auto options = std::make_shared<CacheCommandOptions>();
  add_flag(app, "--cleanup", options->cleanup, "Remove the caches that are old");
  add_number(app, "--max-age", options->max_age_days,
             "After how many days without use a cache is old (default: 30)");
  add_flag(app, "--no-size", options->no_size, "Do not look how large they are");
  return [options](Session& session) { return run(*options, session); };
}

}  // namespace restree
