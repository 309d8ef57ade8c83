// SftpStorage on a server that refuses some requests without a reason, as the protocol has it for
// trouble of every kind.
#include "repo/storage/sftp/sftp_storage.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/storage/sftp/fake_server.h"
#include "tests/support/matchers.h"

namespace restree::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;
using sftp::StatusCode;
using sftp::Type;

constexpr std::uint32_t kRegular = 0100600;
constexpr std::uint32_t kFolder = 0040700;
constexpr std::uint32_t kFifo = 0010600;
constexpr std::uint32_t kLink = 0120777;

// What all connections to the server see.
struct Disk {
  struct File {
    std::string content;
    std::uint32_t mode = kRegular;
    std::uint32_t target_mode = kRegular;  // of a link; 0: it leads in a circle
    bool fails = false;                    // to be read
    bool is_dangling = false;              // a link
    bool blocks = false;                   // the server that opens it
  };
  Mutex mutex;
  std::map<std::string, File> files;
  std::size_t most_handles = 1000;  // of each connection
  bool hangs_up_on_write = false;
  std::size_t connections = 0;
  std::vector<std::string> opened;
};

// One connection's server.
class DiskServer {
 public:
  DiskServer(Disk& disk, FakeServer server) : disk_(disk), server_(std::move(server)) {}

  void run() {
    server_.greet();
    for (;;) {
      const Received request = server_.receive();
      if (request.type == Type::kInit) return;
      const MutexLock lock(disk_.mutex);
      if (!answer(request)) return;
    }
  }

 private:
  struct Handle {
    std::string path;
    bool is_listed = false;
  };

  // False: this connection answers no more.
  bool answer(const Received& request) {
    PacketReader reader(request.body);
    const std::string name(reader.string());
    const auto file = disk_.files.find(name);
    const bool is_there = file != disk_.files.end();
    switch (request.type) {
      case Type::kStat:
        if (!is_there || file->second.is_dangling) {
          return refuse(request, StatusCode::kNoSuchFile);
        }
        return attributes(request, file->second, file->second.mode == kLink);
      case Type::kOpen: {
        disk_.opened.push_back(name);
        if (reader.u32() & sftp::kOpenCreate) {
          disk_.files[name] = {};
        } else if (!is_there) {
          return refuse(request, StatusCode::kNoSuchFile);
        } else if (file->second.blocks) {
          // As a server that waits in open(2): nothing else on this connection is answered.
          while (server_.receive().type != Type::kInit) continue;
          return false;
        }
        return open(request, name);
      }
      case Type::kOpendir:
        return open(request, name);
      case Type::kReaddir:
        return list(request, handles_.at(name));
      case Type::kFstat:
        return attributes(request, disk_.files[handles_.at(name).path], false);
      case Type::kRead:
        return read(request, disk_.files[handles_.at(name).path], reader);
      case Type::kWrite:
        if (!disk_.hangs_up_on_write) break;
        disk_.hangs_up_on_write = false;
        server_.hang_up();
        return false;
      case Type::kClose:
        handles_.erase(name);
        break;
      case Type::kRemove:
        if (disk_.files.erase(name) == 0) return refuse(request, StatusCode::kNoSuchFile);
        break;
      case Type::kRename: {
        const std::string to(reader.string());
        disk_.files[to] = file->second;
        disk_.files.erase(name);
        break;
      }
      default:
        break;
    }
    return refuse(request, StatusCode::kOk);
  }

  bool refuse(const Received& request, StatusCode code) {
    server_.answer_status(request.id, code);
    return true;
  }

  bool open(const Received& request, const std::string& path) {
    const auto file = disk_.files.find(path);
    const bool is_loop = file != disk_.files.end() && file->second.target_mode == 0;
    if (handles_.size() >= disk_.most_handles || is_loop) {
      return refuse(request, StatusCode::kFailure);
    }
    const std::string handle = "h" + std::to_string(next_++);
    handles_[handle] = {path};
    server_.answer_handle(request.id, handle);
    return true;
  }

