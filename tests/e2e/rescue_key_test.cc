// A repository that has lost its key files or its config: opened with a rescue key, read without a
// config, and mended, so that restic works in it again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/mounted.h"
#include "tests/support/repository_files.h"
#include "tests/support/restic.h"
#include "tests/support/restics.h"
#include "tests/support/restree_program.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Strings = std::vector<std::string>;

class RescueKey : public ::testing::TestWithParam<std::string> {
 protected:
  RescueKey() {
    restic_.init();
    fs::create_directory(dir_.path() / "app");
    write_random_file(dir_.path() / "app" / "file", 1, kMiB);
    restic_.backup({(dir_.path() / "app").string()});
    write_file(dir_.path() / "rescue-password", "rescue\n");
    write_file(dir_.path() / "new-password", "new\n");
  }
  std::string path(const std::string& name) const { return (dir_.path() / name).string(); }
  fs::path in_repository(const std::string& name) const { return restic_.repository() / name; }
  Finished restree(Strings words) const { return RestreeProgram(restic_).run(std::move(words)); }
  Finished restree_ok(Strings words) const {
    Finished finished = restree(std::move(words));
    EXPECT_TRUE(finished.ok()) << finished.report();
    return finished;
  }
  void export_file() const {
    restree_ok(
        {"rescue-key", "export", "--new-password-file", path("rescue-password"), path("rescue")});
  }
  // With the words behind it, a command that is right only if it reads data.
  Strings dump(Strings words) const {
    const Strings all{"dump", "latest", path("app/file")};
    words.insert(words.end(), all.begin(), all.end());
    return words;
  }
  void expect_content(const Finished& dumped) const {
    EXPECT_TRUE(dumped.ok()) << dumped.report();
    EXPECT_EQ(dumped.out == read_file(dir_.path() / "app" / "file"), true);
  }
  void lose_keys() const {
    for (const std::string& key : names_in(in_repository("keys"))) {
      fs::remove(in_repository("keys") / key);
    }
  }
  // restic reads it all, and goes on.
  void expect_whole(const std::string& password_file = "") const {
    Strings access;
    if (!password_file.empty()) access = {"-p", path(password_file)};
    const auto run = [&](Strings words) {
      words.insert(words.begin(), access.begin(), access.end());
      restic_.run_ok(std::move(words));
    };
    run({"check", "--read-data"});
    run({"backup", path("app")});
  }

  TempDir dir_;
  Restic restic_{dir_.path() / "home", GetParam()};
};

TEST_P(RescueKey, OpensARepositoryWithoutKeyFilesAndPutsOneBack) {
  export_file();
  EXPECT_EQ(fs::status(dir_.path() / "rescue").permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
  lose_keys();
  EXPECT_EQ(restree({"snapshots"}).exit_code, 12);

  const Strings with_key{"--rescue-key", path("rescue"), "-p", path("rescue-password")};
  expect_content(restree(dump(with_key)));
  {
    Mounted mounted(mount_of(
        restic_, {"rescue_key=" + path("rescue"), "password_file=" + path("rescue-password")}));
    EXPECT_EQ(read_file(mounted / "apps/app/latest/file"), read_file(dir_.path() / "app" / "file"));
  }
  EXPECT_THAT(names_in(in_repository("keys")), IsEmpty());

  const Finished put =
      restree_ok({"-p", path("rescue-password"), "rescue-key", "import", path("rescue")});
  EXPECT_THAT(put.out, HasSubstr("stored key "));
  EXPECT_THAT(put.out, HasSubstr("the config is whole"));
  expect_whole("rescue-password");
}

TEST_P(RescueKey, OnPaperPutsBackKeyAndConfig) {
  const std::string config = restic_.run_ok({"cat", "config"});
  const std::string page = restree_ok({"rescue-key", "export", "--paper", "-"}).out;
  lose_keys();
  fs::remove(in_repository("config"));

  std::string typed;
  for (const char c : page) typed += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  write_file(dir_.path() / "typed", typed);
  const Finished put = restree_ok(
      {"rescue-key", "import", "--new-password-file", path("new-password"), path("typed")});
  EXPECT_THAT(put.out, HasSubstr("put the config back"));
  EXPECT_EQ(restic_.run_ok({"-p", path("new-password"), "cat", "config"}), config);
  expect_whole("new-password");
}

TEST_P(RescueKey, AMistakeOnThePaperIsNamedAndNothingIsWritten) {
  std::string page = restree_ok({"rescue-key", "export", "--paper", "-"}).out;
  lose_keys();
  const std::size_t digit = page.find("\n3: ") + 4;
  page[digit] = page[digit] == '2' ? '3' : '2';
  write_file(dir_.path() / "typed", page);
  const Finished refused =
      restree({"rescue-key", "import", "--new-password-file", path("new-password"), path("typed")});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("line 3 of the key has a mistake"));
  EXPECT_THAT(names_in(in_repository("keys")), IsEmpty());
}

