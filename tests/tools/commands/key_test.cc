// restree key
#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "repo/repository.h"
#include "tests/support/locks.h"
#include "tests/support/memory_repository.h"
#include "tests/support/restree.h"
#include "tools/commands/node_text.h"

namespace restree {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Outcome;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;
using ::testing::UnorderedElementsAreArray;

class Key : public ::testing::Test {
 protected:
  // The time at which RepositoryBuilder says that it makes keys.
  const std::string created_ = local_time(*parse_timestamp("2026-01-01T00:00:00Z"));
  std::shared_ptr<MemoryStorage> storage_ = std::make_shared<MemoryStorage>();
  testing::RepositoryBuilder builder_{storage_};
  std::string other_ = builder_.add_key("another password");
  testing::RestreeRunner runner_{storage_};
};

TEST_F(Key, ListMarksTheKeyInUse) {
  const Outcome outcome = runner_.run({"key", "list"});
  EXPECT_EQ(outcome.code, ExitCode::kSuccess) << outcome.err;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr(" ID        User  Host  Created\n"),
                    HasSubstr("\n " + other_.substr(0, 8) + "  u     h     " + created_ + "\n"),
                    HasSubstr("\n*")));
}

TEST_F(Key, ListsInJsonAsResticDoes) {
  const std::string out = runner_.run({"key", "list", "--json"}).out;
  EXPECT_THAT(out, HasSubstr(R"({"current":false,"id":")" + other_ +
                             R"(","userName":"u","hostName":"h","created":")" + created_ + "\"}"));
  EXPECT_THAT(out, HasSubstr(R"({"current":true,"id":")"));
}

TEST_F(Key, ListsTheOthersIfOneIsDamaged) {
  const std::string damaged(64, 'f');
  ASSERT_TRUE(storage_->write({FileType::kKey, damaged}, as_bytes("{}"), testing::soon()));
  const Outcome outcome = runner_.run({"key", "list", "--json"});
  EXPECT_THAT(outcome.out, HasSubstr(other_));
  EXPECT_THAT(outcome.err, HasSubstr("cannot load key " + damaged));
}

// An empty key file has the size of a FIFO, from which reading might never end.
TEST_F(Key, ListsTheOthersIfOneIsEmpty) {
  const std::string empty(64, 'f');
  ASSERT_TRUE(storage_->write({FileType::kKey, empty}, {}, testing::soon()));
  const Outcome outcome = runner_.run({"key", "list", "--json"});
  EXPECT_THAT(outcome.out, HasSubstr(other_));
  EXPECT_THAT(outcome.err,
              HasSubstr("cannot load key " + empty + ": it is empty, or not a regular file"));
}

TEST_F(Key, CatPrintsOneThatIsWholeAndNoOther) {
  EXPECT_THAT(runner_.run({"cat", "key", other_}).out, HasSubstr(R"("kdf": "scrypt")"));
  const std::string damaged(64, 'f');
  ASSERT_TRUE(storage_->write({FileType::kKey, damaged}, as_bytes("{}"), testing::soon()));
  const Outcome outcome = runner_.run({"cat", "key", damaged});
  EXPECT_EQ(outcome.code, ExitCode::kFailure);
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_THAT(outcome.err, HasSubstr("key " + damaged + ": it is damaged"));
}

// The options that name a new password; its key takes half a second to derive, twice.
class ChangedKey : public Key {
 protected:
  std::string file_of(const std::string& password) const {
    testing::write_file(runner_.folder() / "new", password);
    return (runner_.folder() / "new").string();
  }
  std::vector<std::string> names() {
    std::vector<std::string> names;
    for (const auto& file : testing::value_of(storage_->list(FileType::kKey, testing::soon()))) {
      names.push_back(file.name);
    }
    return names;
  }
  // The name of the key that the password opens; empty: it opens none.
  std::string opened(const std::string& password) {
    const auto repository =
        Repository::open(storage_, Secret(std::string(password)), "", testing::soon());
    return repository ? (*repository)->key_name() : "";
  }
};

TEST_F(ChangedKey, AddSaysTheIdOfTheNewKeyWithJsonToo) {
  const std::string file = file_of("new");
  const Outcome outcome = runner_.run(
      {"key", "add", "--json", "--new-password-file", file, "--user", "bob", "--host", "box"});
  EXPECT_EQ(outcome.code, ExitCode::kSuccess) << outcome.err;
  EXPECT_EQ(outcome.out, "saved new key with ID " + opened("new") + "\n");
  EXPECT_THAT(runner_.run({"key", "list"}).out,
              HasSubstr(opened("new").substr(0, 8) + "  bob   box   "));
  EXPECT_NE(opened(std::string(testing::kPassword)), "");
}

