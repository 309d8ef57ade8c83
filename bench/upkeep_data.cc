// Gives a local repository what bench/compare-upkeep measures with.
//
//   upkeep_data REPOSITORY snapshots N   N snapshots of one small tree, one for each hour
//   upkeep_data REPOSITORY blobs N       N small blobs, of which one snapshot uses every second one
//
// RESTIC_PASSWORD has the password.
#include <fmt/core.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "repo/format/id.h"
#include "repo/format/snapshot.h"
#include "repo/repository.h"
#include "repo/storage/local_storage.h"
#include "repo/writer/repository_writer.h"

namespace restree {
namespace {

constexpr std::int64_t kFirstTime = 1'700'000'000;
constexpr std::int64_t kHour = 3600;
constexpr std::uint64_t kFilesInFolder = 1000;
constexpr std::uint64_t kBlobsOfFile = 10;

std::string file_node(std::uint64_t number, const std::vector<BlobId>& content, std::size_t size) {
  std::string ids;
  for (const BlobId& id : content)
    ids += fmt::format(R"({}"{}")", ids.empty() ? "" : ",", id.hex());
  return fmt::format(
      R"({{"name":"f{:09}","type":"file","mode":420,"mtime":"2026-01-01T00:00:00Z",)"
      R"("atime":"2026-01-01T00:00:00Z","ctime":"2026-01-01T00:00:00Z","uid":0,"gid":0,)"
      R"("size":{},"links":1,"content":[{}]}})",
      number, size, ids);
}

std::string folder_node(std::uint64_t number, const BlobId& subtree) {
  return fmt::format(
      R"({{"name":"d{:09}","type":"dir","mode":2147484141,"mtime":"2026-01-01T00:00:00Z",)"
      R"("atime":"2026-01-01T00:00:00Z","ctime":"2026-01-01T00:00:00Z","uid":0,"gid":0,)"
      R"("content":null,"subtree":"{}"}})",
      number, subtree.hex());
}

Result<BlobId> save_tree(RepositoryWriter& writer, const std::vector<std::string>& nodes) {
  std::string json = R"({"nodes":[)";
  for (std::size_t i = 0; i < nodes.size(); ++i) json += (i == 0 ? "" : ",") + nodes[i];
  json += "]}\n";
  ASSIGN_OR_RETURN(const SavedBlob saved, writer.save(BlobType::kTree, as_bytes(json)));
  return saved.id;
}

Status save_snapshot(Repository& repository, const BlobId& tree, std::int64_t time) {
  Snapshot snapshot;
  snapshot.time.seconds = time;
  snapshot.tree = tree;
  snapshot.paths = {"/data"};
  snapshot.hostname = "host";
  const std::string json = write_snapshot(snapshot);
  const auto saved =
      repository.save_unpacked(FileType::kSnapshot, as_bytes(json), Deadline::never());
  return saved ? Status() : saved.error();
}

Status add_snapshots(Repository& repository, std::uint64_t count) {
  RepositoryWriter writer(repository, {}, {});
  ASSIGN_OR_RETURN(const BlobId tree, save_tree(writer, {file_node(0, {}, 0)}));
  RETURN_IF_ERROR(writer.flush());
  for (std::uint64_t i = 0; i < count; ++i) {
    RETURN_IF_ERROR(
        save_snapshot(repository, tree, kFirstTime + static_cast<std::int64_t>(i) * kHour));
  }
  return {};
}

// Files of ten blobs each; every second file is in the snapshot.
Status add_blobs(Repository& repository, std::uint64_t count) {
  RepositoryWriter writer(repository, {.compression = Compression::kOff}, {});
  std::vector<std::string> folders;
  std::vector<std::string> files;
  const std::uint64_t all_files = count / kBlobsOfFile;
  for (std::uint64_t file = 0; file < all_files; ++file) {
    std::vector<BlobId> content;
    std::size_t size = 0;
    for (std::uint64_t i = 0; i < kBlobsOfFile; ++i) {
      const std::string bytes = fmt::format("blob {} of {}", i, file);
      ASSIGN_OR_RETURN(const SavedBlob blob, writer.save(BlobType::kData, as_bytes(bytes)));
      content.push_back(blob.id);
      size += bytes.size();
    }
    if (file % 2 == 0) files.push_back(file_node(file, content, size));
    if (files.size() < kFilesInFolder && file + 1 < all_files) continue;
    ASSIGN_OR_RETURN(const BlobId folder, save_tree(writer, files));
    folders.push_back(folder_node(file, folder));
    files.clear();
  }
  ASSIGN_OR_RETURN(const BlobId root, save_tree(writer, folders));
  RETURN_IF_ERROR(writer.flush());
  return save_snapshot(repository, root, kFirstTime);
}

int run(int argc, char** argv) {
  const char* password = std::getenv("RESTIC_PASSWORD");
  char* end = nullptr;
  const std::uint64_t count = argc == 4 ? std::strtoull(argv[3], &end, 10) : 0;
  const std::string_view what = argc == 4 ? argv[2] : "";
  if (password == nullptr || end == nullptr || *end != '\0' || count == 0 ||
      (what != "snapshots" && what != "blobs")) {
    std::fputs("usage: RESTIC_PASSWORD=… upkeep_data REPOSITORY snapshots|blobs N\n", stderr);
    return 2;
  }
  const auto repository = Repository::open(make_local_storage(argv[1]),
                                           Secret(std::string(password)), "", Deadline::never());
  Status added = repository ? Status() : Status(repository.error());
  if (added) {
    added = what == "blobs" ? add_blobs(**repository, count) : add_snapshots(**repository, count);
  }
  if (added) return 0;
  std::fprintf(stderr, "upkeep_data: %s\n", added.error().for_people().c_str());
  return 1;
}

}  // namespace
}  // namespace restree

int main(int argc, char** argv) { return restree::run(argc, argv); }
