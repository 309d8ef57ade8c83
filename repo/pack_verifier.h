// A pack file read from its beginning to its end, once: each of its blobs is verified, and the file is hashed
// meanwhile.
//
// Two hashes at once cost less than one after the other (Sha256Pair), and all is done in pieces that stay in the
// processor's cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/crypto/sha256_pair.h"
#include "repo/format/index_file.h"
#include "repo/repository.h"

namespace restree {

// Ownership: the repository must outlive it.
// Threads:   one at a time.
// Limits:    a piece of 128 KiB, and what decompressing takes.
class PackVerifier {
 public:
  explicit PackVerifier(const Repository& repository) : repository_(repository) {}

  // The bytes that come next, which begin at `begin` in the file and have these blobs in them, whole and in order.
  // Decrypts and decompresses each as a reader would, and compares its hash with its id. Returns the
  // first that is not right, and looks at none behind it; nullptr: all are right.
  const IndexedBlob* add(ByteView bytes, std::uint64_t begin, std::span<const IndexedBlob> blobs);
  // Bytes that are no blobs.
  void add(ByteView bytes) { add(bytes, 0, {}); }
  // The hash of all bytes, right or not. The next bytes begin another file.
  PackId finish() { return PackId{hashes_.finish_second()}; }

 private:
  static constexpr std::size_t kPieceBytes = 128 << 10;

  bool is_right(ByteView sealed, const IndexedBlob& blob);
  void hash(ByteView content);

  const Repository& repository_;
  Bytes piece_{kPieceBytes};
  Sha256Pair hashes_;  // of a blob's content, and of the file
  ByteView unhashed_;  // what is left of the bytes that came last
};

struct VerifiedPack {
  PackId id;  // as its bytes are, whatever it is called
  Bytes end;  // what lies behind the blobs, which nobody has looked at: the header
};

// Reads a pack of `file_bytes` with these blobs, which lie in it without gaps from its beginning on, in stretches of
// `stretch_bytes`, or of a larger blob, into one buffer.
// Errors: kCorrupt: names a blob that is not right. Those of `read`.
using ReadStretch = std::function<Result<MutableByteView>(Bytes& buffer, ByteRange range)>;
Result<VerifiedPack> verify_pack(const Repository& repository, std::span<const IndexedBlob> blobs,
                                 std::uint64_t file_bytes, std::uint64_t stretch_bytes,
                                 const ReadStretch& read);

}  // namespace restree
