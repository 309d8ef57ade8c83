// An SFTP server with a few files in memory, and a storage on it: it refuses what a test wants it to refuse, and
// copies as a test wants it to copy.
#pragma once

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "repo/storage/sftp/sftp_storage.h"
#include "tests/storage/sftp/fake_server.h"
#include "tests/support/matchers.h"

namespace restree::testing {

inline constexpr std::uint32_t kRegular = 0100600;
inline constexpr std::uint32_t kFolder = 0040700;
inline constexpr std::uint32_t kFifo = 0010600;
inline constexpr std::uint32_t kLink = 0120777;

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
  bool names_twice = false;  // in listings
  // What the server does with a request for a copy; nullopt: it offers none.
  enum class Copying { kRight, kForgetsTheEnd, kRefuses, kHangsUp };
  std::optional<Copying> copying;
  std::vector<std::uint64_t> copied;  // the lengths that were asked for
  std::size_t connections = 0;
  std::vector<std::string> opened;
};

// One connection's server.
class DiskServer {
 public:
  DiskServer(Disk& disk, FakeServer server) : disk_(disk), server_(std::move(server)) {}

  void run() {
    server_.greet(offers_copies() ? std::vector<std::string>{"copy-data"}
                                  : std::vector<std::string>());
    for (;;) {
      const Received request = server_.receive();
      if (request.type == sftp::Type::kInit) return;
      const MutexLock lock(disk_.mutex);
      if (!answer(request)) return;
    }
  }

