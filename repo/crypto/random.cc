#include "repo/crypto/random.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <cerrno>

#include "repo/base/unique_fd.h"
#include "repo/crypto/openssl_error.h"

namespace restree {
namespace {

// OpenSSL relies on getrandom(2), which the filter of a container may refuse.
bool read_device(MutableByteView bytes) {
  const UniqueFd device(::open("/dev/urandom", O_RDONLY | O_CLOEXEC));
  if (!device) return false;
  while (!bytes.empty()) {
    const ssize_t count = ::read(device.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

Status fill_random(MutableByteView bytes) {
  auto* const into = reinterpret_cast<unsigned char*>(bytes.data());
  if (RAND_bytes(into, static_cast<int>(bytes.size())) == 1) return {};
  if (read_device(bytes)) {
    ::ERR_clear_error();
    return {};
  }
  return openssl_error("random bytes, which neither getrandom(2) nor /dev/urandom gives");
}

}  // namespace restree
