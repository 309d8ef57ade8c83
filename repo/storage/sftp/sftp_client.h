// SFTP version 3 spoken over one byte channel.
//
// Requests carry ids and their answers come in any order, so that many callers share a connection
// and the line is kept full: a wanted range is asked for in pieces of what the server grants (255
// KiB from OpenSSH), as many at once as the line needs, and not a byte beyond its end.
// Data goes from the channel straight to its place in the result.
//
// Ownership: the channel, and the one thread that drives it. The destructor ends both.
// Threads:   any.
// Limits:    kFirstBytesInFlight of data asked for and not yet there, or more where the line needs
//            more (see FlightWindow); requests beyond that queue. As many open files at once as
//            the server allows (see SftpHandles); opening another one waits until one is closed.
//            When answers are due and no byte has moved for `silence`, the connection is given up
//            (four times that while the server flushes a file to its disk).
// Errors:    kUnavailable: the connection is gone, or the deadline came; `alive()` tells which.
//            kNotFound, kDenied, kUnsupported: the server says so. kCorrupt: end of file too soon.
//            A malformed answer ends the connection.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/bytes.h"
#include "repo/base/clock.h"
#include "repo/base/guarded.h"
#include "repo/base/result.h"
#include "repo/storage/channel/byte_channel.h"
#include "repo/storage/channel/wakeup.h"
#include "repo/storage/sftp/sftp_engine.h"
#include "repo/storage/sftp/sftp_greeting.h"
#include "repo/storage/sftp/sftp_handles.h"
#include "repo/storage/sftp/sftp_packet.h"

namespace restree {

class SftpClient {
 public:
  using Pending = std::future<Result<sftp::Answer>>;

  using Abilities = SftpAbilities;

  // How much the server takes; the defaults are what the protocol demands of every server.
  struct Limits {
    std::uint32_t read_bytes = 32 * 1024;
    std::uint32_t write_bytes = 32 * 1024;
    std::size_t open_handles = 0;  // 0: the server does not say
  };

  static constexpr std::uint32_t kFirstBytesInFlight = 4 << 20;

  // Greets the server, and asks for its limits if it can tell them; `host` is what messages call it.
  static Result<std::unique_ptr<SftpClient>> start(std::unique_ptr<ByteChannel> channel,
                                                   std::string host,
                                                   std::chrono::milliseconds silence,
                                                   const Patience& patience);
  ~SftpClient();
  SftpClient(const SftpClient&) = delete;
  SftpClient& operator=(const SftpClient&) = delete;

  const Abilities& abilities() const { return abilities_; }
  // The defaults until the server's answer is there, for which nothing waits: requests that are sent
  // first would only lose a round trip by it.
  Limits limits();
  bool alive() const { return engine_->alive(); }
  // Bytes and requests (at 4 KiB each) that wait for the server: how busy the connection is.
  std::size_t load() const { return engine_->load(); }
  // When the last request was made.
  Deadline::Clock::time_point last_used() const { return engine_->last_used(); }

  // What is opened and closed counts here; a caller that sends such requests itself says so.
  SftpHandles& handles() { return handles_; }

  Result<std::string> open(std::string_view path, std::uint32_t flags, Deadline by);
  // An open that is under way, for a file to read. end_open() must be called once, when the answer
  // is there.
  struct Opening {
    SftpHandles::Turn turn;
    std::shared_future<Result<sftp::Answer>> answer;
  };
  // Waits for nothing. nullopt: the server may hold too few files open for one that nobody needs
  // yet.
  std::optional<Opening> begin_open(std::string_view path);
  // The handle, if the server gave one.
  std::optional<std::string> end_open(const Opening& opening);
  // A file that is not there yet, to be written; `flags`: or to be read as well.
  Result<std::string> create(std::string_view path, std::uint32_t mode, Deadline by,
                             std::uint32_t flags = sftp::kOpenWrite);
  Status close(std::string_view handle, Deadline by);
  // Closes without waiting for the answer. The handle must not be used any more.
  void close_later(std::string_view handle);

