#include "repo/repairer/pack_copy.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "repo/system/file_io.h"

namespace restree {
namespace {

// What cannot be read is given up in such pieces: blocks of disks and pages of memory.
constexpr std::uint64_t kLeastPiece = 4096;

// For mkostemp().
std::filesystem::path nameless_path() {
  std::error_code none;
  const std::filesystem::path folder = std::filesystem::temp_directory_path(none);
  return (none ? std::filesystem::path("/tmp") : folder) / "restree-pack-XXXXXX";
}

class PackCopy {
 public:
  PackCopy(Repository& repository, const StoredPack& pack, const PackCopyOptions& options)
      : repository_(repository),
        pack_(pack),
        options_(options),
        path_(options.is_nameless ? nameless_path() : pack_copy_path(options.folder, pack.id)) {}

  Result<UniqueFd> save();

 private:
  Status create();
  Status create_nameless();
  Status fill();
  // Reads it in smaller and smaller pieces where it cannot be read as a whole.
  Status copy(ByteRange range);
  Error failed(const char* doing) const { return errno_error(errno, doing + path_.string()); }

  Repository& repository_;
  const StoredPack& pack_;
  const PackCopyOptions& options_;
  const std::filesystem::path path_;
  UniqueFd fd_;
  Bytes buffer_;
  std::uint64_t unread_ = 0;
  std::optional<Error> why_;
};

Status PackCopy::copy(ByteRange range) {
  if (options_.stop.stop_requested()) {
    return Error(ErrorKind::kCancelled, "interrupted while saving copies of packs");
  }
  const FileName file{FileType::kPack, pack_.id.hex()};
  const auto bytes =
      repository_.storage().read_into(buffer_, file, range, Deadline::after(options_.patience));
  if (bytes) {
    const int error = write_at(fd_.get(), range.offset, *bytes);
    return error == 0 ? Status() : errno_error(error, "write " + path_.string());
  }
  if (bytes.error().kind() != ErrorKind::kCorrupt) return bytes.error();
  if (range.length <= kLeastPiece) {
    unread_ += range.length;
    if (!why_) why_ = bytes.error();
    return {};
  }
  const std::uint64_t half = std::max(kLeastPiece, range.length / 2 / kLeastPiece * kLeastPiece);
  RETURN_IF_ERROR(copy({range.offset, half}));
  return copy({range.offset + half, range.length - half});
}

Status PackCopy::fill() {
  // Holes stay where nothing is written.
  if (::ftruncate(fd_.get(), static_cast<off_t>(pack_.size_bytes)) != 0) return failed("extend ");
  const std::uint64_t piece = repository_.storage().read_habit().request_bytes;
  for (std::uint64_t at = 0; at < pack_.size_bytes; at += piece) {
    RETURN_IF_ERROR(copy({at, std::min(piece, pack_.size_bytes - at)}));
  }
  if (unread_ > 0 && unread_ == pack_.size_bytes) {
    return Error(*why_).with("nothing of the pack can be read");
  }
  if (::fsync(fd_.get()) != 0) return failed("write ");
  if (unread_ > 0 && options_.on_unread) options_.on_unread(pack_.id, unread_, *why_);
  return {};
}

Status PackCopy::create_nameless() {
  std::string path = path_.string();
  fd_ = UniqueFd(::mkostemp(path.data(), O_CLOEXEC));
  if (!fd_) {
    return failed("open ").hinting(
        "What can be read of a damaged pack is first put into a temporary file: $TMPDIR names a "
        "folder with enough space.");
  }
  ::unlink(path.c_str());
  return {};
}

Status PackCopy::create() {
  if (options_.is_nameless) return create_nameless();
  fd_ = UniqueFd(::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!fd_ && errno == EEXIST) {
    return Error(ErrorKind::kInvalid, "open " + path_.string() + ": file exists")
        .hinting("It may be the copy that an earlier run has saved: move it to another folder.");
  }
  if (!fd_) {
    return failed("open ").hinting(
        "A copy of each pack is saved in the current folder before anything is removed: run this "
        "in a folder with enough space that can be written to.");
  }
  return {};
}

Result<UniqueFd> PackCopy::save() {
  RETURN_IF_ERROR(create());
  if (Status filled = fill(); !filled) {
    if (!options_.is_nameless) ::unlink(path_.c_str());
    return std::move(filled).error();
  }
  return std::move(fd_);
}

}  // namespace

std::filesystem::path pack_copy_path(const std::filesystem::path& folder, const PackId& pack) {
  return folder / ("pack-" + pack.hex());
}

Result<UniqueFd> save_pack_copy(Repository& repository, const StoredPack& pack,
                                const PackCopyOptions& options) {
  return PackCopy(repository, pack, options).save();
}

}  // namespace restree
