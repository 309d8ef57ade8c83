// Data blobs as tests of a repository load and compare them.
#pragma once

#include <string>

#include "repo/repository.h"
#include "tests/support/memory_repository.h"

namespace restree::testing {

// The bytes of a blob that was loaded, or the message of the failure.
inline std::string text_of(const Result<SharedBlob>& blob) {
  return blob ? std::string(as_text((*blob)->view())) : "error: " + blob.error().message();
}

inline Result<SharedBlob> load(Repository& repository, const BlobId& id) {
  return repository.load(BlobType::kData, id, soon());
}

}  // namespace restree::testing
