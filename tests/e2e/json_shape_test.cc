// With --json, restree prints what restic prints: the same messages with the same keys and types,
// and the same values where these are no matter of time and chance.
//
// Each command is compared three times. With the shape that restic 0.19.1, whose JSON Restree
// follows, has printed: json_shapes/ holds it. With Debian's restic on the same repository, which
// is older: what it prints otherwise is listed. And with the restic that RESTREE_NEW_RESTIC names,
// in all; with RESTREE_RECORD_SHAPES as well, json_shapes/ is written anew from that one.
#include "tests/support/json_shape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <set>
#include <sstream>
#include <string>

#include "tests/e2e/json_shape_cases.h"
#include "tests/e2e/json_shape_place.h"
#include "tests/support/files.h"
#include "tests/support/process.h"
#include "tests/support/programs.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;

fs::path recorded_shape(const std::string& name) { return fs::path(RESTREE_JSON_SHAPES) / name; }

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool is_recording() { return !environment("RESTREE_RECORD_SHAPES").empty(); }

Lines lines_of(const std::string& text) {
  Lines lines;
  std::istringstream split(text);
  for (std::string line; std::getline(split, line);) lines.push_back(std::move(line));
  return lines;
}

Parts together(Parts one, const Parts& other) {
  one.insert(other.begin(), other.end());
  return one;
}

// "restic 0.19.1 compiled with …"
std::string version_of(const std::string& restic) {
  const std::string told = run_ok({.argv = {restic, "version"}});
  const auto begin = told.find(' ') + 1;
  return told.substr(begin, told.find(' ', begin) - begin);
}

// Debian 12's. What the installed restic has saved is part of what the files in json_shapes hold, and its
// output of what the known differences are about.
bool is_0_14_installed() {
  static const bool is_it = version_of("restic").starts_with("0.14.");
  return is_it;
}

class JsonShapeOfCommands : public ::testing::TestWithParam<JsonCase> {
 protected:
  static void SetUpTestSuite() { place = std::make_unique<JsonShapePlace>(); }
  // An entry that no command needs says something wrong about restic, or hides something here.
  static void TearDownTestSuite() {
    place.reset();
    if (cases_run < json_cases().size() || !is_0_14_installed()) return;
    for (const KnownDifference& difference : differences_of_0_14()) {
      for (const std::string& beginning : difference.cases) {
        EXPECT_TRUE(difference.by_chance || needed.contains(&beginning))
            << beginning << " does not need this entry: " << difference.why;
      }
    }
  }

  // The parts left out of all output, unless the case is about how long something takes.
  static Parts untimely() {
    return GetParam().how == How::kSlowlyAsNobody ? Parts() : parts_that_take_time();
  }
  static Lines shape(const Finished& finished, const Parts& without) {
    return JsonOutput(finished).shape(together(without, untimely()));
  }
  static Lines values(const Finished& finished, const Parts& without) {
    Parts all = together(without, untimely());
    all = together(together(std::move(all), values_of_time_and_chance()), values_of_the_program());
    Lines lines = JsonOutput(finished).values(all);
    const bool is_unordered = GetParam().how == How::kInAnyOrder || without.contains("order");
    if (is_unordered) std::sort(lines.begin(), lines.end());
    return lines;
  }
  static std::string differences(const Finished& ours, const Finished& theirs,
                                 const Parts& without) {
    return line_differences(shape(ours, without), shape(theirs, without)) +
           line_differences(values(ours, without), values(theirs, without));
  }

  static void expect_as_recorded(const Finished& ours) {
    const fs::path file = recorded_shape(GetParam().name);
    ASSERT_TRUE(fs::exists(file)) << "not recorded; CONTRIBUTING.md says how to";
    Lines recorded = lines_of(read_file(file));
    ASSERT_FALSE(recorded.empty());
    EXPECT_TRUE(recorded.front().ends_with(": " + GetParam().command)) << recorded.front();
    recorded.erase(recorded.begin());
    EXPECT_EQ(line_differences(shape(ours, {}), recorded), "") << ours.report();
  }

