// `restree mount` with templates of paths and times, beside `restic mount` with the same words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <set>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/mounted.h"
#include "tests/support/restic.h"
#include "tests/support/restics.h"
#include "tests/support/restree_program.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;

// A mount in the foreground, by either program. The destructor ends it.
class Foreground {
 public:
  Foreground(Process process, fs::path mount_point)
      : process_(std::move(process)), mount_point_(std::move(mount_point)) {
    const bool is_there = holds_within(std::chrono::seconds(60), [&] {
      return !process_.running() || !mount_line(mount_point_).empty();
    });
    if (!is_there || !process_.running()) {
      throw std::runtime_error(process_.wait(std::chrono::seconds(1)).report());
    }
  }
  Foreground(const Foreground&) = delete;
  Foreground& operator=(const Foreground&) = delete;
  ~Foreground() {
    const Finished unmounted = run({.argv = {"fusermount3", "-u", mount_point_.string()}});
    EXPECT_TRUE(unmounted.ok()) << unmounted.report();
    if (!unmounted.ok()) ::umount2(mount_point_.c_str(), MNT_DETACH);
    const Finished ended = process_.wait(std::chrono::seconds(60));
    EXPECT_TRUE(ended.ok()) << ended.report();
  }

 private:
  Process process_;
  fs::path mount_point_;
};

class PathTemplates : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    fs::create_directories(source_);
    write_file(source_ / "page", "wiki");
    fs::create_directory(mount_point_);
    restic_.init();
  }
  void back_up(std::vector<std::string> words) {
    words.push_back(source_.string());
    restic_.backup(std::move(words));
  }

  // Every folder above the snapshots, every snapshot, and every link with its target.
  std::set<std::string> shown() const {
    std::set<std::string> paths;
    collect(mount_point_, paths);
    return paths;
  }
  std::set<std::string> shown_by_restic(std::vector<std::string> words) const {
    words.insert(words.begin(), {"mount", "--no-lock", mount_point_.string()});
    const Foreground mount(restic_.start(words), mount_point_);
    return shown();
  }
  std::set<std::string> shown_by_restree(std::vector<std::string> words) const {
    words.insert(words.begin(), {"mount", "--no-lock", mount_point_.string()});
    const Foreground mount(RestreeProgram(restic_).start(words), mount_point_);
    return shown();
  }

  TempDir dir_;
  fs::path source_ = dir_.path() / "source";
  fs::path mount_point_ = dir_.path() / "mount";
  Restic restic_{dir_.path() / "home", GetParam()};

 private:
  void collect(const fs::path& folder, std::set<std::string>& paths) const {
    const std::string top = source_.relative_path().begin()->string();  // of what a snapshot shows
    for (const std::string& name : names_in(folder)) {
      const fs::path path = folder / name;
      const std::string shown = path.lexically_relative(mount_point_).string();
      if (fs::is_symlink(path)) {
        paths.insert(shown + " -> " + fs::read_symlink(path).string());
        continue;
      }
      paths.insert(shown);
      const bool is_snapshot = fs::exists(path / top) || fs::exists(path / "page");
      if (!is_snapshot) collect(path, paths);
    }
  }
};

std::set<std::string> without_apps(std::set<std::string> paths) {
  std::erase_if(paths, [](const std::string& path) { return path.starts_with("apps"); });
  return paths;
}

