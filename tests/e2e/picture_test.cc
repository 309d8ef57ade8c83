// A provider's pictures of the storage, taken while a program is at work: mounted where nothing can be written,
// and brought back.
//
// The program is stopped while its repository is copied, so that the copy is what a snapshot of the file system
// would be: all of one moment, with half-written files under their temporary names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/fidelity.h"
#include "tests/support/files.h"
#include "tests/support/mounted.h"
#include "tests/support/programs.h"
#include "tests/support/repository_files.h"
#include "tests/support/restic.h"
#include "tests/support/restree_program.h"
#include "tests/support/scale.h"
#include "tests/support/split_mix.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;
using Strings = std::vector<std::string>;

// Mounted over itself so that nobody can write there, not even root.
class ReadOnlyFolder {
 public:
  explicit ReadOnlyFolder(const fs::path& folder) : folder_(folder) {
    bind(0);
    bind(MS_REMOUNT | MS_RDONLY);
  }
  ReadOnlyFolder(const ReadOnlyFolder&) = delete;
  ReadOnlyFolder& operator=(const ReadOnlyFolder&) = delete;
  ~ReadOnlyFolder() { ::umount2(folder_.c_str(), MNT_DETACH); }

 private:
  void bind(unsigned long flags) const {
    if (::mount(folder_.c_str(), folder_.c_str(), nullptr, MS_BIND | flags, nullptr) != 0) {
      throw std::system_error(errno, std::system_category(), "mount " + folder_.string());
    }
  }
  const fs::path folder_;
};

// What is under way when the picture is taken.
struct Work {
  std::string name;
  // Starts it, where a program of that name is to do it.
  std::function<Process(const Restic&, const fs::path& source)> start;
};
std::ostream& operator<<(std::ostream& out, const Work& work) { return out << work.name; }

std::vector<Work> all_works() {
  const auto restree = [](Strings words) {
    return [words](const Restic& restic, const fs::path& source) {
      Strings all = words;
      if (all.front() == "backup") all.push_back(source.string());
      return RestreeProgram(restic).start(std::move(all));
    };
  };
  const auto restic = [](Strings words) {
    return [words](const Restic& program, const fs::path& source) {
      Strings all = words;
      if (all.front() == "backup") all.push_back(source.string());
      return program.start(std::move(all));
    };
  };
  return {{"BackupByRestree", restree({"backup"})},
          {"ForgetByRestree", restree({"forget", "--keep-last", "1", "--max-remove", "100%"})},
          {"PruneByRestree", restree({"prune", "--max-unused", "0"})},
          {"BackupByRestic", restic({"backup"})},
          {"PruneByRestic", restic({"prune", "--max-unused", "0"})}};
}

class PictureOf : public ::testing::TestWithParam<Work> {
 protected:
  PictureOf() {
    restic_.init();
    for (int i = 0; i < 4; ++i) save();
    restic_.forget(saved_.begin()->first);
    saved_.erase(saved_.begin());
    change_source();
  }

