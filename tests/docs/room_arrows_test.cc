// Reads every #include of the sources, and refuses those that the map of the rooms does not have.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace restree {
namespace {

namespace files = std::filesystem;
using ::testing::IsEmpty;

// A room is a folder; the longest prefix counts. Its own headers need no mention.
struct Room {
  std::string_view folder;
  std::vector<std::string_view> may_use;
};

const std::vector<Room>& rooms() {
  static const std::vector<Room> all = {
      {"repo/base/", {}},
      {"repo/crypto/", {"repo/base/"}},
      {"repo/storage/", {"repo/base/", "repo/crypto/"}},
      {"repo/format/", {"repo/base/", "repo/crypto/"}},
      {"repo/chunker/", {"repo/base/"}},
      {"repo/index/", {"repo/base/", "repo/crypto/", "repo/format/"}},
      {"repo/pattern/", {"repo/base/", "repo/format/"}},
      {"repo/",
       {"repo/base/", "repo/crypto/", "repo/storage/", "repo/format/", "repo/chunker/",
        "repo/index/", "repo/pattern/"}},
      {"repo/archiver/", {"repo/"}},
      {"repo/checker/",
       {"repo/base/", "repo/crypto/", "repo/format/", "repo/index/", "repo/storage/", "repo/bulk_",
        "repo/repository.h"}},
      {"repo/dumper/",
       {"repo/base/", "repo/format/", "repo/blob_source.h", "repo/bulk_", "repo/repository.h"}},
      {"repo/restorer/",
       {"repo/base/", "repo/crypto/", "repo/format/", "repo/index/", "repo/bulk_",
        "repo/repository.h"}},
      {"cache/", {"repo/"}},
      {"program/", {"cache/", "repo/"}},
      {"fs/", {"program/", "cache/", "repo/"}},
      {"tools/", {"program/", "cache/", "repo/"}},
      {"tests/", {"tools/", "fs/", "program/", "cache/", "repo/"}},
      {"bench/", {"tests/support/", "fs/", "cache/", "repo/"}},
  };
  return all;
}

// A C or C++ library and the files that may include it, by the beginning of their paths.
struct Library {
  std::string_view headers;
  std::vector<std::string_view> places;
};

const std::vector<Library>& libraries() {
  static const std::vector<Library> all = {
      {"fuse", {"fs/reply.", "fs/interrupts.", "fs/fuse_", "tests/fs/"}},
      {"archive", {"repo/dumper/zip_writer.cc", "tests/dumper/"}},
      {"libssh2", {"repo/storage/"}},
      {"openssl/", {"repo/crypto/"}},
      {"sodium", {"repo/crypto/kdf.cc"}},
      {"simdjson",
       {"repo/format/", "tests/support/json_shape.cc", "tests/support/status_fields.cc"}},
      {"spdlog/", {"repo/base/log.cc"}},
      {"tl/", {"repo/base/result.h"}},
      {"zstd", {"repo/format/zstd.cc", "tests/", "bench/"}},
      {"CLI/", {"tools/", "fs/options.cc", "tests/tools/"}},
      {"gtest/", {"tests/"}},
      {"gmock/", {"tests/"}},
      {"benchmark/", {"bench/"}},
  };
  return all;
}

const Room* room_of(std::string_view path) {
  const Room* best = nullptr;
  for (const Room& room : rooms()) {
    const bool longer = best == nullptr || room.folder.size() > best->folder.size();
    if (path.starts_with(room.folder) && longer) best = &room;
  }
  return best;
}

bool begins_with_any(std::string_view path, const std::vector<std::string_view>& beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [&](std::string_view beginning) { return path.starts_with(beginning); });
}

