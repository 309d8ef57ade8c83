// One more password for a repository, and one fewer.
#include "repo/new_key.h"

#include <memory>
#include <string>
#include <vector>

#include "repo/repository_keys.h"
#include "tests/support/memory_cache.h"
#include "tests/support/memory_repository.h"

namespace restree {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::kQuickKey;
using testing::MemoryRepository;
using ::testing::Not;
using ::testing::SizeIs;
using testing::soon;
using testing::value_of;

class NewKeyTest : public ::testing::Test {
 protected:
  static Secret secret() { return Secret(std::string("second")); }
  Result<StoredKey> add(NewKey wanted = {}) {
    wanted.scrypt = kQuickKey;
    return repository_->add_key(secret(), wanted, soon());
  }
  std::vector<ListedFile> keys() {
    return value_of(memory_.storage().list(FileType::kKey, soon()));
  }

  MemoryRepository memory_;
  std::unique_ptr<Repository> repository_ = memory_.open();
};

TEST_F(NewKeyTest, ThePasswordOpensTheSameRepository) {
  memory_.builder().add_snapshot(memory_.builder().add_tree({}));
  const StoredKey added = value_of(add());
  const auto opened = value_of(memory_.try_open("second"));
  EXPECT_EQ(opened->key_name(), added.name);
  EXPECT_EQ(opened->config().id, repository_->config().id);
  EXPECT_THAT(value_of(opened->list_snapshots(soon())), SizeIs(1));
  EXPECT_OK(memory_.try_open());
}

TEST_F(NewKeyTest, ItNamesItsHolder) {
  const StoredKey added = value_of(add({.username = "bob", .hostname = "box"}));
  const Bytes bytes = value_of(read_key_file(memory_.storage(), {added.name, 0}, soon()));
  const KeyFile file = value_of(parse_key_file(bytes));
  EXPECT_EQ(file.username, "bob");
  EXPECT_EQ(file.hostname, "box");
  EXPECT_EQ(file.created, added.holder.created);
}

TEST_F(NewKeyTest, OneThatIsStoredDamagedIsRemovedAgain) {
  memory_.storage().watch([&](const FileName& file) -> Status {
    if (file.type == FileType::kKey && !file.name.empty()) memory_.damage(file);
    return {};
  });
  const auto added = add();
  ASSERT_THAT(added, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(added.error().message(), AllOf(HasSubstr("failed to access repository with new key"),
                                             HasSubstr("its hash is not its name")));
  EXPECT_THAT(keys(), SizeIs(1));
}

TEST_F(NewKeyTest, OneThatCannotBeReadBackIsRemovedAgain) {
  memory_.storage().watch([](const FileName& file) -> Status {
    if (file.type != FileType::kKey || file.name.empty()) return {};
    return Error(ErrorKind::kDenied, "no reading here");
  });
  EXPECT_THAT(add(), FailsWith(ErrorKind::kDenied));
  EXPECT_THAT(keys(), SizeIs(1));
}

TEST_F(NewKeyTest, ARemovedOneOpensNeitherTheRepositoryNorTheCache) {
  const auto cache = std::make_shared<testing::MemoryCache>();
  const StoredKey added = value_of(add());
  value_of(memory_.try_open("second"))->use_cache(cache);
  repository_->use_cache(cache);
  EXPECT_THAT(cache->names(FileType::kKey), Contains(added.name));
  ASSERT_OK(repository_->remove_key(added.name, soon()));
  EXPECT_THAT(cache->names(FileType::kKey), Not(Contains(added.name)));
  EXPECT_THAT(memory_.try_open("second"), FailsWith(ErrorKind::kWrongPassword));
  EXPECT_OK(memory_.try_open());
}

}  // namespace
}  // namespace restree