  fs::path source() const { return dir_.path() / "source"; }
  fs::path home(const std::string& name) const { return dir_.path() / name; }
  void change_source() {
    fs::create_directories(source());
    for (int i = 0; i < 6; ++i) {
      write_random_file(source() / std::to_string(random_() % 24), random_(),
                        100'000 + random_() % 900'000);
    }
  }
  // By one program or the other; what the snapshot holds is kept beside it.
  void save() {
    change_source();
    const std::string id = saved_.size() % 2 == 0
                               ? restic_.backup({source().string()})
                               : RestreeProgram(restic_).backup({source().string()});
    const fs::path copy = dir_.path() / ("as-saved-" + id);
    run_ok({.argv = {"cp", "-a", source().string(), copy.string()}});
    saved_[id] = copy;
  }
  // The repository as it was at one moment of the work, of which `part` had passed.
  void take_picture(const std::string& name, std::chrono::microseconds after) const {
    const Restic during(home(name + "-during"));
    fs::copy(home("home"), home(name + "-during"), fs::copy_options::recursive);
    Process work = GetParam().start(during, source());
    std::this_thread::sleep_for(after);
    work.signal(SIGSTOP);
    fs::copy(home(name + "-during"), home(name), fs::copy_options::recursive);
    work.signal(SIGCONT);
    const Finished finished = work.wait(std::chrono::seconds(patient(120)));
    EXPECT_TRUE(finished.ok()) << finished.report();
    fs::remove_all(home(name + "-during"));
  }
  std::chrono::microseconds time_of_work() const {
    fs::copy(home("home"), home("timed"), fs::copy_options::recursive);
    const auto begin = steady_clock::now();
    GetParam().start(Restic(home("timed")), source()).wait(std::chrono::seconds(patient(120)));
    const auto time = steady_clock::now() - begin;
    fs::remove_all(home("timed"));
    return std::chrono::duration_cast<std::chrono::microseconds>(time);
  }
  // The snapshots that the picture has, of those that are known.
  Strings known_in(const Restic& picture) const {
    Strings ids;
    for (const fs::path& file : stored_in(picture.repository(), "snapshots")) {
      const std::string id = file.filename().string().substr(0, 8);
      if (saved_.contains(id)) ids.push_back(id);
    }
    return ids;
  }
  // Each snapshot is there with all that it held.
  void expect_mount_shows_all(const Restic& picture) const {
    const ReadOnlyFolder read_only(picture.repository());
    Mounted mounted(picture);
    const std::vector<fs::path> files = stored_in(picture.repository(), "snapshots");
    EXPECT_EQ(names_in(mounted / "ids").size(), files.size());
    for (const std::string& id : known_in(picture)) {
      EXPECT_EQ(differences(mounted / "ids" / id / source().relative_path(), saved_.at(id)), "")
          << id;
    }
    mounted.unmount();
  }
  static void expect_ok(const Finished& finished) {
    EXPECT_TRUE(finished.ok()) << finished.report();
  }
  // What is left over from what was under way hinders nobody, and goes in time. Of restic's lock only
  // people know that nobody holds it.
  void expect_work_goes_on(const Restic& picture) const {
    const RestreeProgram restree(picture);
    expect_ok(restree.run({"check", "--no-lock", "--read-data"}));
    expect_ok(restree.run({"unlock"}));
    const std::string id = restree.backup({source().string()});
    expect_ok(restree.run({"prune", "--max-unused", "0"}));
    expect_ok(restree.run({"check", "--read-data"}));
    picture.run_ok({"check", "--read-data"});
    const fs::path target = picture.repository().parent_path() / "restored";
    picture.restore(id, target);
    EXPECT_EQ(differences(target / source().relative_path(), source()), "");
  }

  SplitMix64 random_{1};
  TempDir dir_;
  const Restic restic_{home("home")};
  std::map<std::string, fs::path> saved_;  // a copy of what each snapshot holds, by its id
};

TEST_P(PictureOf, HasAllOfItsSnapshotsAndCanBeBroughtBack) {
  const std::chrono::microseconds time = time_of_work();
  const std::uint64_t count = scaled(4, 1);
  for (std::uint64_t i = 0; i < count; ++i) {
    // Most of the time is the key's derivation, and what is written comes behind it.
    const auto after = time / 4 + time * (random_() % 1000) / 1300;
    SCOPED_TRACE(std::to_string(after.count()) + " of " + std::to_string(time.count()) + " us");
    const std::string name = "picture" + std::to_string(i);
    take_picture(name, after);
    const Restic picture(home(name));
    expect_mount_shows_all(picture);
    expect_work_goes_on(picture);
    if (HasFailure()) return;
    fs::remove_all(home(name));
  }
}

INSTANTIATE_TEST_SUITE_P(Any, PictureOf, ::testing::ValuesIn(all_works()),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace restree::testing
