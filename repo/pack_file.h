// The blobs of a pack file that was read to its end.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <vector>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/format/index_file.h"
#include "repo/repository.h"

namespace restree {

// What the header at the end of the file says. kCorrupt: it is no header, or does not authenticate.
// The blobs themselves are not looked at, so `file` may lack the first `missing_bytes` of the file.
Result<std::vector<IndexedBlob>> blobs_in_pack(const Repository& repository, ByteView file,
                                               std::uint64_t missing_bytes = 0);

}  // namespace restree
