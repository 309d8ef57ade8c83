// SHA-256 of bytes that come in pieces.
//
// Threads: one at a time. Aborts where OpenSSL has no SHA-256, as sha256() does.
#pragma once

#include <memory>

#include "repo/crypto/sha256.h"

namespace restree {

class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(const Sha256Stream&) = delete;
  Sha256Stream& operator=(const Sha256Stream&) = delete;

  void update(ByteView piece);
  // The hash of all pieces so far; the next piece begins a new one.
  Sha256Digest finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace restree
