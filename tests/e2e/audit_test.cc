// What restic, a provider and an intruder do to a repository, and what restree audit says of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <array>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/mounted.h"
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
using Strings = std::vector<std::string>;

constexpr int kFound = 3;

class Audit : public ::testing::Test {
 protected:
  Audit() {
    restic_.init();
    fs::create_directory(app());
    for (const char* day : {"01", "02", "03"}) {
      ids_.push_back(back_up({"--time", "2020-01-" + std::string(day) + " 03:00:00"}));
    }
    EXPECT_TRUE(audit().ok());
  }
  fs::path app() const { return dir_.path() / "app"; }
  // By restic, of a file that is new.
  std::string back_up(Strings words = {}) {
    ++count_;
    write_random_file(app() / "file", count_, kMiB / 16);
    words.push_back(app().string());
    return restic_.backup(words);
  }
  Finished restree(Strings words) const { return RestreeProgram(restic_).run(std::move(words)); }
  Finished audit(Strings words = {}) const {
    words.insert(words.begin(), "audit");
    return restree(std::move(words));
  }
  // As a provider's picture of its disk: all of it or nothing.
  void save_as(const std::string& name) const {
    fs::copy(restic_.repository(), dir_.path() / name, fs::copy_options::recursive);
  }
  void bring_back(const std::string& name) const {
    fs::remove_all(restic_.repository());
    fs::rename(dir_.path() / name, restic_.repository());
  }

  TempDir dir_;
  const Restic restic_{dir_.path()};
  std::uint64_t count_ = 0;
  Strings ids_;
};

TEST_F(Audit, WhatResticForgetsIsAWarningUntilThePolicyIsKnown) {
  restic_.forget(ids_[0]);
  restic_.prune();
  const Finished found = audit();
  EXPECT_EQ(found.exit_code, kFound) << found.report();
  EXPECT_THAT(found.out, AllOf(HasSubstr("warning"), HasSubstr(ids_[0]), Not(HasSubstr("alarm"))));
  EXPECT_TRUE(audit({"--keep-last", "2"}).ok());
  EXPECT_EQ(audit({"--keep-last", "3"}).exit_code, kFound);
  EXPECT_TRUE(audit({"--accept"}).ok());
  EXPECT_TRUE(audit().ok());
}

TEST_F(Audit, BackupsAndTagsOfResticAreNoFinding) {
  back_up();
  restic_.run_ok({"tag", "--add", "kept", ids_[1]});
  const Finished quiet = audit({"-v"});
  EXPECT_TRUE(quiet.ok()) << quiet.report();
  EXPECT_THAT(quiet.out, Not(HasSubstr("innocent")));
}

TEST_F(Audit, WhatRestreeRemovesIsNoFinding) {
  EXPECT_TRUE(restree({"forget", "--keep-last", "2", "--prune"}).ok());
  const Finished quiet = audit({"-v"});
  EXPECT_TRUE(quiet.ok()) << quiet.report();
  EXPECT_THAT(quiet.out, Not(HasSubstr("innocent")));
}

// The snapshots that are lost are named, and what the finding advises makes all right again.
TEST_F(Audit, ARollBackIsNamedAndTheNextBackupIsWhole) {
  save_as("picture");
  const std::string lost = back_up();
  EXPECT_TRUE(audit().ok());
  bring_back("picture");
  const Finished found = audit();
  EXPECT_EQ(found.exit_code, kFound) << found.report();
  EXPECT_THAT(found.out, AllOf(HasSubstr("went back to an earlier moment"), HasSubstr(lost),
                               HasSubstr("restree check")));
  EXPECT_TRUE(restree({"check"}).ok());
  const std::string id = RestreeProgram(restic_).backup({app().string()});
  restic_.run_ok({"check", "--read-data"});
  restic_.restore(id, dir_.path() / "restored");
  EXPECT_EQ(read_file(dir_.path() / "restored" / app().relative_path() / "file") ==
                read_file(app() / "file"),
            true);
  EXPECT_TRUE(audit({"--accept"}).ok());
  EXPECT_TRUE(audit().ok());
}

