// An SFTP client and the files that it holds open, so that reading on in a pack costs one round
// trip and not two.
//
// A pack that is removed while it is open can still be read to its end, which is right: its name is
// the hash of its content. That another program has replaced a file is noticed when a read fails.
//
// A pack that will be read soon can be opened beforehand, so that its first read costs one round
// trip too.
//
// Where the server holds few files open, those that are not in use are given back as soon as
// somebody waits for room.
//
// Ownership: the client and the open files, which close themselves.
// Threads:   any.
// Limits:    kMaxOpenFiles besides those that are being read, and kMaxOpening that are being opened
//            beforehand.
// Errors:    as SftpClient.
#pragma once

#include <atomic>
#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <utility>

#include "repo/base/bytes.h"
#include "repo/base/clock.h"
#include "repo/base/guarded.h"
#include "repo/base/result.h"
#include "repo/storage/sftp/sftp_client.h"

namespace restree {

class SftpConnection {
 public:
  static constexpr std::size_t kMaxOpenFiles = 16;
  static constexpr std::size_t kMaxOpening = 4;

  // `count`, if not null, counts this connection for as long as it lives.
  explicit SftpConnection(std::unique_ptr<SftpClient> client,
                          std::shared_ptr<std::atomic<unsigned>> count = nullptr);
  ~SftpConnection();
  SftpConnection(const SftpConnection&) = delete;
  SftpConnection& operator=(const SftpConnection&) = delete;

  SftpClient& client() { return *client_; }
  const SftpClient& client() const { return *client_; }

  // A file that is open to be read, as long as this is held. Its destructor closes it.
  class OpenFile {
   public:
    OpenFile(SftpClient& client, std::string handle)
        : client_(client), handle_(std::move(handle)) {}
    ~OpenFile() { client_.close_later(handle_); }
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;

    const std::string& handle() const { return handle_; }

   private:
    SftpClient& client_;
    const std::string handle_;
  };

  // Opens it, unless it is open.
  Result<std::shared_ptr<OpenFile>> open(const std::string& path, Deadline by);
  Result<Bytes> read(const std::string& path, std::uint64_t offset, std::uint64_t length,
                     Deadline by);
  // Opens the file for reads to come, and waits for nothing. If that fails, a read opens it again.
  void open_ahead(const std::string& path);
  // The file is about to be removed or replaced.
  void forget(const std::string& path);
  // Closes the files that nobody is reading.
  void forget_idle();
  // Closes the files that were not read since `when`.
  void forget_unused_since(Deadline::Clock::time_point when);

 private:
  struct Remembered {
    std::string path;
    std::shared_ptr<OpenFile> file;
    Deadline::Clock::time_point used;
  };
  struct Opening {
    std::string path;
    SftpClient::Opening opening;
    bool is_wanted = true;  // else it is closed once it is open
  };
  struct Files {
    std::list<Remembered> open;  // the last used in front
    std::list<Opening> opening;  // beforehand, the last begun in front
  };

  Result<Bytes> read_open(const std::string& path, std::uint64_t offset, std::uint64_t length,
                          Deadline by);
  std::shared_ptr<OpenFile> recall(const std::string& path, Deadline by);
  static std::shared_ptr<OpenFile> find(Files& files, const std::string& path);
  void remember(const std::string& path, std::shared_ptr<OpenFile> file);
  // What is to be closed once the lock is released.
  std::list<Remembered> settle(Files& files);
  static std::list<Remembered> too_many(Files& files);

  const std::unique_ptr<SftpClient> client_;
  const std::shared_ptr<std::atomic<unsigned>> count_;
  Guarded<Files> files_;
};

}  // namespace restree
