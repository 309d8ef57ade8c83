#include "repo/repository_creation.h"

#include <chrono>
#include <memory>
#include <string>

#include "repo/chunker/polynomial.h"
#include "repo/repository.h"
#include "repo/storage/memory_storage.h"
#include "tests/support/matchers.h"
#include "tests/support/watched_storage.h"

namespace restree {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;
using testing::value_of;
using testing::WatchedStorage;

constexpr ScryptParameters kCheap{.n = 16, .r = 8, .p = 1};

Deadline soon() { return Deadline::after(std::chrono::seconds(30)); }
Secret password() { return Secret(std::string("secret")); }

class RepositoryCreation : public ::testing::Test {
 protected:
  Result<Config> create(NewRepository wanted = {}) {
    wanted.scrypt = kCheap;
    return create_repository(*storage_, password(), wanted, soon());
  }
  std::size_t count(FileType type) { return value_of(storage_->list(type, soon())).size(); }

  std::shared_ptr<WatchedStorage> storage_ =
      std::make_shared<WatchedStorage>(std::make_shared<MemoryStorage>());
};

TEST_F(RepositoryCreation, MakesARepositoryThatOpensWithThePassword) {
  const Config config = value_of(create());
  EXPECT_EQ(config.version, 2U);
  EXPECT_TRUE(is_irreducible(config.chunker_polynomial));
  EXPECT_EQ(degree_of(config.chunker_polynomial), 53U);
  const auto repository = value_of(Repository::open(storage_, password(), "", soon()));
  EXPECT_EQ(repository->config().id, config.id);
  EXPECT_EQ(repository->config().chunker_polynomial, config.chunker_polynomial);
  EXPECT_THAT(Repository::open(storage_, Secret(std::string("other")), "", soon()),
              FailsWith(ErrorKind::kWrongPassword));
}

TEST_F(RepositoryCreation, TakesTheVersionAndThePolynomialThatAreAskedFor) {
  const Config config = value_of(create({.version = 1, .chunker_polynomial = 0x3da3358b4dc173}));
  EXPECT_EQ(config.version, 1U);
  EXPECT_EQ(config.chunker_polynomial, 0x3da3358b4dc173U);
}

TEST_F(RepositoryCreation, RefusesVersionsAndPolynomialsThatAreOfNoUse) {
  EXPECT_THAT(create({.version = 3}), FailsWith(ErrorKind::kUnsupported));
  EXPECT_THAT(create({.chunker_polynomial = 0x38f1e565e288df}), FailsWith(ErrorKind::kInvalid));
  EXPECT_EQ(count(FileType::kKey), 0U);
}

TEST_F(RepositoryCreation, DoesNotTouchAnExistingRepository) {
  const Config first = value_of(create());
  const auto second = create();
  ASSERT_THAT(second, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(second.error().message(), HasSubstr("config file already exists"));
  EXPECT_EQ(count(FileType::kKey), 1U);
  EXPECT_EQ(value_of(Repository::open(storage_, password(), "", soon()))->config().id, first.id);
}

// A lost config can be restored; a new one beside old keys would make their repository useless.
TEST_F(RepositoryCreation, DoesNotTouchAnIncompleteRepository) {
  for (const FileType type : {FileType::kKey, FileType::kSnapshot}) {
    const FileName file{type, std::string(64, 'a')};
    ASSERT_OK(storage_->write(file, as_bytes("?"), soon()));
    EXPECT_THAT(create(), FailsWith(ErrorKind::kInvalid));
    ASSERT_OK(storage_->remove(file, soon()));
  }
}

TEST_F(RepositoryCreation, RemovesItsKeyIfTheConfigCannotBeWritten) {
  storage_->watch_writes([](const FileName& file) -> Status {
    if (file.type != FileType::kConfig) return {};
    return Error(ErrorKind::kDenied, "the disk is full");
  });
  EXPECT_THAT(create(), FailsWith(ErrorKind::kDenied));
  EXPECT_EQ(count(FileType::kKey), 0U);
  storage_->watch_writes({});
  EXPECT_OK(create());
}

}  // namespace
}  // namespace restree
