// A target with files in it, and a repository of which parts can be made unreadable.
#pragma once

#include <fcntl.h>

#include <array>
#include <atomic>
#include <string>
#include <vector>

#include "repo/crypto/sha256.h"
#include "tests/restorer/restore_fixture.h"

namespace restree::testing {

namespace fs = std::filesystem;

inline constexpr time_t kSnapshotTime = 1577836800;  // of every node
inline constexpr time_t kTimeBefore = 1234567890;    // of all that the tests put into the target

class RestoreFailure : public RestoreFixture {
 protected:
  RestoreFailure() {
    options_.threads = 1;  // blobs are read in the order in which the files want them
    fs::create_directories(target());
  }
  // A file in the target, with a mode and times of its own.
  void put(const std::string& name, const std::string& content) const {
    const fs::path path = target() / name;
    fs::create_directories(path.parent_path());
    write_file(path, content);
    ASSERT_EQ(::chmod(path.c_str(), 0751), 0);
    set_time(path, kTimeBefore);
  }
  static void set_time(const fs::path& path, time_t time) {
    const std::array<timespec, 2> times{timespec{time, 0}, timespec{time, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW), 0);
  }
  // The file that put() has made is still the same.
  void expect_untouched(const std::string& name, const std::string& content) const {
    EXPECT_EQ(read_file(target() / name), content);
    const struct stat attributes = lstat_of(target() / name);
    EXPECT_EQ(attributes.st_mode, S_IFREG | 0751U) << name;
    EXPECT_EQ(attributes.st_mtim.tv_sec, kTimeBefore) << name;
  }
  // A file of several blobs, each of which lies in one pack, also if other files share it.
  std::string file_of(const std::string& name, const std::vector<std::string>& contents) {
    std::vector<BlobId> ids;
    std::uint64_t size = 0;
    for (const std::string& content : contents) {
      if (repository_.builder().pack_names_of(data_id(content)).empty()) data(content);
      ids.push_back(data_id(content));
      size += content.size();
    }
    return file_node(name, ids, size);
  }
  void remove_pack_of(const std::string& content) { repository_.remove_packs_of(data_id(content)); }
  void spoil_pack_of(const std::string& content) { damage_pack_of(data_id(content)); }
  static BlobId data_id(const std::string& content) {
    BlobId id;
    id.bytes = sha256(as_bytes(content));
    return id;
  }
  // From the first read of this blob's pack on, nothing can be read any more.
  void lose_storage_at(const std::string& content) {
    const std::string pack = repository_.builder().pack_names_of(data_id(content)).front().name;
    repository_.storage().watch([this, pack](const FileName& file) -> Status {
      if (file.type == FileType::kPack && file.name == pack) is_away_ = true;
      if (!is_away_) return {};
      return Error(ErrorKind::kUnavailable, "nas: connection reset");
    });
  }
  void find_storage_again() { repository_.storage().watch({}); }

  // The middle of its pack is the middle of the blob.
  const std::string long_ = std::string(500, 'L');

 private:
  std::atomic<bool> is_away_ = false;
};

}  // namespace restree::testing
