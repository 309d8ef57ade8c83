// restree init, restree unlock
#include <gmock/gmock.h>

#include <chrono>
#include <memory>

#include "repo/repository.h"
#include "repo/storage/memory_storage.h"
#include "tests/support/locks.h"
#include "tests/support/memory_repository.h"
#include "tests/support/restree.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Outcome;
using testing::RestreeRunner;
using testing::soon;
using ::testing::StartsWith;
using testing::value_of;

class Init : public ::testing::Test {
 protected:
  Config config() {
    const Secret password{std::string(testing::kPassword)};
    return value_of(Repository::open(storage_, password, "", soon()))->config();
  }
  std::shared_ptr<MemoryStorage> storage_ = std::make_shared<MemoryStorage>();
  RestreeRunner runner_{storage_};
};

TEST_F(Init, MakesARepositoryAndSaysSoAsResticDoes) {
  const Outcome outcome = runner_.run({"init"});
  EXPECT_EQ(outcome.code, ExitCode::kSuccess);
  EXPECT_EQ(config().version, 2U);
  EXPECT_EQ(outcome.out, "created restic repository " + config().id.hex().substr(0, 10) +
                             " at memory\n\n"
                             "Please note that knowledge of your password is required to access\n"
                             "the repository. Losing your password means that your data is\n"
                             "irrecoverably lost.\n");
}

TEST_F(Init, SaysSoInJson) {
  const Outcome outcome = runner_.run({"init", "--json", "--repository-version", "1"});
  EXPECT_EQ(config().version, 1U);
  EXPECT_EQ(outcome.out, R"({"message_type":"initialized","id":")" + config().id.hex() +
                             "\",\"repository\":\"memory\"}\n");
}

TEST_F(Init, RefusesALocationWithARepository) {
  runner_.run({"init", "-q"});
  const Outcome outcome = runner_.run({"init", "--json"});
  EXPECT_EQ(outcome.code, ExitCode::kFailure);
  EXPECT_THAT(outcome.err,
              StartsWith(R"({"message_type":"exit_error","code":1,"message":"Fatal: create )"
                         "repository at memory failed: config file already exists"));
}

TEST_F(Init, RefusesUnknownVersions) {
  EXPECT_EQ(runner_.run({"init", "--repository-version", "3"}).code, ExitCode::kFailure);
  EXPECT_THAT(runner_.run({"init", "--repository-version", "new"}).err,
              HasSubstr("invalid repository version"));
}

// Source and destination are the same storage in this test, which only tries the options.
TEST_F(Init, CopiesChunkerParametersOnlyFromASourceThatIsNamed) {
  EXPECT_THAT(runner_.run({"init", "--copy-chunker-params"}).err,
              HasSubstr("Please specify a source repository location"));
  EXPECT_THAT(runner_.run({"init", "--same-key"}).err,
              HasSubstr("Please specify a source repository location"));
  EXPECT_THAT(runner_.run({"init", "--from-repo", "other"}).err,
              HasSubstr("--copy-chunker-params"));
}

class Unlock : public ::testing::Test {
 protected:
  std::string put(const LockFile& lock) {
    return builder_.add_sealed(FileType::kLock, write_lock_file(lock));
  }
  std::shared_ptr<MemoryStorage> storage_ = std::make_shared<MemoryStorage>();
  testing::RepositoryBuilder builder_{storage_};
  RestreeRunner runner_{storage_};
};

TEST_F(Unlock, RemovesStaleLocksAndSaysHowMany) {
  LockFile old = testing::lock_elsewhere(true);
  old.time.seconds -= 3600;
  put(old);
  const std::string live = put(testing::lock_elsewhere(true));
  EXPECT_EQ(runner_.run({"unlock"}).out, "successfully removed 1 locks\n");
  EXPECT_THAT(testing::lock_names(*storage_), ElementsAre(live));
  EXPECT_EQ(runner_.run({"unlock"}).out, "");
}

TEST_F(Unlock, LeavesALockOfAnotherPidNamespaceThatIsNotOld) {
  LockFile lock = own_lock(true);
  ASSERT_TRUE(lock.place);
  lock.pid = testing::number_of_a_dead_process();
  lock.place->pid_namespace = "4:1";
  const std::string name = put(lock);
  EXPECT_EQ(runner_.run({"unlock"}).out, "");
  EXPECT_THAT(testing::lock_names(*storage_), ElementsAre(name));
}

TEST_F(Unlock, RemovesAllLocksWithRemoveAll) {
  put(testing::lock_elsewhere(true));
  EXPECT_EQ(runner_.run({"unlock", "--remove-all", "-q"}).code, ExitCode::kSuccess);
  EXPECT_THAT(testing::lock_names(*storage_), IsEmpty());
}

TEST_F(Unlock, WithoutARepositoryFails) {
  EXPECT_EQ(RestreeRunner(std::make_shared<MemoryStorage>()).run({"unlock"}).code,
            ExitCode::kNoRepository);
}

}  // namespace
}  // namespace restree
