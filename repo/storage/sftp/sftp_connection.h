// An SFTP client and the files that it holds open, so that reading on in a pack costs one round
// trip and not two.
//
// A pack that is removed while it is open can still be read to its end, which is right: its name is
// the hash of its content. That another program has replaced a file is noticed when a read fails.
//
// Where the server holds few files open, those that are not in use are given back as soon as
// somebody waits for room.
//
// Ownership: the client and the open files, which close themselves.
// Threads:   any.
// Limits:    kMaxOpenFiles besides those that are being read.
// Errors:    as SftpClient.
#pragma once

#include <atomic>
#include <cstddef>
#include <list>
#include <memory>
#include <string>

#include "repo/base/bytes.h"
#include "repo/base/clock.h"
#include "repo/base/guarded.h"
#include "repo/base/result.h"
#include "repo/storage/sftp/sftp_client.h"

namespace restree {

class SftpConnection {
 public:
  static constexpr std::size_t kMaxOpenFiles = 16;

  // `count`, if not null, counts this connection for as long as it lives.
  explicit SftpConnection(std::unique_ptr<SftpClient> client,
                          std::shared_ptr<std::atomic<unsigned>> count = nullptr);
  ~SftpConnection();
  SftpConnection(const SftpConnection&) = delete;
  SftpConnection& operator=(const SftpConnection&) = delete;

  SftpClient& client() { return *client_; }
  const SftpClient& client() const { return *client_; }

  Result<Bytes> read(const std::string& path, std::uint64_t offset, std::uint64_t length,
                     Deadline by);
  // The file is about to be removed or replaced.
  void forget(const std::string& path);
  // Closes the files that nobody is reading.
  void forget_idle();
  // Closes the files that were not read since `when`.
  void forget_unused_since(Deadline::Clock::time_point when);

 private:
  // Closes its handle.
  class OpenFile;
  struct Remembered {
    std::string path;
    std::shared_ptr<OpenFile> file;
    Deadline::Clock::time_point used;
  };

  Result<Bytes> read_open(const std::string& path, std::uint64_t offset, std::uint64_t length,
                          Deadline by);
  std::shared_ptr<OpenFile> recall(const std::string& path);
  void remember(const std::string& path, std::shared_ptr<OpenFile> file);

  const std::unique_ptr<SftpClient> client_;
  const std::shared_ptr<std::atomic<unsigned>> count_;
  Guarded<std::list<Remembered>> files_;  // the last used in front
};

}  // namespace restree
