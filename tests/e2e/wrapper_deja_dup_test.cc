// Deja Dup runs restic with --json and reads lines: one that is an object or a list is parsed alone.
// Each test makes calls that it makes, and reads what they print as strictly as it does. (It also
// forgets by age and prunes in one call; restree does not prune yet.)
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "tests/e2e/wrapper_place.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::SizeIs;
using ::testing::StartsWith;

class DejaDup : public Wrapper {
 protected:
  Finished ask(Strings words, const Variables& variables = {}) const {
    Strings all{"--json", "--cleanup-cache", "--cache-dir=" + place().place("cache").string(),
                "--repo=" + repository()};
    all.insert(all.end(), words.begin(), words.end());
    return call(std::move(all), variables);
  }
  Finished back_up(const Strings& more = {}) const {
    Strings words{"backup", "--tag=deja-dup", "--exclude-caches",
                  "--exclude-if-present=.deja-dup-ignore"};
    words.insert(words.end(), more.begin(), more.end());
    words.push_back(place().source().string());
    return ask(std::move(words));
  }
  void make_repository() const {
    const Finished made = ask({"init"});
    ASSERT_TRUE(made.ok()) << made.report();
    place().hurry();
  }
  std::string newest() const {
    const Finished listed = ask({"snapshots", "--tag=deja-dup"});
    return Json::word(Json(listed.out).list().back(), "id");
  }
  // The paths and types of a listing; its first line is about the snapshot and has no type.
  std::map<std::string, std::string> listing(const std::string& id) const {
    std::map<std::string, std::string> entries;
    for (const std::string& line : lines_of(ask({"ls", id}).out)) {
      const Json entry(line);
      if (entry.has("type")) entries[entry.word("path")] = entry.word("type");
    }
    return entries;
  }
  // The one line of an error: the last, and alone.
  static void expect_error(const Finished& failed, int code, const std::string& begin) {
    EXPECT_EQ(failed.exit_code, code) << failed.report();
    const Strings lines = lines_of(failed.err);
    ASSERT_FALSE(lines.empty()) << failed.report();
    const Json error(lines.back());
    EXPECT_EQ(error.word("message_type"), "exit_error");
    EXPECT_EQ(error.number("code"), code);
    EXPECT_THAT(error.word("message"), StartsWith(begin));
  }
};
INSTANTIATE_TEST_SUITE_P(Of, DejaDup, ::testing::ValuesIn(programs()), program_name);

TEST_P(DejaDup, FindsAVersionThatIsNewEnough) {
  const Finished said = call({"version"});
  // What stands between the first two spaces: three numbers and nothing else.
  const Strings version = found("^restic ([0-9]+)\\.([0-9]+)\\.([0-9]+) ", said.out);
  ASSERT_THAT(version, SizeIs(3)) << said.report();
  EXPECT_THAT(std::stoi(version[0]) * 1000 + std::stoi(version[1]), Ge(14)) << said.report();
}

TEST_P(DejaDup, IsToldThatThereIsNoRepositoryAndMakesIt) {
  expect_error(back_up(), 10, "Fatal: repository does not exist: unable to open config file: ");
  const Finished made = ask({"init"});
  ASSERT_TRUE(made.ok()) << made.report();
  ASSERT_THAT(lines_of(made.out), SizeIs(1)) << made.report();
  EXPECT_EQ(Json(made.out).word("message_type"), "initialized");
  expect_error(ask({"snapshots", "--tag=deja-dup"}, {{"RESTIC_PASSWORD", "wrong"}}), 12,
               "Fatal: wrong password or no key found");
}

TEST_P(DejaDup, ShowsTheProgressOfABackup) {
  make_repository();
  write_random_file(place().source() / "large", 1, 20 * kMiB);
  const Finished saved = back_up();
  ASSERT_TRUE(saved.ok()) << saved.report();
  int summaries = 0;
  for (const std::string& line : lines_of(saved.out)) {
    const Json message(line);
    if (message.word("message_type") == "summary") ++summaries;
    if (message.word("message_type") != "status") continue;
    EXPECT_THAT(message.number("percent_done"), AllOf(Ge(0), ::testing::Le(1))) << line;
    for (const char* key : {"seconds_elapsed", "total_bytes"}) {
      if (message.has(key)) {
        EXPECT_GE(message.number(key), 0) << line;
      }
    }
    if (!message.has("current_files")) continue;
    for (const auto file : message.root()["current_files"].get_array().value()) {
      EXPECT_THAT(std::string(file.get_string().value()), StartsWith("/")) << line;
    }
  }
  EXPECT_EQ(summaries, 1) << saved.report();
}