TEST_F(Audit, ABackupThatFindsTheRollBackFirstDoesNotHideIt) {
  save_as("picture");
  const std::string lost = back_up();
  EXPECT_TRUE(audit().ok());
  bring_back("picture");
  RestreeProgram(restic_).backup({app().string()});
  const Finished found = audit();
  EXPECT_EQ(found.exit_code, kFound) << found.report();
  EXPECT_THAT(found.out, AllOf(HasSubstr("went back"), HasSubstr(lost)));
}

TEST_F(Audit, AFileThatAnIntruderRemovesIsNamedByWhatItIs) {
  fs::path newest;
  for (const auto& entry : fs::directory_iterator(restic_.repository() / "snapshots")) {
    if (entry.path().filename().string().starts_with(ids_.back())) newest = entry.path();
  }
  fs::remove(newest);
  EXPECT_THAT(audit().out, AllOf(HasSubstr("alarm"), HasSubstr("with the newest of a host")));
}

// restic reads the file, since it cannot set the time of its last change back.
TEST_F(Audit, AFileThatWasChangedBehindItsTimeIsCounted) {
  write_file(app() / "ledger", "100 owed");
  back_up();
  EXPECT_TRUE(audit().ok());
  const fs::file_time_type before = fs::last_write_time(app() / "ledger");
  write_file(app() / "ledger", "001 owed");
  fs::last_write_time(app() / "ledger", before);
  const std::string changed = back_up();
  back_up();
  const Finished found = audit();
  EXPECT_EQ(found.exit_code, kFound) << found.report();
  EXPECT_THAT(found.out,
              AllOf(HasSubstr("warning"), HasSubstr("1 snapshot has 1 file whose content"),
                    HasSubstr(changed), HasSubstr("restree diff")));
  EXPECT_TRUE(audit({"--accept"}).ok());
  EXPECT_TRUE(audit().ok());
}

TEST_F(Audit, RestoresGoOnWhateverWasFound) {
  for (const auto& entry : fs::directory_iterator(restic_.repository() / "snapshots")) {
    if (!entry.path().filename().string().starts_with(ids_[0])) fs::remove(entry.path());
  }
  EXPECT_EQ(audit().exit_code, kFound);
  EXPECT_TRUE(restree({"restore", ids_[0], "--target", (dir_.path() / "restored").string()}).ok());
}

// A mount of the repository on the machine that runs audit, which looks at each SIGHUP.
class AuditOfMount : public Audit {
 protected:
  static std::string local_words(std::time_t time) {
    std::array<char, 32> text{};
    std::tm parts{};
    ::localtime_r(&time, &parts);
    std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts);
    return text.data();
  }
  MountRequest request() const {
    MountRequest request = mount_of(restic_, {"refresh=3600"});
    request.env.emplace_back("XDG_STATE_HOME",
                             (restic_.repository().parent_path() / "state").string());
    return request;
  }
  static std::string findings_of(const Mounted& mounted) {
    return status_fields(read_file(mounted / ".restree/status")).at("audit_findings");
  }
  template <class Condition>
  static bool becomes_true(Condition condition) {
    return holds_within(std::chrono::seconds(patient(30)), condition);
  }
  static bool comes_to(const Mounted& mounted, const std::string& findings) {
    return becomes_true([&] { return findings_of(mounted) == findings; });
  }
};

TEST_F(AuditOfMount, AMountSeesWhatIsRemovedWhileNobodyRunsACommand) {
  const Mounted mounted(request());
  EXPECT_TRUE(comes_to(mounted, "0"));
  const std::string id = back_up();
  mounted.signal(SIGHUP);
  EXPECT_TRUE(becomes_true([&] { return fs::exists(mounted / "ids" / id); }));
  EXPECT_TRUE(comes_to(mounted, "0"));
  restic_.forget(id);
  mounted.signal(SIGHUP);
  EXPECT_TRUE(comes_to(mounted, "1"));
  EXPECT_THAT(mounted.log(), HasSubstr("which restree audit tells"));
  // Nothing but the mount has seen it.
  const Finished found = audit();
  EXPECT_EQ(found.exit_code, kFound) << found.report();
  EXPECT_THAT(found.out, HasSubstr(id));
  EXPECT_TRUE(audit({"--accept"}).ok());
  mounted.signal(SIGHUP);
  EXPECT_TRUE(comes_to(mounted, "0"));
}