TEST_F(ChangedKey, PasswdReplacesTheKeyInUseAndNoOther) {
  const std::string before = opened(std::string(testing::kPassword));
  const Outcome outcome = runner_.run(
      {"key", "passwd", "--new-password-file", file_of("new"), "--user", "bob", "--host", "box"});
  EXPECT_EQ(outcome.code, ExitCode::kSuccess) << outcome.err;
  EXPECT_THAT(outcome.out, StartsWith("saved new key as <Key of bob@box, created on 2"));
  EXPECT_EQ(opened(std::string(testing::kPassword)), "");
  EXPECT_THAT(names(), UnorderedElementsAre(opened("new"), other_));
  EXPECT_NE(opened("new"), before);
}

TEST_F(ChangedKey, PasswdLeavesTheOldKeyIfTheNewOneCannotBeRead) {
  const auto watched = std::make_shared<testing::WatchedStorage>(storage_);
  const std::vector<std::string> before = names();
  watched->watch([&](const FileName& file) -> Status {
    const bool is_new = file.type == FileType::kKey && !file.name.empty() &&
                        std::ranges::find(before, file.name) == before.end();
    return is_new ? Status(Error(ErrorKind::kDenied, "no reading here")) : Status();
  });
  const Outcome outcome =
      testing::RestreeRunner(watched).run({"key", "passwd", "--new-password-file", file_of("new")});
  EXPECT_EQ(outcome.code, ExitCode::kFailure);
  EXPECT_THAT(outcome.err, HasSubstr("failed to access repository with new key"));
  EXPECT_THAT(names(), UnorderedElementsAreArray(before));
}

TEST_F(ChangedKey, RemoveTakesTheBeginningOfAnId) {
  const Outcome outcome = runner_.run({"key", "remove", other_.substr(0, 10)});
  EXPECT_EQ(outcome.code, ExitCode::kSuccess) << outcome.err;
  EXPECT_EQ(outcome.out, "removed key " + other_ + "\n");
  EXPECT_THAT(names(), SizeIs(1));
  EXPECT_EQ(opened("another password"), "");
}

TEST_F(ChangedKey, RemoveRefusesTheKeyInUseAndUnknownOnes) {
  const std::string current = opened(std::string(testing::kPassword));
  EXPECT_THAT(runner_.run({"key", "remove", current}).err,
              StartsWith("Fatal: refusing to remove key currently used to access repository"));
  EXPECT_THAT(runner_.run({"key", "remove", "zz"}).err,
              StartsWith("Fatal: no matching ID found for prefix \"zz\""));
  EXPECT_THAT(runner_.run({"key", "remove", ""}).err,
              StartsWith("Fatal: multiple IDs with prefix \"\" found"));
  EXPECT_THAT(runner_.run({"key", "remove"}).err,
              StartsWith("Fatal: key remove expects one argument as the key id"));
  EXPECT_THAT(names(), SizeIs(2));
}

TEST_F(ChangedKey, NothingIsStoredWithoutAGoodPassword) {
  EXPECT_THAT(runner_.run({"key", "add", "--new-password-file", file_of("\n")}).err,
              StartsWith("Fatal: an empty password is not allowed by default. Pass the flag "
                         "`--new-insecure-no-password`"));
  EXPECT_THAT(
      runner_
          .run({"key", "add", "--new-password-file", file_of("new"), "--new-insecure-no-password"})
          .err,
      StartsWith("Fatal: only either --new-password-file or --new-insecure-no-password"));
  EXPECT_THAT(names(), SizeIs(2));
}

TEST_F(ChangedKey, WarnsWhereResticWouldNotTryThemAll) {
  for (int i = 0; i < 18; ++i) builder_.add_key("password " + std::to_string(i));
  EXPECT_THAT(runner_.run({"key", "add", "--new-insecure-no-password"}).err,
              HasSubstr("has 21 keys, and restic tries 20 of them at most"));
}

TEST_F(ChangedKey, AddGoesOnBesideABackupAndTheOthersDoNot) {
  builder_.add_sealed(FileType::kLock, write_lock_file(testing::lock_elsewhere(false)));
  EXPECT_EQ(runner_.run({"key", "add", "--new-insecure-no-password"}).code, ExitCode::kSuccess);
  EXPECT_EQ(runner_.run({"key", "passwd", "--new-insecure-no-password"}).code, ExitCode::kLocked);
  EXPECT_EQ(runner_.run({"key", "remove", other_}).code, ExitCode::kLocked);
}

}  // namespace
}  // namespace restree
