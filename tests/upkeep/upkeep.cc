#include "tests/upkeep/upkeep.h"

#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <sstream>
#include <thread>
#include <utility>

#include "tests/support/fidelity.h"
#include "tests/support/files.h"
#include "tests/support/quick_key.h"
#include "tests/support/repository_files.h"
#include "tests/support/scale.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kKillsWithin = 500;  // milliseconds

std::set<std::string> snapshots_in(const fs::path& repository) {
  std::set<std::string> ids;
  for (const fs::path& file : stored_in(repository, "snapshots")) {
    ids.insert(file.filename().string());
  }
  return ids;
}

std::set<std::string> without(const std::set<std::string>& all, const std::set<std::string>& some) {
  std::set<std::string> rest;
  std::ranges::set_difference(all, some, std::inserter(rest, rest.end()));
  return rest;
}

std::set<std::string> names_of(const std::map<std::string, Kept>& snapshots) {
  std::set<std::string> names;
  for (const auto& [id, kept] : snapshots) names.insert(id);
  return names;
}

std::string listed(const std::set<std::string>& ids) {
  std::string text;
  for (const std::string& id : ids) text += " " + id.substr(0, 8);
  return text.empty() ? " none" : text;
}

// For people: what was asked for, and what came between.
std::string described(const Operation& operation, Disturbance disturbance) {
  static const std::map<Disturbance, std::string> kNames = {{Disturbance::kNone, "undisturbed"},
                                                            {Disturbance::kKill, "killed"},
                                                            {Disturbance::kCut, "cut off"},
                                                            {Disturbance::kFull, "on a full disk"}};
  std::string text;
  for (const std::string& word : operation.command.argv) text += word + " ";
  return text + kNames.at(disturbance);
}

bool is_far(const Command& command) {
  return std::ranges::any_of(command.argv,
                             [](const std::string& word) { return word.starts_with("sftp:"); });
}

}  // namespace

Upkeep::Upkeep(std::uint64_t seed) : random_(seed) {
  restic_.init();
  fs::create_directories(dir_.path() / "twin");
  // With the same master key, or with another one.
  if (seed % 2 == 0) {
    twin_.init();
  } else {
    twin_.init_slowly();
    make_key_quick(twin_.repository());
  }
  fs::create_directories(dir_.path() / "contents");
  mounted_ = std::make_unique<Mounted>(restic_, std::vector<std::string>{"refresh=1"});
}

void Upkeep::found(const std::string& what) {
  findings_.push_back("step " + std::to_string(steps_) + " (" + now_ + "): " + what);
}

std::set<std::string> Upkeep::present() const { return snapshots_in(restic_.repository()); }

std::string Upkeep::any_snapshot() {
  auto place = snapshots_.begin();
  std::advance(place, static_cast<std::ptrdiff_t>(below(snapshots_.size())));
  return place->first;
}

Disturbance Upkeep::any_disturbance(const Operation& operation) {
  switch (below(10)) {
    case 0:
    case 1:
      return Disturbance::kKill;
    case 2:
    case 3:
      return is_far(operation.command) ? Disturbance::kCut : Disturbance::kNone;
    case 4:
      return Disturbance::kFull;
    default:
      return Disturbance::kNone;
  }
}

Finished Upkeep::carry_out(const Operation& operation, Disturbance disturbance) {
  const seconds patience(patient(300));
  if (disturbance == Disturbance::kFull) disk_.fill_up(below(2 * kMiB));
  Process process = Process::start(operation.command);
  if (disturbance == Disturbance::kKill) {
    return process.wait(milliseconds(patient(static_cast<int>(below(kKillsWithin)))));
  }
  if (disturbance == Disturbance::kCut) {
    std::this_thread::sleep_for(milliseconds(below(kKillsWithin)));
    line_.cut();
  }
  Finished done = process.wait(patience);
  disk_.make_room();
  return done;
}

// What is left of a program that was killed.
void Upkeep::clear_up(const Operation& operation, Disturbance disturbance) {
  if (disturbance != Disturbance::kKill) return;
  for (const Restic* const restic : {&restic_, &twin_}) {
    const Finished unlocked =
        below(2) == 0 ? restic->run({"unlock"}) : RestreeProgram(*restic).run({"unlock"});
    if (!unlocked.ok()) found("unlock after " + operation.name + ": " + unlocked.report());
  }
}

void Upkeep::judge(const Operation& operation, Disturbance disturbance, const Finished& done) {
  const bool was_killed = disturbance == Disturbance::kKill && done.timed_out;
  const std::string report = operation.name + ": " + done.report();
  if (done.timed_out && !was_killed) found("does not end: " + report);
  if (!was_killed && done.exit_code >= 128) found("ended by a signal: " + report);
  const bool may_fail = operation.may_fail || was_killed || disturbance == Disturbance::kFull;
  if (!done.ok() && !may_fail) found("failed: " + report);
  const bool is_undisturbed = disturbance == Disturbance::kNone;
  if (!done.ok() && is_undisturbed && done.err.find(operation.failing_says) == std::string::npos) {
    found("failed for another reason: " + report);
  }
}

