#include "program/second_opening.h"

#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "repo/repository.h"
#include "repo/storage/local_storage.h"
#include "tests/support/environment.h"
#include "tests/support/files.h"
#include "tests/support/memory_repository.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::Environment;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::kPassword;
using testing::RepositoryBuilder;
using testing::soon;
using testing::value_of;

RepositoryAccess named(const std::string& location) {
  RepositoryAccess access = second_access();
  access.location = location;
  return access;
}

class FindSecond : public ::testing::Test {
 protected:
  FindSecond() {
    for (const char* name : {"REPOSITORY", "REPOSITORY_FILE", "PASSWORD", "PASSWORD_FILE",
                             "PASSWORD_COMMAND", "KEY_HINT"}) {
      environment_.set(std::string("RESTREE_SECOND_") + name, std::nullopt);
    }
  }
  Environment environment_;
};

TEST_F(FindSecond, IsNoneWhereNothingNamesOne) {
  EXPECT_FALSE(value_of(find_second(second_access())).has_value());
}

TEST_F(FindSecond, MakesPathsAbsoluteAndLooksAtNothingThatLiesThere) {
  RepositoryAccess access = named("no/such/folder");
  access.password_file = "no-such-file";
  const SecondPlace place = value_of(find_second(access)).value();
  EXPECT_EQ(place.location, (fs::current_path() / "no/such/folder").string());
  EXPECT_EQ(place.access.password_file, (fs::current_path() / "no-such-file").string());
  EXPECT_EQ(place.password, nullptr);
}

TEST_F(FindSecond, RunsNoCommandYet) {
  RepositoryAccess access = named("sftp:nas:/second");
  access.password_command = "/no/such/program";
  const SecondPlace place = value_of(find_second(access)).value();
  EXPECT_EQ(place.location, "sftp:nas:/second");
  EXPECT_EQ(place.access.password_command, "/no/such/program");
}

TEST_F(FindSecond, TakesAllOfItFromVariablesAndWipesThePassword) {
  environment_.set("RESTREE_SECOND_REPOSITORY", "/second");
  environment_.set("RESTREE_SECOND_PASSWORD", "secret");
  const SecondPlace place = value_of(find_second(second_access())).value();
  EXPECT_EQ(place.location, "/second");
  ASSERT_NE(place.password, nullptr);
  EXPECT_EQ(place.password->text(), "secret");
  EXPECT_EQ(::getenv("RESTREE_SECOND_PASSWORD"), nullptr);
}

TEST_F(FindSecond, TakesAFileFromAVariable) {
  environment_.set("RESTREE_SECOND_PASSWORD_FILE", "file");
  const SecondPlace place = value_of(find_second(named("/second"))).value();
  EXPECT_EQ(place.access.password_file, (fs::current_path() / "file").string());
}

