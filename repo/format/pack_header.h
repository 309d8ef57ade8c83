// The header that ends a pack file: which blobs the pack holds, and where.
//
//   pack   := sealed_blob*  sealed(header)  header_length:u32le
//   header := entry*
//   entry  := (0 data | 1 tree)  length:u32le                    id:byte[32]
//           | (2 data | 3 tree)  length:u32le  raw_length:u32le  id:byte[32]   zstd inside
//
// `length` counts sealed bytes (nonce, ciphertext, MAC). No offset is stored: a blob starts where
// the one before it ends. Pure functions: no I/O, no keys, any thread. Even an authentic header may
// be wrong (a buggy writer), so nothing is believed unchecked.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/format/index_file.h"

namespace restree {

// Parses an opened (decrypted, authenticated) header. `payload_size`: bytes before the header.
// kCorrupt: an entry is cut short, or the blobs do not fill the payload. kUnsupported: unknown
// type.
Result<std::vector<IndexedBlob>> parse_pack_header(ByteView header, std::uint64_t payload_size);

// What a blob's entry takes in the header.
std::size_t pack_header_entry_bytes(const IndexedBlob& blob);
// What a pack takes besides its sealed blobs and the entries of its header.
inline constexpr std::size_t kPackOverheadBytes = 36;
// No header that restic reads has more entries.
inline constexpr std::size_t kMostPackEntries = 409'199;
// No pack that is written here has more: whoever writes or reads one holds its header in memory, and
// index files of that many blobs are full.
inline constexpr std::size_t kMostNewPackEntries = 50'000;

// The header, not sealed yet, for blobs that lie one after the other in this order.
Bytes write_pack_header(std::span<const IndexedBlob> blobs);

}  // namespace restree
