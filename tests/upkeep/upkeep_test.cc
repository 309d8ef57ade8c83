// The upkeep of a repository as a test: a fixed number of steps, or as many as are asked for.
#include "tests/upkeep/upkeep.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

#include "tests/support/scale.h"

namespace restree::testing {
namespace {

constexpr std::uint64_t kSteps = 300;

// A test takes the same steps each time; whoever asks for more looks for new ones.
TEST(Upkeep, NoSnapshotEverLosesAnything) {
  const char* const steps = std::getenv("RESTREE_UPKEEP_STEPS");
  const char* const wanted_seed = std::getenv("RESTREE_UPKEEP_SEED");
  const std::uint64_t count = steps == nullptr ? scaled(kSteps, 60) : std::stoull(steps);
  std::uint64_t seed = steps == nullptr ? 1 : std::random_device()();
  if (wanted_seed != nullptr) seed = std::stoull(wanted_seed);
  std::cout << "the steps are those of RESTREE_UPKEEP_SEED=" << seed << std::endl;
  Upkeep upkeep(seed);
  for (std::uint64_t i = 0; i < count && upkeep.findings().empty(); ++i) {
    upkeep.step();
    if (i % 50 == 49) std::cout << upkeep.summary() << std::endl;
  }
  std::cout << upkeep.summary() << std::endl;
  for (const std::string& finding : upkeep.findings()) ADD_FAILURE() << finding;
  if (!HasFailure()) upkeep.finish();
  for (const std::string& finding : upkeep.findings()) ADD_FAILURE() << finding;
}

}  // namespace
}  // namespace restree::testing
