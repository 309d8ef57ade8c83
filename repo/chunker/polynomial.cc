#include "repo/chunker/polynomial.h"

#include <bit>
#include <cassert>
#include <utility>

namespace restree {
namespace {

std::uint64_t remainder(std::uint64_t dividend, std::uint64_t divisor) {
  const unsigned degree = degree_of(divisor);
  while (dividend != 0 && degree_of(dividend) >= degree) {
    dividend ^= divisor << (degree_of(dividend) - degree);
  }
  return dividend;
}

// (a * b) mod f for a and b that are reduced already; f's degree is below 64.
std::uint64_t multiply(std::uint64_t a, std::uint64_t b, std::uint64_t f) {
  const std::uint64_t top = std::uint64_t{1} << (degree_of(f) - 1);
  std::uint64_t product = 0;
  for (; b != 0; b >>= 1) {
    if ((b & 1) != 0) product ^= a;
    const bool overflows = (a & top) != 0;
    a <<= 1;
    if (overflows) a ^= f;
  }
  return product;
}

std::uint64_t greatest_common_divisor(std::uint64_t a, std::uint64_t b) {
  while (b != 0) {
    const std::uint64_t rest = remainder(a, b);
    a = std::exchange(b, rest);
  }
  return a;
}

}  // namespace

unsigned degree_of(std::uint64_t polynomial) {
  return polynomial == 0 ? 0 : static_cast<unsigned>(std::bit_width(polynomial)) - 1;
}

bool is_irreducible(std::uint64_t polynomial) {
  constexpr std::uint64_t kX = 2;
  const unsigned degree = degree_of(polynomial);
  if (degree == 0) return false;
  if (degree == 1) return true;
  // x^(2^i) - x is the product of all irreducible polynomials whose degree divides i.
  std::uint64_t power = kX;
  for (unsigned i = 1; i <= degree / 2; ++i) {
    power = multiply(power, power, polynomial);
    if (greatest_common_divisor(polynomial, power ^ kX) != 1) return false;
  }
  return true;
}

std::optional<std::uint64_t> find_irreducible(const std::function<std::uint64_t()>& random_word) {
  constexpr int kMostTries = 1'000'000;
  constexpr std::uint64_t kTop = std::uint64_t{1} << kChunkerDegree;
  for (int i = 0; i < kMostTries; ++i) {
    // Without the constant term the polynomial would be divisible by x.
    const std::uint64_t candidate = (random_word() & (kTop - 1)) | kTop | 1;
    if (is_irreducible(candidate)) return candidate;
  }
  return std::nullopt;
}

RollingTables make_rolling_tables(std::uint64_t polynomial, std::size_t window_bytes) {
  const unsigned degree = degree_of(polynomial);
  assert(degree >= 8 && degree <= kChunkerDegree);
  RollingTables tables{};
  for (std::size_t byte = 0; byte < tables.leaving.size(); ++byte) {
    std::uint64_t hash = remainder(byte, polynomial);
    for (std::size_t i = 1; i < window_bytes; ++i) hash = remainder(hash << 8, polynomial);
    tables.leaving[byte] = hash;
    const std::uint64_t carried = std::uint64_t{byte} << degree;
    tables.reduced[byte] = remainder(carried, polynomial) ^ carried;
  }
  return tables;
}

}  // namespace restree
