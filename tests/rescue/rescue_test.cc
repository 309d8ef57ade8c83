#include "repo/rescue/rescue.h"

#include <string>

#include "tests/rescue/lost_files.h"
#include "tests/support/memory_repository.h"

namespace restree {
namespace {

using testing::FailsWith;
using ::testing::IsEmpty;
using testing::kConfigFile;
using testing::kPassword;
using testing::MemoryRepository;
using ::testing::SizeIs;
using testing::soon;
using testing::value_of;

const NewKey kCheapKey{.scrypt = testing::kQuickKey};

Secret password(const std::string& text) { return Secret(std::string(text)); }

class Rescue : public ::testing::Test {
 protected:
  Rescue() {
    files_.builder().add_snapshot(files_.builder().add_tree({}));
    files_.builder().finish();
    const auto repository = files_.open();
    id_ = repository->config().id;
    file_ = value_of(export_rescue_file(*repository, password("rescue"), kCheapKey, soon()));
    paper_ = std::string(value_of(export_paper_key(*repository)).text());
  }
  void lose_keys() {
    for (const ListedFile& key : value_of(files_.storage().list(FileType::kKey, soon()))) {
      files_.remove({FileType::kKey, key.name});
    }
  }
  Result<PutBackFiles> put_file_back(const std::string& word = "rescue") {
    return put_back(files_.storage(), file_, password(word), soon());
  }
  Result<PutBackFiles> put_paper_back() {
    return put_back(files_.storage(), value_of(read_paper_key(paper_)), password("new"), kCheapKey,
                    soon());
  }
  void expect_opened_by(const std::string& word) {
    const auto repository = files_.try_open(word);
    ASSERT_OK(repository);
    EXPECT_EQ((*repository)->config().id, id_);
  }

  MemoryRepository files_;
  RepositoryId id_;
  RescueFile file_;
  std::string paper_;
};

TEST_F(Rescue, ExportChangesNothing) { EXPECT_FALSE(files_.try_open("rescue")); }

TEST_F(Rescue, AFilePutsBackKeyAndConfig) {
  lose_keys();
  files_.remove(kConfigFile);
  const PutBackFiles done = value_of(put_file_back());
  EXPECT_TRUE(done.key);
  EXPECT_TRUE(done.config);
  expect_opened_by("rescue");
}

TEST_F(Rescue, PaperPutsBackKeyAndConfigUnderANewPassword) {
  lose_keys();
  files_.remove(kConfigFile);
  EXPECT_TRUE(value_of(put_paper_back()).config);
  expect_opened_by("new");
  EXPECT_FALSE(files_.try_open("rescue"));
}

TEST_F(Rescue, WhatIsWholeStays) {
  const std::string config(as_text(value_of(files_.storage().read_all(kConfigFile, soon()))));
  EXPECT_FALSE(value_of(put_file_back()).config);
  EXPECT_EQ(as_text(value_of(files_.storage().read_all(kConfigFile, soon()))), config);
  expect_opened_by(kPassword);
  expect_opened_by("rescue");
  EXPECT_FALSE(value_of(put_file_back()).key);
}

TEST_F(Rescue, ADamagedConfigIsReplaced) {
  files_.damage(kConfigFile);
  EXPECT_FALSE(files_.try_open());
  EXPECT_TRUE(value_of(put_file_back()).config);
  expect_opened_by(kPassword);
}

TEST_F(Rescue, AnotherRepositoryIsLeftAlone) {
  const auto other = testing::another_repository();
  const auto put = [&] { return put_back(*other, file_, password("rescue"), soon()); };
  EXPECT_THAT(put(), FailsWith(ErrorKind::kInvalid));
  ASSERT_OK(other->remove(kConfigFile, soon()));
  EXPECT_THAT(put(), FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(
      put_back(*other, value_of(read_paper_key(paper_)), password("new"), kCheapKey, soon()),
      FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(value_of(other->list(FileType::kKey, soon())), SizeIs(1));
}

// As where the disk is not mounted.
TEST_F(Rescue, AnEmptyFolderIsLeftEmpty) {
  MemoryStorage empty;
  EXPECT_THAT(put_back(empty, file_, password("rescue"), soon()),
              FailsWith(ErrorKind::kNoRepository));
  EXPECT_THAT(value_of(empty.list(FileType::kKey, soon())), IsEmpty());
}

TEST_F(Rescue, AWrongPasswordChangesNothing) {
  lose_keys();
  EXPECT_THAT(put_file_back("wrong"), FailsWith(ErrorKind::kWrongPassword));
  EXPECT_THAT(value_of(files_.storage().list(FileType::kKey, soon())), IsEmpty());
}

TEST_F(Rescue, AServerThatIsAwayIsNotTakenForALoss) {
  files_.storage().watch([](const FileName& file) -> Status {
    if (file.type != FileType::kConfig) return {};
    return Error(ErrorKind::kUnavailable, "no answer");
  });
  EXPECT_THAT(put_file_back(), FailsWith(ErrorKind::kUnavailable));
}

}  // namespace
}  // namespace restree
