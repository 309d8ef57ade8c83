#include "repo/crypto/sha256.h"

#include <openssl/evp.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "repo/crypto/sha256_stream.h"

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

// No caller could go on without SHA-256, and every OpenSSL has it.
void require(bool done) {
  if (done) return;
  std::fputs("restree: OpenSSL offers no SHA-256\n", stderr);
  std::abort();
}

void begin(EVP_MD_CTX* context) {
  require(context != nullptr && EVP_DigestInit_ex2(context, algorithm(), nullptr) == 1);
}

void add(EVP_MD_CTX* context, ByteView bytes) {
  require(EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1);
}

Sha256Digest end(EVP_MD_CTX* context) {
  Sha256Digest digest;
  require(EVP_DigestFinal_ex(context, reinterpret_cast<unsigned char*>(digest.data()), nullptr) ==
          1);
  return digest;
}

}  // namespace

Sha256Digest sha256(ByteView bytes) {
  thread_local const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  begin(context.get());
  add(context.get(), bytes);
  return end(context.get());
}

struct Sha256Stream::Context {
  std::unique_ptr<EVP_MD_CTX, FreeContext> digest{EVP_MD_CTX_new()};
};

Sha256Stream::Sha256Stream() : context_(std::make_unique<Context>()) {
  begin(context_->digest.get());
}

Sha256Stream::~Sha256Stream() = default;

void Sha256Stream::update(ByteView piece) { add(context_->digest.get(), piece); }

Sha256Digest Sha256Stream::finish() {
  const Sha256Digest digest = end(context_->digest.get());
  begin(context_->digest.get());
  return digest;
}

}  // namespace restree
