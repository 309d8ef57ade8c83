#include "repo/crypto/seal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cassert>
#include <memory>
#include <string>

#include "repo/base/restic_words.h"
#include "repo/crypto/openssl_error.h"
#include "repo/crypto/random.h"

namespace restree {
namespace {

constexpr std::size_t kPolyKeyBytes = 32;
// OpenSSL counts bytes in an int.
constexpr std::size_t kStepBytes = std::size_t{1} << 30;

struct FreeCipher {
  void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
};
struct FreeCipherContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
struct FreeMac {
  void operator()(EVP_MAC* mac) const { EVP_MAC_free(mac); }
};
struct FreeMacContext {
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

unsigned char* raw(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }
const unsigned char* raw(const std::byte* bytes) {
  return reinterpret_cast<const unsigned char*>(bytes);
}

// Looking algorithms up by name takes a lock and microseconds each: once a process. Never freed, as
// threads may still be at work while it exits.
struct Algorithms {
  std::unique_ptr<EVP_CIPHER, FreeCipher> aes256_ctr{
      EVP_CIPHER_fetch(nullptr, "AES-256-CTR", nullptr)};
  std::unique_ptr<EVP_CIPHER, FreeCipher> aes128_ecb{
      EVP_CIPHER_fetch(nullptr, "AES-128-ECB", nullptr)};
  std::unique_ptr<EVP_MAC, FreeMac> poly1305{EVP_MAC_fetch(nullptr, "POLY1305", nullptr)};
};

const Algorithms& algorithms() {
  static const Algorithms& fetched = *new Algorithms();
  return fetched;
}

// The contexts of one thread. Every operation sets its key anew: a key schedule is cheap beside an
// allocation, and contexts need not be cleared when a key is destroyed.
class Engine {
 public:
  static Engine& of_this_thread() {
    thread_local Engine engine;
    return engine;
  }

  // Poly1305-AES: the one-time key is r and the encrypted IV.
  Status mac(const SealKey& key, ByteView iv, ByteView ciphertext, MutableByteView into) {
    std::array<std::byte, kPolyKeyBytes> one_time_key;
    std::copy(key.mac_r().begin(), key.mac_r().end(), one_time_key.begin());
    int written = 0;
    const bool done =
        ecb_ != nullptr && poly1305_ != nullptr && algorithms().aes128_ecb != nullptr &&
        EVP_EncryptInit_ex2(ecb_.get(), algorithms().aes128_ecb.get(), raw(key.mac_k().data()),
                            nullptr, nullptr) == 1 &&
        EVP_CIPHER_CTX_set_padding(ecb_.get(), 0) == 1 &&
        EVP_EncryptUpdate(ecb_.get(), raw(one_time_key.data() + SealKey::kMacBytes), &written,
                          raw(iv.data()), static_cast<int>(iv.size())) == 1 &&
        EVP_MAC_init(poly1305_.get(), raw(one_time_key.data()), one_time_key.size(), nullptr) ==
            1 &&
        EVP_MAC_update(poly1305_.get(), raw(ciphertext.data()), ciphertext.size()) == 1 &&
        EVP_MAC_final(poly1305_.get(), raw(into.data()), nullptr, into.size()) == 1;
    wipe_memory(one_time_key);
    if (!done) return openssl_error("Poly1305-AES");
    return {};
  }

  // Counter mode is its own inverse. `into` may be `from` itself.
  Status crypt(const SealKey& key, ByteView iv, ByteView from, MutableByteView into) {
    RETURN_IF_ERROR(begin_crypt(key, iv));
    return crypt_on(from, into);
  }

  // The same for bytes that come in pieces.
  Status begin_crypt(const SealKey& key, ByteView iv) {
    const bool done = ctr_ != nullptr && algorithms().aes256_ctr != nullptr &&
                      EVP_EncryptInit_ex2(ctr_.get(), algorithms().aes256_ctr.get(),
                                          raw(key.encrypt().data()), raw(iv.data()), nullptr) == 1;
    if (!done) return openssl_error("AES-256-CTR");
    return {};
  }
  Status crypt_on(ByteView from, MutableByteView into) {
    bool done = true;
    for (std::size_t at = 0; done && at < from.size(); at += kStepBytes) {
      const std::size_t step = std::min(kStepBytes, from.size() - at);
      int written = 0;
      done = EVP_EncryptUpdate(ctr_.get(), raw(into.data() + at), &written, raw(from.data() + at),
                               static_cast<int>(step)) == 1;
    }
    if (!done) return openssl_error("AES-256-CTR");
    return {};
  }

 private:
  Engine()
      : ecb_(EVP_CIPHER_CTX_new()),
        ctr_(EVP_CIPHER_CTX_new()),
        poly1305_(EVP_MAC_CTX_new(algorithms().poly1305.get())) {}

