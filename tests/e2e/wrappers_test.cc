// Programs that run restic and read what it prints run restree under restic's name as well:
// runrestic, exporters for Prometheus, plugins for Nagios. Each test makes calls that such a program
// makes, and reads what they print as strictly as it does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "tests/e2e/wrapper_place.h"

namespace restree::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

INSTANTIATE_TEST_SUITE_P(Of, Wrapper, ::testing::ValuesIn(programs()), program_name);

// --- runrestic ------------------------------------------------------------------------------------
// It looks through what restic prints on both streams with regular expressions.

constexpr const char* kSize = "(-?[0-9.]+ [a-zA-Z]*B)";

TEST_P(Wrapper, RunresticReadsWhatABackupDid) {
  init();
  const Finished again = place().call_merged({"-r", repository(), "init"});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_THAT(again.out, HasSubstr("config file already exists"));

  write_file(place().source() / "left.bak", "left out");
  write_file(place().place("list"), (place().source() / "folder").string() + "\n");
  write_file(place().place("patterns"), "*.bak\n");
  const Strings backup{"-r",
                       repository(),
                       "backup",
                       "--files-from",
                       place().place("list").string(),
                       "--exclude",
                       "*.tmp",
                       "--exclude-file",
                       place().place("patterns").string(),
                       (place().source() / "a").string()};
  const std::array<Strings, 2> expected{Strings{"2", "0", "0"}, Strings{"1", "1", "1"}};
  for (const Strings& files : expected) {
    const Finished saved = place().call_merged(backup);
    ASSERT_TRUE(saved.ok()) << saved.report();
    EXPECT_EQ(
        found("Files:\\s+([0-9]+) new,\\s+([0-9]+) changed,\\s+([0-9]+) unmodified", saved.out),
        files)
        << saved.report();
    EXPECT_THAT(
        found("Dirs:\\s+([0-9]+) new,\\s+([0-9]+) changed,\\s+([0-9]+) unmodified", saved.out),
        SizeIs(3))
        << saved.report();
    EXPECT_THAT(found(std::string("Added to the repo\\w*:\\s+") + kSize, saved.out), SizeIs(1))
        << saved.report();
    EXPECT_THAT(found(std::string("processed ([0-9]+) files,\\s+") + kSize + " in ([0-9]+:+[0-9]+)",
                      saved.out),
                SizeIs(3))
        << saved.report();
    write_file(place().source() / "folder/b", "changed");
    write_file(place().source() / "folder/new", "new");
  }
}

TEST_P(Wrapper, RunresticChecksAndCounts) {
  init();
  ASSERT_TRUE(call({"-r", repository(), "backup", place().source().string()}).ok());
  const Finished checked =
      place().call_merged({"-r", repository(), "check", "--check-unused", "--read-data"});
  EXPECT_TRUE(checked.ok()) << checked.report();
  EXPECT_THAT(checked.out, Not(HasSubstr("error: load <snapshot/")));
  EXPECT_THAT(checked.out, Not(HasSubstr("Pack ID does not match,")));

  const Finished stats = place().call_merged({"-r", repository(), "stats", "-q", "--json"});
  const Strings object = found("(\\{.*\\})", stats.out);
  ASSERT_THAT(object, SizeIs(1)) << stats.report();
  EXPECT_EQ(Json(object[0]).number("total_size"), 2005);
  EXPECT_GE(Json(object[0]).number("total_file_count"), 4);
  EXPECT_TRUE(place().call_merged({"-r", repository(), "unlock"}).ok());
}

// --- Prometheus exporters -------------------------------------------------------------------------

