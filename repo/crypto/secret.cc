#include "repo/crypto/secret.h"

#include <openssl/crypto.h>

#include <utility>

namespace restree {
namespace {

// Wipes the whole capacity: a string that was longer once still holds its end behind the
// terminator.
void wipe_string(std::string& text) {
  text.resize(text.capacity());
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

}  // namespace

Secret::Secret(std::string&& plain) : bytes_(std::move(plain)) {
  // A short string was copied, not moved.
  wipe_string(plain);
}

Secret Secret::copy_of(ByteView bytes) { return Secret(std::string(as_text(bytes))); }

Secret::Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)) { other.wipe(); }

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  wipe();
  bytes_ = std::move(other.bytes_);
  other.wipe();
  return *this;
}

Secret::~Secret() { wipe(); }

Secret Secret::clone() const { return copy_of(view()); }

void Secret::wipe() { wipe_string(bytes_); }

void wipe_memory(MutableByteView bytes) { OPENSSL_cleanse(bytes.data(), bytes.size()); }

}  // namespace restree