void Upkeep::compare_snapshots(const Operation& operation, bool is_done) {
  const std::set<std::string> before = names_of(snapshots_);
  const std::set<std::string> now = present();
  const std::set<std::string> came = without(now, before);
  const std::set<std::string> gone = without(before, now);
  if (!without(gone, operation.goes).empty() || (is_done && gone != operation.goes)) {
    found(operation.name + " removed" + listed(gone) + ", to be removed" + listed(operation.goes));
  }
  for (const std::string& id : gone) forgotten_.insert(snapshots_.extract(id));
  std::size_t made = 0;
  for (const std::string& id : came) {
    const auto known = forgotten_.find(id);
    if (known != forgotten_.end() && operation.may_put_back) {
      snapshots_.insert(forgotten_.extract(known));
    } else {
      ++made;
      Kept& kept = snapshots_[id] = operation.makes.value_or(Kept());
      if (kept.first_id.empty()) kept.first_id = id;
    }
  }
  const std::size_t most = operation.makes ? 1 : 0;
  if (made > most || (is_done && made != most)) {
    found(operation.name + " made" + listed(came) + ", to be made: " + std::to_string(most));
  }
}

void Upkeep::expect_no_locks(const Restic& of) {
  const auto locks = stored_in(of.repository(), "locks");
  if (!locks.empty()) found(std::to_string(locks.size()) + " locks are left");
}

void Upkeep::expect_no_damage() {
  const Finished checked = restic_.run({"check", "--read-data", "--no-lock"});
  if (!checked.ok()) found("restic check: " + checked.report());
}

void Upkeep::expect_shown(const std::string& id) {
  const fs::path shown = *mounted_ / "ids" / id.substr(0, 8);
  if (!holds_within(seconds(patient(60)), [&] { return fs::exists(shown); })) {
    found("the mount does not show " + id);
    return;
  }
  const std::string differ =
      differences(shown / source_.relative_path(), snapshots_.at(id).content);
  if (!differ.empty()) found("the mount shows " + id + " otherwise: " + differ);
}

// A snapshot of the second repository names the one that it was copied from, or that one's first
// predecessor; where the repositories have one key, it may have its name. Copies of its predecessors may
// be there as well: the tree tells them apart.
std::string Upkeep::copy_of(const std::string& id) const {
  if (snapshots_in(twin_.repository()).contains(id)) return id;
  simdjson::dom::parser parser;
  const std::string one = restic_.run_ok({"cat", "snapshot", id, "--no-lock"});
  const std::string tree(parser.parse(one)["tree"].get_string().value());
  const std::string all = twin_.run_ok({"snapshots", "--json", "--no-lock"});
  for (const simdjson::dom::element snapshot : parser.parse(all).get_array()) {
    std::string_view original;
    if (snapshot["original"].get(original) != simdjson::SUCCESS) continue;
    if (original != snapshots_.at(id).first_id) continue;
    if (snapshot["tree"].get_string().value() != tree) continue;
    return std::string(snapshot["id"].get_string().value());
  }
  return {};
}

void Upkeep::expect_copied() {
  if (snapshots_.empty()) return;
  const std::string wanted = any_snapshot();
  const std::string id = copy_of(wanted);
  if (id.empty()) {
    found(wanted + " was not copied");
    return;
  }
  const TempDir restored;
  twin_.restore(id, restored.path());
  const std::string differ =
      differences(restored.path() / source_.relative_path(), snapshots_.at(wanted).content);
  if (!differ.empty()) found("the copy of " + wanted + " is another: " + differ);
  const Finished checked = twin_.run({"check", "--read-data", "--no-lock"});
  if (!checked.ok()) found("restic check of the copy: " + checked.report());
}

void Upkeep::step() {
  ++steps_;
  const Operation operation = any_operation();
  const Disturbance disturbance = any_disturbance(operation);
  ++counts_[operation.name];
  now_ = described(operation, disturbance);
  Finished done = carry_out(operation, disturbance);
  judge(operation, disturbance, done);
  clear_up(operation, disturbance);
  if (operation.has_to_end_well && !done.ok()) {
    done = testing::run(operation.command);
    judge(operation, Disturbance::kNone, done);
  }
  compare_snapshots(operation, done.ok());
  expect_no_locks(restic_);
  expect_no_locks(twin_);
  expect_no_damage();
  if (!snapshots_.empty()) expect_shown(any_snapshot());
  if (operation.name == "copy" && done.ok()) expect_copied();
}

void Upkeep::finish() {
  for (const bool is_pruned : {false, true}) {
    if (is_pruned) {
      const Finished done = restree_.run({"prune", "--max-unused", "0"});
      if (!done.ok()) found("the last prune: " + done.report());
    }
    expect_no_damage();
    for (const auto& [id, kept] : snapshots_) expect_shown(id);
  }
  mounted_->unmount();
}

std::string Upkeep::summary() const {
  std::ostringstream text;
  text << steps_ << " steps:";
  for (const auto& [name, count] : counts_) text << " " << count << " " << name << ",";
  text << " " << snapshots_.size() << " snapshots are there";
  return text.str();
}

}  // namespace restree::testing
