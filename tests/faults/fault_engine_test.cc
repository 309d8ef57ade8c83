// Every command and the mount on a storage with faults, step by step, beside a model of what each snapshot must
// hold. A command either does what it should, or fails with a message, within its time; what it has printed
// or restored is never wrong; and no snapshot ever loses anything by it.
//
// A step is a call of the storage. RESTREE_FAULT_STEPS and RESTREE_FAULT_SEED ask for others than the test takes.
#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fs/mount.h"
#include "repo/base/log.h"
#include "tests/faults/faulty_storage.h"
#include "tests/faults/mounted_files.h"
#include "tests/support/files.h"
#include "tests/support/memory_repository.h"
#include "tests/support/process.h"
#include "tests/support/restree.h"
#include "tests/support/scale.h"
#include "tests/support/split_mix.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;
using Strings = std::vector<std::string>;
// The files of a folder, by their names.
using Files = std::map<std::string, std::string>;

constexpr unsigned kFiles = 12;
constexpr std::size_t kMostSnapshots = 8;

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::stoull(text);
}

Files files_in(const fs::path& folder) {
  Files files;
  if (!fs::exists(folder)) return files;
  for (const fs::path& file : files_below(folder)) files[file.filename()] = read_file(file);
  return files;
}

class FaultEngine : public ::testing::Test {
 protected:
  FaultEngine() {
    EXPECT_OK(log::open_file(log_file().string()));
    fs::create_directories(source());
    for (unsigned i = 0; i < kFiles; ++i) change_file(i);
    for (int i = 0; i < 3; ++i) back_up({});
  }
  fs::path source() const { return dir_.path() / "source"; }
  fs::path target() const { return dir_.path() / "target"; }
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  void change_file(std::uint64_t number) {
    write_file(source() / ("file" + std::to_string(number)),
               random_bytes(random_(), below(4) == 0 ? 700'000 : 10 + below(30'000)));
  }

  // --- What is in the storage, seen without faults ---

  std::set<std::string> snapshots() const { return names_of(FileType::kSnapshot); }
  std::set<std::string> names_of(FileType type) const {
    std::set<std::string> names;
    for (const ListedFile& file : value_of(files_->list(type, soon()))) names.insert(file.name);
    return names;
  }
  std::string any_snapshot() {
    auto at = model_.begin();
    std::advance(at, below(model_.size()));
    return at->first;
  }
  // nullopt: it is no snapshot, as its write was torn.
  std::optional<Files> content_of(const std::string& snapshot) {
    fs::remove_all(target());
    const Outcome done =
        runner_.run({"restore", snapshot, "--target", target().string(), "--no-lock"});
    if (done.code == ExitCode::kSuccess) return files_in(target());
    const auto repository =
        value_of(Repository::open(files_, Secret(std::string(kPassword)), "", soon()));
    if (repository->load_snapshot(*SnapshotId::parse(snapshot), soon())) {
      ADD_FAILURE() << snapshot << " cannot be restored: " << done.err;
    }
    return std::nullopt;
  }
  void expect_nothing_lost(const std::string& after) {
    for (const auto& [name, files] : model_) {
      EXPECT_EQ(content_of(name), files) << name << " after " << after;
      if (HasFailure()) return;
    }
  }

  // --- Commands ---

  struct Done {
    Outcome outcome;
    std::string words;
  };
  FaultyStorage::Faults faults(bool lies) {
    constexpr std::uint64_t kOneIn[] = {4, 10, 30, 100};
    return {.seed = random_(), .one_in = kOneIn[below(4)], .lies = lies};
  }
  // With faults; whatever comes of it, it takes no longer than a while, and says something if it fails.
  Done run(Strings words, bool lies = true) {
    Done done{.outcome = {}, .words = ::testing::PrintToString(words)};
    const bool is_audit = words.front() == "audit";
    faulty_->arm(faults(lies));
    const auto begin = steady_clock::now();
    done.outcome = runner_.run(std::move(words));
    const auto took = steady_clock::now() - begin;
    faulty_->disarm();
    ++commands_;
    if (done.outcome.code == ExitCode::kSuccess) ++successes_;
    EXPECT_LT(took, std::chrono::seconds(patient(60))) << done.words;
    // A storage that lies may look changed: that is no error of audit, which tells it where its table goes.
    if (is_audit && done.outcome.code == ExitCode::kIncomplete) {
      EXPECT_THAT(done.outcome.out, ::testing::HasSubstr("innocent"));
    } else if (done.outcome.code != ExitCode::kSuccess) {
      EXPECT_NE(done.outcome.err, "") << done.words << " fails without a word";
    }
    // Where the lock's removal met a fault; its process lives, so that nobody else may remove it.
    for (const std::string& lock : names_of(FileType::kLock)) {
      EXPECT_OK(files_->remove({FileType::kLock, lock}, soon()));
    }
    return done;
  }
  // New snapshots have this content; one that is torn goes, as it would by hand.
  void learn(const std::optional<Files>& content, const std::string& words) {
    for (const std::string& name : snapshots()) {
      if (model_.contains(name)) continue;
      std::optional<Files> found = content_of(name);
      if (!found) {
        EXPECT_OK(files_->remove({FileType::kSnapshot, name}, soon()));
        continue;
      }
      ASSERT_TRUE(content.has_value()) << words << " has made a snapshot";
      EXPECT_EQ(*found, *content) << words;
      model_[name] = std::move(*found);
    }
  }
  // Snapshots that are gone: only those that may be.
  void unlearn(const std::set<std::string>& may_go, const std::string& words) {
    const std::set<std::string> there = snapshots();
    for (auto at = model_.begin(); at != model_.end();) {
      const bool is_gone = !there.contains(at->first);
      EXPECT_TRUE(!is_gone || may_go.contains(at->first)) << words << " has removed " << at->first;
      at = is_gone ? model_.erase(at) : std::next(at);
    }
  }

  void back_up(const std::optional<FaultyStorage::Faults>& faults) {
    for (std::uint64_t i = 0; i < 1 + below(3); ++i) change_file(below(kFiles));
    const Strings words{"backup", "--tag", "app=test", source().string()};
    if (!faults) {
      EXPECT_EQ(runner_.run(words).code, ExitCode::kSuccess);
      return learn(files_in(source()), "backup");
    }
    const std::size_t before = model_.size();
    const Done done = run(words);
    learn(files_in(source()), done.words);
    if (done.outcome.code == ExitCode::kSuccess) {
      EXPECT_EQ(model_.size(), before + 1) << "a backup that was saved is there";
    }
  }
  void forget() {
    std::set<std::string> may_go;
    for (const auto& [name, files] : model_) may_go.insert(name);
    const Done done = run({"forget", "--keep-last", "3", "--max-remove", "100%"});
    unlearn(may_go, done.words);
    EXPECT_GE(model_.size(), 3U) << "three are kept";
  }
  // Replaces snapshots by others of the same content.
  void replace(const Strings& words, const std::string& snapshot) {
    const Files content = model_.at(snapshot);
    const Done done = run(words);
    const bool is_gone = !snapshots().contains(snapshot);
    const std::size_t before = model_.size();
    learn(content, done.words);
    if (is_gone) {
      EXPECT_GT(model_.size(), before)
          << done.words << " has removed one and put none in its place";
    }
    unlearn({snapshot}, done.words);
  }
  // What changes no snapshot.
  void change_nothing(const Strings& words, bool lies = true) {
    const Done done = run(words, lies);
    learn(std::nullopt, done.words);
    unlearn({}, done.words);
  }
  // What is printed with faults is what is printed without, unless something is said about it.
  void read(Strings words) {
    if (below(4) != 0) words.emplace_back("--no-lock");  // to take one takes a fifth of a second
    const Outcome right = runner_.run(words);
    const std::uintmax_t logged = fs::file_size(log_file());
    const Done done = run(words);
    const bool is_silent = done.outcome.err == right.err && fs::file_size(log_file()) == logged;
    if (done.outcome.code == ExitCode::kSuccess && is_silent) {
      EXPECT_EQ(done.outcome.out, right.out) << done.words;
    }
    unlearn({}, done.words);
  }
  fs::path log_file() const { return dir_.path() / "log"; }
  void restore(const std::string& snapshot) {
    fs::remove_all(target());
    const Done done = run({"restore", snapshot, "--target", target().string()});
    const Files found = files_in(target());
    const Files& right = model_.at(snapshot);
    EXPECT_TRUE(done.outcome.code != ExitCode::kSuccess || found == right) << done.words;
    for (const auto& [name, bytes] : found) {
      ASSERT_TRUE(right.contains(name)) << done.words;
      EXPECT_TRUE(bytes == right.at(name)) << done.words << ": wrong bytes in " << name;
    }
  }
  void salvage(const std::string& snapshot) {
    const fs::path into = dir_.path() / "salvaged";
    fs::remove_all(into);
    const Done done = run({"salvage", snapshot, "--target", into.string()});
    for (const auto& [name, bytes] : files_in(into)) {
      if (name.find(".lost.") != std::string::npos) continue;
      EXPECT_TRUE(bytes == model_.at(snapshot).at(name))
          << done.words << ": wrong bytes in " << name;
    }
    fs::remove_all(into);
  }
  // Reads through a mount with faults, and then without: what failed then must not stay so.
  void mount(const std::string& snapshot);

  void step();

  const std::uint64_t seed_ = setting("RESTREE_FAULT_SEED", 1);
  SplitMix64 random_{seed_};
  TempDir dir_;
  std::shared_ptr<MemoryStorage> files_ = std::make_shared<MemoryStorage>();
  RepositoryBuilder builder_{files_, 2};
  std::shared_ptr<FaultyStorage> faulty_ = std::make_shared<FaultyStorage>(files_);
  RestreeRunner runner_{faulty_};
  std::map<std::string, Files> model_;  // by the names of snapshots
  std::uint64_t commands_ = 0;
  std::uint64_t successes_ = 0;
};

