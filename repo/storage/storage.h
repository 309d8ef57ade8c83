// The interface to the place where a repository's files lie: a local disk, an SFTP server, memory.
//
// Ownership: results own their bytes.
// Threads:   any, many at once; an implementation bounds its own parallelism.
// Limits:    every call ends by its deadline, with kUnavailable if that is why.
// Errors:    kNotFound: the file is not there (only if the other side says so: a dead line is never
//            kNotFound). kUnavailable: a retry may help. kDenied: permission, login or host key.
//            kCorrupt: the file ends before the wanted range does; it cannot be read, while others
//            may be (a broken place on the disk, a link that leads in a circle); it is not a regular
//            file; it is larger than any file of its type. kLocalIo: the local disk failed.
//            A repository that is away (its disk is not mounted, another folder or repository lies
//            in its place) has no files: an implementation says kNotFound and lists nothing. That
//            alone does not mean that files are gone. A caller that opens a repository to work with
//            it puts a BreakerStorage around the storage; ConfirmedStorage, inside it, looks at the
//            config first and gives kUnavailable instead.
// Format:    restic's repository layout (config, data/xx/ID, index/ID, keys/ID, locks/ID,
//            snapshots/ID), the same in every implementation.
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/bytes.h"
#include "repo/base/clock.h"
#include "repo/base/result.h"

namespace restree {

enum class FileType : std::uint8_t { kConfig, kKey, kLock, kSnapshot, kIndex, kPack };

// One file of a repository. `name` is the 64 hex digits of its id, and empty for the config.
struct FileName {
  FileType type;
  std::string name;
  auto operator<=>(const FileName&) const = default;
};

// "data/77/77c1…", relative to the root of the repository.
std::string relative_path(const FileName& file);
// The folder whose files `list(type)` names: "data", "index", …
std::string_view directory_of(FileType type);
// The folders of a repository relative to its root, each after the one that it lies in.
std::vector<std::string> repository_folders();
// More than any file of the type holds. A larger one (a sparse file, perhaps) is not read as a whole.
std::uint64_t most_file_bytes(FileType type);
// kCorrupt: the file is larger than that.
Status expect_file_size(const FileName& file, std::uint64_t size_bytes);
// What a storage answers that does not join files.
Error cannot_join(std::string_view description);
// True for exactly 64 lower-case hex digits; all other names are strays that a listing leaves out.
bool is_repository_name(std::string_view name);

// What a write calls its file until it is whole: its name, this, and something random.
inline constexpr std::string_view kTemporaryMark = "-restree-";
bool is_temporary_name(std::string_view name);

// Which of the temporary files that cut-off writes of this program have left.
struct Leftovers {
  // Last written before: writes that are under way look the same.
  std::chrono::system_clock::time_point before;
  // Of the folders of packs, each one whose number divided by `parts` leaves `part`: to look into all
  // takes long where packs are many. Of the others, all.
  unsigned part = 0;
  unsigned parts = 1;
  // In no other folders: somebody who waits for a lock writes there even while another has it alone.
  bool only_packs = false;

  // Where they may lie, besides the root of the repository, relative to it.
  std::vector<std::string> folders() const;
};

struct ByteRange {
  std::uint64_t offset;
  std::uint64_t length;
};

// A range of a file of the repository.
struct FileRange {
  FileName file;
  ByteRange range;
};

// Reads exactly the range of a file that join() has put together and nobody else can see yet. The view lies in
// `buffer`, whose memory is used again.
using ReadJoined = std::function<Result<MutableByteView>(Bytes& buffer, ByteRange range)>;
// Says what such a file is to be called, after a look at it. An error: it is not what it should be.
using NameJoined = std::function<Result<FileName>(const ReadJoined& read)>;

struct ListedFile {
  std::string name;
  std::uint64_t size_bytes;
  // When it was last written, in seconds since 1970 by the storage's clock, which may be wrong: to be
  // compared with that of other files. nullopt: the other side does not say.
  std::optional<std::int64_t> modified = std::nullopt;
};

// How to read many bytes from a storage.
struct ReadHabit {
  std::uint64_t request_bytes = 4 << 20;  // to ask for more at once gains nothing
  // A reader mostly waits for the other side: more readers than processors are worth while.
  bool waits = true;
};

// No function has a default, so that no decorator can forget one: decorators and test doubles
// derive from ForwardingStorage.
class Storage {
 public:
  virtual ~Storage() = default;

