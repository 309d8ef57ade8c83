#include "repo/crypto/kdf.h"

#include <openssl/evp.h>

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

#include "repo/crypto/openssl_error.h"

namespace restree {
namespace {

constexpr std::size_t kDerivedBytes = 64;
constexpr std::uint64_t kMemoryLimit = std::uint64_t{4} << 30;
// Bytes mixed in all. Half a second of work is about 2^29; this is a minute or two.
constexpr std::uint64_t kWorkLimit = std::uint64_t{1} << 36;
constexpr std::uint64_t kBlockBytes = 128;

bool allowed(const ScryptParameters& parameters) {
  const auto [n, r, p] = parameters;
  if (n < 2 || !std::has_single_bit(n) || r == 0 || p == 0) return false;
  if (std::uint64_t{r} * p >= std::uint64_t{1} << 30) return false;
  const std::uint64_t lane_bytes = kBlockBytes * r;  // below 2^37
  if (n > kMemoryLimit / lane_bytes) return false;
  const std::uint64_t memory = lane_bytes * n;
  return lane_bytes * p <= kMemoryLimit - memory && p <= kWorkLimit / memory;
}

}  // namespace

Result<Secret> derive_key(const Secret& password, ByteView salt, ScryptParameters parameters) {
  const std::string shown = "scrypt with N=" + std::to_string(parameters.n) +
                            ", r=" + std::to_string(parameters.r) +
                            ", p=" + std::to_string(parameters.p);
  if (!allowed(parameters)) return Error(ErrorKind::kCorrupt, shown + ": not allowed, or too much");
  std::string derived(kDerivedBytes, '\0');
  // The limit counts OpenSSL's own working blocks as well.
  if (EVP_PBE_scrypt(password.text().data(), password.size(),
                     reinterpret_cast<const unsigned char*>(salt.data()), salt.size(), parameters.n,
                     parameters.r, parameters.p, 2 * kMemoryLimit,
                     reinterpret_cast<unsigned char*>(derived.data()), derived.size()) != 1) {
    return openssl_error(shown);
  }
  return Secret(std::move(derived));
}

Result<ScryptParameters> calibrate_scrypt(std::chrono::milliseconds time) {
  using Clock = std::chrono::steady_clock;
  // More memory would not fit into the 60 MiB that restic allows itself.
  constexpr ScryptParameters kLeast{.n = 32768, .r = 8, .p = 1};
  constexpr std::int64_t kMostLanes = 64;
  const Secret password(std::string("how long does it take?"));
  const Clock::time_point start = Clock::now();
  RETURN_IF_ERROR(derive_key(password, password.view(), kLeast));
  const Clock::duration once = std::max(Clock::now() - start, Clock::duration(1));
  ScryptParameters parameters = kLeast;
  parameters.p = static_cast<std::uint32_t>(std::clamp<std::int64_t>(time / once, 1, kMostLanes));
  return parameters;
}

}  // namespace restree
