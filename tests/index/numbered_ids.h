// An id for each number, the same in every run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>

#include "repo/format/id.h"

namespace restree {

template <class IdType>
IdType id_of(std::uint64_t number) {
  std::mt19937_64 random(number);
  IdType id;
  for (std::byte& byte : id.bytes) byte = static_cast<std::byte>(random());
  return id;
}
inline BlobId blob_id(std::uint64_t number) { return id_of<BlobId>(number); }
inline PackId pack_id(std::uint64_t number) { return id_of<PackId>(number); }

}  // namespace restree
