// Whether the program may be ended amid the derivation of a key, which takes seconds, or minutes
// where a key file asks for them, and cannot be stopped.
//
// Threads: any; one state for the process.
#pragma once

namespace restree {

// While one of these lives, the derivation of a key is all that the program has begun: no lock is
// taken and nothing is written.
class NothingButDerivation {
 public:
  NothingButDerivation();
  ~NothingButDerivation();
  NothingButDerivation(const NothingButDerivation&) = delete;
  NothingButDerivation& operator=(const NothingButDerivation&) = delete;
};

// True while a key is derived and nothing else has begun: a signal that asks the program to stop may
// end it at once.
bool only_derives_a_key();

// Lives while a key is derived.
class DerivationUnderWay {
 public:
  DerivationUnderWay();
  ~DerivationUnderWay();
  DerivationUnderWay(const DerivationUnderWay&) = delete;
  DerivationUnderWay& operator=(const DerivationUnderWay&) = delete;
};

}  // namespace restree
