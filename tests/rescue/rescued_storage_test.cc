#include "repo/rescue/rescued_storage.h"

#include <memory>
#include <string>

#include "repo/crypto/sha256.h"
#include "tests/rescue/lost_files.h"
#include "tests/support/memory_repository.h"

namespace restree {
namespace {

using testing::FailsWith;
using testing::kConfigFile;
using ::testing::SizeIs;
using testing::soon;
using testing::value_of;

Bytes bytes(const std::string& text) { return Bytes::copy_of(as_bytes(text)); }

class Rescued : public ::testing::Test {
 protected:
  void write(const FileName& file, const std::string& content) {
    ASSERT_OK(files_->write(file, as_bytes(content), soon()));
  }
  void write_snapshot() { write({FileType::kSnapshot, std::string(64, '5')}, "snapshot"); }
  std::string config() {
    return std::string(as_text(value_of(storage_.read_all(kConfigFile, soon()))));
  }

  std::shared_ptr<MemoryStorage> files_ = std::make_shared<MemoryStorage>();
  RescuedStorage storage_{files_};
};

TEST_F(Rescued, AddsNothingByItself) {
  write_snapshot();
  EXPECT_THAT(storage_.read_all(kConfigFile, soon()), FailsWith(ErrorKind::kNotFound));
  EXPECT_THAT(value_of(storage_.list(FileType::kKey, soon())), SizeIs(0));
}

TEST_F(Rescued, GivesTheConfigThatIsMissing) {
  write_snapshot();
  storage_.add_config(bytes("config"));
  EXPECT_EQ(config(), "config");
  EXPECT_EQ(value_of(storage_.size(kConfigFile, soon())), 6U);
  EXPECT_EQ(as_text(value_of(storage_.read(kConfigFile, {1, 3}, soon()))), "onf");
  EXPECT_THAT(storage_.read(kConfigFile, {4, 3}, soon()), FailsWith(ErrorKind::kCorrupt));
  Bytes buffer;
  EXPECT_EQ(as_text(value_of(storage_.read_into(buffer, kConfigFile, {0, 2}, soon()))), "co");
}

TEST_F(Rescued, TheConfigThatIsThereGoesFirst) {
  write_snapshot();
  write(kConfigFile, "its own");
  storage_.add_config(bytes("config"));
  EXPECT_EQ(config(), "its own");
}

TEST_F(Rescued, AConfigThatReplacesGoesBeforeOneThatIsThereAndOneThatIsNot) {
  write_snapshot();
  storage_.replace_config(bytes("config"));
  EXPECT_EQ(config(), "config");
  write(kConfigFile, "damaged");
  EXPECT_EQ(config(), "config");
}

// A disk that is not mounted must not look like a repository.
TEST_F(Rescued, AnEmptyFolderHasNoConfig) {
  storage_.add_config(bytes("config"));
  EXPECT_THAT(storage_.read_all(kConfigFile, soon()), FailsWith(ErrorKind::kNotFound));
  storage_.replace_config(bytes("config"));
  EXPECT_THAT(storage_.size(kConfigFile, soon()), FailsWith(ErrorKind::kNotFound));
  write({FileType::kIndex, std::string(64, '6')}, "index");
  EXPECT_EQ(config(), "config");
}

TEST_F(Rescued, GivesTheKeyBesideThoseThatAreThere) {
  const std::string name = to_hex(sha256(as_bytes(std::string("key"))));
  write({FileType::kKey, std::string(64, '1')}, "another");
  storage_.add_key(bytes("key"));
  EXPECT_THAT(value_of(storage_.list(FileType::kKey, soon())), SizeIs(2));
  EXPECT_EQ(as_text(value_of(storage_.read_all({FileType::kKey, name}, soon()))), "key");
  EXPECT_EQ(value_of(storage_.size({FileType::kKey, name}, soon())), 3U);
  EXPECT_THAT(storage_.read_all({FileType::kKey, std::string(64, '2')}, soon()),
              FailsWith(ErrorKind::kNotFound));
  write({FileType::kKey, name}, "key");
  EXPECT_THAT(value_of(storage_.list(FileType::kKey, soon())), SizeIs(2));
}

TEST_F(Rescued, AStorageThatDoesNotAnswerIsNotAnsweredFor) {
  class Away final : public ForwardingStorage {
   public:
    using ForwardingStorage::ForwardingStorage;
    Result<Bytes> read_all(const FileName&, Deadline) override {
      return Error(ErrorKind::kUnavailable, "the line is cut");
    }
  };
  write_snapshot();
  RescuedStorage storage(std::make_shared<Away>(files_));
  storage.replace_config(bytes("config"));
  EXPECT_THAT(storage.read_all(kConfigFile, soon()), FailsWith(ErrorKind::kUnavailable));
}

}  // namespace
}  // namespace restree
