// Every kind of damage: check says exactly what it is and what it means, a mount gives all that can
// be read, the commands that check advises save all that can be saved, and restic agrees.
#include "tests/e2e/damage_kinds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <regex>
#include <sstream>

#include "repo/storage/local_storage.h"
#include "repo/text/json_reader.h"
#include "tests/support/files.h"
#include "tests/support/mounted.h"
#include "tests/support/need.h"
#include "tests/support/password.h"
#include "tests/support/restics.h"
#include "tests/support/restree_program.h"
#include "tests/support/scale.h"

namespace restree::testing {

std::ostream& operator<<(std::ostream& out, const DamageKind& kind) { return out << kind.name; }

namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAreArray;

Lines lines_of(const std::string& text) {
  Lines lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

bool is_command(const std::string& line) { return line.starts_with("restree "); }

// Sentences that say what to do, around the commands.
bool is_advice(const std::string& line) {
  return line.starts_with("The repository ") || line.starts_with("A backup of the same files ");
}

// What a check has printed.
struct Said {
  Lines findings;
  Lines commands;
  std::set<std::string> broken_packs = {};  // with --json
};

Said sorted_out(const Lines& lines) {
  Said said;
  for (const std::string& line : lines) {
    if (is_command(line)) {
      said.commands.push_back(line);
    } else if (!is_advice(line)) {
      said.findings.push_back(line);
    }
  }
  return said;
}

// The messages of --json, which say the same as the text does.
std::string messages_of(const std::string& json_lines) {
  std::string text;
  for (const std::string& line : lines_of(json_lines)) {
    if (!line.starts_with("{")) {
      text += line + "\n";
      continue;
    }
    need(json::read_json(as_bytes(line), line, [&](json::Root root) {
      root.each_field([&](std::string_view key, const json::Value& value) {
        if (key == "message") text += value.to_text() + "\n";
      });
    }));
  }
  return text;
}

std::set<std::string> broken_packs_of(const std::string& summary) {
  std::set<std::string> packs;
  need(json::read_json(as_bytes(summary), summary, [&](json::Root root) {
    root.each_field([&](std::string_view key, json::Value value) {
      if (key != "broken_packs") return;
      for (std::string& pack : value.to_texts()) packs.insert(std::move(pack));
    });
  }));
  return packs;
}

class DamageKinds : public ::testing::TestWithParam<DamageKind> {
 protected:
  static void SetUpTestSuite() { place_ = std::make_unique<DamagePlace>(); }
  static void TearDownTestSuite() { place_.reset(); }

  void SetUp() override {
    copy_ = std::make_unique<DamagedCopy>(*place_);
    GetParam().damage(*copy_);
  }

  Finished restree(Lines words) const {
    Command command = RestreeProgram(copy_->restic()).command(std::move(words));
    command.folder = copy_->folder();
    command.timeout = std::chrono::seconds(patient(60));
    return run(command);
  }
  Finished check(bool reads, bool as_json) const {
    Lines words{"check", "--no-lock"};
    if (reads) words.emplace_back("--read-data");
    if (as_json) words.emplace_back("--json");
    return restree(words);
  }
  Lines expected_findings(bool reads) const {
    Lines lines = GetParam().check;
    if (reads) lines.insert(lines.end(), GetParam().reading.begin(), GetParam().reading.end());
    return lines;
  }
  // What only reading finds may need more.
  Lines expected_repairs(bool reads) const {
    const auto& plain = GetParam().repairs_without_reading;
    return reads || !plain ? GetParam().repairs : *plain;
  }
  // Whether an error is to be found. Warnings alone are none.
  bool is_damaged(bool reads) const;
  void expect_check_says(bool reads);
  void expect_mount_gives_the_rest() const;
  void repair_as_advised() const;
  void expect_restic_agrees(bool is_damaged, bool reads) const;
  void expect_all_else_is_restored() const;
  // The ids of the snapshots that can be read, by their names: those of one time are one.
  std::map<std::string, std::string> snapshots() const;

  static std::unique_ptr<DamagePlace> place_;
  std::unique_ptr<DamagedCopy> copy_;
  Lines advised_;  // by the check that reads everything
};
std::unique_ptr<DamagePlace> DamageKinds::place_;

bool DamageKinds::is_damaged(bool reads) const {
  return std::ranges::any_of(expected_findings(reads), [](const std::string& line) {
    return !line.starts_with("restree: ");
  });
}

void DamageKinds::expect_check_says(bool reads) {
  Lines expected = expected_findings(reads);
  const bool is_damaged = this->is_damaged(reads);
  if (is_damaged) expected.emplace_back("Fatal: repository contains errors");
  const Finished text = check(reads, false);
  EXPECT_EQ(text.exit_code, is_damaged ? 1 : 0) << text.report();
  const Said said = sorted_out(lines_of(copy_->in_names(text.err)));
  EXPECT_THAT(said.findings, UnorderedElementsAreArray(expected)) << copy_->in_names(text.report());
  const Lines repairs = is_damaged ? expected_repairs(reads) : Lines{};
  EXPECT_THAT(said.commands, ElementsAreArray(repairs)) << copy_->in_names(text.report());

  if (!reads) return;
  advised_ = sorted_out(lines_of(text.err)).commands;
  const Finished json = check(reads, true);
  EXPECT_EQ(json.exit_code, text.exit_code) << json.report();
  const Said same = sorted_out(lines_of(copy_->in_names(messages_of(json.err))));
  EXPECT_THAT(same.findings, UnorderedElementsAreArray(expected)) << json.report();
  EXPECT_THAT(same.commands, ElementsAreArray(repairs));
  EXPECT_EQ(broken_packs_of(copy_->in_names(json.out)), GetParam().broken_packs);
}

std::map<std::string, std::string> DamageKinds::snapshots() const {
  const auto by = Deadline::after(std::chrono::seconds(60));
  const auto open = [&](const fs::path& root) {
    return need(Repository::open(make_local_storage(root.string()), Secret(std::string(kPassword)),
                                 "", by));
  };
  const auto original = open(place_->restic().repository());
  std::map<Timestamp, std::string> names;
  for (const char* const name : {"notes1", "notes2", "mail"}) {
    const auto id = SnapshotId::parse(place_->files().at(name).filename().string());
    names[need(original->load_snapshot(id.value(), by)).time] = name;
  }
  std::map<std::string, std::string> found;
  const auto repository = open(copy_->root());
  for (const SnapshotId& id : need(repository->list_snapshots(by))) {
    const auto snapshot = repository->load_snapshot(id, by);
    if (snapshot) found[names.at(snapshot->time)] = id.hex();
  }
  return found;
}

// What is not lost is read, whatever else is damaged; what is lost is an error, and never wrong bytes.
void DamageKinds::expect_mount_gives_the_rest() const {
  const Mounted mounted(copy_->restic());
  for (const auto& [name, id] : snapshots()) {
    const Content expected = place_->shown_content_of(name, GetParam().lost);
    EXPECT_EQ(content_below(mounted / "ids" / id.substr(0, 8)), expected) << name << mounted.log();
  }
}

void DamageKinds::repair_as_advised() const {
  for (const std::string& command : advised_) {
    std::istringstream stream(command);
    Lines words;
    for (std::string word; stream >> word;) words.push_back(word);
    words.erase(words.begin());
    const Finished repaired = restree(words);
    EXPECT_TRUE(repaired.ok()) << command << "\n" << repaired.report();
  }
}

void DamageKinds::expect_restic_agrees(bool is_damaged, bool reads) const {
  for (const std::string& binary : all_restics()) {
    Command command{.argv = {binary, "check", "--no-lock", "--no-cache"},
                    .env = copy_->restic().environment(),
                    .timeout = std::chrono::seconds(patient(60))};
    if (reads) command.argv.emplace_back("--read-data");
    const Finished checked = run(command);
    EXPECT_FALSE(checked.timed_out) << checked.report();
    EXPECT_EQ(checked.exit_code != 0, is_damaged) << copy_->in_names(checked.report());
  }
}

void DamageKinds::expect_all_else_is_restored() const {
  const auto found = snapshots();
  for (const char* const name : {"notes1", "notes2", "mail"}) {
    const std::optional<Content> expected =
        GetParam().gone.contains(name) ? std::nullopt : place_->content_of(name, GetParam().lost);
    ASSERT_EQ(found.contains(name), expected.has_value()) << name;
    if (!expected) continue;
    const fs::path target = copy_->folder() / name;
    const Finished restored =
        restree({"restore", found.at(name), "--target", target.string(), "--no-lock"});
    EXPECT_TRUE(restored.ok()) << restored.report();
    EXPECT_EQ(content_below(target), *expected) << name;
  }
}

TEST_P(DamageKinds, IsNamedAndMendedAsFarAsThatIsPossible) {
  using Judge = DamageKind::Judge;
  expect_check_says(false);
  expect_check_says(true);
  if (GetParam().restic == Judge::kAgrees) {
    const bool reads = !is_damaged(false);
    expect_restic_agrees(is_damaged(reads), reads);
  }
  expect_mount_gives_the_rest();

  repair_as_advised();
  // No program removes what it does not know; the warning names it.
  for (const fs::path& odd : copy_->odd()) fs::remove(odd);
  const Finished whole = check(true, false);
  EXPECT_EQ(whole.exit_code, 0) << whole.report();
  expect_restic_agrees(false, true);
  expect_all_else_is_restored();
}

std::string name_of(const ::testing::TestParamInfo<DamageKind>& kind) { return kind.param.name; }

INSTANTIATE_TEST_SUITE_P(DataPack, DamageKinds, ::testing::ValuesIn(kinds_of_data_packs()),
                         name_of);
INSTANTIATE_TEST_SUITE_P(TreePack, DamageKinds, ::testing::ValuesIn(kinds_of_tree_packs()),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Index, DamageKinds, ::testing::ValuesIn(kinds_of_indexes()), name_of);
INSTANTIATE_TEST_SUITE_P(Other, DamageKinds, ::testing::ValuesIn(kinds_of_other_files()), name_of);

}  // namespace
}  // namespace restree::testing
