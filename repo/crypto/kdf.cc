#include "repo/crypto/kdf.h"

#include <openssl/evp.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <limits>
#include <span>
#include <string>
#include <thread>
#include <utility>

#include "repo/base/thread_pool.h"
#include "repo/crypto/derivation.h"
#include "repo/crypto/openssl_error.h"
#include "repo/crypto/scrypt_lane.h"
#include "repo/system/memory_allowed.h"

namespace restree {
namespace {

constexpr std::size_t kDerivedBytes = 64;

// The table of N entries, which each lane fills anew.
constexpr std::uint64_t kTableLimit = std::uint64_t{1} << 30;
// All lanes, which are 64 KiB where r = 8 and p = 64. PBKDF2 fills them, in a time that
// scrypt_cost() leaves out: some 50 ms for each MiB.
constexpr std::uint64_t kLanesLimit = std::uint64_t{16} << 20;
// Half a second of work is about 2^21, so this is a minute or two.
constexpr std::uint64_t kCostLimit = std::uint64_t{1} << 28;

// The tables of lanes that are mixed at the same time: four halves of restic's usual keys. A program must
// not need several times the memory for its start that it gets by with later.
constexpr std::uint64_t kTablesLimit = std::uint64_t{65} << 20;
// And no more than this part of the memory that the process may have.
constexpr std::uint64_t kTablesShare = 8;

std::string shown(const ScryptParameters& parameters) {
  return "scrypt with N=" + std::to_string(parameters.n) + ", r=" + std::to_string(parameters.r) +
         ", p=" + std::to_string(parameters.p);
}

Error refusal(const ScryptParameters& parameters, std::string_view reason) {
  return {ErrorKind::kCorrupt, shown(parameters) + ": " + std::string(reason)};
}

// Memory for what is as secret as the key: mapped for this alone and unmapped at the end, so that the
// kernel wipes it.
class SecretMemory {
 public:
  static Result<SecretMemory> map(std::uint64_t size, const ScryptParameters& parameters) {
    void* const memory = ::mmap(nullptr, static_cast<std::size_t>(size), PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return errno_error(errno, shown(parameters));
    // It is read all over; in small pages a good part of the time goes to where they are. May be refused.
    ::madvise(memory, static_cast<std::size_t>(size), MADV_HUGEPAGE);
    ::madvise(memory, static_cast<std::size_t>(size), MADV_DONTDUMP);
    return SecretMemory(
        MutableByteView(static_cast<std::byte*>(memory), static_cast<std::size_t>(size)));
  }
  SecretMemory(SecretMemory&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  SecretMemory& operator=(SecretMemory&&) = delete;
  ~SecretMemory() {
    if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
  }

  MutableByteView bytes() const { return bytes_; }

 private:
  explicit SecretMemory(MutableByteView bytes) : bytes_(bytes) {}

  MutableByteView bytes_;
};

// One round of PBKDF2 with HMAC-SHA-256, the first and the last step of scrypt.
Status pbkdf2(const Secret& password, ByteView salt, MutableByteView to) {
  const int done = ::PKCS5_PBKDF2_HMAC(
      password.text().data(), static_cast<int>(password.size()),
      reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()), 1,
      ::EVP_sha256(), static_cast<int>(to.size()), reinterpret_cast<unsigned char*>(to.data()));
  if (done != 1) return openssl_error("PBKDF2");
  return {};
}

// Of half tables.
std::size_t lanes_at_once(const ScryptParameters& parameters) {
  const std::uint64_t memory = std::min(kTablesLimit, memory_allowed() / kTablesShare);
  const std::uint64_t tables =
      memory / scrypt_table_bytes(parameters.n, parameters.r, ScryptTable::kHalf);
  const std::uint64_t most =
      std::min<std::uint64_t>(std::thread::hardware_concurrency(), parameters.p);
  return static_cast<std::size_t>(
      std::clamp<std::uint64_t>(tables, 1, std::max<std::uint64_t>(most, 1)));
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
  if (n > kTableLimit / scrypt_lane_bytes(r)) {
    return refusal(parameters, "takes more memory than the 1 GiB allowed for opening a key");
  }
  if (scrypt_cost(parameters) > kCostLimit || lanes > kLanesLimit / scrypt_lane_bytes(1)) {
    return refusal(parameters, "takes more time than the minutes allowed for opening a key");
  }
  return {};
}

Result<Secret> derive_key(const Secret& password, ByteView salt, ScryptParameters parameters) {
  RETURN_IF_ERROR(check_scrypt(parameters));
  const auto [n, r, p] = parameters;
  // What is allowed fits into any processor's addresses.
  const auto lane_bytes = static_cast<std::size_t>(scrypt_lane_bytes(r));
  const DerivationUnderWay under_way;
  ASSIGN_OR_RETURN(const SecretMemory lanes,
                   SecretMemory::map(std::uint64_t{p} * lane_bytes, parameters));
  RETURN_IF_ERROR(pbkdf2(password, salt, lanes.bytes()));
  const std::size_t at_once = lanes_at_once(parameters);
  const ScryptTable kept = at_once > 1 ? ScryptTable::kHalf : ScryptTable::kWhole;
  // Not a call for each lane, since each would map a table of its own.
  const auto mix_each = [&](std::size_t first) -> Status {
    ASSIGN_OR_RETURN(const SecretMemory table,
                     SecretMemory::map(scrypt_table_bytes(n, r, kept), parameters));
    for (std::size_t lane = first; lane < p; lane += at_once) {
      mix_scrypt_lane(lanes.bytes().subspan(lane * lane_bytes, lane_bytes), table.bytes(), n, r,
                      kept);
    }
    return {};
  };
  RETURN_IF_ERROR(parallel_for(at_once, at_once, mix_each));
  std::string derived(kDerivedBytes, '\0');
  const Status done = pbkdf2(password, lanes.bytes(), std::as_writable_bytes(std::span(derived)));
  Secret key(std::move(derived));
  RETURN_IF_ERROR(done);
  return key;
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