  std::unique_ptr<EVP_CIPHER_CTX, FreeCipherContext> ecb_;
  std::unique_ptr<EVP_CIPHER_CTX, FreeCipherContext> ctr_;
  std::unique_ptr<EVP_MAC_CTX, FreeMacContext> poly1305_;
};

bool all_zero(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

ByteView iv_of(ByteView sealed) { return sealed.first(kSealIvBytes); }
ByteView ciphertext_of(ByteView sealed) {
  return sealed.subspan(kSealIvBytes, sealed.size() - kSealOverheadBytes);
}

}  // namespace

Result<SealKey> SealKey::make(ByteView encrypt, ByteView mac_k, ByteView mac_r) {
  if (encrypt.size() != kEncryptBytes || mac_k.size() != kMacBytes || mac_r.size() != kMacBytes) {
    return Error(ErrorKind::kCorrupt, "a part of the key has the wrong length");
  }
  if (all_zero(encrypt) || all_zero(mac_k) || all_zero(mac_r)) {
    return Error(ErrorKind::kCorrupt, "a part of the key is all zero");
  }
  SealKey key;
  key.encrypt_ = Secret::copy_of(encrypt);
  key.mac_k_ = Secret::copy_of(mac_k);
  key.mac_r_ = Secret::copy_of(mac_r);
  return key;
}

Result<SealKey> SealKey::from_derived(ByteView derived) {
  if (derived.size() != kEncryptBytes + 2 * kMacBytes) {
    return Error(ErrorKind::kCorrupt, "a derived key has the wrong length");
  }
  return make(derived.first(kEncryptBytes), derived.subspan(kEncryptBytes, kMacBytes),
              derived.last(kMacBytes));
}

Status authenticate(const SealKey& key, ByteView sealed) {
  if (sealed.size() < kSealOverheadBytes) {
    return Error(ErrorKind::kCorrupt,
                 "the sealed bytes are too short: " + std::to_string(sealed.size()) + " bytes");
  }
  // Every writer draws IVs at random, so an IV of zeros means a hole in a file.
  if (all_zero(iv_of(sealed))) return Error(ErrorKind::kCorrupt, "the IV is all zero");
  std::array<std::byte, kSealMacBytes> mac;
  RETURN_IF_ERROR(Engine::of_this_thread().mac(key, iv_of(sealed), ciphertext_of(sealed), mac));
  if (CRYPTO_memcmp(mac.data(), sealed.last(kSealMacBytes).data(), mac.size()) != 0) {
    return Error(ErrorKind::kCorrupt,
                 std::string(restic_words::kNotAuthentic.text) + ": the MAC does not match");
  }
  return {};
}

Result<MutableByteView> open_in_place(const SealKey& key, MutableByteView sealed) {
  RETURN_IF_ERROR(authenticate(key, sealed));
  return decrypt_authenticated(key, sealed);
}

Result<MutableByteView> decrypt_authenticated(const SealKey& key, MutableByteView sealed) {
  const MutableByteView inside = sealed.subspan(kSealIvBytes, sealed.size() - kSealOverheadBytes);
  RETURN_IF_ERROR(Engine::of_this_thread().crypt(key, iv_of(sealed), inside, inside));
  return inside;
}

Status open_into(const SealKey& key, ByteView sealed, MutableByteView plain) {
  RETURN_IF_ERROR(authenticate(key, sealed));
  return Engine::of_this_thread().crypt(key, iv_of(sealed), ciphertext_of(sealed), plain);
}

Status open_in_pieces(const SealKey& key, ByteView sealed, MutableByteView piece,
                      const std::function<Status(ByteView)>& take) {
  assert(!piece.empty() && piece.size() % kSealIvBytes == 0);
  RETURN_IF_ERROR(authenticate(key, sealed));
  Engine& engine = Engine::of_this_thread();
  RETURN_IF_ERROR(engine.begin_crypt(key, iv_of(sealed)));
  for (ByteView rest = ciphertext_of(sealed); !rest.empty();) {
    const MutableByteView plain = piece.first(std::min(piece.size(), rest.size()));
    RETURN_IF_ERROR(engine.crypt_on(rest.first(plain.size()), plain));
    RETURN_IF_ERROR(take(plain));
    rest = rest.subspan(plain.size());
  }
  return {};
}

Result<Bytes> seal(const SealKey& key, ByteView plain) {
  Bytes sealed(plain.size() + kSealOverheadBytes);
  RETURN_IF_ERROR(seal_into(key, plain, sealed.view()));
  return sealed;
}

// `plain` may lie where its ciphertext goes: counter mode works in place.
Status seal_into(const SealKey& key, ByteView plain, MutableByteView sealed) {
  const MutableByteView iv = sealed.first(kSealIvBytes);
  const MutableByteView ciphertext = sealed.subspan(kSealIvBytes, plain.size());
  RETURN_IF_ERROR(fill_random(iv));
  Engine& engine = Engine::of_this_thread();
  RETURN_IF_ERROR(engine.crypt(key, iv, plain, ciphertext));
  return engine.mac(key, iv, ciphertext, sealed.last(kSealMacBytes));
}

}  // namespace restree
