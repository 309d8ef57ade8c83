// A year of three applications, as a machine sees it that visits now and then: nothing innocent is an
// alarm in it, and everything guilty is one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "repo/journal/journal_file.h"
#include "tests/journal/journal_world.h"
#include "tests/support/split_mix.h"

namespace restree {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using testing::Journal;
using testing::journal_id;
using testing::JournalWorld;
using testing::kDay;
using testing::keep_last;
using testing::kHour;
using testing::SplitMix64;

constexpr std::size_t kKept = 20;
constexpr int kDays = 365;

// The repository is forgotten in and pruned by this machine and by another one, with one policy.
class Year {
 public:
  explicit Year(std::uint64_t seed) : chance_(seed) {}

  void run(int days) {
    for (int i = 0; i < days; ++i) live_a_day();
  }
  void visit() { journal_.keep(with_index(world_.visit())); }

  JournalWorld& world() { return world_; }
  Journal& journal() { return journal_; }
  bool in(std::uint64_t days) { return chance_() % days == 0; }

 private:
  void live_a_day() {
    world_.now += kDay - 4 * kHour + static_cast<std::int64_t>(chance_() % (8 * kHour));
    for (const char* app : {"gitea", "mail", "db"}) {
      SeenSnapshot& one = world_.back_up("host-" + std::string(app), "/srv/" + std::string(app));
      // Its clock is wrong by up to 20 hours.
      if (in(30)) one.time += static_cast<std::int64_t>(chance_() % (40 * kHour)) - 20 * kHour;
      if (in(40)) one.figures = SeenFigures{.ended = one.time, .files = 1100, .files_new = 300};
    }
    if (in(5)) forget(in(2));
    if (in(9)) prune(in(2));
    if (in(15)) change_tags();
    if (in(40)) rewrite();
    if (in(30)) copy();
    if (in(60)) bring_back();
    if (in(100)) set_clock();
    if (!in(3)) visit();
    if (in(10)) visit_blindly();
  }

  // Of this machine, or of another.
  void forget(bool is_own) {
    std::vector<SeenSnapshot> all;
    for (const auto& [id, one] : world_.snapshots) all.push_back(one);
    forgotten_.clear();
    for (const JournalId& id : keep_last(kKept)(all, world_.now)) {
      forgotten_.push_back(world_.snapshots.at(id));
      world_.snapshots.erase(id);
    }
    if (!is_own) return forgotten_.clear();
    journal_.add(removal_entry(world_.now, true, false));
    if (in(4)) return;  // killed before it could say what it removed
    Visit visit = world_.visit("forget");
    for (const SeenSnapshot& one : forgotten_) visit.snapshots.removed.push_back(one.id);
    journal_.keep(visit);
  }

  void prune(bool is_own) {
    const std::set<JournalId> before = world_.indexes;
    world_.prune();
    if (!is_own) return;
    journal_.add(removal_entry(world_.now, false, true));
    Visit visit = world_.visit("prune");
    visit.indexes.removed.assign(before.begin(), before.end());
    visit.indexes.written.assign(world_.indexes.begin(), world_.indexes.end());
    journal_.keep(visit);
  }

  JournalId any_snapshot() {
    auto at = world_.snapshots.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(chance_() % world_.snapshots.size()));
    return at->first;
  }

  void change_tags() { world_.replace(any_snapshot(), false).tags = {"kept"}; }
  void rewrite() { world_.replace(any_snapshot(), true); }

  void copy() {
    SeenSnapshot& one = world_.back_up("elsewhere", "/srv");
    one.time -= static_cast<std::int64_t>(chance_() % (300 * kDay));
    one.figures->ended = one.time;
    one.original = world_.next_id();
  }

  // forget --undo, on this machine.
  void bring_back() {
    if (forgotten_.empty()) return;
    const SeenSnapshot one = forgotten_.front();
    forgotten_.clear();
    if (world_.snapshots.contains(one.id)) return;
    world_.snapshots.insert({one.id, one});
    Visit visit = world_.visit("forget");
    visit.snapshots.written = {one.id};
    journal_.keep(visit);
  }