  // Makes sure of a connection, where the storage needs one. Calls that are made at once after it
  // share that one; without it each might log in on its own, and fail on its own.
  virtual Status reach(Deadline by) = 0;

  // Makes the folders of a repository, and those that it lies in, where they are missing.
  virtual Status make_folders(Deadline by) = 0;

  // Every regular file of the type with a valid name, in no order, each name once. What else has
  // such a name (a folder, a FIFO) is left out and named in the log; in the place of a snapshot it is
  // listed, with no size, and to read it is kCorrupt: who takes a snapshot for forgotten removes the
  // data that it needs. A missing folder is an
  // empty list: copying tools leave empty folders out, and a folder of a repository that is away is
  // missing too (see Errors). Not for kConfig.
  virtual Result<std::vector<ListedFile>> list(FileType type, Deadline by) = 0;

  virtual Result<std::uint64_t> size(const FileName& file, Deadline by) = 0;

  // Exactly the bytes of the range, which may be empty; a range that passes the end is kCorrupt,
  // never a short read.
  virtual Result<Bytes> read(const FileName& file, ByteRange range, Deadline by) = 0;

  // The same for a caller that reads again and again: the memory of `buffer` is reused where that
  // saves anything, and replaced as needed. The view lies in `buffer`.
  virtual Result<MutableByteView> read_into(Bytes& buffer, const FileName& file, ByteRange range,
                                            Deadline by) = 0;

  // Says that a range will be read soon, so that it may be fetched while the caller is at work on
  // something else. Costs next to nothing, and promises nothing.
  virtual void expect(const FileName& file, ByteRange range) = 0;

  virtual ReadHabit read_habit() const = 0;

  // The whole file, if it is no larger than most_file_bytes(): config, keys, snapshots, locks,
  // indexes, and packs where every byte of one is looked at.
  virtual Result<Bytes> read_all(const FileName& file, Deadline by) = 0;

  // Writes a new file so that others see either nothing or all of it, and it survives a power cut
  // where the other side can promise that. An existing file of that name is replaced. A folder that
  // is missing is made beside a config only, else kNotFound: a mount point without its disk stays
  // empty.
  virtual Status write(const FileName& file, ByteView content, Deadline by) = 0;

  // Writes a new pack of ranges of files that are there, one after the other, and `end` behind them.
  // The bytes of the ranges go from file to file on the other side and not through this process, so
  // nothing is known of what arrives: neither that the old files are sound nor that all was copied (an
  // OpenSSH server says so even if the disk was full for the last bytes). Therefore `name` is called to
  // read the new file, all of it, before anybody else can see it, and says what it is called; from then
  // on it is as after write(). After an error there is no new file, whatever the error, and the caller
  // may read and write itself. Not repeated by RetryStorage for that reason.
  // kUnsupported: this storage cannot do it, and will not be able to later.
  virtual Status join(std::span<const FileRange> ranges, ByteView end, const NameJoined& name,
                      Deadline by) = 0;

  // Removing what is not there is kNotFound. A folder in the place of a file is removed if it is empty.
  virtual Status remove(const FileName& file, Deadline by) = 0;

  // Removes what writes of this program have left under temporary names because they were cut off.
  // Files of other programs stay. Returns how many were removed.
  virtual Result<std::size_t> remove_leftovers(const Leftovers& which, Deadline by) = 0;

  // How many bytes this user may still write where the repository lies; nullopt: the other side does
  // not say. Others may write meanwhile.
  virtual Result<std::optional<std::uint64_t>> free_bytes(Deadline by) = 0;

  // What people call this place in messages: "/srv/backup" or "sftp:admin@nas:/backup".
  virtual std::string description() const = 0;
};

}  // namespace restree
