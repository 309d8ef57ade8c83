// .restree/problems of a mount and `restree problems`: what was met damaged, with app and path.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/mounted.h"
#include "tests/support/process.h"
#include "tests/support/programs.h"
#include "tests/support/repository_files.h"
#include "tests/support/restic.h"
#include "tests/support/restree_program.h"
#include "tests/support/scale.h"
#include "tests/support/status_fields.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Strings = std::vector<std::string>;

class ProblemsOfMount : public ::testing::Test {
 protected:
  ProblemsOfMount() {
    restic_.init();
    fs::create_directories(source());
    write_file(source() / "good", "good");
    id_ = restic_.backup({"--tag", "app=wiki", source().string()});
    write_random_file(source() / "bad file", 1, 200'000);
    restic_.run_ok({"backup", "--tag", "app=wiki", source().string()});
    mounted_ = std::make_unique<Mounted>(restic_, Strings{"refresh=1"});
  }
  fs::path source() const { return dir_.path() / "source"; }
  fs::path list() const { return *mounted_ / ".restree/problems"; }
  fs::path shown(const std::string& name) const { return *mounted_ / "apps/wiki/latest" / name; }
  Finished problems(Strings words = {}) const {
    words.insert(words.begin(), {"problems", mounted_->path().string()});
    return RestreeProgram(restic_).run(std::move(words));
  }
  // Of the file's only chunk, which is in the largest pack.
  void damage() const {
    fs::path largest;
    for (const fs::path& pack : stored_in(restic_.repository(), "data")) {
      if (largest.empty() || fs::file_size(pack) > fs::file_size(largest)) largest = pack;
    }
    fs::permissions(largest, fs::perms::owner_write, fs::perm_options::add);
    flip_byte(largest, 1000);
  }
  bool lists_within(const std::string& words, bool is_there = true) const {
    return holds_within(std::chrono::seconds(patient(60)), [&] {
      return (read_file(list()).find(words) != std::string::npos) == is_there;
    });
  }

  TempDir dir_;
  Restic restic_{dir_.path() / "home"};
  std::string id_;  // of the snapshot before the file
  std::unique_ptr<Mounted> mounted_;
};

TEST_F(ProblemsOfMount, AreNamedByAppSnapshotAndPathOnceSomebodyHasMetThem) {
  EXPECT_EQ(read_file(list()), R"({"message_type":"summary","problems":0,"files":0,"apps":{}})"
                               "\n");
  const Finished before = problems();
  EXPECT_TRUE(before.ok()) << before.report();
  EXPECT_THAT(before.out, HasSubstr("nothing that was read was damaged"));

  damage();
  EXPECT_EQ(errno_of_reading(shown("bad file")), EIO);
  EXPECT_EQ(errno_of_reading(shown("good")), 0);
  const std::string text = read_file(list());
  EXPECT_THAT(text,
              StartsWith(R"({"message_type":"summary","problems":1,"files":0,"apps":{"wiki":1}})"));
  EXPECT_THAT(text, AllOf(HasSubstr(R"("path":")" + (source() / "bad file").string() + '"'),
                          Not(HasSubstr("good"))));
  EXPECT_EQ(status_fields(read_file(*mounted_ / ".restree/status")).at("problems"), "1");

  const Finished after = problems();
  EXPECT_EQ(after.exit_code, 3) << after.report();
  EXPECT_THAT(after.out, AllOf(HasSubstr("1 problem\n"), HasSubstr("wiki, snapshot "),
                               HasSubstr((source() / "bad file").string() + ": ")));
  EXPECT_THAT(after.err, HasSubstr("restree repair --plan"));
  const Finished json = problems({"--json"});
  EXPECT_EQ(json.exit_code, 3) << json.report();
  EXPECT_THAT(json.out, AllOf(StartsWith(R"({"message_type":"mount","mount":")"),
                              HasSubstr(R"("app":"wiki")")));
}

TEST_F(ProblemsOfMount, NameFilesOfTheRepositoryForAsLongAsTheyCannotBeRead) {
  const fs::path stray = restic_.repository() / "snapshots" / std::string(64, 'a');
  write_file(stray, "no snapshot");
  EXPECT_TRUE(lists_within("snapshots/" + std::string(64, 'a')));
  const fs::path index = restic_.repository() / "index" / std::string(64, 'b');
  write_file(index, "no index");
  EXPECT_TRUE(lists_within("index/" + std::string(64, 'b')));
  const Finished two = problems();
  EXPECT_EQ(two.exit_code, 3) << two.report();
  EXPECT_THAT(two.out, HasSubstr("2 problems\n"));
  fs::remove(stray);
  fs::remove(index);
  EXPECT_TRUE(lists_within("snapshots/", false));
  EXPECT_TRUE(lists_within("index/", false));
  EXPECT_TRUE(problems().ok());
}

// Other programs may have mounts here, too, whose answers are not known.
TEST_F(ProblemsOfMount, AreFoundWithoutNamingTheMount) {
  damage();
  EXPECT_EQ(errno_of_reading(shown("bad file")), EIO);
  const Finished all = RestreeProgram(restic_).run({"problems"});
  EXPECT_THAT(all.out, HasSubstr(mounted_->path().string() + ": 1 problem\n"));
}

TEST_F(ProblemsOfMount, OfAFolderThatIsNoMountAreAMistake) {
  const Finished other = RestreeProgram(restic_).run({"problems", source().string()});
  EXPECT_EQ(other.exit_code, 1) << other.report();
  EXPECT_THAT(other.err, HasSubstr("not where restreefs has mounted"));
}

TEST_F(ProblemsOfMount, OfAStoppedMountAreNotWaitedForForEver) {
  if (programs_are_sanitized()) GTEST_SKIP() << "LeakSanitizer waits for the thread that hangs";
  mounted_->signal(SIGSTOP);
  const Finished stopped = problems();
  mounted_->signal(SIGCONT);
  EXPECT_EQ(stopped.exit_code, 1) << stopped.report();
  EXPECT_THAT(stopped.err, HasSubstr("has not answered within 10 seconds"));
}

}  // namespace
}  // namespace restree::testing
