#include "tests/soak/soak.h"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <sstream>
#include <system_error>
#include <thread>

#include "tests/soak/source_folder.h"
#include "tests/support/files.h"
#include "tests/support/programs.h"
#include "tests/support/repository_files.h"
#include "tests/support/scale.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

constexpr unsigned kReaders = 6;
constexpr std::size_t kSnapshots = 6;  // that are kept
// What a read waits for at most, and so about how long a server is missed before it counts as away.
constexpr int kTimeout = 20;

// Longer than anything takes that is not stuck.
seconds patience() { return seconds(patient(600)); }

// Where the programs keep their caches.
fs::path cache_of(const Restic& restic) { return restic.repository().parent_path() / "cache"; }

}  // namespace

Soak::Soak(std::uint64_t seed, const fs::path& curve, std::chrono::milliseconds every)
    : random_(seed), fault_random_(seed + 1) {
  fs::create_directories(source_);
  make_source_folder(source_, random_);
  restic_.init();
  back_up();
  mount(SshTransport::kBuiltIn);
  mount(SshTransport::kCommand);
  faults_ = std::make_unique<Faults>(Victims{.server = sshd_,
                                             .line = line_,
                                             .cache = cache_of(restic_) / "restree",
                                             .mounts = mounts_,
                                             .readings = counts_.readings});
  const fs::path into = curve.empty() ? dir_.path() / "curve" : curve;
  watch_ = std::make_unique<Watch>(into, every, mounts_, counts_);
}

fs::path Soak::shown(const Mounted& mounted, const std::string& id) const {
  return mounted / "ids" / id / source_.relative_path();
}

void Soak::mount(SshTransport transport) {
  MountRequest request =
      mount_over_ssh(restic_, sshd_, transport,
                     {"memory=16M", "cache_size=8M", "cache_min_free=1M", "refresh=1",
                      "timeout=" + std::to_string(patient(kTimeout))});
  request.location = sshd_.location_behind(line_.port(), restic_.repository());
  request.cache = cache_of(restic_);
  mounts_.push_back(std::make_unique<Mounted>(request));
}

void Soak::judge(const Reading& reading, const std::string& how, bool may_fail) {
  ++counts_.readings;
  counts_.bytes += reading.bytes;
  if (!reading.wrong.empty()) found("WRONG, " + how + ": " + reading.wrong);
  if (reading.error.empty()) return;
  ++counts_.excused;
  if (!may_fail) found("failed without a fault, " + how + ": " + reading.error);
}

void Soak::read_until(const std::atomic<bool>& done, std::uint64_t seed) {
  SplitMix64 random(seed);
  try {
    while (!done) {
      const auto& mounted = *mounts_[random() % mounts_.size()];
      const Reader& reader = readers()[random() % readers().size()];
      const auto begin = faults_->now();
      const SavedSnapshotPointer snapshot = snapshots_.any(random);
      const fs::path root = shown(mounted, snapshot->id);
      const Reading reading = reader.read(root, *snapshot->manifest, random);
      judge(reading, reader.name, snapshot->going || faults_->excuse_since(begin));
    }
  } catch (const std::exception& failure) {
    found(std::string("a reader ended: ") + failure.what());
  }
}

void Soak::back_up() {
  const auto begin = faults_ ? faults_->now() : Faults::Moment();
  auto manifest = std::make_shared<const Manifest>(take_manifest(source_));
  std::optional<std::string> by_restree;
  std::jthread other([&] {
    try {
      by_restree = restree_.backup({"--tag", "app=restree", source_.string()});
    } catch (const std::exception& failure) {
      if (!faults_ || !faults_->excuse_since(begin)) found(failure.what());
    }
  });
  const std::string by_restic = restic_.backup({"--tag", "app=restic", source_.string()});
  other.join();
  // One that could not reach its server any more could not remove its lock either.
  if (!by_restree) locks_are_left_ = true;
  wait_until_shown(by_restic, true);
  snapshots_.add(by_restic, manifest);
  ++counts_.backups;
  if (by_restree) {
    wait_until_shown(*by_restree, true);
    snapshots_.add(*by_restree, manifest);
    ++counts_.backups;
  }
  counts_.snapshots = snapshots_.all().size();
}

// Wherever it is met: what it leaves must not hinder anybody.
void Soak::interrupt_a_backup() {
  const auto begin = faults_->now();
  Process backup = restree_.start({"backup", "--tag", "app=restree", source_.string()});
  const auto time = std::chrono::milliseconds(random_() % 1000);
  holds_within(time, [&] { return !backup.running(); });
  const bool is_killed = random_() % 2 == 0;
  backup.signal(is_killed ? SIGKILL : SIGINT);
  const Finished finished = backup.wait(patience());
  if (finished.timed_out) found("an interrupted backup does not end");
  if (is_killed || faults_->excuse_since(begin)) locks_are_left_ = true;
}

// A command that needs the repository for itself removes the locks of programs that have ended.
void Soak::take_over_locks() {
  if (!locks_are_left_) return;
  const Finished finished = restree_here_.run({"tag", "--remove", "a tag that none has"});
  if (!finished.ok()) found("locks of dead programs are not removed: " + finished.report());
}

void Soak::wait_until_shown(const std::string& id, bool is_shown) {
  for (const auto& mounted : mounts_) {
    const bool is = holds_within(patience(), [&] {
      std::error_code ignored;
      return fs::exists(*mounted / "ids" / id, ignored) == is_shown;
    });
    if (!is)
      found(id + (is_shown ? " never appears in " : " never goes from ") +
            mounted->path().string());
  }
}

