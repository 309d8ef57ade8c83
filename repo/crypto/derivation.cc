#include "repo/crypto/derivation.h"

#include <atomic>

namespace restree {
namespace {

std::atomic<int> nothing_else = 0;
std::atomic<int> under_way = 0;

}  // namespace

NothingButDerivation::NothingButDerivation() { ++nothing_else; }
NothingButDerivation::~NothingButDerivation() { --nothing_else; }
DerivationUnderWay::DerivationUnderWay() { ++under_way; }
DerivationUnderWay::~DerivationUnderWay() { --under_way; }

bool only_derives_a_key() { return nothing_else > 0 && under_way > 0; }

}  // namespace restree