TEST_P(RescueKey, ExportReplacesNoFile) {
  write_file(dir_.path() / "rescue", "an older one");
  const Finished refused = restree(
      {"rescue-key", "export", "--new-password-file", path("rescue-password"), path("rescue")});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("is there already"));
  EXPECT_EQ(read_file(dir_.path() / "rescue"), "an older one");
}

// By a lost file, and by one with a wrong bit.
class LostConfig : public RescueKey {
 protected:
  void expect_readable_and_mended() {
    const Finished dumped = restree(dump({}));
    expect_content(dumped);
    EXPECT_THAT(dumped.err, HasSubstr("repair config"));
    {
      Mounted mounted(restic_);
      EXPECT_EQ(read_file(mounted / "apps/app/latest/file"),
                read_file(dir_.path() / "app" / "file"));
    }
    for (const Strings& words : {Strings{"backup", path("app")}, Strings{"check"}}) {
      const Finished refused = restree(words);
      EXPECT_FALSE(refused.ok());
      EXPECT_THAT(refused.err, HasSubstr("repair config"));
    }
    EXPECT_THAT(restree_ok({"repair", "config"}).out, HasSubstr("put a new config there"));
    EXPECT_THAT(restree_ok({"repair", "config"}).out, HasSubstr("nothing was changed"));
    restree_ok({"backup", path("app")});
    expect_whole();
  }
};

TEST_P(LostConfig, IsReadAllTheSameAndMended) {
  fs::remove(in_repository("config"));
  const Finished refused = restree({"backup", path("app")});
  EXPECT_EQ(refused.exit_code, 10);
  EXPECT_THAT(refused.err, HasSubstr("repair config"));
  expect_readable_and_mended();
}

TEST_P(LostConfig, ThatIsDamagedIsReplaced) {
  fs::permissions(in_repository("config"), fs::perms::owner_write, fs::perm_options::add);
  flip_byte(in_repository("config"), 40);
  expect_readable_and_mended();
}

TEST_P(LostConfig, ThatIsEmptyIsReplaced) {
  fs::permissions(in_repository("config"), fs::perms::owner_write, fs::perm_options::add);
  write_file(in_repository("config"), "");
  expect_readable_and_mended();
}

TEST_P(LostConfig, AnEmptyFolderIsStillNoRepository) {
  fs::remove_all(restic_.repository());
  fs::create_directories(restic_.repository() / "snapshots");
  EXPECT_EQ(restree({"snapshots"}).exit_code, 10);
  EXPECT_NE(restree({"repair", "config"}).exit_code, 0);
  EXPECT_THAT(names_in(restic_.repository()), SizeIs(1));
}

INSTANTIATE_TEST_SUITE_P(Restic, RescueKey, ::testing::ValuesIn(all_restics()), restic_name);
INSTANTIATE_TEST_SUITE_P(Restic, LostConfig, ::testing::ValuesIn(all_restics()), restic_name);

}  // namespace
}  // namespace restree::testing
