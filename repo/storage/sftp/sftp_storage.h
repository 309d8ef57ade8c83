// A repository on an SFTP server.
#pragma once

#include <memory>
#include <string>

#include "repo/storage/sftp/sftp_pool.h"
#include "repo/storage/storage.h"

namespace restree {

// Makes each call once: RetryStorage repeats those that fail.
//
// Ownership: the pool.
// Threads:   any; calls share the pool's connections.
// Errors:    as Storage; a full disk is kDenied.
// Limits:    a listing, and the content of a write or a read_all, is held in memory as a whole.
class SftpStorage final : public Storage {
 public:
  // `root`: absolute, or relative to the login folder. `description`: its name in messages.
  SftpStorage(std::unique_ptr<SftpPool> pool, std::string root, std::string description);

  Status make_folders(Deadline by) override;
  Result<std::vector<ListedFile>> list(FileType type, Deadline by) override;
  Result<std::uint64_t> size(const FileName& file, Deadline by) override;
  Result<Bytes> read(const FileName& file, ByteRange range, Deadline by) override;
  Result<MutableByteView> read_into(Bytes& buffer, const FileName& file, ByteRange range,
                                    Deadline by) override {
    ASSIGN_OR_RETURN(buffer, read(file, range, by));
    return buffer.view();
  }
  void expect(const FileName& /*file*/, ByteRange /*range*/) override {}
  ReadHabit read_habit() const override { return {}; }
  Result<Bytes> read_all(const FileName& file, Deadline by) override;
  Status write(const FileName& file, ByteView content, Deadline by) override;
  Status remove(const FileName& file, Deadline by) override;
  Result<std::size_t> remove_leftovers(std::chrono::system_clock::time_point time,
                                       Deadline by) override;
  std::string description() const override { return description_; }

 private:
  struct Modes {
    std::uint32_t folder;
    std::uint32_t writing;
    std::uint32_t finished;
  };

  std::string path_of(const FileName& file) const { return root_ + "/" + relative_path(file); }
  Result<Modes> modes(SftpClient& client, Deadline by);
  Status publish(SftpClient& client, const std::string& temporary, const std::string& path,
                 Deadline by);
  Status make_side_by_side(SftpClient& client, const std::vector<std::string>& folders,
                           std::uint32_t mode, Deadline by);
  // Makes the folder and those that it lies in.
  Status make_path(SftpClient& client, const std::string& folder, std::uint32_t mode, Deadline by);
  // SFTP has no status for a full disk, so after a failed write this asks how much room there is.
  Error explain_failed_write(SftpClient& client, Error error, std::size_t size) const;
  void forget(const std::string& path);
  // If the whole repository is missing, the error names the folder where it should be.
  Error explain_missing(SftpClient& client, Error error, Deadline by) const;

  const std::unique_ptr<SftpPool> pool_;
  const std::string root_;
  const std::string description_;
  Guarded<std::optional<bool>> shared_with_group_;
};

}  // namespace restree