TEST_P(DejaDup, LeavesOutWhatItsEscapedPathsName) {
  make_repository();
  const fs::path source = place().source();
  for (const char* name :
       {"a*b", "a_b", "q?", "qq", "x[1]", "x1", "back\\slash", "$HOME", "t.tmp"}) {
    write_file(source / name, name);
  }
  for (const char* name : {"ignored", "cached"}) fs::create_directories(source / name);
  write_file(source / "ignored/.deja-dup-ignore", "");
  write_file(source / "ignored/file", "");
  write_file(source / "cached/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55");
  write_file(source / "cached/file", "");
  const std::string in = "--exclude=" + source.string();
  const Finished saved =
      back_up({in + "/a\\*b", in + "/q\\?", in + "/x\\[1]", in + "/back\\\\slash", in + "/$$HOME",
               "--exclude=" + source.string() + "/*.tmp"});
  ASSERT_TRUE(saved.ok()) << saved.report();
  Strings kept;
  for (const auto& [path, type] : listing(newest())) {
    if (type == "file") kept.push_back(fs::path(path).lexically_relative(source).string());
  }
  // A variable is put in only in a file of patterns: "$$HOME" is no name of a file here.
  EXPECT_THAT(kept, ::testing::UnorderedElementsAre("$HOME", "ignored/.deja-dup-ignore", "a", "a_b",
                                                    "folder/b", "qq", "x1", "cached/CACHEDIR.TAG"));
}

TEST_P(DejaDup, ListsBackupsAndTheirFiles) {
  make_repository();
  fs::create_symlink("a", place().source() / "link");
  ASSERT_TRUE(back_up().ok());
  ASSERT_TRUE(back_up().ok());
  const Finished listed = ask({"snapshots", "--tag=deja-dup"});
  ASSERT_TRUE(listed.ok()) << listed.report();
  // A list is parsed only if it begins and ends on one line.
  ASSERT_THAT(lines_of(listed.out), ElementsAre(AllOf(StartsWith("["), ::testing::EndsWith("]"))));
  const Json snapshots(listed.out);
  ASSERT_THAT(snapshots.list(), SizeIs(2));
  for (const auto& snapshot : snapshots.list()) {
    EXPECT_THAT(Json::word(snapshot, "id"), MatchesRegex("[0-9a-f]{64}"));
    EXPECT_GT(seconds_of(Json::word(snapshot, "time")), 1'600'000'000);
  }
  const std::string source = place().source().string();
  const auto entries = listing(newest());
  EXPECT_EQ(entries.at(source), "dir");
  EXPECT_EQ(entries.at(source + "/a"), "file");
  EXPECT_EQ(entries.at(source + "/link"), "symlink");
  EXPECT_EQ(listing("latest"), entries);

  const Finished stats = ask({"stats", "--tag=deja-dup", "--mode=raw-data"});
  ASSERT_THAT(lines_of(stats.out), SizeIs(1)) << stats.report();
  EXPECT_GT(Json(stats.out).number("total_size"), 0);
}

TEST_P(DejaDup, RestoresToTheOriginalPlaceAndToAnother) {
  make_repository();
  const fs::path source = place().source();
  write_file(source / "n[1]", "first");
  ASSERT_TRUE(back_up().ok());
  fs::remove(source / "n[1]");
  fs::remove(source / "a");
  const Finished restored =
      ask({"restore", "--target=/", "--include=" + source.string() + "/n\\[1]", newest()});
  EXPECT_TRUE(restored.ok()) << restored.report();
  EXPECT_EQ(read_file(source / "n[1]"), "first");
  EXPECT_FALSE(fs::exists(source / "a"));

  EXPECT_EQ(ask({"dump", newest(), (source / "a").string()}).out, "hello");
  const Finished dumped = ask({"dump", newest(), (source / "folder").string()});
  write_file(place().place("dump.tar"), dumped.out);
  EXPECT_THAT(run_ok({.argv = {"tar", "-tf", place().place("dump.tar").string()}}),
              HasSubstr("source/folder/b\n"));
}

}  // namespace
}  // namespace restree::testing
