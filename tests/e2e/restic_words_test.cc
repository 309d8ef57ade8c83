// The words of restic that scripts look for (repo/base/restic_words.h): restree says each of them
// where restic does, on the same stream, with the same exit code, as text and with --json. So does
// the restic that RESTREE_NEW_RESTIC names, if it names one: the words are restic's.
#include "repo/base/restic_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/process.h"
#include "tests/support/programs.h"
#include "tests/support/restic.h"
#include "tests/support/restree_program.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using namespace restic_words;

using Strings = std::vector<std::string>;
using Variables = std::vector<std::pair<std::string, std::optional<std::string>>>;

// A command line that makes a program say the words. {NAME} is a place of WordsPlace.
struct Scenario {
  std::vector<const Words*> words;
  Strings call;
  Variables variables = {};
  std::string input = {};
};

const Variables kNamesNone{{"RESTIC_REPOSITORY", std::nullopt}};
const Variables kNoPassword{{"RESTIC_PASSWORD", std::nullopt}};

std::vector<Scenario> about_access() {
  return {
      {{&kNoRepository, &kIsThereARepository}, {"-r", "{nothing}", "snapshots"}},
      {{&kNoLocation}, {"snapshots"}, kNamesNone},
      {{&kNoSourceLocation}, {"init", "-r", "{nothing}", "--copy-chunker-params"}},
      {{&kTwoLocations}, {"-r", "a", "--repository-file", "b", "snapshots"}},
      {{&kLocationNotParsed}, {"-r", "sftp:x", "snapshots"}},
      {{&kWrongPassword}, {"snapshots"}, {{"RESTIC_PASSWORD", "wrong"}}},
      {{&kPasswordNotFound, &kFileDoesNotExist}, {"-p", "{nothing}", "snapshots"}, kNoPassword},
      {{&kPasswordFileAndCommand, &kPasswordNotFound},
       {"-p", "a", "--password-command", "echo b", "snapshots"},
       kNoPassword},
      {{&kEmptyPassword}, {"snapshots"}, kNoPassword},
      {{&kPasswordBesideNone}, {"--insecure-no-password", "snapshots"}},
      {{&kQuietAndVerbose}, {"-q", "-v", "snapshots"}},
      {{&kBadVariable}, {"snapshots"}, {{"RESTIC_PACK_SIZE", "x"}}},
      {{&kBadVariable}, {"backup", "{source}"}, {{"RESTIC_READ_CONCURRENCY", "x"}}},
      {{&kBadVariable, &kBadCompression}, {"snapshots"}, {{"RESTIC_COMPRESSION", "x"}}},
      {{&kPackTooLarge}, {"--pack-size", "500", "snapshots"}},
      {{&kPackTooSmall}, {"--pack-size", "1", "snapshots"}},
      {{&kSourceWithoutUse}, {"init", "-r", "{nothing}", "--from-repo", "{repository}"}},
      {{&kTwoSources},
       {"init", "-r", "{nothing}", "--copy-chunker-params", "--from-repo", "a", "--repo2", "b"}},
      {{&kNoSuchVersion}, {"init", "-r", "{nothing}", "--repository-version", "7"}},
      {{&kLockedBy, &kLockCreated, &kLockStorageId, &kUnlockRemoves, &kWaitingForLock},
       {"-r", "{locked}", "--retry-lock", "10ms", "forget", "latest"}},
  };
}

std::vector<Scenario> about_keys() {
  return {
      {{&kKeySaved}, {"-r", "{keyed}", "key", "add", "--new-password-file", "{second}"}},
      {{&kKeySavedAs}, {"-r", "{keyed}", "key", "passwd", "--new-password-file", "{password}"}},
      {{&kKeyInUse}, {"key", "remove", "{key}"}},
      {{&kNoMatchingId}, {"key", "remove", "zz"}},
      {{&kOneKeyWanted}, {"key", "remove"}},
      {{&kTwoNewPasswords},
       {"key", "add", "--new-password-file", "{second}", "--new-insecure-no-password"}},
      {{&kEmptyNewPassword}, {"key", "add", "--new-password-file", "/dev/null"}},
      {{&kEmptyPassword}, {"key", "add"}},
      {{&kFileDoesNotExist}, {"key", "add", "--new-password-file", "{nothing}"}},
  };
}