  static void record(const std::string& restic, const Finished& theirs) {
    std::string text = "# restic " + version_of(restic) + ": " + GetParam().command + "\n";
    for (const std::string& line : shape(theirs, {})) text += line + "\n";
    write_file(recorded_shape(GetParam().name), text);
  }

  static void expect_as_debians(const Finished& ours, const Finished& theirs) {
    std::vector<const KnownDifference*> known;
    for (const KnownDifference& one : differences_of_0_14()) {
      if (one.beginning_of(GetParam().name) != nullptr) known.push_back(&one);
    }
    const auto differences_but = [&](const KnownDifference* left_out) {
      Parts without;
      for (const KnownDifference* one : known) {
        if (one != left_out) without = together(std::move(without), one->parts);
      }
      return differences(ours, theirs, without);
    };
    EXPECT_EQ(differences_but(nullptr), "") << ours.report() << theirs.report();
    for (const KnownDifference* one : known) {
      if (!differences_but(one).empty()) needed.insert(one->beginning_of(GetParam().name));
    }
  }

  static inline std::unique_ptr<JsonShapePlace> place;
  static inline std::size_t cases_run = 0;
  static inline std::set<const std::string*> needed;  // beginnings, in the entries
};

std::string case_name(const ::testing::TestParamInfo<JsonCase>& instance) {
  return instance.param.name;
}

INSTANTIATE_TEST_SUITE_P(Command, JsonShapeOfCommands, ::testing::ValuesIn(json_cases()),
                         case_name);

TEST_P(JsonShapeOfCommands, IsRestics) {
  ++cases_run;
  const Finished ours = place->run(restree_path(), GetParam());
  const std::string newer = environment("RESTREE_NEW_RESTIC");
  if (!newer.empty()) {
    const Finished theirs = place->run(newer, GetParam());
    if (is_recording()) record(newer, theirs);
    EXPECT_EQ(differences(ours, theirs, {}), "") << ours.report() << theirs.report();
  }
  if (is_0_14_installed()) expect_as_recorded(ours);
  expect_as_debians(ours, place->run("restic", GetParam()));
}

std::set<std::string> names_of_cases() {
  std::set<std::string> names;
  for (const JsonCase& one : json_cases()) names.insert(one.name);
  return names;
}

bool has_case(const std::string& command) {
  return std::any_of(json_cases().begin(), json_cases().end(), [&](const JsonCase& one) {
    return one.name == command || one.name.starts_with(command + "_");
  });
}

TEST(JsonShapeCases, HaveAFileEachAndNoOtherFileIsThere) {
  if (is_recording()) GTEST_SKIP() << "they come now";
  const std::vector<std::string> files = names_in(RESTREE_JSON_SHAPES);
  EXPECT_EQ(std::set<std::string>(files.begin(), files.end()), names_of_cases());
}

TEST(JsonShapeCases, AreOfEveryCommand) {
  const std::string help = run_ok({.argv = {restree_path(), "--help"}});
  const Lines commands = lines_of(help.substr(help.find("Commands:\n")));
  std::size_t count = 0;
  for (std::size_t i = 1; i < commands.size() && commands[i].starts_with("  "); ++i) {
    const std::string name = commands[i].substr(2, commands[i].find(' ', 2) - 2);
    // These print nothing of their own, or what a shell reads.
    if (name == "help" || name == "mount" || name == "generate") continue;
    // Both programs print these as text only.
    if (name == "copy" || name == "features" || name == "migrate" || name == "options") continue;
    if (name == "recover" || name == "repair" || name == "rewrite") continue;
    // restic has this one's object from the release after 0.19 on.
    if (name == "prune") continue;
    // restic lists its own caches, in text only, and warms none.
    if (name == "cache" || name == "warm") continue;
    // restic has none of these.
    if (name == "audit" || name == "problems" || name == "rescue-key") continue;
    if (name == "salvage") continue;
    EXPECT_TRUE(has_case(name)) << name;
    ++count;
  }
  EXPECT_GT(count, 10U) << help;
}

}  // namespace
}  // namespace restree::testing
