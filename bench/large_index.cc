// Gives a local repository an index as large as you like: of blobs and packs that do not exist.
//
//   large_index REPOSITORY BLOBS       RESTIC_PASSWORD has the password
//
// For measurements alone: whoever prunes such a repository finds the packs missing.
#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

#include "repo/format/id.h"
#include "repo/repository.h"
#include "repo/storage/local_storage.h"

namespace restree {
namespace {

// As restic and Restree write them.
constexpr std::size_t kBlobsPerFile = 50'000;
constexpr std::size_t kBlobsPerPack = 100;

template <class IdType>
std::string random_id(std::mt19937_64& random) {
  IdType id;
  for (std::byte& byte : id.bytes) byte = static_cast<std::byte>(random());
  return id.hex();
}

std::string index_json(std::mt19937_64& random, std::size_t blobs) {
  std::string json = R"({"packs":[)";
  std::uint32_t offset = 0;
  for (std::size_t i = 0; i < blobs; ++i) {
    if (i % kBlobsPerPack == 0) {
      offset = 0;
      json +=
          fmt::format(R"({}{{"id":"{}","blobs":[)", i == 0 ? "" : "]},", random_id<PackId>(random));
    }
    const auto length = static_cast<std::uint32_t>(1000 + random() % 100'000);
    json += fmt::format(
        R"({}{{"id":"{}","type":"{}","offset":{},"length":{},"uncompressed_length":{}}})",
        offset == 0 ? "" : ",", random_id<BlobId>(random), "data", offset, length, 3 * length);
    offset += length;
  }
  return json += "]}]}\n";
}

Status add_index(const std::string& path, Secret password, std::size_t blobs) {
  ASSIGN_OR_RETURN(const auto repository,
                   Repository::open(make_local_storage(path), password, "", Deadline::never()));
  std::mt19937_64 random(1);  // the same ids on every run
  while (blobs > 0) {
    const std::size_t here = std::min(blobs, kBlobsPerFile);
    RETURN_IF_ERROR(repository->save_unpacked(FileType::kIndex, as_bytes(index_json(random, here)),
                                              Deadline::never()));
    blobs -= here;
  }
  return {};
}

int run(int argc, char** argv) {
  const char* password = std::getenv("RESTIC_PASSWORD");
  if (argc != 3 || password == nullptr) {
    std::fputs("usage: RESTIC_PASSWORD=… large_index REPOSITORY BLOBS\n", stderr);
    return 2;
  }
  char* end = nullptr;
  const std::uint64_t blobs = std::strtoul(argv[2], &end, 10);
  if (end == argv[2] || *end != '\0') {
    std::fprintf(stderr, "large_index: %s is not a number of blobs\n", argv[2]);
    return 2;
  }
  const Status added = add_index(argv[1], Secret(std::string(password)), blobs);
  if (added) return 0;
  std::fprintf(stderr, "large_index: %s\n", added.error().for_people().c_str());
  return 1;
}

}  // namespace
}  // namespace restree

int main(int argc, char** argv) { return restree::run(argc, argv); }