 private:
  bool offers_copies() {
    const MutexLock lock(disk_.mutex);
    return disk_.copying.has_value();
  }

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
      case sftp::Type::kStat:
        if (!is_there || file->second.is_dangling) {
          return refuse(request, sftp::StatusCode::kNoSuchFile);
        }
        return attributes(request, file->second, file->second.mode == kLink);
      case sftp::Type::kLstat:
        if (!is_there) return refuse(request, sftp::StatusCode::kNoSuchFile);
        return attributes(request, file->second, false);
      case sftp::Type::kOpen: {
        disk_.opened.push_back(name);
        if (reader.u32() & sftp::kOpenCreate) {
          disk_.files[name] = {};
        } else if (!is_there) {
          return refuse(request, sftp::StatusCode::kNoSuchFile);
        } else if (file->second.blocks) {
          // As a server that waits in open(2): nothing else on this connection is answered.
          while (server_.receive().type != sftp::Type::kInit) continue;
          return false;
        }
        return open(request, name);
      }
      case sftp::Type::kOpendir:
        return open(request, name);
      case sftp::Type::kReaddir:
        return list(request, handles_.at(name));
      case sftp::Type::kFstat:
        return attributes(request, disk_.files[handles_.at(name).path], false);
      case sftp::Type::kRead:
        return read(request, disk_.files[handles_.at(name).path], reader);
      case sftp::Type::kWrite:
        if (!disk_.hangs_up_on_write) {
          const std::uint64_t offset = reader.u64();
          write(disk_.files[handles_.at(name).path], offset, reader.string());
          break;
        }
        disk_.hangs_up_on_write = false;
        server_.hang_up();
        return false;
      case sftp::Type::kExtended:
        return copy(request, reader);
      case sftp::Type::kClose:
        handles_.erase(name);
        break;
      case sftp::Type::kRemove:
        if (!is_there) return refuse(request, sftp::StatusCode::kNoSuchFile);
        if (file->second.mode == kFolder) return refuse(request, sftp::StatusCode::kFailure);
        disk_.files.erase(file);
        break;
      case sftp::Type::kRmdir:
        if (disk_.files.lower_bound(name + "/") != disk_.files.lower_bound(name + "0")) {
          return refuse(request, sftp::StatusCode::kFailure);
        }
        disk_.files.erase(name);
        break;
      case sftp::Type::kRename: {
        const std::string to(reader.string());
        disk_.files[to] = file->second;
        disk_.files.erase(name);
        break;
      }
      default:
        break;
    }
    return refuse(request, sftp::StatusCode::kOk);
  }

  bool refuse(const Received& request, sftp::StatusCode code) {
    server_.answer_status(request.id, code);
    return true;
  }

  bool open(const Received& request, const std::string& path) {
    const auto file = disk_.files.find(path);
    const bool is_loop = file != disk_.files.end() && file->second.target_mode == 0;
    if (handles_.size() >= disk_.most_handles || is_loop) {
      return refuse(request, sftp::StatusCode::kFailure);
    }
    const std::string handle = "h" + std::to_string(next_++);
    handles_[handle] = {path};
    server_.answer_handle(request.id, handle);
    return true;
  }

  bool attributes(const Received& request, const Disk::File& file, bool follows) {
    const std::uint32_t mode = follows ? file.target_mode : file.mode;
    if (mode == 0) return refuse(request, sftp::StatusCode::kFailure);
    sftp::Request answer(sftp::Type::kAttributes);
    answer.u32(0x5).u64(file.content.size()).u32(mode);
    server_.send(std::move(answer).finish(request.id));
    return true;
  }

  bool list(const Received& request, Handle& handle) {
    if (std::exchange(handle.is_listed, true)) return refuse(request, sftp::StatusCode::kEof);
    sftp::Request names(sftp::Type::kName);
    std::vector<std::pair<std::string, const Disk::File*>> found;
    for (const auto& [path, file] : disk_.files) {
      const std::size_t slash = path.rfind('/');
      if (path.substr(0, slash) != handle.path) continue;
      for (int i = 0; i < (disk_.names_twice ? 2 : 1); ++i) {
        found.emplace_back(path.substr(slash + 1), &file);
      }
    }
    names.u32(static_cast<std::uint32_t>(found.size()));
    for (const auto& [name, file] : found) {
      names.string(name).string(std::string_view("-")).u32(0x5);
      names.u64(file->content.size()).u32(file->mode);
    }
    server_.send(std::move(names).finish(request.id));
    return true;
  }

  static void write(Disk::File& file, std::uint64_t offset, std::string_view bytes) {
    if (file.content.size() < offset + bytes.size()) file.content.resize(offset + bytes.size());
    file.content.replace(offset, bytes.size(), bytes);
  }

  // An OpenSSH server, too, says that all is well if the end of a range was not copied.
  bool copy(const Received& request, PacketReader& reader) {
    const std::string& from = disk_.files[handles_.at(std::string(reader.string())).path].content;
    const std::uint64_t offset = reader.u64();
    const std::uint64_t length = reader.u64();
    Disk::File& into = disk_.files[handles_.at(std::string(reader.string())).path];
    const std::uint64_t at = reader.u64();
    disk_.copied.push_back(length);
    switch (disk_.copying.value_or(Disk::Copying::kRefuses)) {
      case Disk::Copying::kRight:
        write(into, at, std::string_view(from).substr(offset, length));
        break;
      case Disk::Copying::kForgetsTheEnd:
        write(into, at, std::string_view(from).substr(offset, length - 1));
        break;
      case Disk::Copying::kRefuses:
        return refuse(request, sftp::StatusCode::kUnsupported);
      case Disk::Copying::kHangsUp:
        server_.hang_up();
        return false;
    }
    return refuse(request, sftp::StatusCode::kOk);
  }

  bool read(const Received& request, const Disk::File& file, PacketReader& reader) {
    const std::uint64_t offset = reader.u64();
    const std::uint32_t length = reader.u32();
    if (file.fails) return refuse(request, sftp::StatusCode::kFailure);
    if (offset >= file.content.size()) return refuse(request, sftp::StatusCode::kEof);
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

  static Deadline soon() { return Deadline::after(std::chrono::seconds(60)); }
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
        "fake", connections_, std::chrono::seconds(20),
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
  std::chrono::milliseconds silence_ = std::chrono::seconds(20);
  std::unique_ptr<SftpStorage> storage_;
};

}  // namespace restree::testing