TEST_P(Wrapper, ExporterReadsSnapshotsSizesAndLocks) {
  init();
  const Variables named{{"RESTIC_REPOSITORY", repository()}};
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(
        call({"backup", "--host", "web", "--tag", "a,b", place().source().string()}, named).ok());
  }
  const Finished all = call({"--no-lock", "snapshots", "--json"}, named);
  EXPECT_THAT(Json(all.out).list(), SizeIs(2)) << all.report();
  const Finished latest = call({"--no-lock", "snapshots", "--json", "--latest", "1"}, named);
  const Json document(latest.out);
  ASSERT_THAT(document.list(), SizeIs(1)) << latest.report();
  const simdjson::dom::element snapshot = document.list()[0];
  EXPECT_EQ(Json::word(snapshot, "hostname"), "web");
  EXPECT_FALSE(Json::word(snapshot, "username").empty());
  EXPECT_EQ(Json::word(snapshot, "id").substr(0, 8), Json::word(snapshot, "short_id"));
  EXPECT_EQ(snapshot["tags"].get_array().value().size(), 2U);
  EXPECT_EQ(snapshot["paths"].get_array().value().size(), 1U);
  EXPECT_FALSE(Json::word(snapshot, "program_version").empty());
  const simdjson::dom::element summary = snapshot["summary"].value();
  for (const char* key : {"files_new", "files_changed", "dirs_new"}) {
    EXPECT_EQ(Json::number(summary, key), 0) << key;
  }
  // The folders above the source may have changed.
  EXPECT_GE(Json::number(summary, "dirs_changed") + Json::number(summary, "dirs_unmodified"), 3);
  EXPECT_EQ(Json::number(summary, "files_unmodified"), 2);
  EXPECT_EQ(Json::number(summary, "total_files_processed"), 2);
  EXPECT_EQ(Json::number(summary, "total_bytes_processed"), 2005);
  EXPECT_GE(Json::number(summary, "data_added"), 0);
  EXPECT_LE(seconds_of(Json::word(summary, "backup_start")),
            seconds_of(Json::word(summary, "backup_end")));

  const Finished raw = call({"--no-lock", "stats", "--json", "--mode", "raw-data"}, named);
  const Json sizes(raw.out);
  EXPECT_GT(sizes.number("total_size"), 0);
  EXPECT_GE(sizes.number("total_uncompressed_size"), sizes.number("total_size"));
  EXPECT_GE(sizes.number("compression_ratio"), 1);
  EXPECT_GT(sizes.number("total_blob_count"), 0);
  EXPECT_EQ(sizes.number("snapshots_count"), 2);
  EXPECT_TRUE(call({"--no-lock", "check"}, named).ok());

  const auto count_locks = [&] {
    const Strings lines = lines_of(call({"--no-lock", "list", "locks"}, named).out);
    return std::ranges::count_if(
        lines, [](const std::string& line) { return !found("^([a-z0-9]+)$", line).empty(); });
  };
  EXPECT_EQ(count_locks(), 0);
  const Process holder =
      place().start({"-r", repository(), "backup", "--stdin-from-command", "--", "sleep", "3600"});
  EXPECT_TRUE(holds_within(std::chrono::seconds(120), [&] { return count_locks() == 1; }));
}

// --- Nagios plugins -------------------------------------------------------------------------------
// They parse all that is printed on both streams as one document, so there must be nothing else.

TEST_P(Wrapper, NagiosPluginFindsTheAgeOfEachPath) {
  init();
  const std::string source = place().source().string();
  write_file(place().place("password"), std::string(kPassword) + "\n");
  const Variables none{{"RESTIC_PASSWORD", std::nullopt}};
  for (const char* time : {"2026-01-02 03:04:05", "2026-02-03 04:05:06"}) {
    ASSERT_TRUE(call({"-r", repository(), "backup", "--host", "web", "--time", time, source}).ok());
  }
  const auto ask = [&](const std::string& host, const std::string& path, Strings more = {}) {
    Strings words{"--json",
                  "--no-lock",
                  "snapshots",
                  "--host",
                  host,
                  "--path",
                  path,
                  "--repo",
                  repository(),
                  "--password-file",
                  place().place("password").string()};
    words.insert(words.end(), more.begin(), more.end());
    return place().call_merged(std::move(words), none);
  };
  const Finished said = ask("web", source);
  ASSERT_TRUE(said.ok()) << said.report();
  const Json snapshots(said.out);
  std::vector<long> times;
  for (const auto& snapshot : snapshots.list()) {
    times.push_back(seconds_of(Json::word(snapshot, "time")));
    EXPECT_EQ(snapshot["paths"].at(0).get_string().value(), source);
  }
  EXPECT_THAT(times, ElementsAre(1767323045, 1770091506));
  const Json newest(ask("web", source, {"--latest", "1"}).out);
  ASSERT_THAT(newest.list(), SizeIs(1));
  EXPECT_EQ(seconds_of(Json::word(newest.list()[0], "time")), 1770091506);
  EXPECT_EQ(newest.list()[0]["hostname"].get_string().value(), "web");

  // Nothing that fits is an empty list, and no failure; no repository is a failure that says why.
  for (const auto& [host, path] :
       {std::pair<std::string, std::string>{"other", source}, {"web", "/other"}}) {
    const Finished nothing = ask(host, path);
    EXPECT_TRUE(nothing.ok()) << nothing.report();
    EXPECT_THAT(Json(nothing.out).list(), IsEmpty()) << nothing.report();
  }
  const Finished failed = ask("web", source, {"--repo", place().place("nothing").string()});
  EXPECT_EQ(failed.exit_code, 10) << failed.report();
  EXPECT_THAT(failed.out, HasSubstr("Is there a repository at the following location?"));
}

}  // namespace
}  // namespace restree::testing
