// restree key list
#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "tests/support/memory_repository.h"
#include "tests/support/restree.h"
#include "tools/commands/node_text.h"

namespace restree {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Outcome;

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

TEST_F(Key, CommandsThatChangeKeysAreRefusedByName) {
  for (const std::string what : {"add", "remove", "passwd"}) {
    const Outcome outcome = runner_.run({"key", what});
    EXPECT_EQ(outcome.code, ExitCode::kFailure);
    EXPECT_THAT(outcome.err, HasSubstr("no command key " + what));
    EXPECT_THAT(outcome.out, IsEmpty());
  }
}

}  // namespace
}  // namespace restree