void FaultEngine::mount(const std::string& snapshot) {
  const Files& right = model_.at(snapshot);
  faulty_->arm(faults(true));
  auto repository = Repository::open(faulty_, Secret(std::string(kPassword)), "", soon());
  if (!repository) return faulty_->disarm();
  auto mounted = Mount::open(**repository, {});
  if (!mounted) return faulty_->disarm();
  const auto look = [&](bool may_fail) {
    const auto top = top_of(**mounted, snapshot);
    const auto folder = top ? source_in(**mounted, *top, source()) : top;
    if (!folder) {
      EXPECT_TRUE(may_fail) << folder.error().message();
      return;
    }
    Names listed;
    const Status status = (*mounted)->list(*folder, 0, false, listed);
    EXPECT_TRUE(status || may_fail) << status.error().message();
    EXPECT_TRUE(!status || listed.names.size() == right.size());
    for (const auto& [name, bytes] : right) {
      const auto found = read_mounted(**mounted, *folder, name);
      EXPECT_TRUE(found || may_fail) << name << ": " << found.error().message();
      EXPECT_TRUE(!found || *found == bytes) << "wrong bytes in " << name;
    }
  };
  const auto look_quietly = [&] {
    const auto top = top_of(**mounted, snapshot);
    const auto folder = top ? source_in(**mounted, *top, source()) : top;
    return folder && std::ranges::all_of(right, [&](const auto& file) {
             return read_mounted(**mounted, *folder, file.first).has_value();
           });
  };
  look(true);
  (void)(*mounted)->refresh();
  look(true);
  faulty_->disarm();
  // A snapshot file or index that could not be read is tried again by the next refresh. Failures are
  // remembered for a moment, since the kernel asks again at once.
  EXPECT_OK((*mounted)->refresh());
  holds_within(std::chrono::seconds(patient(20)), [&] { return look_quietly(); });
  look(false);
  ++commands_;
}

