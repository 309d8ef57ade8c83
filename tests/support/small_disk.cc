#include "tests/support/small_disk.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "repo/base/unique_fd.h"

namespace restree::testing {

namespace fs = std::filesystem;

SmallDisk::SmallDisk(fs::path place, const std::string& size) : place_(std::move(place)) {
  fs::create_directories(place_);
  const std::string options = "mode=0700,size=" + size;
  if (::mount("restree-test", place_.c_str(), "tmpfs", 0, options.c_str()) != 0) {
    throw std::system_error(errno, std::generic_category(), "mount a tmpfs on " + place_.string());
  }
}

SmallDisk::~SmallDisk() { ::umount2(place_.c_str(), MNT_DETACH); }

std::uint64_t SmallDisk::free_bytes() const {
  struct statvfs figures {};
  if (::statvfs(place_.c_str(), &figures) != 0) throw std::runtime_error("statvfs failed");
  return figures.f_bavail * figures.f_frsize;
}

void SmallDisk::fill_up(std::uint64_t left_bytes) {
  const std::uint64_t free_bytes = this->free_bytes();
  if (free_bytes <= left_bytes) return;
  const UniqueFd filler(::open((place_ / "filler").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  const int error = ::posix_fallocate(filler.get(), 0, static_cast<off_t>(free_bytes - left_bytes));
  if (error != 0) throw std::system_error(error, std::generic_category(), "fill the disk");
}

void SmallDisk::make_room() { fs::remove(place_ / "filler"); }

}  // namespace restree::testing