TEST_F(AuditOfMount, WhatACommandOfThisMachineRemovesMeanwhileIsNoFinding) {
  const Mounted mounted(request());
  EXPECT_TRUE(comes_to(mounted, "0"));
  for (int round = 0; round < 5; ++round) {
    const std::string id = RestreeProgram(restic_).backup({app().string()});
    Process forget = RestreeProgram(restic_).start({"forget", id, "--prune"});
    mounted.signal(SIGHUP);
    EXPECT_TRUE(forget.wait(std::chrono::seconds(patient(60))).ok());
    mounted.signal(SIGHUP);
    EXPECT_TRUE(becomes_true([&] { return !fs::exists(mounted / "ids" / id); }));
  }
  const Finished quiet = audit();
  EXPECT_TRUE(quiet.ok()) << quiet.report();
}

TEST_F(AuditOfMount, WorksWithoutAJournalAndSaysSoOnce) {
  MountRequest without = request();
  write_file(dir_.path() / "no-folder", "");
  without.env.emplace_back("XDG_STATE_HOME", (dir_.path() / "no-folder").string());
  const Mounted mounted(without);
  const std::string id = back_up();
  mounted.signal(SIGHUP);
  EXPECT_TRUE(becomes_true([&] { return fs::exists(mounted / "ids" / id); }));
  EXPECT_EQ(findings_of(mounted), "null");
  const std::string log = mounted.log();
  const std::size_t said = log.find("is not kept for restree audit");
  ASSERT_NE(said, std::string::npos) << log;
  EXPECT_EQ(log.find("is not kept for restree audit", said + 1), std::string::npos) << log;
}

// Whoever adds a snapshot later, or one of a later date, is not shown, at no refresh; and what this machine
// prunes itself meanwhile does no harm.
TEST_F(AuditOfMount, AMountAsOfAMomentStaysThere) {
  const auto now = [] { return std::time(nullptr); };
  const std::time_t moment = now();
  EXPECT_TRUE(audit().ok());  // the journal counts seconds
  ASSERT_TRUE(becomes_true([&] { return now() > moment; }));
  const std::string later = back_up();
  EXPECT_TRUE(audit().ok());
  MountRequest as_of = request();
  as_of.options.push_back("as_of=" + local_words(moment));
  const Mounted mounted(as_of);
  const auto names = [&] {
    std::vector<std::string> found = names_in(mounted / "ids");
    return std::set<std::string>(found.begin(), found.end());
  };
  const std::set<std::string> then(ids_.begin(), ids_.end());
  EXPECT_EQ(names(), then);
  const auto refresh = [&] {
    const auto requests = [&] {
      return std::stoull(status_fields(read_file(mounted / ".restree/status")).at("requests"));
    };
    const auto before = requests();
    mounted.signal(SIGHUP);
    EXPECT_TRUE(becomes_true([&] { return requests() > before; }));
  };
  back_up({"--time", "2199-01-01 03:00:00"});
  refresh();
  EXPECT_EQ(names(), then);
  EXPECT_TRUE(restree({"forget", later, "--prune"}).ok());
  refresh();
  EXPECT_TRUE(becomes_true([&] { return names() == then; }));
  for (const std::string& id : ids_) {
    EXPECT_EQ(errno_of_reading(mounted / "ids" / id / app().relative_path() / "file"), 0) << id;
  }
  as_of.options.back() = "as_of=2001-01-01";
  const Finished refused = try_mount(as_of);
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.err, HasSubstr("had not seen the repository by then"));
}

TEST_F(AuditOfMount, LatestDoesNotLeadIntoTheFuture) {
  const std::string future = back_up({"--time", "2199-01-01 03:00:00"});
  const Mounted mounted(request());
  EXPECT_EQ(fs::read_symlink(mounted / "apps/app/latest"), "2020-01-03T03-00-00Z");
  EXPECT_THAT(mounted.log(), AllOf(HasSubstr(future), HasSubstr("dated in the future")));
  const Finished listed = restree({"ls", "latest"});
  EXPECT_TRUE(listed.ok()) << listed.report();
  EXPECT_THAT(listed.out, HasSubstr(ids_.back()));
  EXPECT_THAT(listed.err, AllOf(HasSubstr(future), HasSubstr("give its id")));
}

}  // namespace
}  // namespace restree::testing
