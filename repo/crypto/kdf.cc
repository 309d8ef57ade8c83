#include "repo/crypto/kdf.h"

#include <sodium.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <limits>
#include <string>
#include <utility>

#include "repo/crypto/derivation.h"

namespace restree {
namespace {

constexpr std::size_t kDerivedBytes = 64;
constexpr std::uint64_t kBlockBytes = 128;

// The table of N entries, which each lane fills anew.
constexpr std::uint64_t kTableLimit = std::uint64_t{1} << 30;
// All lanes, which are 64 KiB where r = 8 and p = 64. PBKDF2 fills them, in a time that
// scrypt_cost() leaves out: some 50 ms for each MiB.
constexpr std::uint64_t kLanesLimit = std::uint64_t{16} << 20;
// Half a second of work is about 2^21, so this is a minute or two.
constexpr std::uint64_t kCostLimit = std::uint64_t{1} << 28;

std::string shown(const ScryptParameters& parameters) {
  return "scrypt with N=" + std::to_string(parameters.n) + ", r=" + std::to_string(parameters.r) +
         ", p=" + std::to_string(parameters.p);
}

Error refusal(const ScryptParameters& parameters, std::string_view reason) {
  return {ErrorKind::kCorrupt, shown(parameters) + ": " + std::string(reason)};
}

}  // namespace

std::uint64_t scrypt_cost(ScryptParameters parameters) {
  const std::uint64_t lanes = std::uint64_t{parameters.r} * parameters.p;
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  if (lanes != 0 && parameters.n > kMost / lanes) return kMost;
  return parameters.n * lanes;
}

Status check_scrypt(ScryptParameters parameters) {
  const auto [n, r, p] = parameters;
  const std::uint64_t lanes = std::uint64_t{r} * p;
  if (n < 2 || !std::has_single_bit(n) || lanes == 0 || lanes >= std::uint64_t{1} << 30) {
    return refusal(parameters, "scrypt does not allow these parameters");
  }
  if (n > kTableLimit / kBlockBytes / r) {
    return refusal(parameters, "takes more memory than the 1 GiB allowed for opening a key");
  }
  if (scrypt_cost(parameters) > kCostLimit || lanes > kLanesLimit / kBlockBytes) {
    return refusal(parameters, "takes more time than the minutes allowed for opening a key");
  }
  return {};
}

// libsodium and not OpenSSL, which refuses N >= 2^(16 r) and takes half as long again. Its memory
// is mapped for the call and unmapped at its end, so the kernel wipes it.
Result<Secret> derive_key(const Secret& password, ByteView salt, ScryptParameters parameters) {
  RETURN_IF_ERROR(check_scrypt(parameters));
  // Finds out what the processor can do; only the first call takes any time.
  if (sodium_init() < 0) return Error(ErrorKind::kLocalIo, "libsodium does not start");
  std::string bytes(kDerivedBytes, '\0');
  const DerivationUnderWay under_way;
  const int failed = crypto_pwhash_scryptsalsa208sha256_ll(
      reinterpret_cast<const std::uint8_t*>(password.text().data()), password.size(),
      reinterpret_cast<const std::uint8_t*>(salt.data()), salt.size(), parameters.n, parameters.r,
      parameters.p, reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size());
  const int reason = errno;
  Secret derived(std::move(bytes));
  if (failed != 0) return errno_error(reason, shown(parameters));
  return derived;
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
