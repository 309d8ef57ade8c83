#include "repo/crypto/derivation.h"

#include <atomic>

namespace restree {
namespace {

std::atomic<int> nothing_else = 0;
std::atomic<int> derivations = 0;

}  // namespace

NothingButDerivation::NothingButDerivation() { ++nothing_else; }
NothingButDerivation::~NothingButDerivation() { --nothing_else; }
DerivationUnderWay::DerivationUnderWay() { ++derivations; }
DerivationUnderWay::~DerivationUnderWay() { --derivations; }

bool only_derives_a_key() { return nothing_else > 0 && derivations > 0; }

}  // namespace restree
