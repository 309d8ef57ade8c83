#include "repo/crypto/sha256.h"

#include <openssl/evp.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace restree {
namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// Looking an algorithm up by name takes a lock and microseconds: once a process. Never freed, as
// threads may still be at work while it exits.
const EVP_MD* algorithm() {
  static const EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return fetched;
}

}  // namespace

Sha256Digest sha256(ByteView bytes) {
  thread_local const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  Sha256Digest digest;
  const bool done =
      context != nullptr && EVP_DigestInit_ex2(context.get(), algorithm(), nullptr) == 1 &&
      EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1 &&
      EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(digest.data()), nullptr) ==
          1;
  if (!done) {
    // No caller could go on, and every OpenSSL has it.
    std::fputs("restree: OpenSSL offers no SHA-256\n", stderr);
    std::abort();
  }
  return digest;
}

}  // namespace restree