  bool attributes(const Received& request, const Disk::File& file, bool follows) {
    const std::uint32_t mode = follows ? file.target_mode : file.mode;
    if (mode == 0) return refuse(request, StatusCode::kFailure);
    sftp::Request answer(Type::kAttributes);
    answer.u32(0x5).u64(file.content.size()).u32(mode);
    server_.send(std::move(answer).finish(request.id));
    return true;
  }

  bool list(const Received& request, Handle& handle) {
    if (std::exchange(handle.is_listed, true)) return refuse(request, StatusCode::kEof);
    sftp::Request names(Type::kName);
    std::vector<std::pair<std::string, const Disk::File*>> found;
    for (const auto& [path, file] : disk_.files) {
      const std::size_t slash = path.rfind('/');
      if (path.substr(0, slash) == handle.path) found.emplace_back(path.substr(slash + 1), &file);
    }
    names.u32(static_cast<std::uint32_t>(found.size()));
    for (const auto& [name, file] : found) {
      names.string(name).string(std::string_view("-")).u32(0x5);
      names.u64(file->content.size()).u32(file->mode);
    }
    server_.send(std::move(names).finish(request.id));
    return true;
  }

  bool read(const Received& request, const Disk::File& file, PacketReader& reader) {
    const std::uint64_t offset = reader.u64();
    const std::uint32_t length = reader.u32();
    if (file.fails) return refuse(request, StatusCode::kFailure);
    if (offset >= file.content.size()) return refuse(request, StatusCode::kEof);
    server_.answer_data(request.id, std::string_view(file.content).substr(offset, length));
    return true;
  }

  Disk& disk_;
  FakeServer server_;
  std::map<std::string, Handle> handles_;
  std::size_t next_ = 0;
};

class SftpStorageTest : public ::testing::Test {
 protected:
  SftpStorageTest() { put({FileType::kConfig, ""}, "config"); }

  ~SftpStorageTest() override {
    storage_.reset();  // the servers end with their connections
  }

  static Deadline soon() { return Deadline::after(60s); }
  static std::string path_of(const FileName& file) { return "repo/" + relative_path(file); }
  static FileName pack(int number) {
    return {FileType::kPack, fmt::format("{:02x}{:062x}", number, number)};
  }
  void put(const FileName& file, std::string content) {
    const MutexLock lock(disk_.mutex);
    disk_.files[path_of(file)] = {.content = std::move(content)};
  }
  void make_odd(const FileName& file, Disk::File odd) {
    const MutexLock lock(disk_.mutex);
    disk_.files[path_of(file)] = std::move(odd);
  }
  std::vector<std::string> paths() {
    const MutexLock lock(disk_.mutex);
    std::vector<std::string> paths;
    for (const auto& [path, file] : disk_.files) paths.push_back(path);
    return paths;
  }

  SftpStorage& storage() {
    if (storage_) return *storage_;
    auto pool = std::make_unique<SftpPool>(
        "fake", connections_, 20s,
        [this](const Patience& patience) -> Result<std::unique_ptr<SftpConnection>> {
          auto [channel, fd] = SocketChannel::make();
          {
            const MutexLock lock(disk_.mutex);
            ++disk_.connections;
            servers_.emplace_back([this, server = FakeServer(std::move(fd))]() mutable {
              DiskServer(disk_, std::move(server)).run();
            });
          }
          ASSIGN_OR_RETURN(auto client,
                           SftpClient::start(std::move(channel), "fake", silence_, patience));
          return std::make_unique<SftpConnection>(std::move(client));
        });
    storage_ = std::make_unique<SftpStorage>(std::move(pool), "repo", "sftp:fake:repo");
    return *storage_;
  }

  Disk disk_;
  std::vector<std::jthread> servers_;
  std::size_t connections_ = 1;
  std::chrono::milliseconds silence_ = 20s;
  std::unique_ptr<SftpStorage> storage_;
};

const FileName kIndexFile{FileType::kIndex, std::string(64, 'a')};
const FileName kOther{FileType::kIndex, std::string(64, 'b')};