TEST_P(PathTemplates, ShowWhatResticShows) {
  back_up({"--time", "2026-09-01 03:00:05", "--host", "nas", "--tag", "a", "--tag", "b"});
  back_up({"--time", "2026-09-01 15:00:05", "--host", "nas", "--tag", "b"});
  back_up({"--time", "2026-10-11 15:00:05", "--host", "desk"});
  const std::vector<std::string> words{"--path-template", "by/host/%h/%T",
                                       "--path-template", "u/%u/%i",
                                       "--path-template", "tags/%t/%T",
                                       "--path-template", "long/%I",
                                       "--path-template", "mixed/%h-%T-x%%y%z",
                                       "--path-template", "pairs/%t+%t/%T",
                                       "--path-template", "days/%T",
                                       "--time-template", "Mon 2006-Jan-_2, 3.04.05 PM MST"};
  const std::set<std::string> by_restree = shown_by_restree(words);
  EXPECT_THAT(by_restree, IsSupersetOf({"apps", "by/host/nas/Tue 2026-Sep- 1, 3.00.05 AM UTC",
                                        "days/latest -> Sun 2026-Oct-11, 3.00.05 PM UTC",
                                        "mixed/desk-Sun 2026-Oct-11, 3.00.05 PM UTC-x%25yz"}));
  std::set<std::string> by_restic;
  for (std::string path : shown_by_restic(words)) {
    // A percent sign in a name is escaped here.
    if (const auto percent = path.find('%'); percent != std::string::npos) {
      path.replace(percent, 1, "%25");
    }
    by_restic.insert(std::move(path));
  }
  EXPECT_THAT(without_apps(by_restree), ElementsAreArray(by_restic));
}

TEST_P(PathTemplates, HaveTheirFoldersWithoutSnapshots) {
  const std::vector<std::string> words{"--path-template", "a/b/%h/%T", "--path-template", "%i"};
  EXPECT_THAT(without_apps(shown_by_restree(words)), ElementsAreArray(shown_by_restic(words)));
}

TEST_P(PathTemplates, KeepHostileNamesInTheirFolders) {
  back_up({"--time", "2026-09-01 03:00:05", "--host", "../x", "--tag", "..", "--tag", "app=w"});
  back_up({"--time", "2026-09-02 03:00:05", "--host", "apps", "--tag", "a/b", "--tag", "app=w"});
  const std::set<std::string> paths =
      shown_by_restree({"--path-template", "%h/%T", "--path-template", "%t/%T"});
  EXPECT_THAT(paths,
              IsSupersetOf(
                  {"..%2Fx/latest -> 2026-09-01T03-00-05Z", "%2E%2E/latest -> 2026-09-01T03-00-05Z",
                   "%apps/latest -> 2026-09-02T03-00-05Z", "a%2Fb/latest -> 2026-09-02T03-00-05Z",
                   "apps/w/latest -> 2026-09-02T03-00-05Z"}));
}

// restic shows nothing for such a template.
TEST_P(PathTemplates, MayPutSnapshotsIntoTheRoot) {
  back_up({"--time", "2026-09-01 03:00:05"});
  Foreground mount(RestreeProgram(restic_).start(
                       {"mount", "--no-lock", mount_point_.string(), "--path-template", "%T"}),
                   mount_point_);
  EXPECT_THAT(names_in(mount_point_), ElementsAre("2026-09-01T03-00-05Z", "apps", "latest"));
  const std::string whole = source_.relative_path().string();
  EXPECT_EQ(read_file(mount_point_ / "latest" / whole / "page"), "wiki");
}

TEST_P(PathTemplates, ThatCannotBeAreRefusedBeforeAnythingIsMounted) {
  struct Refused {
    std::vector<std::string> words;
    std::string says;
  };
  for (const Refused& refused :
       {Refused{{"--path-template", ""}, "cannot be empty"},
        Refused{{"--path-template", "/%i"}, "start or end with '/'"},
        Refused{{"--path-template", "../%i"}, "must not contain '..'"},
        Refused{{"--time-template", ""}, "cannot be empty"},
        Refused{{"--time-template", "2006/"}, "start or end with '/'"},
        Refused{{"--time-template", "15.04.05.000"}, ".000"},
        Refused{{"--time-template", "%Y"}, "no word for a part of a time"}}) {
    std::vector<std::string> words = refused.words;
    words.insert(words.begin(), {"mount", mount_point_.string()});
    const Finished ended = RestreeProgram(restic_).run(words);
    EXPECT_EQ(ended.exit_code, 1) << ended.report();
    EXPECT_THAT(ended.err, HasSubstr(refused.says));
  }
}

INSTANTIATE_TEST_SUITE_P(Restic, PathTemplates, ::testing::ValuesIn(all_restics()), restic_name);

}  // namespace
}  // namespace restree::testing