  // Exactly `length` bytes from `offset`.
  Result<Bytes> read(std::string_view handle, std::uint64_t offset, std::uint64_t length,
                     Deadline by);
  // From the start to the end, wherever that is, up to `max_bytes` (kCorrupt beyond).
  Result<Bytes> read_to_end(std::string_view handle, std::uint64_t max_bytes, Deadline by);

  Result<sftp::Attributes> stat(std::string_view path, Deadline by);
  Result<sftp::Attributes> lstat(std::string_view path, Deadline by);
  Result<sftp::Attributes> fstat(std::string_view handle, Deadline by);
  Status chmod(std::string_view path, std::uint32_t mode, Deadline by);
  Status mkdir(std::string_view path, std::uint32_t mode, Deadline by);
  Status remove(std::string_view path, Deadline by);
  Status rmdir(std::string_view path, Deadline by);
  // Replaces what is at `to`, if the server can (abilities().posix_rename).
  Status rename(std::string_view from, std::string_view to, Deadline by);
  // Bytes that an ordinary user may still write where `path` is (abilities().statvfs). UINT64_MAX: a file
  // system without blocks, which knows of no limit.
  Result<std::uint64_t> free_bytes(std::string_view path, Deadline by);
  Result<std::string> realpath(std::string_view path, Deadline by);

  // Writes the content from offset 0, makes it durable where the server can, checks the size that
  // the server then reports, and closes the handle in any case.
  Status write_and_close(std::string_view handle, ByteView content, Deadline by);
  // The same in two steps, between which the file can be read.
  Status write_at(std::string_view handle, std::uint64_t offset, ByteView content, Deadline by);
  Status close_written(std::string_view handle, std::uint64_t expected_bytes, Deadline by);

  // For several requests at once: send them, then wait for each. `slow`: the server's disk may take
  // a while to answer.
  Pending send(sftp::Request request, bool slow = false);
  Result<sftp::Answer> wait(Pending& pending, std::string_view doing, Deadline by) const;
  Status wait_for_ok(Pending& pending, std::string_view doing, Deadline by) const;
  // For each of them, also after a failure; the first failure.
  Status wait_for_all(std::deque<Pending>& pending, std::string_view doing, Deadline by) const;

  // A well-formed answer of a type that does not fit the question.
  Error unexpected(const sftp::Answer& answer, std::string_view doing) const;

 private:
  SftpClient(std::unique_ptr<SftpEngine> engine, Abilities abilities, std::string host);
  Result<sftp::Answer> call(sftp::Request request, std::string_view doing, Deadline by);
  Status call_for_ok(sftp::Request request, std::string_view doing, Deadline by);
  // `make` makes the request, once for each attempt.
  Result<std::string> call_for_handle(const std::function<sftp::Request()>& make,
                                      std::string_view doing, Deadline by);
  Result<sftp::Attributes> call_for_attributes(sftp::Request request, std::string_view doing,
                                               Deadline by);
  // The end of a file that was written.
  struct Closing {
    std::optional<Pending> synced;
    Pending measured;
    Pending closed;
  };
  Closing begin_closing(std::string_view handle, bool syncs);
  Status end_closing(Closing& closing, std::uint64_t expected_bytes, Deadline by);
  // Sends writes, and leaves those in `writes` that are under way.
  Status send_writes(std::string_view handle, std::uint64_t offset, ByteView content,
                     std::deque<Pending>& writes, Deadline by);
  Status wait_for_sync(Pending& synced, Deadline by);
  void note_limits(const Result<sftp::Answer>& answer);

  std::unique_ptr<SftpEngine> engine_;
  const Abilities abilities_;
  const std::string host_;
  struct AskedLimits {
    std::optional<Pending> answer;
    Limits limits;
  };
  Guarded<AskedLimits> limits_;
  SftpHandles handles_;
  std::atomic<bool> has_synced_ = false;
  std::atomic<bool> refuses_sync_ = false;
};

}  // namespace restree