TEST_F(SftpStorageTest, AServerThatHoldsFewFilesOpenIsReadFromAsAnyOther) {
  constexpr int kPacks = 60;
  for (int i = 0; i < kPacks; ++i) put(pack(i), "pack " + std::to_string(i));
  disk_.most_handles = 8;
  for (int i = 0; i < kPacks; ++i) {
    const std::string content = "pack " + std::to_string(i);
    EXPECT_THAT(storage().read(pack(i), {0, content.size()}, soon()), Holds(content)) << i;
  }
  EXPECT_THAT(storage().read_all({FileType::kConfig, ""}, soon()), Holds("config"));
  EXPECT_EQ(disk_.connections, 1U);
}

TEST_F(SftpStorageTest, ManyReadersShareTheFewFilesThatAServerHoldsOpen) {
  constexpr int kReaders = 24;
  constexpr int kRounds = 20;
  for (int i = 0; i < kReaders; ++i) put(pack(i), "pack " + std::to_string(i));
  disk_.most_handles = 3;
  storage();
  std::vector<std::jthread> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.emplace_back([&, i] {
      for (int round = 0; round < kRounds; ++round) {
        const int number = (i + round) % kReaders;
        const std::string content = "pack " + std::to_string(number);
        EXPECT_THAT(storage().read(pack(number), {0, content.size()}, soon()), Holds(content));
        EXPECT_THAT(storage().read_all(pack(number), soon()), Holds(content));
      }
    });
  }
}

TEST_F(SftpStorageTest, ListingsOfAServerThatHoldsFewFoldersOpenAreWhole) {
  constexpr std::size_t kPacks = 60;
  for (std::size_t i = 0; i < kPacks; ++i) {
    put(pack(static_cast<int>(i)), "pack");
    const MutexLock lock(disk_.mutex);
    disk_.files[fmt::format("repo/data/{:02x}", i)] = {.content = {}, .mode = kFolder};
  }
  disk_.most_handles = 3;
  // Two of the three are taken by packs that are open.
  ASSERT_OK(storage().read(pack(1), {0, 4}, soon()));
  ASSERT_OK(storage().read(pack(2), {0, 4}, soon()));
  EXPECT_EQ(value_of(storage().list(FileType::kPack, soon())).size(), kPacks);
}

TEST_F(SftpStorageTest, AFileThatTheServerCannotReadIsCorruptWhileOthersCanBeRead) {
  put(kOther, "content");
  for (const Disk::File& odd : {Disk::File{.content = "content", .fails = true},
                                Disk::File{.content = {}, .mode = kLink, .target_mode = 0},
                                Disk::File{.content = "content", .mode = kFolder, .fails = true}}) {
    make_odd(kIndexFile, odd);
    const auto content = storage().read_all(kIndexFile, soon());
    ASSERT_THAT(content, FailsWith(ErrorKind::kCorrupt));
    EXPECT_THAT(content.error().message(),
                HasSubstr(odd.mode == kFolder ? "a regular file" : "failure"));
    EXPECT_THAT(storage().read(kIndexFile, {0, 1}, soon()), FailsWith(ErrorKind::kCorrupt));
    EXPECT_THAT(storage().read_all(kOther, soon()), Holds("content"));
  }
}

