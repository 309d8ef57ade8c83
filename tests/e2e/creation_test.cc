// Repositories that Restree makes, in restic's hands.
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "program/storage_kinds.h"
#include "repo/repository_creation.h"
#include "repo/storage/local_storage.h"
#include "tests/support/matchers.h"
#include "tests/support/restic.h"
#include "tests/support/restics.h"
#include "tests/support/sshd.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

namespace fs = std::filesystem;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::kPassword;
using testing::Restic;
using testing::value_of;

Deadline soon() { return Deadline::after(std::chrono::seconds(60)); }
Secret password() { return Secret(std::string(kPassword)); }

class Creation : public ::testing::TestWithParam<std::string> {
 protected:
  Result<Config> create(const NewRepository& wanted = {}) {
    const auto storage = make_local_storage(restic_.repository().string());
    return create_repository(*storage, password(), wanted, soon());
  }

  testing::TempDir dir_;
  Restic restic_{dir_.path() / "some/home", GetParam()};
};

unsigned permissions(const fs::path& path) {
  struct stat attributes {};
  EXPECT_EQ(::stat(path.c_str(), &attributes), 0) << path;
  return attributes.st_mode & 07777;
}

TEST_P(Creation, ResticUsesTheRepositoryAsItsOwn) {
  for (const std::uint32_t version : {1U, 2U}) {
    const Config config = value_of(create({.version = version}));
    const std::string shown = restic_.run_ok({"cat", "config"});
    EXPECT_THAT(shown, HasSubstr(config.id.hex()));
    EXPECT_THAT(shown, HasSubstr("\"version\": " + std::to_string(version)));
    const fs::path file = dir_.path() / "file";
    std::ofstream(file) << "content";
    restic_.backup({file.string()});
    restic_.check();
    fs::remove_all(restic_.repository());
  }
}

TEST_P(Creation, LooksLikeResticsOwn) {
  ASSERT_OK(create());
  const fs::path ours = restic_.repository();
  const Restic other(dir_.path() / "other", GetParam());
  other.init_slowly();
  for (const auto& entry : fs::recursive_directory_iterator(other.repository())) {
    fs::path same = ours / fs::relative(entry.path(), other.repository());
    if (same.parent_path().filename() == "keys") {
      same = fs::directory_iterator(same.parent_path())->path();
    }
    EXPECT_EQ(permissions(same), permissions(entry.path())) << same;
  }
  EXPECT_EQ(permissions(ours), permissions(other.repository()));
}

TEST_P(Creation, ResticRefusesToMakeAnotherThere) {
  ASSERT_OK(create());
  EXPECT_EQ(restic_.run({"init"}).exit_code, 1);
}

TEST_P(Creation, RefusesToMakeAnotherWhereResticHasOne) {
  restic_.init_slowly();
  EXPECT_THAT(create(), FailsWith(ErrorKind::kInvalid));
  restic_.check();
}

TEST_P(Creation, OverSftpGivesTheSameRepository) {
  const testing::Sshd sshd;
  const fs::path folder = restic_.repository();
  const auto storage =
      value_of(value_of(parse_location(sshd.location(folder)))->make_storage(sshd.ssh_options()));
  ASSERT_OK(create_repository(*storage, password(), {}, soon()));
  EXPECT_EQ(permissions(folder), 0700U);
  EXPECT_EQ(permissions(folder / "data/ff"), 0700U);
  restic_.check();
}

INSTANTIATE_TEST_SUITE_P(Restic, Creation, ::testing::ValuesIn(testing::all_restics()),
                         testing::restic_name);

}  // namespace
}  // namespace restree