TEST_F(FindSecond, WantsToKnowWhereThePasswordComesFrom) {
  const auto found = find_second(named("/second"));
  ASSERT_THAT(found, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(found.error().for_people(),
              AllOf(HasSubstr("second repository"), HasSubstr("RESTREE_SECOND_PASSWORD_FILE")));
}

TEST_F(FindSecond, RefusesTwoSourcesOfThePasswordAndOneBesideNone) {
  RepositoryAccess access = named("/second");
  access.password_file = "file";
  access.password_command = "command";
  EXPECT_THAT(find_second(access), FailsWith(ErrorKind::kInvalid));
  access.password_command = std::nullopt;
  access.no_password = true;
  EXPECT_THAT(find_second(access), FailsWith(ErrorKind::kInvalid));
  access.password_file = std::nullopt;
  EXPECT_EQ(value_of(find_second(access)).value().password->text(), "");
}

TEST_F(FindSecond, RefusesAnEmptyNameAndAnUnknownKind) {
  environment_.set("RESTREE_SECOND_REPOSITORY", "/second");
  RepositoryAccess access = named("");
  access.no_password = true;
  const auto empty = find_second(access);
  ASSERT_THAT(empty, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(empty.error().message(), HasSubstr("empty name"));
  access.location = "swift:container:/path";
  EXPECT_THAT(find_second(access), FailsWith(ErrorKind::kUnsupported));
}

// Two folders with repositories of the same content, and the folder of caches.
class AttachSecond : public FindSecond {
 protected:
  AttachSecond() : first_(dir_.path() / "first"), second_(dir_.path() / "second") {
    for (RepositoryBuilder* const builder : {&first_, &second_}) {
      blob_ = builder->add_data("content");
      builder->finish();
    }
    for (const fs::path& pack : first_.packs_of(blob_)) fs::remove(pack);
    testing::write_file(password_file_, kPassword);
  }
  void attach(const fs::path& second) {
    repository_ = value_of(Repository::open(make_local_storage(first_.root().string()),
                                            Secret(std::string(kPassword)), "", Deadline::never()));
    ASSERT_OK(repository_->refresh_index(soon()));
    RepositoryAccess access = named(second.string());
    access.password_file = password_file_.string();
    SecondCare care;
    care.make_storage = [this](const std::string& where,
                               const std::stop_token&) -> Result<std::shared_ptr<Storage>> {
      ++made_;
      return make_local_storage(where);
    };
    care.cache.emplace();
    care.cache->folder = caches_.string();
    attach_second(*repository_, value_of(find_second(access)).value(), std::move(care));
  }
  Result<SharedBlob> load() { return repository_->load(BlobType::kData, blob_, soon()); }

  const testing::TempDir dir_;
  const fs::path caches_ = dir_.path() / "caches";
  const fs::path password_file_ = dir_.path() / "password";
  RepositoryBuilder first_;
  RepositoryBuilder second_;
  BlobId blob_;
  std::atomic<int> made_ = 0;
  std::unique_ptr<Repository> repository_;
};

TEST_F(AttachSecond, MakesNoStorageBeforeSomethingIsMissing) {
  attach(second_.root());
  EXPECT_EQ(made_, 0);
  EXPECT_OK(load());
  EXPECT_EQ(made_, 1);
}

TEST_F(AttachSecond, GivesTheSecondACacheOfItsOwn) {
  attach(second_.root());
  EXPECT_OK(load());
  repository_.reset();
  EXPECT_THAT(testing::names_in(caches_ / "restree"),
              ::testing::Contains(HasSubstr(
                  value_of(Repository::open(make_local_storage(second_.root().string()),
                                            Secret(std::string(kPassword)), "", Deadline::never()))
                      ->config()
                      .id.hex())));
}

TEST_F(AttachSecond, GivesACopyFileByFileNoCache) {
  const fs::path copy = dir_.path() / "copy";
  fs::copy(first_.root(), copy, fs::copy_options::recursive);
  for (const fs::path& pack : second_.packs_of(blob_)) {
    fs::create_directories(copy / "data" / pack.filename().string().substr(0, 2));
    fs::copy(pack, copy / "data" / pack.filename().string().substr(0, 2) / pack.filename());
  }
  for (const fs::path& file : testing::files_below(second_.root() / "index")) {
    fs::copy(file, copy / "index" / file.filename());
  }
  attach(copy);
  EXPECT_OK(load());
  repository_.reset();
  EXPECT_FALSE(fs::exists(caches_ / "restree"));
}

TEST_F(AttachSecond, LeavesTheFirstErrorWhereThePasswordIsWrong) {
  testing::write_file(password_file_, "wrong");
  attach(second_.root());
  EXPECT_THAT(load(), FailsWith(ErrorKind::kCorrupt));
}

TEST_F(AttachSecond, WritesNothingToTheSecond) {
  const auto before = testing::files_below(second_.root());
  attach(second_.root());
  EXPECT_OK(load());
  repository_.reset();
  EXPECT_EQ(testing::files_below(second_.root()), before);
}

}  // namespace
}  // namespace restree