TEST_F(SftpStorageTest, AServerThatCanReadNothingIsUnavailable) {
  for (const FileName& file : {kIndexFile, FileName{FileType::kConfig, ""}}) {
    make_odd(file, {.content = "content", .fails = true});
  }
  EXPECT_THAT(storage().read_all(kIndexFile, soon()), FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(storage().read_all({FileType::kConfig, ""}, soon()),
              FailsWith(ErrorKind::kUnavailable));
}

TEST_F(SftpStorageTest, AFifoBlocksOneConnectionAndIsThenNamed) {
  silence_ = 200ms;
  put(kOther, "content");
  make_odd(kIndexFile, {.content = {}, .mode = kFifo, .blocks = true});
  EXPECT_THAT(storage().read_all(kIndexFile, soon()), FailsWith(ErrorKind::kUnavailable));
  const auto content = storage().read_all(kIndexFile, soon());
  ASSERT_THAT(content, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(content.error().message(), HasSubstr("is a FIFO"));
  EXPECT_THAT(storage().read_all(kOther, soon()), Holds("content"));
  EXPECT_EQ(std::ranges::count(disk_.opened, path_of(kIndexFile)), 1);
}

// What is opened for reads to come costs a blocked connection once as well.
TEST_F(SftpStorageTest, AnExpectedFifoIsOpenedOnceAndThenNamed) {
  silence_ = 200ms;
  put(kOther, "content");
  make_odd(kIndexFile, {.content = {}, .mode = kFifo, .blocks = true});
  EXPECT_THAT(storage().read_all(kOther, soon()), Holds("content"));
  storage().expect(kIndexFile, {0, 1});
  EXPECT_THAT(storage().read(kIndexFile, {0, 1}, soon()), FailsWith(ErrorKind::kUnavailable));
  storage().expect(kIndexFile, {0, 1});
  const auto content = storage().read(kIndexFile, {0, 1}, soon());
  ASSERT_THAT(content, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(content.error().message(), HasSubstr("is a FIFO"));
  EXPECT_THAT(storage().read_all(kOther, soon()), Holds("content"));
  EXPECT_EQ(std::ranges::count(disk_.opened, path_of(kIndexFile)), 1);
}

TEST_F(SftpStorageTest, ListingsNameOnceWhatIsNoRegularFileAndFollowLinks) {
  put(kOther, "content");
  const FileName linked{FileType::kIndex, std::string(64, 'c')};
  make_odd(linked, {.content = "linked", .mode = kLink, .target_mode = kRegular});
  make_odd(kIndexFile, {.content = {}, .mode = kFifo});
  make_odd({FileType::kIndex, std::string(64, 'd')}, {.content = {}, .mode = kFolder});
  make_odd({FileType::kIndex, std::string(64, 'e')},
           {.content = {}, .mode = kLink, .target_mode = 0});
  make_odd({FileType::kIndex, std::string(64, 'f')},
           {.content = {}, .mode = kLink, .target_mode = kFifo});
  make_odd({FileType::kIndex, std::string(64, '9')},
           {.content = {}, .mode = kLink, .is_dangling = true});
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 2; ++i) {
    std::vector<std::string> names;
    for (const ListedFile& file : value_of(storage().list(FileType::kIndex, soon()))) {
      names.push_back(file.name);
    }
    std::ranges::sort(names);
    EXPECT_THAT(names, ElementsAre(kOther.name, linked.name));
  }
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 5) << log;
  EXPECT_THAT(log, HasSubstr(path_of(kIndexFile) + " is a FIFO"));
  EXPECT_THAT(log, HasSubstr("is a link that leads nowhere"));
}

TEST_F(SftpStorageTest, TheTemporaryFileOfACutConnectionIsRemovedByTheNextWrite) {
  disk_.hangs_up_on_write = true;
  EXPECT_THAT(storage().write(pack(1), as_bytes("content"), soon()),
              FailsWith(ErrorKind::kUnavailable));
  EXPECT_EQ(paths().size(), 2U) << "the config and a temporary file";
  static_cast<void>(storage().write(kOther, {}, soon()));
  EXPECT_THAT(paths(), ElementsAre(path_of({FileType::kConfig, ""}), path_of(kOther)));
}

TEST_F(SftpStorageTest, AFileThatIsTooLargeForItsTypeIsNotReadIntoMemory) {
  const FileName key{FileType::kKey, std::string(64, '1')};
  put(key, std::string(most_file_bytes(FileType::kKey) + 1, 'x'));
  const auto content = storage().read_all(key, soon());
  ASSERT_THAT(content, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(content.error().message(), HasSubstr("too many for its kind"));
}

}  // namespace
}  // namespace restree::testing
