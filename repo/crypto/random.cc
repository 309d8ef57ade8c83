#include "repo/crypto/random.h"

#include <openssl/rand.h>

#include "repo/crypto/openssl_error.h"

namespace restree {

Status fill_random(MutableByteView bytes) {
  auto* const into = reinterpret_cast<unsigned char*>(bytes.data());
  if (RAND_bytes(into, static_cast<int>(bytes.size())) != 1) return openssl_error("random bytes");
  return {};
}

}  // namespace restree
