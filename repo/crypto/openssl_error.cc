#include "repo/crypto/openssl_error.h"

#include <openssl/err.h>

#include <array>

namespace restree {

Error openssl_error(std::string_view doing) {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  std::array<char, 256> words{};
  ERR_error_string_n(code, words.data(), words.size());
  return {ErrorKind::kLocalIo,
          std::string(doing) + ": " + (code == 0 ? "OpenSSL gives no reason" : words.data())};
}

}  // namespace restree