std::vector<Scenario> about_snapshots() {
  return {
      {{&kFailedToFindSnapshot, &kNoMatchingId}, {"restore", "nosuch", "-t", "{nothing}"}},
      {{&kFailedToFindSnapshot, &kNoSnapshotFound},
       {"restore", "latest", "--host", "nobody", "-t", "{nothing}"}},
      {{&kFailedToFindSnapshot, &kNoMatchingId}, {"dump", "nosuch", "/a"}},
      {{&kCouldNotFindSnapshot, &kNoMatchingId}, {"cat", "snapshot", "nosuch"}},
      {{&kCouldNotFindSnapshot, &kNoMatchingId}, {"cat", "tree", "nosuch:/a"}},
      {{&kNoMatchingId}, {"ls", "nosuch"}},
      {{&kIgnoring}, {"snapshots", "nosuch"}},
      {{&kNotInSnapshot}, {"dump", "latest", "/none"}},
      {{&kFailedToLoadSnapshot, &kRepositoryDamaged, &kContainsErrors},
       {"-r", "{damaged_snapshot}", "check"}},
      {{&kErrorForTree, &kNotAuthentic, &kRepositoryDamaged, &kContainsErrors},
       {"-r", "{damaged_packs}", "check"}},
      {{&kPacksDamaged, &kNotAuthentic, &kContainsErrors},
       {"-r", "{damaged_packs}", "check", "--read-data"}},
      {{&kPackDoesNotExist, &kRepositoryDamaged, &kContainsErrors},
       {"-r", "{missing_pack}", "check"}},
      {{&kErrorLoadingIndex, &kIndexDamaged, &kContainsErrors}, {"-r", "{damaged_index}", "check"}},
      {{&kNoErrors}, {"check"}},
      {{&kReadDataTwice}, {"check", "--read-data", "--read-data-subset", "1/2"}},
      {{&kBadSubset}, {"check", "--read-data-subset", "x"}},
      {{&kBadSubset}, {"check", "--read-data-subset", "x/2"}},
      {{&kBadSubsetGroup}, {"check", "--read-data-subset", "3/2"}},
      {{&kTooManySubsets}, {"check", "--read-data-subset", "1/257"}},
      {{&kBadSubsetPercentage}, {"check", "--read-data-subset", "0%"}},
  };
}

std::vector<Scenario> about_copy() {
  const Variables password{{"RESTIC_FROM_PASSWORD", kPassword}};
  return {
      {{&kNoSourceLocation}, {"copy"}},
      {{&kTwoSources}, {"copy", "--from-repo", "a", "--repo2", "b"}},
      {{&kNoRepository, &kIsThereARepository}, {"copy", "--from-repo", "{nothing}"}, password},
      {{&kEmptyPassword}, {"copy", "--from-repo", "{repository}"}},
      {{&kSnapshotLine, &kAlreadyCopied}, {"copy", "-v", "--from-repo", "{repository}"}, password},
      {{&kIgnoring}, {"copy", "--from-repo", "{repository}", "nosuch"}, password},
  };
}

// And about what repairs snapshots and finds them again.
std::vector<Scenario> about_rewrite() {
  return {
      {{&kRootsFound, &kNoSnapshotToWrite}, {"recover"}},
      {{&kSnapshotLine, &kNoneModified}, {"repair", "snapshots"}},
      {{&kIgnoring, &kWouldModifyNone}, {"repair", "snapshots", "-n", "nosuch"}},
      {{&kNothingToRewrite}, {"rewrite"}},
      {{&kExcludesAndIncludes}, {"rewrite", "-e", "a", "-i", "b"}},
      {{&kBadTime}, {"rewrite", "--new-time", "soon"}},
      {{&kIgnoring, &kNoneModified}, {"rewrite", "--new-host", "x", "nosuch"}},
      {{&kSnapshotLine, &kWouldModifyNone}, {"rewrite", "-n", "-i", "nosuch"}},
      {{&kExclusiveLock, &kSnapshotLine, &kWouldSave, &kWouldRemove, &kWouldSetTime, &kWouldSetHost,
        &kWouldModify},
       {"rewrite", "-n", "--forget", "--new-host", "x", "--new-time", "2026-01-02 03:04:05"}},
      {{&kSnapshotLine, &kNotRewritten},
       {"-r", "{damaged_packs}", "--no-cache", "rewrite", "-e", "a"}},
  };
}

std::vector<Scenario> about_repair() {
  return {
      {{&kNoIds}, {"repair", "packs"}},
      {{&kBadIdLength}, {"repair", "packs", "abc"}},
  };
}