void FaultEngine::step() {
  const std::string snapshot = any_snapshot();
  const std::string other = any_snapshot();
  const std::string file = (source() / ("file" + std::to_string(below(kFiles)))).string();
  const std::vector<std::function<void()>> all = {
      [&] { back_up(FaultyStorage::Faults{}); },
      [&] { back_up(FaultyStorage::Faults{}); },
      [&] { forget(); },
      [&] { change_nothing({"prune"}); },
      [&] {
        change_nothing({"prune", "--max-unused", "0"});
      },
      [&] {
        replace({"tag", "--add", "t" + std::to_string(below(1000)), snapshot}, snapshot);
      },
      [&] {
        replace({"rewrite", "--forget", "--new-host", "h" + std::to_string(below(1000)), snapshot},
                snapshot);
      },
      // These two would believe a lie, and put right what is right.
      [&] {
        change_nothing({"repair", "index"}, false);
      },
      [&] {
        change_nothing({"repair", "snapshots", "--forget"}, false);
      },
      [&] { change_nothing({"check"}); },
      [&] {
        change_nothing({"check", "--read-data"});
      },
      [&] { change_nothing({"unlock"}); },
      [&] { change_nothing({"audit"}); },
      [&] {
        change_nothing({"cat", "config"});
      },
      [&] {
        read({"snapshots", "--json"});
      },
      [&] {
        read({"ls", snapshot});
      },
      [&] {
        read({"find", "file1*"});
      },
      [&] {
        read({"stats", "--mode", "raw-data"});
      },
      [&] {
        read({"dump", snapshot, file});
      },
      [&] {
        read({"diff", snapshot, other});
      },
      [&] {
        read({"list", "packs"});
      },
      [&] {
        read({"cat", "snapshot", snapshot});
      },
      [&] { restore(snapshot); },
      [&] { restore(snapshot); },
      [&] { salvage(snapshot); },
      [&] { mount(snapshot); },
      [&] { mount(snapshot); },
  };
  all[below(all.size())]();
}