// What is wrong with `file` including "header" or <header>, if anything is.
std::optional<std::string> complaint(const std::string& file, const std::string& header) {
  const auto says = [&](const std::string& why) { return file + ": " + header + ": " + why; };
  if (const Room* to = room_of(header)) {
    const Room* from = room_of(file);
    if (from == nullptr) return says("the file is in no room");
    if (from == to || begins_with_any(header, from->may_use)) return std::nullopt;
    return says(std::string(from->folder) + " must not use " + std::string(to->folder));
  }
  for (const Library& library : libraries()) {
    if (header.starts_with(library.headers) && !begins_with_any(file, library.places)) {
      return says("this library has its one place elsewhere");
    }
  }
  return std::nullopt;
}

// The words between the quotes or brackets of a file's #include lines.
std::vector<std::string> includes_of(const files::path& path) {
  std::vector<std::string> headers;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("#include")) continue;
    const std::size_t begin = line.find_first_of("\"<");
    const std::size_t end = line.find_last_of("\">");
    if (begin == std::string::npos || end <= begin) continue;
    headers.push_back(line.substr(begin + 1, end - begin - 1));
  }
  return headers;
}

TEST(RoomArrows, NoIncludePointsUpOrPastALibrarysPlace) {
  std::vector<std::string> complaints;
  std::size_t seen = 0;
  for (const char* top : {"repo", "cache", "program", "fs", "tools", "tests", "bench"}) {
    const files::path folder = files::path(RESTREE_SOURCE_DIR) / top;
    if (!files::exists(folder)) continue;
    for (const auto& entry : files::recursive_directory_iterator(folder)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".h" && extension != ".cc") continue;
      const std::string file = files::relative(entry.path(), RESTREE_SOURCE_DIR).generic_string();
      for (const std::string& header : includes_of(entry.path())) {
        ++seen;
        if (auto wrong = complaint(file, header)) complaints.push_back(std::move(*wrong));
      }
    }
  }
  EXPECT_GT(seen, 500U) << "the sources were not found";
  EXPECT_THAT(complaints, IsEmpty());
}

TEST(RoomArrows, AnArrowThatPointsUpIsSeen) {
  EXPECT_TRUE(complaint("cache/disk_cache.cc", "fs/mount.h"));
  EXPECT_TRUE(complaint("repo/repository.cc", "cache/blob_cache.h"));
  EXPECT_TRUE(complaint("repo/format/tree.cc", "repo/repository.h"));
  EXPECT_TRUE(complaint("repo/base/log.cc", "repo/crypto/secret.h"));
  EXPECT_TRUE(complaint("repo/format/tree.cc", "repo/storage/storage.h"));
  EXPECT_TRUE(complaint("tools/main.cc", "fs/mount.h"));
  EXPECT_TRUE(complaint("fs/mount.cc", "tests/support/files.h"));
  EXPECT_FALSE(complaint("fs/mount.cc", "cache/blob_cache.h"));
  EXPECT_FALSE(complaint("cache/blob_cache.cc", "repo/base/bytes.h"));
  EXPECT_FALSE(complaint("repo/repository.cc", "repo/index/index.h"));
}

TEST(RoomArrows, ALibraryOutsideOfItsPlaceIsSeen) {
  EXPECT_TRUE(complaint("repo/repository.cc", "openssl/evp.h"));
  EXPECT_TRUE(complaint("repo/crypto/seal.cc", "sodium.h"));
  EXPECT_TRUE(complaint("repo/sftp.cc", "libssh2_sftp.h"));
  EXPECT_TRUE(complaint("fs/mount.cc", "fuse_lowlevel.h"));
  EXPECT_TRUE(complaint("cache/disk_cache.cc", "simdjson.h"));
  EXPECT_FALSE(complaint("fs/fuse_ops.cc", "fuse_lowlevel.h"));
  EXPECT_FALSE(complaint("fs/mount.cc", "fs/fuse_ops.h"));
  EXPECT_FALSE(complaint("repo/crypto/seal.cc", "openssl/evp.h"));
}

}  // namespace
}  // namespace restree
