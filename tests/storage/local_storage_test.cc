// A folder in which something else than a file lies under a file's name.
#include "repo/storage/local_storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "repo/base/unique_fd.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

const std::string kOdd(64, '0');
const std::string kPlain(64, '1');

struct OddThing {
  std::string name;
  std::string in_words;  // of the message
  std::function<void(const fs::path&)> make;
};

void make_socket(const fs::path& path) {
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const fs::path here = fs::current_path();
  fs::current_path(path.parent_path());  // a socket's address has room for a short path only
  std::copy_n(path.filename().c_str(), path.filename().string().size(), address.sun_path);
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  fs::current_path(here);
}

TEST(LocalStorageTest, SaysHowMuchIsFreeOnItsDisk) {
  const TempDir dir;
  const auto storage = make_local_storage(dir.path().string());
  const std::optional<std::uint64_t> room =
      value_of(storage->free_bytes(Deadline::after(std::chrono::seconds(60))));
  ASSERT_TRUE(room.has_value());
  EXPECT_LE(*room, fs::space(dir.path()).capacity);
  EXPECT_FALSE(make_local_storage((dir.path() / "nothing").string())
                   ->free_bytes(Deadline::after(std::chrono::seconds(60))));
}

std::vector<OddThing> odd_things() {
  return {
      {"Folder", "is a folder", [](const fs::path& path) { fs::create_directory(path); }},
      {"Fifo", "is a FIFO",
       [](const fs::path& path) { EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0); }},
      {"LinkToAFifo", "is a FIFO",
       [](const fs::path& path) {
         EXPECT_EQ(::mkfifo((path.parent_path() / "fifo").c_str(), 0600), 0);
         fs::create_symlink("fifo", path);
       }},
      {"LinkLoop", "Too many levels of symbolic links",
       [](const fs::path& path) { fs::create_symlink(path.filename(), path); }},
      {"DanglingLink", "is a link that leads nowhere",
       [](const fs::path& path) { fs::create_symlink("nothing", path); }},
      {"Socket", "socket", make_socket},  // open(2) has other words for it than stat(2)
      {"Device", "is a device",
       [](const fs::path& path) {
         EXPECT_EQ(::mknod(path.c_str(), S_IFCHR | 0600, ::makedev(1, 5)), 0);  // as /dev/zero
       }},
  };
}

class InPlaceOfAFile : public ::testing::TestWithParam<OddThing> {
 protected:
  InPlaceOfAFile() { EXPECT_OK(storage_->make_folders(soon())); }
  static Deadline soon() { return Deadline::after(std::chrono::seconds(60)); }
  void put(const FileName& file) { GetParam().make(dir_.path() / relative_path(file)); }

  TempDir dir_;
  std::shared_ptr<Storage> storage_ = make_local_storage(dir_.path().string());
};

TEST_P(InPlaceOfAFile, IsLeftOutOfListingsAndNamedOnce) {
  for (const FileType type : {FileType::kKey, FileType::kLock, FileType::kIndex, FileType::kPack}) {
    ASSERT_OK(storage_->write({type, kPlain}, as_bytes("content"), soon()));
    put({type, kOdd});
    ::testing::internal::CaptureStderr();
    for (int i = 0; i < 3; ++i) {
      const auto listed = value_of(storage_->list(type, soon()));
      ASSERT_EQ(listed.size(), 1U);
      EXPECT_EQ(listed[0].name, kPlain);
    }
    const std::string log = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1) << log;
    EXPECT_THAT(log, HasSubstr(relative_path({type, kOdd})));
    EXPECT_THAT(log, HasSubstr("left out"));
    EXPECT_THAT(log, HasSubstr(GetParam().in_words));
  }
}

// One that is left out would pass for a forgotten one, and its data for free.
TEST_P(InPlaceOfAFile, IsListedAsASnapshotThatCannotBeReadAndCanBeRemoved) {
  const FileName odd{FileType::kSnapshot, kOdd};
  put(odd);
  const auto listed = value_of(storage_->list(FileType::kSnapshot, soon()));
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].name, kOdd);
  EXPECT_EQ(listed[0].size_bytes, 0U);
  const auto content = storage_->read_all(odd, soon());
  ASSERT_THAT(content, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(content.error().message(), HasSubstr(relative_path(odd)));
  ASSERT_OK(storage_->remove(odd, soon()));
  EXPECT_TRUE(value_of(storage_->list(FileType::kSnapshot, soon())).empty());
}