// Those of interrupted backups that were done already.
std::vector<std::string> Soak::unknown_snapshots() const {
  std::vector<std::string> unknown;
  for (const auto& file : stored_in(restic_.repository(), "snapshots")) {
    const std::string id = file.filename().string().substr(0, 8);
    const auto all = snapshots_.all();
    const auto has_id = [&](const SavedSnapshotPointer& snapshot) { return snapshot->id == id; };
    if (std::none_of(all.begin(), all.end(), has_id)) unknown.push_back(id);
  }
  return unknown;
}

void Soak::forget_some() {
  const std::size_t count = snapshots_.all().size();
  if (count <= kSnapshots) return;
  take_over_locks();
  snapshots_.take_away(count - kSnapshots, random_);
  counts_.snapshots = snapshots_.all().size();
  const std::vector<std::string> ids = unknown_snapshots();
  std::vector<std::string> words = {"forget"};
  words.insert(words.end(), ids.begin(), ids.end());
  restic_.run_ok(words);
  // Everything is packed anew, or only what has little left in it.
  restic_.run_ok({"prune", "--max-unused", random_() % 2 == 0 ? "0" : "30%"});
  ++counts_.prunes;
  for (const std::string& id : ids) wait_until_shown(id, false);
}

void Soak::wait_for_readings(std::uint64_t number) {
  const bool there = holds_within(patience(), [&] { return counts_.readings >= number; });
  if (!there) found("the readers do not get on: " + std::to_string(counts_.readings) + " readings");
}

// Each fault comes when the readers have got on since the one before.
void Soak::strike(const RoundPlan& plan, std::uint64_t begin) {
  std::uint64_t next = begin;
  try {
    for (const Fault fault : plan.faults) {
      next = std::max<std::uint64_t>(next, counts_.readings) +
             plan.readings / (plan.faults.size() + 1);
      wait_for_readings(next);
      const std::string complaint = faults_->strike(fault, fault_random_);
      if (!complaint.empty()) found(complaint);
      ++counts_.faults;
    }
  } catch (const std::exception& failure) {
    found(failure.what());
  }
}

void Soak::round(const RoundPlan& plan) {
  const std::uint64_t begin = counts_.readings;
  std::atomic<bool> done = false;
  std::vector<std::jthread> readers;
  for (unsigned i = 0; i < kReaders; ++i) {
    readers.emplace_back([this, &done, seed = random_()] { read_until(done, seed); });
  }
  try {
    const std::jthread striker([&] { strike(plan, begin); });
    change_source_folder(source_, random_);
    interrupt_a_backup();
    back_up();
    forget_some();
  } catch (const std::exception& failure) {
    found(failure.what());
  }
  wait_for_readings(begin + plan.readings);
  done = true;
  readers.clear();
  try {
    come_to_rest(plan.second_half);
  } catch (const std::exception& failure) {
    found(failure.what());
  }
}

// Nobody reads, nothing is broken: now all of it has to be there, and nothing else.
void Soak::come_to_rest(bool second_half) {
  read_newest();
  take_over_locks();
  locks_are_left_ = false;
  expect_no_locks();
  const std::string complaint = watch_->rest(second_half);
  if (!complaint.empty()) found(complaint);
}

void Soak::read_newest() {
  const auto all = snapshots_.all();
  for (const auto& mounted : mounts_) {
    judge(read_all(shown(*mounted, all.back()->id), *all.back()->manifest), "after a round", false);
  }
}

void Soak::expect_no_locks() {
  for (const auto& lock : stored_in(restic_.repository(), "locks")) {
    found("a lock is left: " + lock.string());
  }
}

// Writes that were cut off leave files that the next backup removes once they are old; one over a line
// looks at a part of the folders each time.
void Soak::expect_no_strays() {
  for (const auto& stray : strays_in(restic_.repository())) {
    fs::last_write_time(restic_.repository() / stray,
                        fs::file_time_type::clock::now() - std::chrono::hours(24));
  }
  restree_here_.backup({source_.string()});
  for (const auto& stray : strays_in(restic_.repository())) {
    found("a temporary file is left: " + stray.string());
  }
  // Names in the cache that belong to a process, or to a file that was not finished.
  for (const auto& path : files_below(cache_of(restic_))) {
    const std::string name = path.filename();
    if (path.extension() == ".new" || name.find('.') != std::string::npos) {
      if (name != "CACHEDIR.TAG") found("a temporary file is left: " + path.string());
    }
  }
}

void Soak::finish() {
  for (const auto& mounted : mounts_) {
    for (const auto& snapshot : snapshots_.all()) {
      judge(read_all(shown(*mounted, snapshot->id), *snapshot->manifest), "at the end", false);
    }
    constexpr std::uint64_t kMemory = 16 * kMiB;  // as mount() asks for
    const std::uint64_t peak = status_number(*mounted, "memory_peak_bytes");
    if (peak > kMemory + 100 * kMiB && !programs_are_sanitized())
      found("memory_peak_bytes is " + std::to_string(peak));
  }
  watch_.reset();
  for (const auto& mounted : mounts_) mounted->unmount();
  expect_no_locks();
  expect_no_strays();
  restic_.check();
}

std::string Soak::summary() const {
  std::ostringstream text;
  text << counts_.readings << " readings of " << counts_.bytes / kMiB << " MiB, " << counts_.excused
       << " of them failed during a fault; " << counts_.backups << " backups, " << counts_.prunes
       << " prunes;";
  for (const auto& [name, count] : faults_->counts()) text << ' ' << count << ' ' << name << ';';
  return text.str();
}

}  // namespace restree::testing
