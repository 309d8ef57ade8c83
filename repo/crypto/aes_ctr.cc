#include "repo/crypto/aes_ctr.h"

#include <openssl/evp.h>

#include <climits>
#include <memory>

#include "repo/crypto/openssl_error.h"

namespace restree {
namespace {

struct FreeCtrContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

const unsigned char* octets(const std::byte* bytes) {
  return reinterpret_cast<const unsigned char*>(bytes);
}

}  // namespace

Status apply_aes256_ctr(const AesKey& key, const AesIv& iv, MutableByteView bytes) {
  const std::unique_ptr<EVP_CIPHER_CTX, FreeCtrContext> context(EVP_CIPHER_CTX_new());
  auto* const text = reinterpret_cast<unsigned char*>(bytes.data());
  int written = 0;
  const bool done =
      context != nullptr && bytes.size() <= INT_MAX &&
      EVP_EncryptInit_ex2(context.get(), EVP_aes_256_ctr(), octets(key.data()), octets(iv.data()),
                          nullptr) == 1 &&
      EVP_EncryptUpdate(context.get(), text, &written, text, static_cast<int>(bytes.size())) == 1;
  if (!done) return openssl_error("AES-256-CTR");
  return {};
}

}  // namespace restree