TEST_P(InPlaceOfAFile, IsCorruptAtOnceForWhoeverReadsIt) {
  if (GetParam().name == "DanglingLink") {  // to its readers it is not there
    const FileName file{FileType::kPack, kOdd};
    put(file);
    EXPECT_THAT(storage_->read_all(file, soon()), FailsWith(ErrorKind::kNotFound));
    return;
  }
  for (const FileName& file : {FileName{FileType::kPack, kOdd}, FileName{FileType::kSnapshot, kOdd},
                               FileName{FileType::kConfig, ""}}) {
    put(file);
    const auto whole = storage_->read_all(file, soon());
    EXPECT_THAT(whole, FailsWith(ErrorKind::kCorrupt));
    EXPECT_THAT(storage_->read(file, {.offset = 0, .length = 1}, soon()),
                FailsWith(ErrorKind::kCorrupt));
    EXPECT_THAT(storage_->read(file, {.offset = 0, .length = 0}, soon()),
                FailsWith(ErrorKind::kCorrupt));
    const auto size = storage_->size(file, soon());
    ASSERT_THAT(size, FailsWith(ErrorKind::kCorrupt));
    EXPECT_THAT(size.error().message(), HasSubstr(GetParam().in_words));
    EXPECT_THAT(size.error().message(), HasSubstr(relative_path(file)));
    storage_->expect(file, {.offset = 0, .length = 1});
    fs::remove(dir_.path() / fs::path(relative_path(file)).parent_path() / "fifo");
  }
}

INSTANTIATE_TEST_SUITE_P(All, InPlaceOfAFile, ::testing::ValuesIn(odd_things()),
                         [](const auto& instance) { return instance.param.name; });

TEST(LocalStorage, AFolderWithFilesInThePlaceOfAFileIsNotRemoved) {
  const TempDir dir;
  const auto storage = make_local_storage(dir.path().string());
  const FileName odd{FileType::kSnapshot, kOdd};
  fs::create_directories(dir.path() / relative_path(odd) / "folder");
  const Status removed = storage->remove(odd, Deadline::after(std::chrono::seconds(60)));
  ASSERT_THAT(removed, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(removed.error().message(), HasSubstr("a folder with files in it"));
  EXPECT_THAT(removed.error().hint(), HasSubstr("Move the folder away"));
  EXPECT_TRUE(fs::exists(dir.path() / relative_path(odd) / "folder"));
}

// Sparse files of sizes that no memory holds.
TEST(LocalStorage, AFileThatIsTooLargeForItsTypeIsNotReadIntoMemory) {
  const TempDir dir;
  const auto storage = make_local_storage(dir.path().string());
  const Deadline soon = Deadline::after(std::chrono::seconds(60));
  ASSERT_OK(storage->make_folders(soon));
  for (const FileName& file : {FileName{FileType::kConfig, ""}, FileName{FileType::kKey, kOdd},
                               FileName{FileType::kLock, kOdd}, FileName{FileType::kSnapshot, kOdd},
                               FileName{FileType::kIndex, kOdd}, FileName{FileType::kPack, kOdd}}) {
    ASSERT_OK(storage->write(file, as_bytes("content"), soon));
    constexpr off_t kTenTiB = off_t{10} << 40;
    ASSERT_EQ(::truncate((dir.path() / relative_path(file)).c_str(), kTenTiB), 0);
    const auto content = storage->read_all(file, soon);
    ASSERT_THAT(content, FailsWith(ErrorKind::kCorrupt));
    EXPECT_THAT(content.error().message(), HasSubstr("has 10995116277760 bytes"));
    EXPECT_THAT(content.error().message(), HasSubstr(relative_path(file)));
    EXPECT_THAT(storage->read(file, {.offset = 0, .length = 7}, soon), Holds("content"));
  }
}

}  // namespace
}  // namespace restree::testing
