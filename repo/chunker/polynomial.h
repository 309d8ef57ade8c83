// Polynomials over GF(2), on which the cut points of a repository depend.
//
// Bit i is the coefficient of x^i, so 0xb is x^3 + x + 1. Pure functions, any thread.
// Format: restic's design document, and M. O. Rabin, "Fingerprinting by Random Polynomials".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

namespace restree {

// The degree of the polynomials that are made here, and the highest that the tables allow.
inline constexpr unsigned kChunkerDegree = 53;

// The highest power; 0 for the polynomials 0 and 1.
unsigned degree_of(std::uint64_t polynomial);

// Ben-Or's test; takes one to some tens of microseconds.
bool is_irreducible(std::uint64_t polynomial);

// An irreducible polynomial of degree 53 from uniformly random words; nullopt if a million words
// gave none, which means that the source of randomness is broken.
std::optional<std::uint64_t> find_irreducible(const std::function<std::uint64_t()>& random_word);

// The tables of a rolling hash over a window of `window_bytes`, indexed by a byte b.
struct RollingTables {
  std::array<std::uint64_t, 256> leaving;  // b(x) * x^(8 (window_bytes - 1)) mod polynomial
  std::array<std::uint64_t, 256> reduced;  // b(x) * x^degree mod polynomial, and b << degree
};
// `polynomial` has a degree from 8 to kChunkerDegree.
RollingTables make_rolling_tables(std::uint64_t polynomial, std::size_t window_bytes);

}  // namespace restree