std::vector<Scenario> about_backup() {
  return {
      {{&kOpenRepository, &kUsingParent, &kLoadIndex, &kStartScan, &kStartBackup},
       {"backup", "-v", "--dry-run", "--host", "h", "{source}"}},
      {{&kNoParent}, {"backup", "--dry-run", "--force", "{source}"}},
      {{&kReadInput, &kStartBackup}, {"backup", "-v", "--dry-run", "--stdin"}, {}, "text"},
      {{&kNothingToBackUp}, {"backup"}},
      {{&kNoSources}, {"backup", "{nothing}"}},
      {{&kSourceMissing, &kIncomplete}, {"backup", "--dry-run", "{source}", "{nothing}"}},
      {{&kStdinAndTargets}, {"backup", "--stdin", "{source}"}},
      {{&kStdinAndList}, {"backup", "--stdin", "--files-from", "x"}},
      {{&kStdinAndList}, {"backup", "--stdin", "--files-from-raw", "x"}},
      {{&kNoCommand}, {"backup", "--stdin-from-command"}},
      {{&kBadTime}, {"backup", "--time", "soon", "{source}"}},
      {{&kSnapshotNotSaved}, {"backup", "--dry-run", "--stdin-from-command", "--", "false"}},
  };
}

std::vector<Scenario> all_scenarios() {
  std::vector<Scenario> all;
  for (const auto& part : {about_access(), about_keys(), about_snapshots(), about_copy(),
                           about_rewrite(), about_repair(), about_backup()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

// A repository of restic's with a snapshot, damaged copies of it, and one that is locked.
class WordsPlace {
 public:
  WordsPlace() : restic_(dir_.path() / "home") {
    restic_.init();
    const fs::path source = place("source");
    fs::create_directories(source / "folder");
    write_file(source / "a", "hello");
    write_file(source / "folder" / "b", "world");
    restic_.backup({source.string(), "--host", "h"});
    places_["repository"] = restic_.repository();
    places_["nothing"] = place("nothing");
    copy("keyed");
    write_file(place("password"), kPassword);
    write_file(place("second"), "second");
    places_["key"] = names_in(restic_.repository() / "keys").front();
    damage(copy("damaged_packs") / "data");
    damage(copy("damaged_snapshot") / "snapshots");
    damage(copy("damaged_index") / "index");
    fs::remove(files_in(copy("missing_pack") / "data").front());
    const fs::path locked = copy("locked");
    holder_.emplace(RestreeProgram(restic_).start(
        {"-r", locked.string(), "backup", "--stdin-from-command", "--", "sleep", "3600"}));
    if (!holds_within(std::chrono::seconds(120),
                      [&] { return !files_in(locked / "locks").empty(); })) {
      throw std::runtime_error("no lock was taken");
    }
  }

  Finished run(const std::string& program, Strings call, const Variables& variables = {},
               const std::string& input = "") const {
    for (std::string& word : call) {
      if (word.starts_with('{')) word = places_.at(word.substr(1, word.size() - 2)).string();
    }
    call.insert(call.begin(), program);
    Command command{.argv = std::move(call), .env = restic_.environment(), .input = input};
    command.env.emplace_back("XDG_CACHE_HOME", (dir_.path() / "caches").string());
    command.env.insert(command.env.end(), variables.begin(), variables.end());
    // Of its own session, as from cron: nobody is asked at a terminal.
    command.argv.insert(command.argv.begin(), {"setsid", "--wait"});
    return testing::run(command);
  }

  fs::path place(const std::string& name) { return places_[name] = dir_.path() / name; }

 private:
  fs::path copy(const std::string& name) {
    fs::path target = place(name);
    testing::run_ok({.argv = {"cp", "-aT", restic_.repository().string(), target.string()}});
    return target;
  }
  static std::vector<fs::path> files_in(const fs::path& folder) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
    std::ranges::sort(files);
    return files;
  }
  static void damage(const fs::path& folder) {
    for (const fs::path& file : files_in(folder)) {
      std::string content = read_file(file);
      content[20] = static_cast<char>(content[20] ^ 1);
      fs::permissions(file, fs::perms::owner_all);
      write_file(file, content);
    }
  }

  TempDir dir_;
  Restic restic_;
  std::map<std::string, fs::path> places_;
  std::optional<Process> holder_;  // of the lock
};

std::string as_json(std::string_view text) {
  std::string json;
  for (const char c : text) {
    if (c == '"')
      json += "\\\"";
    else if (c == '\n')
      json += "\\n";
    else if (c == '<')
      json += "\\u003c";
    else
      json += c;
  }
  return json;
}

// Whether `output` has what stands between the {} of `text`, in that order.
bool says(const std::string& output, std::string_view text, bool in_json) {
  std::size_t at = 0;
  while (true) {
    const std::size_t gap = text.find("{}");
    const std::string_view piece = text.substr(0, gap);
    const std::string wanted = in_json ? as_json(piece) : std::string(piece);
    const std::size_t found = output.find(wanted, at);
    if (found == std::string::npos) return false;
    if (gap == std::string_view::npos) return true;
    at = found + wanted.size();
    text.remove_prefix(gap + 2);
  }
}

std::string words_of(const Finished& finished, Stream stream) {
  return stream == Stream::kOut ? finished.out : finished.err;
}

Strings programs() {
  Strings all{restree_path()};
  if (const char* newer = std::getenv("RESTREE_NEW_RESTIC")) all.emplace_back(newer);
  return all;
}

class ResticWords : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { place_ = std::make_unique<WordsPlace>(); }
  static void TearDownTestSuite() { place_.reset(); }
  static const WordsPlace& place() { return *place_; }
  static WordsPlace& changing_place() { return *place_; }

 private:
  static std::unique_ptr<WordsPlace> place_;
};
std::unique_ptr<WordsPlace> ResticWords::place_;

TEST_F(ResticWords, AreSaidAsText) {
  for (const Scenario& scenario : all_scenarios()) {
    for (const std::string& program : programs()) {
      const Finished said = place().run(program, scenario.call, scenario.variables, scenario.input);
      int expected = 0;
      for (const Words* words : scenario.words) {
        EXPECT_TRUE(says(words_of(said, words->stream), words->text, false))
            << words->text << "\n"
            << program << ": " << said.report();
        expected = std::max(expected, words->exit_code);
      }
      EXPECT_EQ(said.exit_code, expected) << said.report();
    }
  }
}

TEST_F(ResticWords, AreSaidAsJson) {
  for (const Scenario& scenario : all_scenarios()) {
    Strings call = scenario.call;
    call.insert(call.begin(), "--json");
    for (const std::string& program : programs()) {
      const Finished said = place().run(program, call, scenario.variables, scenario.input);
      for (const Words* words : scenario.words) {
        const std::string output = words_of(said, words->stream);
        const bool is_said = says(output, words->text, false) || says(output, words->text, true);
        EXPECT_EQ(is_said, words->mode == Mode::kTextAndJson) << words->text << "\n"
                                                              << program << ": " << said.report();
      }
      if (said.exit_code == 0) continue;
      // The error that ends a command is one line, and the last.
      const auto begin = said.err.find(R"({"message_type":"exit_error","code":)" +
                                       std::to_string(said.exit_code) + R"(,"message":")");
      ASSERT_NE(begin, std::string::npos) << program << ": " << said.report();
      EXPECT_EQ(said.err.find('\n', begin), said.err.size() - 1) << said.report();
    }
  }
}

TEST(ResticWordsTable, HasAScenarioForEach) {
  std::vector<const Words*> tried;
  for (const Scenario& scenario : all_scenarios()) {
    tried.insert(tried.end(), scenario.words.begin(), scenario.words.end());
  }
  for (const Words* words : kAll) {
    EXPECT_THAT(tried, ::testing::Contains(words)) << words->text;
  }
}

// Options that restic hides work, and say on standard error what to use in their place.
TEST_F(ResticWords, OptionsOfFormerTimesWorkWithTheirNotice) {
  struct Row {
    Strings call;
    std::string notice;
  };
  const Variables variables{{"RESTIC_PASSWORD2", kPassword}};
  int made = 0;
  for (const std::string& program : programs()) {
    const std::string name = "made" + std::to_string(made++);
    write_file(changing_place().place("location"),
               changing_place().run("echo", {"{repository}"}).out);
    changing_place().place(name);
    changing_place().place(name + "b");
    for (const Row& row : std::vector<Row>{
             {{"backup", "--dry-run", "--hostname", "web", "{source}"},
              "Flag --hostname has been deprecated, use --host\n"},
             {{"forget", "--dry-run", "--hostname", "h", "latest"},
              "Flag --hostname has been deprecated, use --host\n"},
             {{"snapshots", "--last"}, "Flag --last has been deprecated, use --latest 1\n"},
             {{"check", "--check-unused"},
              "Flag --check-unused has been deprecated, `--check-unused` is deprecated and will be "
              "ignored\n"},
             {{"init", "-r", "{" + name + "}", "--copy-chunker-params", "--repo2", "{repository}"},
              "Flag --repo2 has been deprecated, use --repo or --from-repo instead\n"},
             {{"init", "-r", "{" + name + "b}", "--copy-chunker-params", "--repository-file2",
               "{location}"},
              "Flag --repository-file2 has been deprecated, use --repository-file or "
              "--from-repository-file instead\n"}}) {
      const Finished done = place().run(program, row.call, variables);
      EXPECT_EQ(done.exit_code, 0) << program << ": " << done.report();
      EXPECT_THAT(done.err, ::testing::HasSubstr(row.notice)) << program << ": " << done.report();
    }
  }
}

}  // namespace
}  // namespace restree::testing
