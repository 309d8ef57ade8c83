// Reads every #include of the sources, and refuses those that the map of the rooms does not have.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace restree {
namespace {

namespace files = std::filesystem;
using ::testing::IsEmpty;

// A room is a folder with sources of its own. It may include its own headers and those of the rooms
// named here, each by itself: a room's name says nothing about the rooms in folders below it.
struct Room {
  std::string_view folder;
  std::vector<std::string_view> may_use;
};

// From the ground up: each room uses rooms above its own line only.
const std::vector<Room>& rooms() {
  static const std::vector<Room> all = {
      {"repo/base", {}},
      {"repo/system", {"repo/base"}},
      {"repo/text", {"repo/base", "repo/system"}},
      {"repo/chunker", {"repo/base"}},
      {"repo/crypto", {"repo/base", "repo/system"}},
      {"repo/storage", {"repo/base", "repo/system"}},
      {"repo/storage/channel", {"repo/base"}},
      {"repo/format", {"repo/base", "repo/crypto", "repo/system", "repo/text"}},
      {"repo/storage/decorators",
       {"repo/base", "repo/storage", "repo/storage/channel", "repo/system"}},
      {"repo/storage/rclone", {"repo/base", "repo/crypto", "repo/system"}},
      {"repo/storage/sftp", {"repo/base", "repo/storage", "repo/storage/channel"}},
      {"repo/storage/ssh", {"repo/base", "repo/crypto", "repo/storage/channel", "repo/system"}},
      {"fs/latest", {"repo/base", "repo/text"}},
      {"fs/report", {"repo/base", "repo/text"}},
      {"repo/index", {"repo/base", "repo/crypto", "repo/format", "repo/system"}},
      {"repo/pattern", {"repo/base", "repo/system", "repo/text"}},
      {"repo",
       {"repo/base", "repo/chunker", "repo/crypto", "repo/format", "repo/index", "repo/storage",
        "repo/storage/decorators", "repo/text"}},
      {"repo/bulk",
       {"repo", "repo/base", "repo/crypto", "repo/format", "repo/index", "repo/storage"}},
      {"repo/journal",
       {"repo", "repo/base", "repo/crypto", "repo/format", "repo/storage", "repo/system"}},
      {"repo/lock",
       {"repo", "repo/base", "repo/crypto", "repo/format", "repo/storage/decorators", "repo/system",
        "repo/text"}},
      {"repo/snapshots",
       {"repo", "repo/base", "repo/crypto", "repo/format", "repo/storage", "repo/system",
        "repo/text"}},
      {"repo/retention",
       {"repo/base", "repo/format", "repo/snapshots", "repo/system", "repo/text"}},
      {"repo/trees", {"repo", "repo/base", "repo/format", "repo/pattern", "repo/text"}},
      {"repo/writer", {"repo", "repo/base", "repo/crypto", "repo/format", "repo/system"}},
      {"cache",
       {"repo", "repo/base", "repo/bulk", "repo/crypto", "repo/format", "repo/index",
        "repo/storage", "repo/system"}},
      {"repo/archiver",
       {"repo", "repo/base", "repo/chunker", "repo/format", "repo/pattern", "repo/system",
        "repo/text", "repo/writer"}},
      {"repo/checker",
       {"repo", "repo/base", "repo/bulk", "repo/crypto", "repo/format", "repo/index",
        "repo/storage"}},
      {"repo/copier",
       {"repo", "repo/base", "repo/bulk", "repo/format", "repo/index", "repo/writer"}},
      {"repo/dumper", {"repo", "repo/base", "repo/bulk", "repo/format", "repo/text"}},
      {"repo/rewriter",
       {"repo", "repo/base", "repo/crypto", "repo/format", "repo/pattern", "repo/system",
        "repo/text", "repo/trees", "repo/writer"}},
      {"repo/rescue",
       {"repo", "repo/base", "repo/crypto", "repo/format", "repo/storage",
        "repo/storage/decorators", "repo/text"}},
      {"repo/repairer",
       {"repo", "repo/base", "repo/bulk", "repo/crypto", "repo/format", "repo/system",
        "repo/writer"}},
      {"repo/pruner",
       {"repo", "repo/base", "repo/bulk", "repo/crypto", "repo/format", "repo/index",
        "repo/writer"}},
      {"repo/restorer",
       {"repo", "repo/base", "repo/bulk", "repo/crypto", "repo/format", "repo/system"}},
      {"fs/ahead", {"cache", "repo", "repo/base", "repo/format"}},
      {"fs",
       {"cache", "fs/ahead", "fs/latest", "fs/report", "repo", "repo/base", "repo/crypto",
        "repo/format", "repo/snapshots"}},
      {"program",
       {"cache", "repo", "repo/base", "repo/crypto", "repo/journal", "repo/rescue", "repo/storage",
        "repo/storage/channel", "repo/storage/decorators", "repo/storage/rclone",
        "repo/storage/sftp", "repo/storage/ssh", "repo/system", "repo/text"}},
      {"fs/fuse", {"fs", "repo/base", "repo/system"}},
      {"program/command_line", {"repo/base", "repo/text"}},
      {"tools/cli", {"program", "program/command_line", "repo/base", "repo/system"}},
      {"tools/output", {"program", "repo/base", "repo/system", "repo/text"}},
      {"fs/restreefs",
       {"cache", "fs", "fs/fuse", "fs/report", "program", "program/command_line", "repo",
        "repo/base", "repo/lock", "repo/snapshots", "repo/storage/decorators", "repo/system"}},
      {"tools/session",
       {"cache", "program", "repo", "repo/base", "repo/crypto", "repo/lock", "repo/storage",
        "repo/storage/decorators", "repo/trees", "tools/cli", "tools/output"}},
      {"tools/commands",
       {"cache",
        "program",
        "program/command_line",
        "repo",
        "repo/archiver",
        "repo/base",
        "repo/checker",
        "repo/copier",
        "repo/crypto",
        "repo/dumper",
        "repo/format",
        "repo/journal",
        "repo/lock",
        "repo/pattern",
        "repo/pruner",
        "repo/repairer",
        "repo/rescue",
        "repo/restorer",
        "repo/retention",
        "repo/rewriter",
        "repo/snapshots",
        "repo/storage/decorators",
        "repo/system",
        "repo/text",
        "repo/trees",
        "repo/writer",
        "tools/cli",
        "tools/output",
        "tools/session"}},
      {"tools/restree",
       {"program", "repo/base", "repo/crypto", "tools/cli", "tools/commands", "tools/output",
        "tools/session"}},
  };
  return all;
}

// What stands outside of the rooms, and the beginnings of what it may include. No room may use it.
struct Outside {
  std::string_view folder;
  std::vector<std::string_view> may_use;
};

const std::vector<Outside>& outside() {
  static const std::vector<Outside> all = {
      {"tests/", {"tests/", "tools/", "fs/", "program/", "cache/", "repo/"}},
      {"bench/", {"bench/", "tests/support/", "fs/", "cache/", "repo/"}},
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
      {"fuse", {"fs/fuse/", "tests/fs/"}},
      {"archive", {"repo/dumper/zip_", "tests/dumper/"}},
      {"libssh2", {"repo/storage/ssh/"}},
      {"openssl/", {"repo/crypto/", "tests/crypto/"}},
      {"simdjson",
       {"tests/e2e/wrapper_place.h", "tests/support/forget_answer.cc",
        "tests/support/json_shape.cc", "tests/support/status_fields.cc", "tests/upkeep/upkeep.cc"}},
      {"spdlog/", {"repo/base/log.cc"}},
      {"tl/", {"repo/base/result.h"}},
      {"zstd", {"repo/format/zstd.cc", "tests/", "bench/"}},
      {"gtest/", {"tests/"}},
      {"gmock/", {"tests/"}},
      {"benchmark/", {"bench/"}},
  };
  return all;
}

std::string_view folder_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

const Room* find_room(std::string_view folder) {
  const auto found = std::ranges::find(rooms(), folder, &Room::folder);
  return found == rooms().end() ? nullptr : &*found;
}

bool begins_with_any(std::string_view path, const std::vector<std::string_view>& beginnings) {
  return std::ranges::any_of(
      beginnings, [&](std::string_view beginning) { return path.starts_with(beginning); });
}

const Outside* find_outside(std::string_view path) {
  const auto found = std::ranges::find_if(
      outside(), [&](const Outside& place) { return path.starts_with(place.folder); });
  return found == outside().end() ? nullptr : &*found;
}

// What is wrong with `file` including "header" or <header>, if anything is.
std::optional<std::string> complaint(const std::string& file, const std::string& header) {
  const auto says = [&](const std::string& why) { return file + ": " + header + ": " + why; };
  for (const Library& library : libraries()) {
    if (header.starts_with(library.headers) && !begins_with_any(file, library.places)) {
      return says("this library has its one place elsewhere");
    }
  }
  const Room* to = find_room(folder_of(header));
  if (const Outside* place = find_outside(file)) {
    const bool is_ours = to != nullptr || find_outside(header) != nullptr;
    if (!is_ours || begins_with_any(header, place->may_use)) return std::nullopt;
    return says(std::string(place->folder) + " must not use it");
  }
  const Room* from = find_room(folder_of(file));
  if (from == nullptr)
    return says("the file is in a folder that the map of the rooms does not have");
  if (find_outside(header) != nullptr) return says("no room may use it");
  if (to == nullptr || to == from) return std::nullopt;
  if (std::ranges::find(from->may_use, to->folder) != from->may_use.end()) return std::nullopt;
  return says(std::string(from->folder) + " must not use " + std::string(to->folder));
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

bool is_source(const files::path& path) {
  return path.extension() == ".h" || path.extension() == ".cc";
}

std::vector<files::path> sources_of(const Room& room) {
  std::vector<files::path> sources;
  for (const auto& entry :
       files::directory_iterator(files::path(RESTREE_SOURCE_DIR) / room.folder)) {
    if (is_source(entry.path())) sources.push_back(entry.path());
  }
  return sources;
}

std::vector<files::path> sources_below(const files::path& folder) {
  std::vector<files::path> sources;
  for (const auto& entry : files::recursive_directory_iterator(folder)) {
    if (is_source(entry.path())) sources.push_back(entry.path());
  }
  return sources;
}

TEST(RoomArrows, NoIncludePointsUpOrPastALibrarysPlace) {
  std::vector<std::string> complaints;
  std::size_t seen = 0;
  for (const char* top : {"repo", "cache", "program", "fs", "tools", "tests", "bench"}) {
    for (const files::path& source : sources_below(files::path(RESTREE_SOURCE_DIR) / top)) {
      const std::string file = files::relative(source, RESTREE_SOURCE_DIR).generic_string();
      for (const std::string& header : includes_of(source)) {
        ++seen;
        if (auto wrong = complaint(file, header)) complaints.push_back(std::move(*wrong));
      }
    }
  }
  EXPECT_GT(seen, 500U) << "the sources were not found";
  EXPECT_THAT(complaints, IsEmpty());
}

TEST(RoomArrows, EveryRoomOfTheMapIsAFolderAndUsesRoomsOfTheMap) {
  std::vector<std::string> wrong;
  for (const Room& room : rooms()) {
    if (!files::is_directory(files::path(RESTREE_SOURCE_DIR) / room.folder)) {
      wrong.push_back(std::string(room.folder) + " is not a folder");
    }
    for (const std::string_view used : room.may_use) {
      const Room* const known = find_room(used);
      // Rows come from the ground up, so a row that names a later one would allow a circle.
      if (known == nullptr || known >= &room) {
        wrong.push_back(std::string(room.folder) + " names " + std::string(used) +
                        ", which is not a room before it");
      }
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
}

// A map that allows more than is used would let an arrow come back that was taken away.
TEST(RoomArrows, EveryArrowOfTheMapIsUsed) {
  std::vector<std::string> unused;
  for (const Room& room : rooms()) {
    std::set<std::string> used;
    for (const files::path& source : sources_of(room)) {
      for (const std::string& header : includes_of(source)) {
        used.insert(std::string(folder_of(header)));
      }
    }
    for (const std::string_view allowed : room.may_use) {
      if (!used.contains(std::string(allowed))) {
        unused.push_back(std::string(room.folder) + " does not use " + std::string(allowed));
      }
    }
  }
  EXPECT_THAT(unused, IsEmpty());
}

// A header and its source count as one. Rooms of commands grow with what the program can do.
TEST(RoomArrows, ARoomHasAtMostTwentyFiles) {
  std::vector<std::string> crowded;
  for (const Room& room : rooms()) {
    if (room.folder == "tools/commands") continue;
    std::set<std::string> stems;
    for (const files::path& source : sources_of(room)) stems.insert(source.stem().string());
    if (stems.size() > 20) {
      crowded.push_back(std::string(room.folder) + " has " + std::to_string(stems.size()) +
                        ": which of them have a duty in common that can be a room?");
    }
  }
  EXPECT_THAT(crowded, IsEmpty());
}

TEST(RoomArrows, AFileHasAtMostFourHundredLines) {
  std::vector<std::string> long_files;
  for (const char* top : {"repo", "cache", "program", "fs", "tools", "tests", "bench"}) {
    for (const files::path& source : sources_below(files::path(RESTREE_SOURCE_DIR) / top)) {
      std::ifstream file(source);
      std::size_t lines = 0;
      for (std::string line; std::getline(file, line);) ++lines;
      if (lines > 400) {
        long_files.push_back(files::relative(source, RESTREE_SOURCE_DIR).generic_string() +
                             " has " + std::to_string(lines) + " lines: split it by duty");
      }
    }
  }
  EXPECT_THAT(long_files, IsEmpty());
}

TEST(RoomArrows, AnArrowThatPointsUpIsSeen) {
  EXPECT_TRUE(complaint("cache/disk_cache.cc", "fs/mount.h"));
  EXPECT_TRUE(complaint("repo/repository.cc", "cache/disk_cache.h"));
  EXPECT_TRUE(complaint("repo/format/tree.cc", "repo/repository.h"));
  EXPECT_TRUE(complaint("repo/base/log.cc", "repo/crypto/secret.h"));
  EXPECT_TRUE(complaint("repo/format/tree.cc", "repo/storage/storage.h"));
  EXPECT_TRUE(complaint("repo/archiver/archiver.cc", "repo/restorer/restorer.h"));
  EXPECT_TRUE(complaint("repo/storage/sftp/sftp_client.cc", "repo/storage/ssh/ssh_session.h"));
  EXPECT_TRUE(complaint("tools/restree/main.cc", "fs/mount.h"));
  EXPECT_TRUE(complaint("fs/mount.cc", "tests/support/files.h"));
  EXPECT_FALSE(complaint("fs/mount.cc", "repo/blob_cache.h"));
  EXPECT_FALSE(complaint("repo/blob_cache.cc", "repo/base/bytes.h"));
  EXPECT_FALSE(complaint("repo/repository.cc", "repo/index/index.h"));
}

TEST(RoomArrows, AFileOutsideOfAllRoomsIsSeen) {
  EXPECT_TRUE(complaint("repo/migrator/migrator.cc", "repo/repository.h"));
  EXPECT_TRUE(complaint("tools/forgotten.cc", "string"));
  EXPECT_TRUE(complaint("bench/index_bench.cc", "tools/session/session.h"));
  EXPECT_FALSE(complaint("bench/index_bench.cc", "repo/index/index.h"));
}

TEST(RoomArrows, ALibraryOutsideOfItsPlaceIsSeen) {
  EXPECT_TRUE(complaint("repo/repository.cc", "openssl/evp.h"));
  EXPECT_TRUE(complaint("repo/storage/sftp/sftp_client.cc", "libssh2_sftp.h"));
  EXPECT_TRUE(complaint("fs/mount.cc", "fuse_lowlevel.h"));
  EXPECT_TRUE(complaint("cache/disk_cache.cc", "simdjson.h"));
  EXPECT_FALSE(complaint("fs/fuse/fuse_ops.cc", "fuse_lowlevel.h"));
  EXPECT_FALSE(complaint("fs/restreefs/restreefs.cc", "fs/fuse/fuse_session.h"));
  EXPECT_FALSE(complaint("repo/crypto/seal.cc", "openssl/evp.h"));
}

}  // namespace
}  // namespace restree
