// A repository on an SFTP server.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "repo/storage/odd_files.h"
#include "repo/storage/sftp/sftp_pool.h"
#include "repo/storage/storage.h"

namespace restree {

// Makes each call once: RetryStorage repeats those that fail.
//
// A server gives the same plain failure for a file that cannot be read as for trouble of its own. It
// is the file's if the file fails again while the config can be read. To open a FIFO blocks the
// server and answers nothing: a file that was not answered for is looked at before it is opened once
// more.
//
// Ownership: the pool.
// Threads:   any; calls share the pool's connections.
// Errors:    as Storage; a full disk is kDenied.
// Limits:    a listing, and the content of a write or a read_all, is held in memory as a whole.
class SftpStorage final : public Storage {
 public:
  // `root`: absolute, or relative to the login folder. `description`: its name in messages.
  SftpStorage(std::unique_ptr<SftpPool> pool, std::string root, std::string description);

  Status reach(Deadline by) override {
    const auto connection = pool_->acquire(by);
    return connection ? Status() : Status(connection.error());
  }
  Status make_folders(Deadline by) override;
  Result<std::vector<ListedFile>> list(FileType type, Deadline by) override;
  Result<std::uint64_t> size(const FileName& file, Deadline by) override;
  Result<Bytes> read(const FileName& file, ByteRange range, Deadline by) override;
  Result<MutableByteView> read_into(Bytes& buffer, const FileName& file, ByteRange range,
                                    Deadline by) override {
    ASSIGN_OR_RETURN(buffer, read(file, range, by));
    return buffer.view();
  }
  // Opens the file on every connection.
  void expect(const FileName& file, ByteRange range) override;
  ReadHabit read_habit() const override { return {}; }
  Result<Bytes> read_all(const FileName& file, Deadline by) override;
  Status write(const FileName& file, ByteView content, Deadline by) override;
  // By the extension copy-data, where the server offers it.
  Status join(std::span<const FileRange> ranges, ByteView end, const NameJoined& name,
              Deadline by) override;
  Status remove(const FileName& file, Deadline by) override;
  Result<std::size_t> remove_leftovers(const Leftovers& which, Deadline by) override;
  Result<std::optional<std::uint64_t>> free_bytes(Deadline by) override;
  std::string description() const override { return description_; }

 private:
  // True if the connection is gone, or was given no time to answer.
  static bool is_unanswered(const Error& error, const SftpClient& client, Deadline by);

  struct Modes {
    std::uint32_t folder;
    std::uint32_t writing;
    std::uint32_t finished;
  };

  // A file under its temporary name, open to be written.
  struct NewFile {
    std::string temporary;
    std::string handle;
    SftpClient::Pending chmodded;
  };

  std::string path_of(const FileName& file) const { return root_ + "/" + relative_path(file); }
  Result<Modes> modes(SftpClient& client, Deadline by);
  Result<NewFile> create(SftpClient& client, const FileName& file, const Modes& modes,
                         std::uint32_t flags, Deadline by);
  // Gives the file its name if it was `written`, and removes it otherwise.
  Status end_write(SftpClient& client, NewFile& made, Status written, const FileName& file,
                   const Modes& modes, Deadline by);
  Status publish(SftpClient& client, const std::string& temporary, const std::string& path,
                 Deadline by);
  Status make_side_by_side(SftpClient& client, const std::vector<std::string>& folders,
                           std::uint32_t mode, Deadline by);
  // Makes the folder and those that it lies in.
  Status make_path(SftpClient& client, const std::string& folder, std::uint32_t mode, Deadline by);
  // SFTP has no status for a full disk, so after a failed write this asks how much room there is.
  Error explain_failed_write(SftpClient& client, Error error, std::size_t size) const;
  void forget(const std::string& path);
  // Makes `attempt(connection)`, which reads the file in some way, and finds out whether the file is
  // to blame if that fails without a reason.
  template <class Attempt>
  auto judged(const FileName& file, Deadline by, Attempt attempt)
      -> decltype(attempt(std::declval<SftpConnection&>()));
  Status expect_file(SftpClient& client, const std::string& path, Deadline by) const;
  using TakeOdd = std::function<void(const std::string& path, const Error& why)>;
  // Adds those of the links that lead to a file; `take_odd` gets the others.
  Status follow_links(SftpClient& client, const std::vector<std::string>& links,
                      std::vector<ListedFile>& into, const TakeOdd& take_odd, Deadline by);
  // Removes the temporary files that cut connections have left.
  void remove_abandoned(SftpClient& client);
  // If the whole repository is missing, the error names the folder where it should be.
  Error explain_missing(SftpClient& client, Error error, Deadline by) const;

  const std::unique_ptr<SftpPool> pool_;
  const std::string root_;
  const std::string description_;
  Guarded<std::optional<bool>> shared_with_group_;
  OddFiles odd_files_;
  Guarded<std::set<std::string>> unanswered_;     // paths whose reading was not answered
  Guarded<std::set<std::string>> odd_snapshots_;  // paths that are no files, as far as is known
  Guarded<std::vector<std::string>> abandoned_;   // temporary files, maybe there
  Guarded<std::deque<std::string>> expected_;  // paths that were opened beforehand, the last behind
};

}  // namespace restree