  // This machine's clock goes wrong, a command is run, and the clock is set right.
  void set_clock() {
    const std::int64_t right = world_.now;
    world_.now -= 3 * kDay;
    journal_.keep(world_.visit());
    world_.now = right;
  }

  void visit_blindly() { journal_.keep({.time = world_.now, .config = world_.config}); }

  static Visit with_index(Visit visit) {
    visit.missing = SeenMissing();
    return visit;
  }

  SplitMix64 chance_;
  JournalWorld world_;
  Journal journal_;
  std::vector<SeenSnapshot> forgotten_;
};

TEST(JournalYear, NothingInnocentIsAnAlarm) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    Year year(seed);
    year.run(kDays);
    year.visit();
    for (const Finding& one : year.journal().to_look_at(keep_last(kKept))) {
      ADD_FAILURE() << "seed " << seed << ": " << headline_of(one) << ", day "
                    << (one.seen - testing::kNewYear) / kDay;
    }
  }
}

struct Attack {
  std::string expected;
  std::function<void(Year&)> strike;
};

std::vector<Attack> attacks() {
  const auto last_of = [](Year& year) { return year.world().of("host-db").back(); };
  return {
      {"vanished-despite-policy", [=](Year& year) { year.world().snapshots.erase(last_of(year)); }},
      {"vanished-despite-policy", [](Year& year) { year.world().snapshots.clear(); }},
      {"vanished-index", [](Year& year) { year.world().indexes.clear(); }},
      {"future-snapshot",
       [](Year& year) { year.world().back_up("host-db", "/srv/db").time += 400 * kDay; }},
      {"past-snapshot",
       [](Year& year) {
         SeenSnapshot& one = year.world().back_up("host-db", "/srv/db");
         one.time -= 30 * kDay;
         one.figures->ended = one.time;
       }},
      {"rolled-back",
       [](Year& year) {
         const JournalWorld earlier = year.world();
         year.run(7);
         year.visit();
         const std::int64_t now = year.world().now;
         year.world() = earlier;
         year.world().now = now + kHour;
       }},
      {"new-key", [](Year& year) { year.world().keys.insert(journal_id(1ULL << 60)); }},
      {"vanished-key", [](Year& year) { year.world().keys.clear(); }},
      {"replaced-config", [](Year& year) { year.world().config.hash = journal_id(1ULL << 61); }},
      {"empty-source",
       [](Year& year) { year.world().back_up("host-db", "/srv/db", {.files = 0}); }},
      {"fewer-files",
       [](Year& year) { year.world().back_up("host-db", "/srv/db", {.files = 400}); }},
      {"mostly-changed",
       [](Year& year) {
         year.world().back_up("host-db", "/srv/db", {.files = 1000, .files_changed = 990});
       }},
  };
}

TEST(JournalYear, EverythingGuiltyIsFoundOnAnyDay) {
  for (const Attack& attack : attacks()) {
    for (std::uint64_t seed = 1; seed <= 2; ++seed) {
      Year year(seed);
      year.run(60 + static_cast<int>(seed) * 50);
      year.visit();
      ASSERT_THAT(year.journal().kinds(keep_last(kKept)), IsEmpty());
      attack.strike(year);
      year.world().now += kHour;
      year.visit();
      EXPECT_THAT(year.journal().kinds(keep_last(kKept)), Contains(attack.expected))
          << "seed " << seed;
    }
  }
}

// So that a machine that is asked once a year still knows what happened in spring.
TEST(JournalYear, AYearOfVisitsTakesLittleRoom) {
  Year year(3);
  year.run(kDays);
  std::size_t bytes = 0;
  for (const JournalEntry& entry : year.journal().entries()) {
    bytes += write_journal_entry(entry).size();
  }
  EXPECT_LT(bytes, 2U << 20);
}

}  // namespace
}  // namespace restree
