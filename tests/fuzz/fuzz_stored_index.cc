// A file in the place of the merged index in the cache. What it holds is sealed, so that little can be reached
// without the key; that little must not be trusted.
#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "repo/index/stored_index.h"
#include "tests/fuzz/fuzz_target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const restree::SealKey key =
      *restree::SealKey::from_derived(restree::as_bytes(std::string(64, 'k')));
  restree::UniqueFd file(::memfd_create("index", MFD_CLOEXEC));
  restree::must(::write(file.get(), data, size) == static_cast<ssize_t>(size));
  const auto index = restree::StoredIndex::open(std::move(file), key);
  if (index) (void)(*index)->find_all(restree::BlobType::kData, restree::BlobId());
  return 0;
}