TEST_F(FaultEngine, EveryCommandIsRightOrSaysThatItIsNotAndLosesNothing) {
  const std::uint64_t steps = setting("RESTREE_FAULT_STEPS", scaled(10'000, 500));
  std::cout << "the faults are those of RESTREE_FAULT_SEED=" << seed_ << std::endl;
  for (std::uint64_t round = 0; faulty_->calls() < steps && !HasFailure(); ++round) {
    step();
    if (model_.size() > kMostSnapshots) forget();
    if (round % 20 == 19) expect_nothing_lost("round " + std::to_string(round));
  }
  expect_nothing_lost("all");
  // Torn writes leave index files and packs that cannot be read: `repair index` and `prune` remove them.
  EXPECT_EQ(runner_.run({"repair", "index"}).code, ExitCode::kSuccess);
  EXPECT_EQ(runner_.run({"prune"}).code, ExitCode::kSuccess);
  const Outcome checked = runner_.run({"check", "--read-data"});
  EXPECT_EQ(checked.code, ExitCode::kSuccess) << checked.err;
  expect_nothing_lost("repair and prune");
  EXPECT_GT(successes_, commands_ / 20);
  EXPECT_LT(successes_, commands_);
  std::cout << faulty_->calls() << " calls of the storage, of which " << faulty_->met()
            << " met a fault; " << commands_ << " commands, of which " << successes_
            << " succeeded all the same" << std::endl;
}

}  // namespace
}  // namespace restree::testing
